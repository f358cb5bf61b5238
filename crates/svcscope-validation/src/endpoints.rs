//! Endpoints: `ValidateEndpoints` of `pkg/apis/core/validation/validation.go`.

use super::{
    addresses,
    error::ErrorList,
    field::Field,
    formats,
    metadata::{self, NameRule},
    service,
};

pub(crate) fn check(root: &Field<'_>, errors: &mut ErrorList) {
    metadata::check(root, NameRule::Subdomain, errors);
    for subset in root.field("subsets").items() {
        let lists = [subset.field("addresses"), subset.field("notReadyAddresses")];
        if lists.iter().all(|list| list.len() == 0) {
            errors.required(&subset, "must specify `addresses` or `notReadyAddresses`");
        }
        for list in &lists {
            for address in list.items() {
                check_address(&address, errors);
            }
        }
        let ports = subset.field("ports");
        for port in ports.items() {
            let name = port.field("name");
            match name.text() {
                "" if ports.len() > 1 => errors.required(&name, ""),
                "" => {}
                text => errors.invalid_each(&name, formats::dns_label(text)),
            }
            service::check_number(&port.field("port"), errors);
            let protocol = port.field("protocol");
            errors.supported(&protocol, protocol.text_or("TCP"), service::PROTOCOLS);
            service::check_app_protocol(&port, errors);
        }
    }
}

fn check_address(address: &Field<'_>, errors: &mut ErrorList) {
    let ip = address.field("ip");
    if addresses::check_ip(&ip, errors) {
        addresses::check_not_special(&ip, errors);
    }
    let host = address.field("hostname");
    if !host.text().is_empty() {
        errors.invalid_each(&host, formats::dns_label(host.text()));
    }
    let node = address.field("nodeName");
    if node.is_set() {
        errors.invalid_each(&node, formats::dns_subdomain(node.text()));
    }
}
