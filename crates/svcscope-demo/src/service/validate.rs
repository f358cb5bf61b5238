//! What makes the API server refuse a Service (pkg/apis/core/validation/validation.go,
//! `validateService` and `ValidateServiceUpdate`).

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::super::json;
use super::super::name_validation;
use super::super::status::FieldViolation;
use super::service_fields;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
const LOAD_BALANCER_ONLY: &str = "may only be used when `type` is 'LoadBalancer'";

/// The rules that look at one Service alone.
pub(super) fn service(service: &Value) -> Vec<FieldViolation> {
    let mut causes = Vec::new();
    let kind = service_fields::kind(service);
    if let Some(wrong) = name_validation::label_error(json::text(service, "metadata/name")) {
        let name = json::text(service, "metadata/name");
        causes.push(FieldViolation::invalid(
            "metadata.name",
            &json!(name),
            wrong,
        ));
    }
    if !TYPES.contains(&kind) {
        causes.push(FieldViolation::unsupported("spec.type", kind, &TYPES));
    }
    causes.extend(ports(service));
    causes.extend(cluster_ips(service));
    causes.extend(external_name(service));
    causes.extend(policies(service));
    causes.extend(load_balancer_fields(service));
    causes
}

fn ports(service: &Value) -> Vec<FieldViolation> {
    let ports = service_fields::ports(service);
    let mut causes = Vec::new();
    if ports.is_empty()
        && !service_fields::headless(service)
        && service_fields::kind(service) != "ExternalName"
    {
        causes.push(FieldViolation::required("spec.ports", ""));
    }
    let (mut names, mut numbers, mut node_ports) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (index, port) in ports.iter().enumerate() {
        let path = format!("spec.ports[{index}]");
        causes.extend(port_fields(port, &path, ports.len() > 1));
        let (name, protocol) = (json::text(port, "name"), json::text(port, "protocol"));
        if !name.is_empty() && !names.insert(name) {
            causes.push(FieldViolation::duplicate(
                &format!("{path}.name"),
                &json!(name),
            ));
        }
        let number = json::number(port, "port");
        if !numbers.insert((protocol, number)) {
            let twice = json!({"protocol": protocol, "port": number});
            causes.push(FieldViolation::duplicate(&path, &twice));
        }
        let node_port = json::number(port, "nodePort");
        if node_port == 0 {
            continue;
        }
        if !matches!(service_fields::kind(service), "NodePort" | "LoadBalancer") {
            causes.push(FieldViolation::forbidden(
                &format!("{path}.nodePort"),
                &format!(
                    "may not be used when `type` is '{}'",
                    service_fields::kind(service)
                ),
            ));
        }
        if !node_ports.insert((protocol, node_port)) {
            causes.push(FieldViolation::duplicate(
                &format!("{path}.nodePort"),
                &json!(node_port),
            ));
        }
    }
    causes
}

fn port_fields(port: &Value, path: &str, named: bool) -> Vec<FieldViolation> {
    let mut causes = Vec::new();
    let name = json::text(port, "name");
    if name.is_empty() && named {
        causes.push(FieldViolation::required(&format!("{path}.name"), ""));
    } else if !name.is_empty()
        && let Some(wrong) = name_validation::label_error(name)
    {
        causes.push(FieldViolation::invalid(
            &format!("{path}.name"),
            &json!(name),
            wrong,
        ));
    }
    let range = "must be between 1 and 65535, inclusive";
    let number = json::number(port, "port");
    if !(1..=65_535).contains(&number) {
        causes.push(FieldViolation::invalid(
            &format!("{path}.port"),
            &json!(number),
            range,
        ));
    }
    let protocol = json::text(port, "protocol");
    if !PROTOCOLS.contains(&protocol) {
        causes.push(FieldViolation::unsupported(
            &format!("{path}.protocol"),
            protocol,
            &PROTOCOLS,
        ));
    }
    let target = port.get("targetPort").cloned().unwrap_or_default();
    let wrong = match &target {
        Value::String(name) => name_validation::port_name_error(name),
        target => (!(1..=65_535).contains(&target.as_i64().unwrap_or(0))).then_some(range),
    };
    if let Some(wrong) = wrong {
        causes.push(FieldViolation::invalid(
            &format!("{path}.targetPort"),
            &target,
            wrong,
        ));
    }
    causes
}

