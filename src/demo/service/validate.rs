//! What makes the API server refuse a Service (pkg/apis/core/validation/validation.go,
//! `validateService` and `ValidateServiceUpdate`).

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::super::json;
use super::super::names;
use super::super::status::Cause;
use super::field;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
const ONLY_BALANCED: &str = "may only be used when `type` is 'LoadBalancer'";

/// The rules that look at one Service alone.
pub(super) fn service(service: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let kind = field::kind(service);
    if let Some(wrong) = names::label(json::text(service, "metadata/name")) {
        let name = json::text(service, "metadata/name");
        causes.push(Cause::invalid("metadata.name", &json!(name), wrong));
    }
    if !TYPES.contains(&kind) {
        causes.push(Cause::unsupported("spec.type", kind, &TYPES));
    }
    causes.extend(ports(service));
    causes.extend(cluster_ips(service));
    causes.extend(external_name(service));
    causes.extend(policies(service));
    causes.extend(balanced(service));
    causes
}

fn ports(service: &Value) -> Vec<Cause> {
    let ports = field::ports(service);
    let mut causes = Vec::new();
    if ports.is_empty() && !field::headless(service) && field::kind(service) != "ExternalName" {
        causes.push(Cause::required("spec.ports", ""));
    }
    let (mut names, mut numbers, mut node_ports) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (index, port) in ports.iter().enumerate() {
        let path = format!("spec.ports[{index}]");
        causes.extend(port_fields(port, &path, ports.len() > 1));
        let (name, protocol) = (json::text(port, "name"), json::text(port, "protocol"));
        if !name.is_empty() && !names.insert(name) {
            causes.push(Cause::duplicate(&format!("{path}.name"), &json!(name)));
        }
        let number = json::number(port, "port");
        if !numbers.insert((protocol, number)) {
            let twice = json!({"protocol": protocol, "port": number});
            causes.push(Cause::duplicate(&path, &twice));
        }
        let node_port = json::number(port, "nodePort");
        if node_port == 0 {
            continue;
        }
        if !matches!(field::kind(service), "NodePort" | "LoadBalancer") {
            causes.push(Cause::forbidden(
                &format!("{path}.nodePort"),
                &format!("may not be used when `type` is '{}'", field::kind(service)),
            ));
        }
        if !node_ports.insert((protocol, node_port)) {
            causes.push(Cause::duplicate(
                &format!("{path}.nodePort"),
                &json!(node_port),
            ));
        }
    }
    causes
}

fn port_fields(port: &Value, path: &str, named: bool) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = json::text(port, "name");
    if name.is_empty() && named {
        causes.push(Cause::required(&format!("{path}.name"), ""));
    } else if !name.is_empty()
        && let Some(wrong) = names::label(name)
    {
        causes.push(Cause::invalid(&format!("{path}.name"), &json!(name), wrong));
    }
    let range = "must be between 1 and 65535, inclusive";
    let number = json::number(port, "port");
    if !(1..=65_535).contains(&number) {
        causes.push(Cause::invalid(
            &format!("{path}.port"),
            &json!(number),
            range,
        ));
    }
    let protocol = json::text(port, "protocol");
    if !PROTOCOLS.contains(&protocol) {
        causes.push(Cause::unsupported(
            &format!("{path}.protocol"),
            protocol,
            &PROTOCOLS,
        ));
    }
    let target = port.get("targetPort").cloned().unwrap_or_default();
    let wrong = match &target {
        Value::String(name) => names::port_name(name),
        target => (!(1..=65_535).contains(&target.as_i64().unwrap_or(0))).then_some(range),
    };
    if let Some(wrong) = wrong {
        causes.push(Cause::invalid(
            &format!("{path}.targetPort"),
            &target,
            wrong,
        ));
    }
    causes
}

