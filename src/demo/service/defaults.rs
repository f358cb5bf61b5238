//! What the API server fills in (`SetDefaults_Service`, pkg/apis/core/v1/defaults.go).

use serde_json::{Value, json};

use super::super::json;
use super::field;

pub(super) fn fill(service: &mut Value) {
    for path in [
        "spec/type",
        "spec/sessionAffinity",
        "spec/externalTrafficPolicy",
    ] {
        if json::text(service, path).is_empty() {
            json::remove(service, path);
        }
    }
    json::default(service, "spec/type", "ClusterIP");
    json::default(service, "spec/sessionAffinity", "None");
    match json::text(service, "spec/sessionAffinity") {
        "ClientIP" => {
            json::default(
                service,
                "spec/sessionAffinityConfig/clientIP/timeoutSeconds",
                10_800,
            );
        }
        "None" => {
            json::remove(service, "spec/sessionAffinityConfig");
        }
        _ => {}
    }
    if let Some(ports) = json::list_mut(service, "spec/ports") {
        for port in ports {
            if json::text(port, "protocol").is_empty() {
                json::set(port, "protocol", "TCP");
            }
            let target = json::at(port, "targetPort");
            if target.is_none_or(|target| target == &json!(0) || target == &json!("")) {
                let number = port.get("port").cloned().unwrap_or_default();
                json::set(port, "targetPort", number);
            }
        }
    }
    if matches!(field::kind(service), "NodePort" | "LoadBalancer") {
        json::default(service, "spec/externalTrafficPolicy", "Cluster");
    }
    if field::needs_cluster_ip(service) {
        json::default(service, "spec/internalTrafficPolicy", "Cluster");
    }
    if field::kind(service) == "LoadBalancer" {
        json::default(service, "spec/allocateLoadBalancerNodePorts", true);
    }
    json::default(service, "status/loadBalancer", json!({}));
}
