//! Random clusters from a small pool of names, so that records meet, for property tests.

mod related;

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};

use svcscope_model::inventory::{
    ChangedRecord, ContainerPort, ContainerRecord, EndpointRecord, EndpointSliceRecord,
    EndpointSource, EventRecord, Inventory, InventoryChange, LoadBalancerIngress, NodeAddress,
    NodeAddressKind, NodeRecord, ObjectKey, OwnerRef, PodPhase, PodRecord, Protocol, RecordDelta,
    ResourceKind, ServicePort, ServiceRecord, ServiceType, SharedStr, SlicePort, SyncState,
    TargetPort, TrafficPolicy, WatchScope,
};

/// The moment by which the ages of random records are judged.
pub fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000)
}

/// Changes as a cluster could send them, in batches.
pub fn batches() -> impl Strategy<Value = Vec<Vec<InventoryChange>>> {
    vec(vec(change(), 1..5), 1..20)
}

/// An inventory after some changes; every kind is live.
pub fn inventory() -> impl Strategy<Value = Inventory> {
    vec(object(), 0..80).prop_map(|changes| {
        let mut inventory = super::sample::wholly_live();
        for change in changes {
            inventory.apply(change);
        }
        inventory
    })
}

/// Applies a batch and says what it touched.
pub fn apply(inventory: &mut Inventory, batch: &[InventoryChange]) -> Vec<ChangedRecord> {
    batch
        .iter()
        .flat_map(|change| inventory.apply(change.clone()))
        .collect()
}

fn change() -> impl Strategy<Value = InventoryChange> {
    prop_oneof![8 => object(), 1 => sync()]
}

fn object() -> impl Strategy<Value = InventoryChange> {
    prop_oneof![
        3 => delta(service(), |r: &ServiceRecord| r.key.clone()).prop_map(InventoryChange::Service),
        4 => delta(pod(), |r: &PodRecord| r.key.clone()).prop_map(InventoryChange::Pod),
        4 => delta(slice(), |r: &EndpointSliceRecord| r.key.clone())
            .prop_map(InventoryChange::EndpointSlice),
        1 => delta(node(), |r: &NodeRecord| ObjectKey::cluster_scoped(r.name.clone()))
            .prop_map(InventoryChange::Node),
        1 => delta(event(), |r: &EventRecord| r.key.clone()).prop_map(InventoryChange::Event),
        3 => related::change(),
    ]
}

fn delta<R: Clone + std::fmt::Debug + 'static>(
    record: impl Strategy<Value = R> + Clone + 'static,
    key: fn(&R) -> ObjectKey,
) -> impl Strategy<Value = RecordDelta<R>> {
    prop_oneof![
        7 => record.clone().prop_map(RecordDelta::Upsert),
        2 => record.clone().prop_map(move |record| RecordDelta::Remove(key(&record))),
        1 => (scope(), vec(record, 0..5)).prop_map(move |(scope, records)| {
            let records = records
                .into_iter()
                .filter(|record| scope.holds(&key(record).namespace))
                .collect();
            RecordDelta::Replace { scope, records }
        }),
    ]
}

fn text(words: &'static [&'static str]) -> impl Strategy<Value = SharedStr> + Clone {
    select(words).prop_map(SharedStr::from)
}

fn namespace() -> impl Strategy<Value = SharedStr> + Clone {
    text(&["infra", "shop"])
}

fn scope() -> impl Strategy<Value = WatchScope> + Clone {
    prop_oneof![
        Just(WatchScope::Cluster),
        namespace().prop_map(WatchScope::Namespace)
    ]
}

fn key(names: &'static [&'static str]) -> impl Strategy<Value = ObjectKey> + Clone {
    (namespace(), text(names)).prop_map(|(namespace, name)| ObjectKey::new(namespace, name))
}

const SERVICES: &[&str] = &["a", "b", "c"];
const PODS: &[&str] = &["p0", "p1", "p2", "p3", "p4", "p5"];
const NODES: &[&str] = &["n0", "n1"];
const PORT_NAMES: &[&str] = &["http", "grpc"];

fn labels() -> impl Strategy<Value = BTreeMap<SharedStr, SharedStr>> + Clone {
    btree_map(text(&["app", "run"]), text(&["web", "webb", "x"]), 0..3)
}

