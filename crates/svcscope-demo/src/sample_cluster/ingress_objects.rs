//! Ingress objects of the sample: an Ingress with TLS, one whose backend does not exist, a Gateway
//! with a route, and a policy.

use serde_json::{Value, json};

use super::super::node_network::NodeNetwork;
use super::super::resource::ServedKind;

/// Whether an object of the sample brings its status with it: nothing else would write it.
pub(super) fn keeps_status(kind: ServedKind) -> bool {
    matches!(
        kind,
        ServedKind::Node
            | ServedKind::Ingress
            | ServedKind::GatewayClass
            | ServedKind::Gateway
            | ServedKind::HttpRoute
    )
}

/// All of them.
pub(super) fn all(network: &NodeNetwork) -> Vec<Value> {
    let mut all = ingresses(network);
    all.extend(gateway(network));
    all.push(network_policy());
    all
}

fn ingresses(network: &NodeNetwork) -> Vec<Value> {
    let served = json!({"loadBalancer": {"ingress": [{"ip": network.load_balancer_address(20)}]}});
    vec![
        json!({
            "kind": "IngressClass", "apiVersion": "networking.k8s.io/v1",
            "metadata": {
                "name": "nginx",
                "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
            },
            "spec": {"controller": "k8s.io/ingress-nginx"},
        }),
        // No key that opens anything: the demo shows only that it is there.
        json!({
            "kind": "Secret", "apiVersion": "v1",
            "metadata": {"name": "shop-tls", "namespace": "shop"},
            "type": "kubernetes.io/tls",
            "data": {"tls.crt": "", "tls.key": ""},
        }),
        json!({
            "kind": "Ingress", "apiVersion": "networking.k8s.io/v1",
            "metadata": {"name": "shop", "namespace": "shop"},
            "spec": {
                "ingressClassName": "nginx",
                "tls": [{"hosts": ["shop.example.com"], "secretName": "shop-tls"}],
                "rules": [{"host": "shop.example.com", "http": {"paths": [
                    path("/", "web", json!({"name": "http"})),
                    path("/api", "api", json!({"number": 8081})),
                ]}}],
            },
            "status": served,
        }),
        // There is no Service of this name.
        json!({
            "kind": "Ingress", "apiVersion": "networking.k8s.io/v1",
            "metadata": {"name": "checkout", "namespace": "shop"},
            "spec": {
                "ingressClassName": "nginx",
                "rules": [{"host": "checkout.example.com", "http": {"paths": [
                    path("/", "checkout", json!({"number": 80})),
                ]}}],
            },
            "status": served,
        }),
    ]
}

fn path(path: &str, service: &str, port: Value) -> Value {
    json!({
        "path": path, "pathType": "Prefix",
        "backend": {"service": {"name": service, "port": port}},
    })
}

fn gateway(network: &NodeNetwork) -> Vec<Value> {
    let holds = |kind: &str| {
        json!({
            "type": kind, "status": "True", "reason": kind, "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    };
    let parent = json!({"name": "edge", "sectionName": "https"});
    vec![
        json!({
            "kind": "GatewayClass", "apiVersion": "gateway.networking.k8s.io/v1",
            "metadata": {"name": "envoy"},
            "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
            "status": {"conditions": [holds("Accepted")]},
        }),
        json!({
            "kind": "Gateway", "apiVersion": "gateway.networking.k8s.io/v1",
            "metadata": {"name": "edge", "namespace": "infra"},
            "spec": {
                "gatewayClassName": "envoy",
                "listeners": [{
                    "name": "https", "port": 443, "protocol": "HTTPS",
                    "hostname": "*.infra.example.com",
                    "tls": {"mode": "Terminate", "certificateRefs": [{"name": "edge-tls"}]},
                }],
            },
            "status": {
                "addresses": [{"type": "IPAddress", "value": network.load_balancer_address(30)}],
                "conditions": [holds("Accepted"), holds("Programmed")],
                "listeners": [{
                    "name": "https", "attachedRoutes": 1,
                    "conditions": [holds("Accepted"), holds("ResolvedRefs"), holds("Programmed")],
                }],
            },
        }),
        json!({
            "kind": "HTTPRoute", "apiVersion": "gateway.networking.k8s.io/v1",
            "metadata": {"name": "metrics", "namespace": "infra"},
            "spec": {
                "parentRefs": [parent],
                "hostnames": ["metrics.infra.example.com"],
                "rules": [{
                    "matches": [{"path": {"type": "PathPrefix", "value": "/metrics"}}],
                    "backendRefs": [{"name": "metrics", "port": 9090}],
                }],
            },
            "status": {"parents": [{
                "parentRef": parent,
                "controllerName": "gateway.envoyproxy.io/gatewayclass-controller",
                "conditions": [holds("Accepted"), holds("ResolvedRefs")],
            }]},
        }),
    ]
}

/// The database takes connections of the queue's pods only.
fn network_policy() -> Value {
    json!({
        "kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1",
        "metadata": {"name": "db-from-queue", "namespace": "infra"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "db"}},
            "policyTypes": ["Ingress"],
            "ingress": [{
                "from": [{"podSelector": {"matchLabels": {"app": "queue"}}}],
                "ports": [{"protocol": "TCP", "port": 5432}],
            }],
        },
    })
}
