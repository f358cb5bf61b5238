//! Random front doors, workloads and policies.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{PODS, SERVICES, delta, key, labels, namespace, text};
use svcscope_model::inventory::{
    BackendTlsPolicyRecord, BackendTlsTarget, GatewayClassRecord, GatewayListener, GatewayRecord,
    IngressBackend, IngressClassRecord, IngressPath, IngressPort, IngressRecord, IngressRule,
    IngressTls, InventoryChange, LabelSelector, MeshParent, NetworkPolicyRecord, ObjectKey,
    ParentRef, PolicyPeer, PolicyRule, ReferenceGrantFrom, ReferenceGrantRecord, ReferenceGrantTo,
    RelatedRecord, ResourceKind, RouteBackend, RouteKind, RouteMatch, RouteParentStatus,
    RouteRecord, RouteRule, ServiceWebhook, StatusCondition, TlsSecretRecord, WebhookRecord,
    WorkloadRecord,
};

const HOSTS: &[&str] = &["", "a.example.com", "b.example.com"];
const DOORS: &[&str] = &["d0", "d1"];

/// A change of one of these kinds.
pub(super) fn change() -> impl Strategy<Value = InventoryChange> {
    prop_oneof![
        3 => of(ResourceKind::Ingress, ingress()),
        1 => of(ResourceKind::IngressClass, class()),
        2 => of(ResourceKind::HttpRoute, route(RouteKind::Http)),
        1 => of(ResourceKind::TcpRoute, route(RouteKind::Tcp)),
        1 => of(ResourceKind::BackendTlsPolicy, backend_tls()),
        1 => of(ResourceKind::Gateway, gateway()),
        1 => of(ResourceKind::GatewayClass, gateway_class()),
        1 => of(ResourceKind::ReferenceGrant, grant()),
        1 => of(ResourceKind::ValidatingWebhook, webhook()),
        1 => of(ResourceKind::NetworkPolicy, policy()),
        2 => of(ResourceKind::Deployment, workload()),
        1 => of(ResourceKind::TlsSecret, secret()),
    ]
}

fn of<R: Into<RelatedRecord> + std::fmt::Debug + 'static>(
    kind: ResourceKind,
    record: impl Strategy<Value = R> + Clone + 'static,
) -> impl Strategy<Value = InventoryChange> {
    let related = record.prop_map(Into::into);
    delta(related.boxed(), |r: &RelatedRecord| r.key().clone())
        .prop_map(move |delta| InventoryChange::Related(kind, delta))
}

fn ingress() -> impl Strategy<Value = IngressRecord> + Clone {
    let backend = (
        text(SERVICES),
        option::of(select(vec![
            IngressPort::Number(80),
            IngressPort::Number(81),
            IngressPort::Name("http".into()),
        ])),
    )
        .prop_map(|(service, port)| IngressBackend { service, port });
    let path = (text(&["", "/", "/a"]), option::of(backend.clone())).prop_map(|(path, backend)| {
        IngressPath {
            path,
            exact: false,
            backend,
        }
    });
    let rule = (text(HOSTS), vec(path, 0..3)).prop_map(|(host, paths)| IngressRule { host, paths });
    let secret = option::of(text(&["s0", "s1"]));
    let tls =
        (vec(text(HOSTS), 0..2), secret).prop_map(|(hosts, secret)| IngressTls { hosts, secret });
    let class = option::of(text(&["c0", "c1"]));
    let addresses = vec(text(&["203.0.113.9"]), 0..2);
    (
        key(DOORS),
        class,
        option::of(backend),
        vec(rule, 0..3),
        vec(tls, 0..2),
        addresses,
    )
        .prop_map(
            |(key, class, default_backend, rules, tls, addresses)| IngressRecord {
                class,
                default_backend,
                rules,
                tls,
                addresses,
                ..IngressRecord::new(key)
            },
        )
}

fn class() -> impl Strategy<Value = IngressClassRecord> + Clone {
    (text(&["c0", "c1"]), any::<bool>()).prop_map(|(name, is_default)| IngressClassRecord {
        key: ObjectKey::cluster_scoped(name),
        controller: "example.com/doors".into(),
        is_default,
    })
}

fn condition() -> impl Strategy<Value = StatusCondition> + Clone {
    (
        text(&["Accepted", "ResolvedRefs", "Programmed"]),
        option::of(any::<bool>()),
    )
        .prop_map(|(kind, holds)| StatusCondition {
            kind,
            holds,
            reason: "Said".into(),
            message: "".into(),
        })
}

