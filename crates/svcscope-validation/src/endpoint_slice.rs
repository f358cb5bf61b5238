//! EndpointSlices: `ValidateEndpointSlice` of `pkg/apis/discovery/validation/validation.go`.

use std::{collections::BTreeSet, net::IpAddr};

use super::{
    addresses,
    error::ErrorList,
    field::Field,
    formats, labels,
    metadata::{self, NameRule},
    service,
};

const MOST_ENDPOINTS: usize = 1_000;
const MOST_ADDRESSES: usize = 100;
const MOST_PORTS: usize = 100;
const MOST_TOPOLOGY_LABELS: usize = 16;
const MOST_ZONES: usize = 8;

pub(crate) fn check(root: &Field<'_>, errors: &mut ErrorList) {
    metadata::check(root, NameRule::Subdomain, errors);
    let kind = root.field("addressType");
    match kind.text() {
        "" => errors.required(&kind, ""),
        text => errors.supported(&kind, text, &["FQDN", "IPv4", "IPv6"]),
    }
    let endpoints = root.field("endpoints");
    if !errors.too_many(&endpoints, endpoints.len(), MOST_ENDPOINTS) {
        for endpoint in endpoints.items() {
            check_endpoint(&endpoint, kind.text(), errors);
        }
    }
    check_ports(&root.field("ports"), errors);
}

fn check_endpoint(endpoint: &Field<'_>, kind: &str, errors: &mut ErrorList) {
    let list = endpoint.field("addresses");
    if list.len() == 0 {
        errors.required(&list, "must contain at least 1 address");
    }
    errors.too_many(&list, list.len(), MOST_ADDRESSES);
    for address in list.items() {
        check_address(&address, kind, errors);
    }
    let topology = endpoint.field("deprecatedTopology");
    errors.too_many(&topology, topology.len(), MOST_TOPOLOGY_LABELS);
    labels::check_labels(&topology, errors);
    let (host, node) = (endpoint.field("hostname"), endpoint.field("nodeName"));
    if host.is_set() {
        errors.invalid_each(&host, formats::dns_label(host.text()));
    }
    if node.is_set() {
        errors.invalid_each(&node, formats::dns_subdomain(node.text()));
    }
    let hints = endpoint.field("hints");
    let zones = hints.field("forZones");
    errors.too_many(&zones, zones.len(), MOST_ZONES);
}

fn check_address(address: &Field<'_>, kind: &str, errors: &mut ErrorList) {
    let text = address.text();
    let ip = addresses::parse(text);
    match (kind, ip) {
        ("IPv4", Some(IpAddr::V4(_))) | ("IPv6", Some(IpAddr::V6(_))) => {
            addresses::check_not_special(address, errors);
        }
        ("IPv4" | "IPv6", _) => errors.invalid(address, format!("must be a valid {kind} address")),
        ("FQDN", _) if text.is_empty() => errors.required(address, ""),
        ("FQDN", _) => errors.invalid_each(address, formats::fully_qualified_domain(text)),
        _ => {}
    }
}

/// `validatePorts`. A port without a name is called "".
fn check_ports(ports: &Field<'_>, errors: &mut ErrorList) {
    if errors.too_many(ports, ports.len(), MOST_PORTS) {
        return;
    }
    let mut names = BTreeSet::new();
    for port in ports.items() {
        let name = port.field("name");
        if !name.text().is_empty() {
            errors.invalid_each(&name, formats::dns_label(name.text()));
        }
        if !names.insert(name.text().to_owned()) {
            errors.duplicate(&name, &format!("{:?}", name.text()));
        }
        let protocol = port.field("protocol");
        let text = if protocol.is_set() {
            protocol.text()
        } else {
            "TCP"
        };
        errors.supported(&protocol, text, service::PROTOCOLS);
        service::check_app_protocol(&port, errors);
    }
}
