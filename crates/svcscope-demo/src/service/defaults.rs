//! What the API server fills in (`SetDefaults_Service`, pkg/apis/core/v1/defaults.go).

use serde_json::{Value, json};

use super::super::json;
use super::service_fields;

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
    json::set_default(service, "spec/type", "ClusterIP");
    json::set_default(service, "spec/sessionAffinity", "None");
    match json::text(service, "spec/sessionAffinity") {
        "ClientIP" => {
            json::set_default(
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
    if matches!(service_fields::kind(service), "NodePort" | "LoadBalancer") {
        json::set_default(service, "spec/externalTrafficPolicy", "Cluster");
    }
    if service_fields::needs_cluster_ip(service) {
        json::set_default(service, "spec/internalTrafficPolicy", "Cluster");
    }
    if service_fields::kind(service) == "LoadBalancer" {
        json::set_default(service, "spec/allocateLoadBalancerNodePorts", true);
    }
    json::set_default(service, "status/loadBalancer", json!({}));
}
