//! NetworkPolicies: `ValidateNetworkPolicy` of `pkg/apis/networking/validation/validation.go`.

use super::{
    addresses,
    error::ErrorList,
    field::Field,
    formats, labels,
    metadata::{self, NameRule},
    service,
};

const TYPES: &[&str] = &["Ingress", "Egress"];
const PROTOCOLS: &[&str] = &["TCP", "UDP", "SCTP"];

pub(crate) fn check(root: &Field<'_>, errors: &mut ErrorList) {
    metadata::check(root, NameRule::Subdomain, errors);
    let spec = root.field("spec");
    labels::check_selector(&spec.field("podSelector"), errors);
    for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in spec.field(rules).items() {
            for port in rule.field("ports").items() {
                check_port(&port, errors);
            }
            for peer in rule.field(peers).items() {
                check_peer(&peer, errors);
            }
        }
    }
    let types = spec.field("policyTypes");
    if types.len() > TYPES.len() {
        errors.invalid(&types, "may not specify more than two policyTypes");
    } else {
        for one in types.items() {
            errors.supported(&one, one.text(), TYPES);
        }
    }
}

/// `ValidateNetworkPolicyPort`.
fn check_port(rule: &Field<'_>, errors: &mut ErrorList) {
    let protocol = rule.field("protocol");
    let text = if protocol.is_set() {
        protocol.text()
    } else {
        "TCP"
    };
    errors.supported(&protocol, text, PROTOCOLS);
    let (port, end) = (rule.field("port"), rule.field("endPort"));
    if port.is_set() {
        service::check_number_or_name(&port, errors);
    }
    if !end.is_set() {
        return;
    }
    if !port.is_set() {
        errors.invalid(&end, "may not be specified when `port` is not specified");
    } else if port.value.is_string() {
        errors.invalid(&end, "may not be specified when `port` is non-numeric");
    } else {
        if end.number() < port.number() {
            errors.invalid(&end, "must be greater than or equal to `port`");
        }
        errors.invalid_each(&end, formats::port_number(end.number()));
    }
}

/// `ValidateNetworkPolicyPeer`.
fn check_peer(peer: &Field<'_>, errors: &mut ErrorList) {
    let (pods, namespaces) = (peer.field("podSelector"), peer.field("namespaceSelector"));
    let block = peer.field("ipBlock");
    for selector in [pods, namespaces] {
        labels::check_selector(&selector, errors);
    }
    if block.is_set() {
        check_block(&block, errors);
        if pods.is_set() || namespaces.is_set() {
            errors.forbidden(peer, "may not specify both ipBlock and another peer");
        }
    } else if !pods.is_set() && !namespaces.is_set() {
        errors.required(peer, "must specify a peer");
    }
}

/// `ValidateIPBlock`.
fn check_block(block: &Field<'_>, errors: &mut ErrorList) {
    let range = block.field("cidr");
    if range.text().is_empty() {
        errors.required(&range, "");
        return;
    }
    addresses::check_range(&range, range.text(), errors);
    let Some(whole) = addresses::parse_range(range.text()) else {
        return;
    };
    for except in block.field("except").items() {
        addresses::check_range(&except, except.text(), errors);
        let part = addresses::parse_range(except.text());
        let is_outside = |part: &(_, u8)| !addresses::contains(whole, part.0) || whole.1 >= part.1;
        if part.as_ref().is_some_and(is_outside) {
            errors.invalid(&except, "must be a strict subset of `cidr`");
        }
    }
}