fn cluster_ips(service: &Value) -> Vec<FieldViolation> {
    let mut causes = Vec::new();
    let kind = service_fields::kind(service);
    let ip = json::text(service, "spec/clusterIP");
    let many = json::list(service, "spec/clusterIPs");
    if kind == "ExternalName" {
        if !many.is_empty() || !ip.is_empty() {
            causes.push(FieldViolation::invalid(
                "spec.clusterIPs",
                &json!(many),
                "may not be set for ExternalName services",
            ));
        }
        return causes;
    }
    if ip == "None" && matches!(kind, "NodePort" | "LoadBalancer") {
        let said = format!("may not be set to 'None' for {kind} services");
        causes.push(FieldViolation::invalid(
            "spec.clusterIPs[0]",
            &json!("None"),
            &said,
        ));
    }
    if many.first().and_then(Value::as_str).unwrap_or(ip) != ip {
        causes.push(FieldViolation::invalid(
            "spec.clusterIPs",
            &json!(many),
            "first value must match `clusterIP`",
        ));
    }
    for (index, ip) in many.iter().enumerate() {
        let text = ip.as_str().unwrap_or_default();
        if text == "None" && index == 0 && many.len() == 1 {
            continue;
        }
        if text.parse::<IpAddr>().is_err() {
            causes.push(FieldViolation::invalid(
                &format!("spec.clusterIPs[{index}]"),
                ip,
                "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            ));
        }
    }
    causes
}

fn external_name(service: &Value) -> Option<FieldViolation> {
    if service_fields::kind(service) != "ExternalName" {
        return None;
    }
    let name = json::text(service, "spec/externalName");
    match name.strip_suffix('.').unwrap_or(name) {
        "" => Some(FieldViolation::required("spec.externalName", "")),
        // An IPv4 literal passes this check, though no DNS will ever answer it.
        bare => name_validation::subdomain_error(bare)
            .map(|wrong| FieldViolation::invalid("spec.externalName", &json!(name), wrong)),
    }
}

fn policies(service: &Value) -> Vec<FieldViolation> {
    let mut causes = Vec::new();
    let mut one_of = |path: &str, field: &str, allowed: &[&str]| {
        let value = json::text(service, path);
        if !value.is_empty() && !allowed.contains(&value) {
            causes.push(FieldViolation::unsupported(field, value, allowed));
        }
    };
    one_of(
        "spec/sessionAffinity",
        "spec.sessionAffinity",
        &["ClientIP", "None"],
    );
    one_of(
        "spec/internalTrafficPolicy",
        "spec.internalTrafficPolicy",
        &["Cluster", "Local"],
    );
    let outside = json::text(service, "spec/externalTrafficPolicy");
    if !outside.is_empty() && !service_fields::externally_accessible(service) {
        causes.push(FieldViolation::invalid(
            "spec.externalTrafficPolicy",
            &json!(outside),
            "may only be set for externally-accessible services",
        ));
    } else if !outside.is_empty() && !["Cluster", "Local"].contains(&outside) {
        causes.push(FieldViolation::unsupported(
            "spec.externalTrafficPolicy",
            outside,
            &["Cluster", "Local"],
        ));
    }
    let health = json::number(service, "spec/healthCheckNodePort");
    if health != 0 && !service_fields::needs_health_check_node_port(service) {
        causes.push(FieldViolation::invalid(
            "spec.healthCheckNodePort",
            &json!(health),
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        ));
    }
    causes
}

fn load_balancer_fields(service: &Value) -> Vec<FieldViolation> {
    let ranges = json::list(service, "spec/loadBalancerSourceRanges");
    let annotation = json::object(service, "metadata/annotations")
        .and_then(|annotations| annotations.get(SOURCE_RANGES))
        .and_then(Value::as_str);
    let mut causes = Vec::new();
    if service_fields::kind(service) == "LoadBalancer" {
        for (index, range) in ranges.iter().enumerate() {
            if !is_cidr(range.as_str().unwrap_or_default().trim()) {
                causes.push(FieldViolation::invalid(
                    &format!("spec.loadBalancerSourceRanges[{index}]"),
                    range,
                    "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
                ));
            }
        }
        return causes;
    }
    let mut only = |set: bool, field: &str| {
        if set {
            causes.push(FieldViolation::forbidden(field, LOAD_BALANCER_ONLY));
        }
    };
    // The capital letter is the real server's.
    only(!ranges.is_empty(), "spec.LoadBalancerSourceRanges");
    only(
        annotation.is_some(),
        &format!("metadata.annotations[{SOURCE_RANGES}]"),
    );
    only(
        json::at(service, "spec/allocateLoadBalancerNodePorts").is_some(),
        "spec.allocateLoadBalancerNodePorts",
    );
    only(
        !json::text(service, "spec/loadBalancerClass").is_empty(),
        "spec.loadBalancerClass",
    );
    causes
}

/// The rules that compare with the stored Service.
pub(super) fn update(new: &Value, old: &Value) -> Vec<FieldViolation> {
    let mut causes = Vec::new();
    let keeps_ip = service_fields::needs_cluster_ip(old) && service_fields::needs_cluster_ip(new);
    let stored_ip = json::text(old, "spec/clusterIP");
    if keeps_ip && !stored_ip.is_empty() && stored_ip != json::text(new, "spec/clusterIP") {
        causes.push(FieldViolation::invalid(
            "spec.clusterIPs[0]",
            &json!(json::list(new, "spec/clusterIPs")),
            "may not change once set",
        ));
    }
    let families = |service: &Value| json::list(service, "spec/ipFamilies").first().cloned();
    if keeps_ip
        && let (Some(was), Some(is)) = (families(old), families(new))
        && was != is
    {
        let all = json!(json::list(new, "spec/ipFamilies"));
        causes.push(FieldViolation::invalid(
            "spec.ipFamilies[0]",
            &all,
            "may not change once set",
        ));
    }
    if service_fields::kind(old) == "LoadBalancer"
        && service_fields::kind(new) == "LoadBalancer"
        && !service_fields::same(old, new, "spec/loadBalancerClass")
    {
        let class = json!(json::text(new, "spec/loadBalancerClass"));
        causes.push(FieldViolation::invalid(
            "spec.loadBalancerClass",
            &class,
            "may not change once set",
        ));
    }
    let health = |service: &Value| json::number(service, "spec/healthCheckNodePort");
    if service_fields::needs_health_check_node_port(old)
        && service_fields::needs_health_check_node_port(new)
        && health(old) != health(new)
    {
        let port = json!(health(new));
        causes.push(FieldViolation::invalid(
            "spec.healthCheckNodePort",
            &port,
            "field is immutable",
        ));
    }
    causes
}

fn is_cidr(range: &str) -> bool {
    range.split_once('/').is_some_and(|(ip, bits)| {
        let most = match ip.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    })
}
