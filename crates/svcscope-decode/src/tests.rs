use serde_json::{Value, json};

use super::*;
use svcscope_model::inventory::{
    EndpointSource, LoadBalancerIngress, NodeAddressKind, PodPhase, Protocol, ServiceType,
    SharedStr, TargetPort, TrafficPolicy,
};

fn records<R: WatchedResource>(object: &Value) -> Vec<R::Record> {
    let json = object.to_string();
    let object: R::Object<'_> = serde_json::from_str(&json).unwrap();
    let mut records = Vec::new();
    R::records(&object, &mut TextInterner::default(), &mut records);
    records
}

fn one<R: WatchedResource>(object: &Value) -> R::Record {
    let mut all = records::<R>(object);
    assert_eq!(all.len(), 1);
    all.pop().unwrap()
}

fn texts(all: &[SharedStr]) -> Vec<&str> {
    all.iter().map(|text| &**text).collect()
}

#[test]
fn another_object_is_no_empty_list() {
    let why = |answer: &str| {
        serde_json::from_str::<ListPageEnvelope<'_>>(answer)
            .unwrap()
            .reason_not_a_list()
    };
    for list in [
        r#"{"kind":"ServiceList","items":[]}"#,
        r#"{"kind":"PartialObjectMetadataList","items":null}"#,
        r#"{"kind":"List","metadata":{}}"#,
        r#"{"items":[]}"#,
    ] {
        assert_eq!(why(list), None, "{list}");
    }
    for (answer, words) in [
        (
            r#"{"kind":"Status","status":"Success"}"#,
            "its kind is Status",
        ),
        (r#"{"kind":"Table","items":[]}"#, "its kind is Table"),
        (r#"{"kind":"ServiceList","items":{"a":1}}"#, "not an array"),
        (r#"{"kind":"ServiceList","items":[{}]}"#, "escapes"),
        ("{}", "neither"),
    ] {
        let said = why(answer).unwrap();
        assert!(said.contains(words), "{answer}: {said}");
    }
}

/// KEP-4858: new objects may no longer hold these forms, old ones do.
#[test]
fn addresses_are_read_in_their_canonical_form() {
    let record = one::<ServiceResource>(&json!({
        "metadata": {"name": "old", "namespace": "shop"},
        "spec": {"clusterIPs": ["010.96.0.9", "FD00:0::9"], "externalIPs": ["::ffff:192.0.2.1"]},
        "status": {"loadBalancer": {"ingress": [
            {"ip": "203.000.113.7", "ipMode": "Proxy"}, {"ip": "203.0.113.8", "ipMode": "VIP"},
        ]}},
    }));
    assert_eq!(texts(&record.cluster_ips), ["10.96.0.9", "fd00::9"]);
    assert_eq!(texts(&record.external_ips), ["192.0.2.1"]);
    assert_eq!(record.load_balancer[0].ip.as_deref(), Some("203.0.113.7"));
    assert!(record.load_balancer[0].is_proxied());
    assert!(record.load_balancer[1].is_virtual());
    let slice = one::<EndpointSliceResource>(&json!({
        "metadata": {"name": "old-1", "namespace": "shop"},
        "endpoints": [{"addresses": ["010.244.0.1"], "conditions": {"ready": false},
            "hints": {"forZones": [{"name": "a"}, {"name": "b"}], "forNodes": [{"name": "n"}]}}],
    }));
    let endpoint = &slice.endpoints[0];
    assert_eq!(&*endpoint.address, "10.244.0.1");
    assert!(endpoint.serving, "null is true");
    assert_eq!(texts(&endpoint.zone_hints), ["a", "b"]);
    assert_eq!(texts(&endpoint.node_hints), ["n"]);
}

#[test]
fn a_service_with_everything() {
    let record = one::<ServiceResource>(&json!({
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "42",
            "creationTimestamp": "2026-01-02T03:04:05Z", "labels": {"app": "web"},
            "annotations": {"note": "a \"quoted\" one"},
            "managedFields": [
                {"manager": "helm", "fieldsV1": {"f:metadata": {}, "f:spec": {"f:type": {}}}},
                {"manager": "controller", "fieldsV1": {"f:status": {}}},
                {"manager": "argocd", "fieldsV1": {"f:spec": {}}},
                {"manager": "helm", "fieldsV1": {"f:spec": {}}},
            ],
        },
        "spec": {
            "type": "LoadBalancer", "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9", "fd00::9"],
            "selector": {"app": "web"},
            "ports": [
                {"name": "https", "protocol": "TCP", "port": 443, "targetPort": "tls", "nodePort": 30443, "appProtocol": "kubernetes.io/h2c"},
                {"name": "dns", "protocol": "UDP", "port": 53, "targetPort": 5353},
            ],
            "externalIPs": ["203.0.113.1"], "loadBalancerClass": "metal", "loadBalancerSourceRanges": ["10.0.0.0/8"],
            "sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 600}},
            "externalTrafficPolicy": "Local", "internalTrafficPolicy": "Cluster", "trafficDistribution": "PreferClose",
            "publishNotReadyAddresses": true, "healthCheckNodePort": 31000, "allocateLoadBalancerNodePorts": false,
            "ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack",
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}, {"hostname": "lb.example"}]}},
    }));
    assert_eq!(record.key.to_string(), "shop/web");
    assert_eq!(&*record.resource_version, "42");
    assert_eq!(
        record.created,
        Some("2026-01-02T03:04:05Z".parse().unwrap())
    );
    assert_eq!(&*record.annotations["note"], "a \"quoted\" one");
    assert_eq!(record.service_type, ServiceType::LoadBalancer);
    assert_eq!(texts(&record.cluster_ips), ["10.96.0.9", "fd00::9"]);
    assert_eq!(record.ports[0].target_port, TargetPort::Name("tls".into()));
    assert_eq!(record.ports[0].node_port, Some(30443));
    assert_eq!(record.ports[1].protocol, Protocol::Udp);
    assert_eq!(record.ports[1].target_port, TargetPort::Number(5353));
    assert_eq!(record.ports[1].node_port, None);
    assert_eq!(record.session_affinity_timeout_secs, Some(600));
    assert!(record.session_affinity_client_ip && record.publish_not_ready_addresses);
    assert_eq!(record.external_traffic_policy, Some(TrafficPolicy::Local));
    assert_eq!(record.health_check_node_port, Some(31000));
    assert_eq!(record.allocate_load_balancer_node_ports, Some(false));
    assert_eq!(texts(&record.managers), ["argocd", "helm"]);
    let points: Vec<_> = record
        .load_balancer
        .iter()
        .filter_map(LoadBalancerIngress::address)
        .collect();
    assert_eq!(
        points,
        [
            &SharedStr::from("198.51.100.7"),
            &SharedStr::from("lb.example")
        ]
    );
}

