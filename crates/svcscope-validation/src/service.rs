//! Services: `ValidateService` of `pkg/apis/core/validation/validation.go`, after the defaults of
//! `SetDefaults_Service` (`pkg/apis/core/v1/defaults.go`).

use std::collections::BTreeSet;

use super::{
    addresses,
    error::ErrorList,
    field::Field,
    formats, labels,
    metadata::{self, NameRule},
    service_addresses,
};

const TYPES: &[&str] = &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
pub(crate) const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const ONLY_LOAD_BALANCER: &str = "may only be used when `type` is 'LoadBalancer'";
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";

/// The ports of nodes that API servers give out, unless they are told to take others.
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;
const OTHER_RANGE: &str = "the API server has another --service-node-port-range";

pub(crate) fn check(root: &Field<'_>, errors: &mut ErrorList) {
    metadata::check(root, NameRule::Service, errors);
    let spec = root.field("spec");
    let kind = spec.field("type");
    errors.supported(&kind, kind.text_or("ClusterIP"), TYPES);
    check_ports(&spec, errors);
    labels::check_labels(&spec.field("selector"), errors);
    if kind.text() == "ExternalName" {
        check_external_name(&spec, errors);
    } else {
        service_addresses::check(&spec, errors);
    }
    check_session_affinity(&spec, errors);
    for address in spec.field("externalIPs").items() {
        if addresses::check_ip(&address, errors) {
            addresses::check_not_special(&address, errors);
        }
    }
    check_load_balancer(root, errors);
    check_traffic_policies(&spec, errors);
}

fn is_headless(spec: &Field<'_>) -> bool {
    let addresses = spec.field("clusterIPs");
    match addresses.len() {
        0 => spec.field("clusterIP").text() == "None",
        1 => addresses.items().all(|one| one.text() == "None"),
        _ => false,
    }
}