fn protocol() -> impl Strategy<Value = Protocol> + Clone {
    select(&[Protocol::Tcp, Protocol::Tcp, Protocol::Udp][..])
}

fn target_port() -> impl Strategy<Value = TargetPort> + Clone {
    prop_oneof![
        Just(TargetPort::Number(8080)),
        text(&["http", "grpc", "8080"]).prop_map(TargetPort::Name),
    ]
}

fn ports() -> impl Strategy<Value = Vec<ServicePort>> + Clone {
    let port = (target_port(), protocol(), option::of(Just(30_000_u16)));
    vec(port, 0..3).prop_map(|ports| {
        ports
            .into_iter()
            .zip(PORT_NAMES)
            .zip(80..)
            .map(
                |(((target_port, protocol, node_port), name), port)| ServicePort {
                    name: Some(SharedStr::from(*name)),
                    protocol,
                    port,
                    target_port,
                    node_port: node_port.map(|first| first + port),
                    app_protocol: None,
                },
            )
            .collect()
    })
}

fn service() -> impl Strategy<Value = ServiceRecord> + Clone {
    let balancer = option::of(text(&["203.0.113.7", "lb.example.com"]));
    let elsewhere = text(&[
        "elsewhere.example.com",
        "a.shop.svc.cluster.local",
        "B.shop.svc.",
        "c.infra.svc",
    ]);
    (
        key(SERVICES),
        select(&ServiceType::ALL[..]),
        (labels(), labels()),
        ports(),
        any::<bool>(),
        balancer,
        created(),
        elsewhere,
    )
        .prop_map(
            |(key, service_type, (labels, selector), ports, headless, balancer, created, name)| {
                ServiceRecord {
                    service_type,
                    labels,
                    selector,
                    ports,
                    created,
                    cluster_ips: vec![SharedStr::from(if headless { "None" } else { "10.96.0.1" })],
                    external_name: Some(name),
                    internal_traffic_policy: headless.then_some(TrafficPolicy::Local),
                    external_traffic_policy: (!headless).then_some(TrafficPolicy::Local),
                    ip_families: vec![SharedStr::from("IPv4"), SharedStr::from("IPv6")],
                    load_balancer: balancer
                        .into_iter()
                        .map(|hostname| LoadBalancerIngress {
                            ip: None,
                            hostname: Some(hostname),
                            proxied: false,
                            errors: Vec::new(),
                        })
                        .collect(),
                    ..ServiceRecord::new(key)
                }
            },
        )
}

fn created() -> impl Strategy<Value = Option<Timestamp>> + Clone {
    option::of(select(&[5_i64, 100, 10_000][..]))
        .prop_map(|age| age.map(|age| now() - SignedDuration::from_secs(age)))
}

fn containers() -> impl Strategy<Value = Vec<ContainerRecord>> + Clone {
    let taken = option::weighted(0.2, Just(30_080));
    let ports = vec((option::of(text(PORT_NAMES)), protocol(), taken), 0..3);
    vec((any::<bool>(), any::<bool>(), ports), 0..2).prop_map(|containers| {
        containers
            .into_iter()
            .map(|(sidecar, ready, ports)| ContainerRecord {
                name: SharedStr::from("c"),
                sidecar,
                ports: ports
                    .into_iter()
                    .map(|(name, protocol, host_port)| ContainerPort {
                        name,
                        protocol,
                        port: 8080,
                        host_port,
                    })
                    .collect(),
                ready,
                restarts: 0,
                reason: (!ready).then(|| SharedStr::from("CrashLoopBackOff")),
                probes: Box::default(),
            })
            .collect()
    })
}

