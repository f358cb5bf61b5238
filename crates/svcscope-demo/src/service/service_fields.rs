//! The questions about a Service that several rules ask.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::json;

pub(super) fn kind(service: &Value) -> &str {
    json::text(service, "spec/type")
}

/// Every type but ExternalName has a clusterIP, `None` included.
pub(super) fn needs_cluster_ip(service: &Value) -> bool {
    matches!(kind(service), "ClusterIP" | "NodePort" | "LoadBalancer")
}

pub(super) fn needs_node_port(service: &Value) -> bool {
    match kind(service) {
        "NodePort" => true,
        "LoadBalancer" => {
            json::at(service, "spec/allocateLoadBalancerNodePorts") != Some(&Value::Bool(false))
        }
        _ => false,
    }
}

pub(super) fn needs_health_check_node_port(service: &Value) -> bool {
    kind(service) == "LoadBalancer" && json::text(service, "spec/externalTrafficPolicy") == "Local"
}

/// `externalIPs` make even a ClusterIP Service reachable from outside.
pub(super) fn externally_accessible(service: &Value) -> bool {
    match kind(service) {
        "NodePort" | "LoadBalancer" => true,
        "ClusterIP" => !json::list(service, "spec/externalIPs").is_empty(),
        _ => false,
    }
}

pub(super) fn headless(service: &Value) -> bool {
    needs_cluster_ip(service) && json::text(service, "spec/clusterIP") == "None"
}

pub(super) fn ports(service: &Value) -> &[Value] {
    json::list(service, "spec/ports")
}

pub(super) fn node_ports(service: &Value) -> BTreeSet<i64> {
    ports(service)
        .iter()
        .map(|port| json::number(port, "nodePort"))
        .filter(|port| *port != 0)
        .collect()
}

/// Whether a field of both is equal; absent, null, empty string and zero are all Go's zero.
pub(super) fn same(one: &Value, other: &Value, path: &str) -> bool {
    zero_free(json::at(one, path)) == zero_free(json::at(other, path))
}

fn zero_free(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Number(number) => number.as_i64() != Some(0),
        _ => true,
    })
}