/// `validateServicePort`, and what is asked of the ports together.
fn check_ports(spec: &Field<'_>, errors: &mut ErrorList) {
    let ports = spec.field("ports");
    let kind = spec.field("type");
    let needs_none = is_headless(spec) || kind.text() == "ExternalName";
    if ports.len() == 0 && !needs_none {
        errors.required(&ports, "");
    }
    let (mut names, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    let mut node_ports = BTreeSet::new();
    for port in ports.items() {
        check_port_name(&port, ports.len() > 1, &mut names, errors);
        let number = port.field("port");
        check_number(&number, errors);
        let protocol = port.field("protocol");
        errors.supported(&protocol, protocol.text_or("TCP"), PROTOCOLS);
        let target = port.field("targetPort");
        // 0 and "" are the Service's own port.
        if target.number() != 0 || !target.text().is_empty() {
            check_number_or_name(&target, errors);
        }
        check_app_protocol(&port, errors);
        let protocol = protocol.text_or("TCP").to_owned();
        if !numbers.insert((number.number(), protocol.clone())) {
            let key = format!("{}/{protocol}", number.number());
            errors.duplicate(&port, &key);
        }
        let node_port = port.field("nodePort");
        match node_port.number() {
            0 => {}
            _ if matches!(kind.text_or("ClusterIP"), "ClusterIP") => {
                errors.forbidden(&node_port, "may not be used when `type` is 'ClusterIP'");
            }
            number => {
                check_node_port(&node_port, errors);
                if !node_ports.insert((number, protocol)) {
                    errors.duplicate(&node_port, &number.to_string());
                }
            }
        }
    }
}

/// A port needs a name where there are several, and each its own.
fn check_port_name(
    port: &Field<'_>,
    is_needed: bool,
    names: &mut BTreeSet<String>,
    errors: &mut ErrorList,
) {
    let name = port.field("name");
    match name.text() {
        "" if is_needed => errors.required(&name, ""),
        "" => {}
        text => {
            errors.invalid_each(&name, formats::dns_label(text));
            if !names.insert(text.to_owned()) {
                errors.duplicate(&name, &format!("{text:?}"));
            }
        }
    }
}

/// `IsValidPortNum`.
pub(crate) fn check_number(port: &Field<'_>, errors: &mut ErrorList) {
    for why in formats::port_number(port.number()) {
        errors.invalid_value(port, &port.number().to_string(), why);
    }
}

/// `ValidatePortNumOrName`.
pub(crate) fn check_number_or_name(port: &Field<'_>, errors: &mut ErrorList) {
    if port.value.is_string() {
        errors.invalid_each(port, formats::port_name(port.text()));
    } else {
        check_number(port, errors);
    }
}

/// A qualified name, where it is set at all.
pub(crate) fn check_app_protocol(port: &Field<'_>, errors: &mut ErrorList) {
    let protocol = port.field("appProtocol");
    if protocol.is_set() {
        errors.invalid_each(&protocol, formats::qualified_name(protocol.text()));
    }
}

/// What the allocator says (`pkg/registry/core/service/portallocator`).
fn check_node_port(port: &Field<'_>, errors: &mut ErrorList) {
    let number = port.number();
    if !formats::port_number(number).is_empty() {
        check_number(port, errors);
    } else if !NODE_PORTS.contains(&number) {
        let range = format!("{}-{}", NODE_PORTS.start(), NODE_PORTS.end());
        let why =
            format!("provided port is not in the valid range. The range of valid ports is {range}");
        errors.invalid_unless(port, why, OTHER_RANGE);
    }
}

/// A name in DNS and nothing that a Service with an address has.
fn check_external_name(spec: &Field<'_>, errors: &mut ErrorList) {
    // The API server makes the list of the one.
    for of_addresses in ["clusterIP", "clusterIPs", "ipFamilies"] {
        let field = spec.field(of_addresses);
        if field.len() > 0 || !field.text().is_empty() {
            errors.forbidden(&field, "may not be set for ExternalName services");
        }
    }
    let policy = spec.field("ipFamilyPolicy");
    if policy.is_set() {
        errors.forbidden(&policy, "may not be set for ExternalName services");
    }
    let name = spec.field("externalName");
    let text = name.text();
    match text.strip_suffix('.').unwrap_or(text) {
        "" => errors.required(&name, ""),
        text => errors.invalid_each(&name, formats::dns_subdomain(text)),
    }
}

/// `validateClientIPAffinityConfig`. Without affinity the API server drops the configuration.
fn check_session_affinity(spec: &Field<'_>, errors: &mut ErrorList) {
    let affinity = spec.field("sessionAffinity");
    errors.supported(&affinity, affinity.text_or("None"), &["ClientIP", "None"]);
    let config = spec.field("sessionAffinityConfig");
    let client = config.field("clientIP");
    let seconds = client.field("timeoutSeconds");
    let is_wrong = seconds.is_set() && !(1..=86_400).contains(&seconds.number());
    if affinity.text() == "ClientIP" && is_wrong {
        errors.invalid(&seconds, "must be greater than 0 and less than 86400");
    }
}

fn check_load_balancer(root: &Field<'_>, errors: &mut ErrorList) {
    let spec = root.field("spec");
    let is_balancer = spec.field("type").text() == "LoadBalancer";
    let ranges = spec.field("loadBalancerSourceRanges");
    let metadata = root.field("metadata");
    let annotations = metadata.field("annotations");
    let annotation = annotations.key(SOURCE_RANGES);
    if ranges.len() > 0 {
        if !is_balancer {
            errors.forbidden(&ranges, ONLY_LOAD_BALANCER);
        }
        for range in ranges.items() {
            addresses::check_range(&range, range.text().trim(), errors);
        }
    } else if annotation.is_set() {
        if !is_balancer {
            errors.forbidden(&annotation, ONLY_LOAD_BALANCER);
        }
        let all = annotation.text().trim();
        for range in all.split(',').filter(|_| !all.is_empty()) {
            addresses::check_range(&annotation, range.trim(), errors);
        }
    }
    let allocate = spec.field("allocateLoadBalancerNodePorts");
    let class = spec.field("loadBalancerClass");
    if is_balancer {
        if class.is_set() {
            errors.invalid_each(&class, formats::qualified_name(class.text()));
        }
        return;
    }
    for field in [allocate, class] {
        if field.is_set() {
            errors.forbidden(&field, ONLY_LOAD_BALANCER);
        }
    }
}

/// `validateServiceExternalTrafficPolicy`, `validateServiceInternalTrafficFieldsValue` and
/// `validateServiceTrafficDistribution`.
fn check_traffic_policies(spec: &Field<'_>, errors: &mut ErrorList) {
    let kind = spec.field("type");
    let is_outside = match kind.text_or("ClusterIP") {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => spec.field("externalIPs").len() > 0,
        _ => false,
    };
    let external = spec.field("externalTrafficPolicy");
    if !external.text().is_empty() {
        if is_outside {
            errors.supported(&external, external.text(), &["Cluster", "Local"]);
        } else {
            let why = "may only be set for externally-accessible services";
            errors.invalid(&external, why);
        }
    }
    let health = spec.field("healthCheckNodePort");
    let has_health_check = kind.text() == "LoadBalancer" && external.text() == "Local";
    if health.number() != 0 && has_health_check {
        check_node_port(&health, errors);
    } else if health.number() != 0 {
        let why =
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        errors.invalid(&health, why);
    }
    let internal = spec.field("internalTrafficPolicy");
    if internal.is_set() {
        errors.supported(&internal, internal.text(), &["Cluster", "Local"]);
    }
    let distribution = spec.field("trafficDistribution");
    if distribution.is_set() {
        let known = &["PreferClose", "PreferSameNode", "PreferSameZone"];
        errors.supported(&distribution, distribution.text(), known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn told(spec: &Value) -> Vec<String> {
        let object = json!({"metadata": {"name": "web"}, "spec": spec});
        let mut errors = ErrorList::default();
        check(&Field::root(&object), &mut errors);
        errors.into_told().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_words_are_those_of_the_api_server() {
        for (spec, words) in [
            (json!({}), "spec.ports: Required value"),
            (
                json!({"ports": [{"port": 70000}]}),
                "spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive",
            ),
            (
                json!({"ports": [{"port": 80, "protocol": "tcp"}]}),
                "spec.ports[0].protocol: Unsupported value: \"tcp\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
            ),
            (
                json!({"ports": [{"port": 80, "nodePort": 30080}]}),
                "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
            ),
            (
                json!({"type": "Clusterip", "ports": [{"port": 80}]}),
                "spec.type: Unsupported value: \"Clusterip\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\"",
            ),
            (
                json!({"type": "ExternalName"}),
                "spec.externalName: Required value",
            ),
            (
                json!({"ports": [{"port": 80}], "externalTrafficPolicy": "Local"}),
                "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally-accessible services",
            ),
        ] {
            assert_eq!(told(&spec), [words]);
        }
    }

    #[test]
    fn a_node_port_outside_the_default_range_is_not_certain_to_be_refused() {
        let spec = json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 8080}]});
        let object = json!({"metadata": {"name": "web"}, "spec": spec});
        let mut errors = ErrorList::default();
        check(&Field::root(&object), &mut errors);
        assert_eq!(errors.into_told()[0].unless, Some(OTHER_RANGE));
    }

    #[test]
    fn defaults_are_set_before() {
        for spec in [
            json!({"ports": [{"port": 80, "targetPort": 0, "nodePort": 0}]}),
            json!({"ports": [{"port": 80}], "sessionAffinityConfig": {"clientIP": {}}}),
            json!({"clusterIP": "None"}),
            json!({"type": "LoadBalancer", "ports": [{"port": 80}], "sessionAffinity": "ClientIP"}),
        ] {
            assert_eq!(told(&spec), Vec::<String>::new());
        }
    }
}