fn gateway() -> impl Strategy<Value = GatewayRecord> + Clone {
    let listener = (text(&["l0", "l1"]), text(HOSTS), text(&["HTTP", "HTTPS"])).prop_map(
        |(name, hostname, protocol)| GatewayListener {
            name,
            hostname,
            port: 80,
            protocol,
            allowed: svcscope_model::inventory::AllowedRoutes::All,
            conditions: Vec::new(),
        },
    );
    let conditions = vec(condition(), 0..2);
    (key(DOORS), vec(listener, 0..3), conditions).prop_map(|(key, listeners, conditions)| {
        GatewayRecord {
            key,
            created: None,
            class: "g0".into(),
            listeners,
            addresses: Vec::new(),
            conditions,
        }
    })
}

fn gateway_class() -> impl Strategy<Value = GatewayClassRecord> + Clone {
    vec(condition(), 0..2).prop_map(|conditions| GatewayClassRecord {
        key: ObjectKey::cluster_scoped("g0"),
        controller: "example.com/gateways".into(),
        conditions,
    })
}

fn parent() -> impl Strategy<Value = ParentRef> + Clone {
    (key(DOORS), option::of(text(&["l0", "l1"]))).prop_map(|(gateway, section)| ParentRef {
        gateway,
        section,
        port: None,
    })
}

fn backend_tls() -> impl Strategy<Value = BackendTlsPolicyRecord> + Clone {
    (key(DOORS), key(SERVICES)).prop_map(|(key, service)| BackendTlsPolicyRecord {
        key,
        created: None,
        targets: vec![BackendTlsTarget {
            service,
            port: None,
        }],
        hostname: "pods.example.com".into(),
    })
}

fn route(kind: RouteKind) -> impl Strategy<Value = RouteRecord> + Clone {
    let backend =
        (key(SERVICES), option::of(select(vec![80_u16, 81]))).prop_map(|(service, port)| {
            RouteBackend {
                service,
                port,
                weight: 1,
            }
        });
    let matched = text(&["", "/a"]).prop_map(|path| RouteMatch { path, exact: false });
    let rule = (vec(matched, 0..2), vec(backend, 0..3))
        .prop_map(|(matches, backends)| RouteRule { matches, backends });
    let status = (parent(), vec(condition(), 0..2))
        .prop_map(|(parent, conditions)| RouteParentStatus { parent, conditions });
    (
        key(DOORS),
        vec(text(HOSTS), 0..2),
        vec(parent(), 0..2),
        vec(rule, 0..3),
        vec(status, 0..2),
        vec(key(SERVICES), 0..2),
    )
        .prop_map(
            move |(key, hostnames, parents, rules, statuses, meshes)| RouteRecord {
                kind,
                key,
                created: None,
                hostnames,
                parents,
                meshes: meshes
                    .into_iter()
                    .map(|service| MeshParent {
                        service,
                        port: None,
                    })
                    .collect(),
                elsewhere: Vec::new(),
                rules,
                statuses,
            },
        )
}

fn grant() -> impl Strategy<Value = ReferenceGrantRecord> + Clone {
    (key(DOORS), namespace()).prop_map(|(key, namespace)| ReferenceGrantRecord {
        key,
        from: vec![ReferenceGrantFrom {
            group: "gateway.networking.k8s.io".into(),
            kind: "HTTPRoute".into(),
            namespace,
        }],
        to: vec![ReferenceGrantTo {
            group: "".into(),
            kind: "Service".into(),
            name: None,
        }],
    })
}

fn webhook() -> impl Strategy<Value = WebhookRecord> + Clone {
    (text(DOORS), key(SERVICES), any::<bool>()).prop_map(|(name, service, fails)| WebhookRecord {
        key: ObjectKey::cluster_scoped(name),
        mutating: false,
        hooks: vec![ServiceWebhook {
            name: "hook.example.com".into(),
            service,
            port: 80,
            fails,
            about: vec!["create of pods".into()],
        }],
    })
}

fn policy() -> impl Strategy<Value = NetworkPolicyRecord> + Clone {
    let selector = labels().prop_map(|labels| LabelSelector {
        labels,
        expressions: Vec::new(),
    });
    let peer = option::of(selector.clone()).prop_map(|pods| PolicyPeer::Pods {
        namespaces: None,
        pods,
    });
    let rule = vec(peer, 0..2).prop_map(|peers| PolicyRule {
        peers,
        ports: Vec::new(),
    });
    (key(DOORS), selector, option::of(vec(rule, 0..2))).prop_map(|(key, pods, ingress)| {
        NetworkPolicyRecord {
            key,
            pods,
            ingress,
            egress: None,
        }
    })
}

fn workload() -> impl Strategy<Value = WorkloadRecord> + Clone {
    (key(PODS), labels(), 0_u32..2).prop_map(|(key, template, replicas)| WorkloadRecord {
        stateful: false,
        key,
        replicas,
        template,
        service_name: None,
        rollout: None,
    })
}

fn secret() -> impl Strategy<Value = TlsSecretRecord> + Clone {
    key(&["s0", "s1"]).prop_map(|key| TlsSecretRecord { key })
}
