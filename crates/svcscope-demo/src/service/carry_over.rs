//! What an update carries over from the stored Service, and what it silently drops.
//!
//! Follows `patchAllocatedValues` and `NormalizeClusterIPs` (registry/core/service/storage) and
//! `dropTypeDependentFields` (registry/core/service/strategy.go).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::json;
use super::service_fields;

/// Values the server allocated and the client did not repeat stay. `None` counts as a value: this is
/// why clearing the clusterIP of a headless Service answers 200 and changes nothing.
pub(super) fn carry_allocated(new: &mut Value, old: &Value) {
    if service_fields::needs_cluster_ip(old) && service_fields::needs_cluster_ip(new) {
        let stored = json::text(old, "spec/clusterIP");
        if json::text(new, "spec/clusterIP").is_empty() && !stored.is_empty() {
            json::set(new, "spec/clusterIP", stored);
        }
        if json::list(new, "spec/clusterIPs").is_empty()
            && json::text(new, "spec/clusterIP") == stored
            && let Some(all) = json::at(old, "spec/clusterIPs")
        {
            json::set(new, "spec/clusterIPs", all.clone());
        }
    }
    if service_fields::needs_node_port(old) && service_fields::needs_node_port(new) {
        carry_node_ports(new, old);
    }
    if service_fields::needs_health_check_node_port(old)
        && service_fields::needs_health_check_node_port(new)
        && json::number(new, "spec/healthCheckNodePort") == 0
        && let Some(port) = json::at(old, "spec/healthCheckNodePort")
    {
        json::set(new, "spec/healthCheckNodePort", port.clone());
    }
}

/// nodePorts are carried by port name, unless another port of the new list took the number.
fn carry_node_ports(new: &mut Value, old: &Value) {
    let mut used = &service_fields::node_ports(old) & &service_fields::node_ports(new);
    let by_name = service_fields::ports(old)
        .iter()
        .map(|port| {
            (
                json::text(port, "name").to_owned(),
                json::number(port, "nodePort"),
            )
        })
        .collect::<BTreeMap<_, _>>();
    for port in json::list_mut(new, "spec/ports").into_iter().flatten() {
        if json::number(port, "nodePort") != 0 {
            continue;
        }
        let stored = by_name.get(json::text(port, "name")).copied().unwrap_or(0);
        if stored != 0 && used.insert(stored) {
            json::set(port, "nodePort", stored);
        }
    }
}

/// Keeps `clusterIP` and `clusterIPs` in step for clients that know only the former.
pub(super) fn normalise_cluster_ips(new: &mut Value, old: Option<&Value>) {
    let (one, many) = ("spec/clusterIP", "spec/clusterIPs");
    let ip = json::text(new, one).to_owned();
    let Some(old) = old else {
        if !ip.is_empty() && json::list(new, many).is_empty() {
            json::set(new, many, json!([ip]));
        }
        return;
    };
    let stored = json::text(old, one);
    if !json::list(old, many).is_empty() && json::list(new, many).is_empty() && stored == ip {
        json::set(new, many, json::list(old, many).to_vec());
    }
    if stored != ip && service_fields::same(new, old, many) {
        if ip.is_empty() {
            json::remove(new, many);
        } else {
            json::set(new, many, json!([ip]));
        }
    }
}

/// Fields that no longer apply to the new type go, but only where the client left them as they
/// were: what it changed itself must fail in validation instead.
pub(super) fn drop_type_dependent(new: &mut Value, old: &Value) {
    if service_fields::needs_cluster_ip(old) && !service_fields::needs_cluster_ip(new) {
        if service_fields::same(new, old, "spec/clusterIPs") {
            json::remove(new, "spec/clusterIP");
            json::remove(new, "spec/clusterIPs");
        }
        for path in ["spec/ipFamilies", "spec/ipFamilyPolicy"] {
            if service_fields::same(new, old, path) {
                json::remove(new, path);
            }
        }
    }
    if service_fields::needs_node_port(old)
        && !service_fields::needs_node_port(new)
        && service_fields::node_ports(new).is_subset(&service_fields::node_ports(old))
    {
        for port in json::list_mut(new, "spec/ports").into_iter().flatten() {
            json::remove(port, "nodePort");
        }
    }
    drop_if(
        new,
        old,
        "spec/healthCheckNodePort",
        service_fields::needs_health_check_node_port,
    );
    let balanced = |service: &Value| service_fields::kind(service) == "LoadBalancer";
    drop_if(new, old, "spec/allocateLoadBalancerNodePorts", balanced);
    drop_if(new, old, "spec/loadBalancerClass", balanced);
    drop_if(
        new,
        old,
        "spec/externalTrafficPolicy",
        service_fields::externally_accessible,
    );
    // The load balancer itself goes later; its address goes at once.
    if !balanced(new) {
        json::set(new, "status/loadBalancer", json!({}));
    }
}

fn drop_if(new: &mut Value, old: &Value, path: &str, needed: impl Fn(&Value) -> bool) {
    if needed(old) && !needed(new) && service_fields::same(new, old, path) {
        json::remove(new, path);
    }
}