#[test]
fn a_service_of_an_old_server_and_a_target_port_left_out() {
    let record = one::<ServiceResource>(&json!({
        "metadata": {"name": "old", "namespace": "shop", "creationTimestamp": null},
        "spec": {"clusterIP": "None", "ports": [{"port": 80, "nodePort": 0}], "selector": null},
        "status": {"loadBalancer": {}},
    }));
    assert!(record.is_headless());
    assert_eq!(record.ports[0].target_port, TargetPort::Number(80));
    assert_eq!(record.ports[0].node_port, None);
    assert!(record.selector.is_empty());
}

#[test]
fn a_pod_with_a_sidecar() {
    let record = one::<PodResource>(&json!({
        "metadata": {
            "name": "web-0", "namespace": "shop", "uid": "p1", "labels": {"app": "web"},
            "deletionTimestamp": "2026-01-02T03:04:05Z",
            "ownerReferences": [
                {"kind": "Other", "name": "x"},
                {"kind": "StatefulSet", "name": "web", "controller": true},
            ],
        },
        "spec": {
            "nodeName": "node-a", "hostNetwork": true,
            "containers": [{"name": "web", "ports": [{"name": "http", "containerPort": 8080}, {"containerPort": 9090, "protocol": "UDP"}]}],
            "initContainers": [
                {"name": "setup", "ports": [{"name": "http", "containerPort": 1}]},
                {"name": "mesh", "restartPolicy": "Always", "ports": [{"name": "admin", "containerPort": 15000}]},
            ],
        },
        "status": {
            "phase": "Running", "podIP": "10.244.0.5", "podIPs": [{"ip": "10.244.0.5"}, {"ip": "fd00::5"}],
            "conditions": [
                {"type": "Initialized", "status": "True"},
                {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "containers with unready status: [web]"},
            ],
            "containerStatuses": [{"name": "web", "ready": false, "restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
            "initContainerStatuses": [{"name": "mesh", "ready": true, "restartCount": 0, "state": {"running": {}}}],
        },
    }));
    assert_eq!(record.owner.as_ref().map(|owner| &*owner.name), Some("web"));
    assert!(record.deleting.is_some() && record.host_network && !record.ready);
    assert_eq!(
        record.not_ready_message.as_deref(),
        Some("containers with unready status: [web]")
    );
    assert_eq!(texts(&record.ips), ["10.244.0.5", "fd00::5"]);
    let names: Vec<_> = record
        .containers
        .iter()
        .map(|found| (&*found.name, found.sidecar))
        .collect();
    assert_eq!(names, [("web", false), ("mesh", true)]);
    assert_eq!(record.containers[0].restarts, 7);
    assert_eq!(
        record.trouble().map(|reason| &**reason),
        Some("CrashLoopBackOff")
    );
    assert_eq!(record.containers[0].ports[1].protocol, Protocol::Udp);
    assert!(record.containers[1].ready && record.containers[1].reason.is_none());
}

#[test]
fn a_pod_that_is_not_scheduled_yet() {
    let record = one::<PodResource>(&json!({
        "metadata": {"name": "new", "namespace": "shop"},
        "spec": {"containers": [{"name": "web"}]},
        "status": {"phase": "Pending"},
    }));
    assert_eq!(record.phase, PodPhase::Pending);
    assert!(record.ips.is_empty() && record.node.is_none() && !record.ready);
}

#[test]
fn conditions_that_are_null_mean_what_the_api_says() {
    let record = one::<EndpointSliceResource>(&json!({
        "metadata": {"name": "web-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4",
        "endpoints": [
            {"addresses": ["10.0.0.1", "10.0.0.9"], "conditions": {}, "targetRef": {"kind": "Pod", "name": "web-0"}, "nodeName": "node-a", "zone": "z"},
            {"addresses": ["10.0.0.2"], "conditions": {"ready": false}},
            {"addresses": ["10.0.0.3"], "conditions": {"ready": false, "serving": true, "terminating": true}},
            {"addresses": ["10.0.0.4"], "targetRef": {"kind": "VirtualMachine", "name": "vm"}},
        ],
        "ports": [{"name": "", "port": 8080}, {"name": "all", "protocol": "UDP"}],
    }));
    assert_eq!(record.service_key().unwrap().to_string(), "shop/web");
    let flags: Vec<_> = record
        .endpoints
        .iter()
        .map(|found| (found.ready, found.serving, found.terminating))
        .collect();
    assert_eq!(
        flags,
        [
            (true, true, false),
            (false, true, false),
            (false, true, true),
            (true, true, false)
        ]
    );
    assert_eq!(&*record.endpoints[0].address, "10.0.0.1");
    assert_eq!(record.endpoints[0].pod.as_deref(), Some("web-0"));
    assert_eq!(record.endpoints[3].pod, None);
    assert_eq!(record.ports[0].port, Some(8080));
    assert_eq!(record.ports[1].port, None);
}

#[test]
fn a_slice_whose_lists_are_null_is_empty() {
    let record = one::<EndpointSliceResource>(&json!({
        "metadata": {"name": "e", "namespace": "shop"}, "addressType": "IPv6", "endpoints": null, "ports": null,
    }));
    assert!(record.endpoints.is_empty() && record.ports.is_empty());
}

#[test]
fn endpoints_are_one_record_a_subset() {
    let records = records::<EndpointsResource>(&json!({
        "metadata": {"name": "web", "namespace": "shop", "annotations": {"endpoints.kubernetes.io/over-capacity": "truncated"}},
        "subsets": [
            {
                "addresses": [{"ip": "10.0.0.1", "targetRef": {"kind": "Pod", "name": "web-0"}, "nodeName": "node-a"}],
                "notReadyAddresses": [{"ip": "10.0.0.2"}],
                "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
            },
            {"addresses": [{"ip": "fd00::1"}], "ports": [{"port": 9090}]},
        ],
    }));
    let names: Vec<_> = records.iter().map(|record| &*record.key.name).collect();
    assert_eq!(names, ["web#0", "web#1"]);
    assert!(
        records
            .iter()
            .all(|record| record.truncated && record.source == EndpointSource::Endpoints)
    );
    assert_eq!(records[0].service.as_deref(), Some("web"));
    let ready: Vec<_> = records[0]
        .endpoints
        .iter()
        .map(|found| found.ready)
        .collect();
    assert_eq!(ready, [true, false]);
    assert_eq!(&*records[1].address_type, "IPv6");
}

#[test]
fn endpoints_without_subsets_are_no_record() {
    let object = json!({"metadata": {"name": "web", "namespace": "shop"}});
    assert!(records::<EndpointsResource>(&object).is_empty());
}

#[test]
fn a_node_and_a_namespace() {
    let node = one::<NodeResource>(&json!({
        "metadata": {"name": "node-a", "labels": {"topology.kubernetes.io/zone": "z1"}},
        "spec": {"unschedulable": true},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Unheard", "address": "x"}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "images": [{"names": ["a", "b"]}],
        },
    }));
    assert!(node.ready && node.unschedulable);
    assert_eq!(node.addresses.len(), 1);
    assert_eq!(node.addresses[0].kind, NodeAddressKind::InternalIP);
    assert_eq!(node.zone.as_deref(), Some("z1"));
    let namespace = one::<NamespaceResource>(&json!({
        "metadata": {"name": "shop", "labels": {"team": "a"}}, "status": {"phase": "Terminating"},
    }));
    assert!(namespace.terminating);
}

#[test]
fn events_of_both_makes() {
    let old = one::<EventResource>(&json!({
        "metadata": {"name": "web.1", "namespace": "shop"},
        "involvedObject": {"kind": "Service", "namespace": "shop", "name": "web"},
        "type": "Warning", "reason": "SyncLoadBalancerFailed", "message": "quota exceeded", "count": 3,
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-02T00:00:00Z", "eventTime": null,
        "source": {"component": "service-controller"}, "reportingComponent": "",
    }));
    assert!(old.warning);
    assert_eq!((old.count, &*old.source), (3, "service-controller"));
    assert_eq!(old.last_seen, Some("2026-01-02T00:00:00Z".parse().unwrap()));
    let new = one::<EventResource>(&json!({
        "metadata": {"name": "web.2", "namespace": "shop"},
        "involvedObject": {"kind": "Service", "namespace": "shop", "name": "web"},
        "type": "Normal", "reason": "X", "message": "m", "eventTime": "2026-01-03T00:00:00.000001Z",
        "firstTimestamp": null, "lastTimestamp": null, "source": {}, "reportingComponent": "lb",
        "series": {"count": 9, "lastObservedTime": "2026-01-04T00:00:00.000000Z"},
    }));
    assert_eq!((new.count, &*new.source), (9, "lb"));
    assert_eq!(new.last_seen, Some("2026-01-04T00:00:00Z".parse().unwrap()));
    assert_eq!(new.service.to_string(), "shop/web");
}

mod related {
    use super::*;
    use svcscope_model::inventory::{
        ApiServiceRecord, BackendTlsPolicyRecord, GatewayRecord, IngressPort, IngressRecord,
        NetworkPolicyRecord, PolicyPeer, RelatedRecord, RouteRecord, TlsSecretRecord,
        WebhookRecord, WorkloadRecord,
    };

    fn record<R>(related: &RelatedRecord) -> &R
    where
        for<'a> &'a R: TryFrom<&'a RelatedRecord>,
    {
        related.try_into().ok().expect("it is of this kind")
    }

    #[test]
    fn an_ingress() {
        let related = one::<IngressResource>(&json!({
            "metadata": {"name": "front", "namespace": "shop",
                "annotations": {"kubernetes.io/ingress.class": "old"}},
            "spec": {
                "defaultBackend": {"resource": {"kind": "Bucket", "name": "b"}},
                "tls": [{"hosts": ["a.example.com"], "secretName": "cert"}, {}],
                "rules": [
                    {"host": "a.example.com", "http": {"paths": [
                        {"path": "/x", "pathType": "Exact",
                            "backend": {"service": {"name": "web", "port": {"name": "http"}}}},
                        {"pathType": "Prefix",
                            "backend": {"service": {"name": "api", "port": {"number": 80}}}},
                    ]}},
                    {"host": "empty.example.com"},
                ],
            },
            "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}, {"hostname": "lb"}]}},
        }));
        let ingress: &IngressRecord = record(&related);
        assert_eq!(ingress.class.as_deref(), Some("old"));
        assert!(ingress.class_by_annotation && ingress.default_backend.is_none());
        assert_eq!(texts(&ingress.addresses), ["203.0.113.1", "lb"]);
        let ways: Vec<_> = ingress
            .backends()
            .map(|(host, path, to)| (host, path.map(|path| &*path.path), to.port.clone()))
            .collect();
        assert_eq!(
            ways,
            [
                (
                    "a.example.com",
                    Some("/x"),
                    Some(IngressPort::Name("http".into()))
                ),
                ("a.example.com", Some(""), Some(IngressPort::Number(80))),
            ]
        );
        assert_eq!(ingress.secrets().count(), 1);
        assert!(
            ingress.encrypts("b.example.com"),
            "the second entry is for every host"
        );
    }

    #[test]
    fn a_gateway_and_its_routes() {
        let related = one::<GatewayResource>(&json!({
            "metadata": {"name": "edge", "namespace": "infra"},
            "spec": {"gatewayClassName": "envoy", "listeners": [
                {"name": "https", "port": 443, "protocol": "HTTPS",
                    "allowedRoutes": {"namespaces": {"from": "All"}}},
                {"name": "http", "port": 80, "protocol": "HTTP"},
            ]},
            "status": {"conditions": [{"type": "Programmed", "status": "Unknown"}],
                "listeners": [{"name": "http",
                    "conditions": [{"type": "Accepted", "status": "False", "reason": "Busy"}]}]},
        }));
        let gateway: &GatewayRecord = record(&related);
        assert_eq!(gateway.conditions[0].holds, None);
        assert_eq!(
            gateway.listeners[0].allowed,
            svcscope_model::inventory::AllowedRoutes::All
        );
        assert!(gateway.listeners[0].encrypts());
        assert_eq!(&*gateway.listeners[1].conditions[0].reason, "Busy");

        let related = one::<HttpRouteResource>(&json!({
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {
                "parentRefs": [
                    {"name": "edge", "namespace": "infra", "sectionName": "https"},
                    {"kind": "Service", "group": "", "name": "mesh"},
                ],
                "rules": [
                    {"matches": [{"path": {"type": "Exact", "value": "/a"}, "method": "GET"}],
                        "backendRefs": [
                            {"name": "web", "port": 80},
                            {"name": "bucket", "kind": "Bucket", "group": "example.com"},
                        ]},
                    {"backendRefs": [{"name": "api", "namespace": "back", "port": 81, "weight": 0}]},
                ],
            },
        }));
        let route: &RouteRecord = record(&related);
        assert_eq!(route.parents.len(), 1, "a Service is a parent of a mesh");
        assert_eq!(route.parents[0].gateway.to_string(), "infra/edge");
        assert!(route.rules[0].matches[0].exact);
        let services: Vec<_> = route.services().iter().map(ToString::to_string).collect();
        assert_eq!(services, ["back/api", "shop/web"]);
        assert_eq!(route.rules[1].backends[0].weight, 0);
        assert_eq!(route.meshes[0].service.to_string(), "shop/mesh");
        assert_eq!(texts(&route.elsewhere), ["Bucket shop/bucket"]);

        let related = one::<GrpcRouteResource>(&json!({
            "metadata": {"name": "rpc", "namespace": "shop"},
            "spec": {"rules": [{"matches": [{"method": {"service": "cart.Cart"}}],
                "backendRefs": [{"name": "web", "port": 80}]}]},
        }));
        let route: &RouteRecord = record(&related);
        assert_eq!(&*route.rules[0].matches[0].path, "cart.Cart/*");

        let related = one::<TcpRouteResource>(&json!({
            "metadata": {"name": "sql", "namespace": "shop"},
            "spec": {"parentRefs": [{"name": "edge", "port": 5432}],
                "rules": [{"name": "all", "backendRefs": [{"name": "db", "port": 5432}]}]},
        }));
        let route: &RouteRecord = record(&related);
        assert_eq!(
            related.kind(),
            svcscope_model::inventory::ResourceKind::TcpRoute
        );
        assert_eq!(route.parents[0].port, Some(5432));
        assert_eq!(route.rules[0].backends[0].port, Some(5432));

        let related = one::<BackendTlsPolicyResource>(&json!({
            "metadata": {"name": "pods", "namespace": "shop"},
            "spec": {
                "targetRefs": [
                    {"group": "", "kind": "Service", "name": "web", "sectionName": "https"},
                    {"group": "example.com", "kind": "Bucket", "name": "web"},
                ],
                "validation": {"wellKnownCACertificates": "System", "hostname": "pods.example.com"},
            },
        }));
        let policy: &BackendTlsPolicyRecord = record(&related);
        assert_eq!(&*policy.hostname, "pods.example.com");
        assert_eq!(policy.targets.len(), 1);
        assert_eq!(policy.targets[0].port.as_deref(), Some("https"));
    }

    #[test]
    fn a_policy_isolates_what_its_types_say_or_its_rules_imply() {
        let policy = |spec: Value| {
            let related = one::<NetworkPolicyResource>(
                &json!({"metadata": {"name": "p", "namespace": "shop"}, "spec": spec}),
            );
            record::<NetworkPolicyRecord>(&related).clone()
        };
        let implied = policy(json!({"podSelector": {}, "egress": [{"to": []}]}));
        assert_eq!(implied.ingress.as_deref(), Some(&[][..]));
        assert_eq!(implied.egress.map(|rules| rules.len()), Some(1));
        let said = policy(json!({"podSelector": {"matchLabels": {"app": "db"}},
            "policyTypes": ["Egress"]}));
        assert_eq!(said.ingress, None);
        assert_eq!(said.egress.as_deref(), Some(&[][..]));
        let ruled = policy(json!({"podSelector": {}, "ingress": [{
            "from": [
                {"namespaceSelector": {}},
                {"podSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}},
                {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
            ],
            "ports": [{"port": "http"}, {"protocol": "UDP", "port": 1000, "endPort": 2000}],
        }]}));
        let rule = &ruled.ingress.unwrap()[0];
        assert!(matches!(&rule.peers[0],
            PolicyPeer::Pods { namespaces: Some(all), pods: None } if all.is_empty()));
        assert!(matches!(&rule.peers[2], PolicyPeer::Block { except, .. } if except.len() == 1));
        assert_eq!(rule.ports[0].port, Some(TargetPort::Name("http".into())));
        assert_eq!(
            (rule.ports[1].protocol, rule.ports[1].end),
            (Protocol::Udp, Some(2000))
        );
    }

    #[test]
    fn webhooks_and_api_services_that_are_services() {
        let related = one::<ValidatingWebhookResource>(&json!({
            "metadata": {"name": "guard"},
            "webhooks": [
                {"name": "a", "failurePolicy": "Ignore",
                    "clientConfig": {"url": "https://elsewhere.example.com"}},
                {"name": "b", "clientConfig": {"service": {"namespace": "infra", "name": "guard"}},
                    "rules": [{"operations": ["CREATE"], "resources": ["pods", "*"]}]},
            ],
        }));
        let webhook: &WebhookRecord = record(&related);
        let [hook] = webhook.hooks.as_slice() else {
            panic!("{webhook:?}");
        };
        assert!(hook.fails && hook.port == 443 && !webhook.mutating);
        assert_eq!(texts(&hook.about), ["create of pods, everything"]);

        let own = records::<ApiServiceResource>(&json!({"metadata": {"name": "v1."}, "spec": {}}));
        assert!(own.is_empty(), "the API server serves it itself");
        let related = one::<ApiServiceResource>(&json!({
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {"service": {"namespace": "kube-system", "name": "metrics-server", "port": 8443}},
            "status": {"conditions": [{"type": "Available", "status": "False",
                "reason": "MissingEndpoints"}]},
        }));
        let api: &ApiServiceRecord = record(&related);
        assert_eq!(api.port, 8443);
        assert_eq!(
            api.available.as_ref().and_then(|available| available.holds),
            Some(false)
        );
    }

    #[test]
    fn workloads_say_whether_they_are_being_rolled_out() {
        let deployment = |status: Value| {
            let related = one::<DeploymentResource>(&json!({
                "metadata": {"name": "web", "namespace": "shop"},
                "spec": {"replicas": 2, "template": {"metadata": {"labels": {"app": "web"}}}},
                "status": status,
            }));
            record::<WorkloadRecord>(&related).clone()
        };
        let done = deployment(json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}));
        assert_eq!((done.replicas, done.rollout), (2, None));
        let moving = deployment(
            json!({"replicas": 3, "updatedReplicas": 1, "availableReplicas": 2,
            "conditions": [{"type": "Progressing", "reason": "ReplicaSetUpdated",
                "lastUpdateTime": "2026-01-02T03:04:05Z"}]}),
        );
        let rollout = moving.rollout.expect("old pods are left");
        assert!(!rollout.stuck && rollout.moved.is_some());
        let stuck = deployment(
            json!({"replicas": 3, "updatedReplicas": 1, "availableReplicas": 2,
            "conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}),
        );
        assert!(stuck.rollout.is_some_and(|rollout| rollout.stuck));
    }

    #[test]
    fn of_a_secret_only_the_name_is_kept() {
        let related = one::<TlsSecretResource>(&json!({
            "metadata": {"name": "cert", "namespace": "shop", "labels": {"a": "b"}},
            "data": {"tls.key": "c2VjcmV0"},
        }));
        let secret: &TlsSecretRecord = record(&related);
        assert_eq!(format!("{secret:?}").matches("c2VjcmV0").count(), 0);
        assert_eq!(secret.key.to_string(), "shop/cert");
    }
}