fn cluster_ips(service: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let kind = field::kind(service);
    let ip = json::text(service, "spec/clusterIP");
    let many = json::list(service, "spec/clusterIPs");
    if kind == "ExternalName" {
        if !many.is_empty() || !ip.is_empty() {
            causes.push(Cause::invalid(
                "spec.clusterIPs",
                &json!(many),
                "may not be set for ExternalName services",
            ));
        }
        return causes;
    }
    if ip == "None" && matches!(kind, "NodePort" | "LoadBalancer") {
        let said = format!("may not be set to 'None' for {kind} services");
        causes.push(Cause::invalid("spec.clusterIPs[0]", &json!("None"), &said));
    }
    if many.first().and_then(Value::as_str).unwrap_or(ip) != ip {
        causes.push(Cause::invalid(
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
            causes.push(Cause::invalid(
                &format!("spec.clusterIPs[{index}]"),
                ip,
                "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            ));
        }
    }
    causes
}

fn external_name(service: &Value) -> Option<Cause> {
    if field::kind(service) != "ExternalName" {
        return None;
    }
    let name = json::text(service, "spec/externalName");
    match name.strip_suffix('.').unwrap_or(name) {
        "" => Some(Cause::required("spec.externalName", "")),
        // An IPv4 literal passes this check, though no DNS will ever answer it.
        bare => names::subdomain(bare)
            .map(|wrong| Cause::invalid("spec.externalName", &json!(name), wrong)),
    }
}

fn policies(service: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut one_of = |path: &str, field: &str, allowed: &[&str]| {
        let value = json::text(service, path);
        if !value.is_empty() && !allowed.contains(&value) {
            causes.push(Cause::unsupported(field, value, allowed));
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
    if !outside.is_empty() && !field::externally_accessible(service) {
        causes.push(Cause::invalid(
            "spec.externalTrafficPolicy",
            &json!(outside),
            "may only be set for externally-accessible services",
        ));
    } else if !outside.is_empty() && !["Cluster", "Local"].contains(&outside) {
        causes.push(Cause::unsupported(
            "spec.externalTrafficPolicy",
            outside,
            &["Cluster", "Local"],
        ));
    }
    let health = json::number(service, "spec/healthCheckNodePort");
    if health != 0 && !field::needs_health_check_node_port(service) {
        causes.push(Cause::invalid(
            "spec.healthCheckNodePort",
            &json!(health),
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        ));
    }
    causes
}

fn balanced(service: &Value) -> Vec<Cause> {
    let ranges = json::list(service, "spec/loadBalancerSourceRanges");
    let annotation = json::object(service, "metadata/annotations")
        .and_then(|annotations| annotations.get(SOURCE_RANGES))
        .and_then(Value::as_str);
    let mut causes = Vec::new();
    if field::kind(service) == "LoadBalancer" {
        for (index, range) in ranges.iter().enumerate() {
            if !is_cidr(range.as_str().unwrap_or_default().trim()) {
                causes.push(Cause::invalid(
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
            causes.push(Cause::forbidden(field, ONLY_BALANCED));
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

/// The rules that compare with the Service that stands.
pub(super) fn update(new: &Value, old: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let keeps_ip = field::needs_cluster_ip(old) && field::needs_cluster_ip(new);
    let stood = json::text(old, "spec/clusterIP");
    if keeps_ip && !stood.is_empty() && stood != json::text(new, "spec/clusterIP") {
        causes.push(Cause::invalid(
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
        causes.push(Cause::invalid(
            "spec.ipFamilies[0]",
            &all,
            "may not change once set",
        ));
    }
    if field::kind(old) == "LoadBalancer"
        && field::kind(new) == "LoadBalancer"
        && !field::same(old, new, "spec/loadBalancerClass")
    {
        let class = json!(json::text(new, "spec/loadBalancerClass"));
        causes.push(Cause::invalid(
            "spec.loadBalancerClass",
            &class,
            "may not change once set",
        ));
    }
    let health = |service: &Value| json::number(service, "spec/healthCheckNodePort");
    if field::needs_health_check_node_port(old)
        && field::needs_health_check_node_port(new)
        && health(old) != health(new)
    {
        let port = json!(health(new));
        causes.push(Cause::invalid(
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