fn pod() -> impl Strategy<Value = PodRecord> + Clone {
    let phase = select(&[PodPhase::Running, PodPhase::Running, PodPhase::Failed][..]);
    (
        key(PODS),
        labels(),
        phase,
        any::<bool>(),
        option::of(text(NODES)),
        option::of(text(&["w0-7f9c", "w1"])),
        (created(), option::weighted(0.2, Just(now()))),
        containers(),
    )
        .prop_map(
            |(key, mut labels, phase, ready, node, owner, (created, deleting), containers)| {
                labels.insert(
                    SharedStr::from("pod-template-hash"),
                    SharedStr::from("7f9c"),
                );
                PodRecord {
                    labels,
                    phase,
                    ready,
                    node,
                    owner: owner.map(|name| OwnerRef {
                        kind: SharedStr::from("ReplicaSet"),
                        name,
                    }),
                    created,
                    deleting,
                    containers,
                    ips: vec![SharedStr::from("10.244.0.1")],
                    ..PodRecord::new(key)
                }
            },
        )
}

fn endpoint() -> impl Strategy<Value = EndpointRecord> + Clone {
    (
        text(&["10.244.0.1", "10.244.0.2", "fd00::1", "10.96.0.1"]),
        any::<(bool, bool, bool)>(),
        option::weighted(0.8, text(PODS)),
        option::of(text(NODES)),
        vec(text(&["zone-a", "zone-b"]), 0..3),
        vec(text(NODES), 0..2),
    )
        .prop_map(
            |(address, (ready, serving, terminating), pod, node, zones, nodes)| EndpointRecord {
                address,
                ready,
                serving,
                terminating,
                pod,
                node,
                zone: None,
                hostname: None,
                zone_hints: zones.into(),
                node_hints: nodes.into(),
            },
        )
}

fn slice() -> impl Strategy<Value = EndpointSliceRecord> + Clone {
    (
        key(&["s0", "s1", "s2", "s3"]),
        option::weighted(0.9, text(SERVICES)),
        select(&["IPv4", "IPv4", "IPv6", "FQDN"][..]),
        vec((text(PORT_NAMES), protocol(), option::of(Just(8080))), 0..3),
        vec(endpoint(), 0..5),
        proptest::bool::weighted(0.1),
        option::of(text(&["endpointslice-controller.k8s.io", "me"])),
    )
        .prop_map(
            |(key, service, address_type, ports, endpoints, truncated, managed_by)| {
                EndpointSliceRecord {
                    key,
                    service,
                    source: EndpointSource::EndpointSlice,
                    address_type: SharedStr::from(address_type),
                    ports: ports
                        .into_iter()
                        .map(|(name, protocol, port)| SlicePort {
                            name,
                            protocol,
                            port,
                        })
                        .collect(),
                    endpoints,
                    truncated,
                    managed_by,
                }
            },
        )
}

fn node() -> impl Strategy<Value = NodeRecord> + Clone {
    (text(NODES), text(&["10.0.0.1", "10.0.0.2"]), any::<bool>()).prop_map(
        |(name, address, ready)| NodeRecord {
            name,
            addresses: vec![NodeAddress {
                kind: NodeAddressKind::InternalIP,
                address,
            }],
            ready,
            unschedulable: false,
            zone: None,
        },
    )
}

fn event() -> impl Strategy<Value = EventRecord> + Clone {
    (
        key(&["e0", "e1"]),
        text(SERVICES),
        text(&["Type", "SyncLoadBalancerFailed", "PortAlreadyAllocated"]),
        created(),
    )
        .prop_map(|(key, service, reason, last_seen)| EventRecord {
            service: ObjectKey::new(key.namespace.clone(), service),
            key,
            warning: &*reason != "Type",
            reason,
            message: SharedStr::from("said"),
            count: 1,
            last_seen,
            source: SharedStr::from("service-controller"),
        })
}

fn sync() -> impl Strategy<Value = InventoryChange> {
    let state = prop_oneof![
        2 => Just(SyncState::Live),
        1 => Just(SyncState::Polled {
            every: Duration::from_secs(5),
            reason: SharedStr::from("ended"),
        }),
        1 => Just(SyncState::Syncing),
        1 => Just(SyncState::Forbidden { message: SharedStr::from("forbidden") }),
        1 => Just(SyncState::Stale { since: now(), reason: SharedStr::from("refused") }),
    ];
    let kinds = [&ResourceKind::ALL[..], &ResourceKind::ON_DEMAND[..]].concat();
    (select(kinds), scope(), state)
        .prop_map(|(kind, scope, state)| InventoryChange::Sync(kind, scope, state))
}
