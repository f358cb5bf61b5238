//! What the API server would refuse, said before it is asked, by field.
//!
//! The rules are those of `validateService` and `ValidateServiceUpdate` in
//! `pkg/apis/core/validation/validation.go`; what only the server can know is left to its dry run.

use std::collections::BTreeSet;

use super::{
    DesiredServiceState, FieldError, NodePortAllocations, ServiceKind, external_name,
    projection::is_published,
};
use svcscope_model::inventory::{
    Inventory, ServicePort, ServiceRecord, TargetPort, address::parse_cidr,
};

/// What is wrong with `after`, which is what is expected of `wanted`; before there was `before`.
pub(crate) fn validate(
    before: Option<&ServiceRecord>,
    after: &ServiceRecord,
    wanted: &DesiredServiceState,
    inventory: &Inventory,
) -> Vec<FieldError> {
    let mut all = FieldErrorList::default();
    external_name_errors(&mut all, after, wanted);
    if wanted.ports.is_some() || before.is_none_or(|before| before.ports != after.ports) {
        ports(&mut all, after);
    }
    if after.ports.is_empty() && ServiceKind::of(after).has_virtual_ip() {
        let said = format!("a {} needs at least one port", ServiceKind::of(after));
        all.add("spec.ports", said);
    }
    node_ports(&mut all, before, after, inventory);
    load_balancer_only_fields(&mut all, before, after, wanted);
    if wanted.external_traffic_policy.is_some() && !is_published(after) {
        all.add(
            "spec.externalTrafficPolicy",
            "only a Service that is reachable from outside has one: NodePort, LoadBalancer, or one \
             with externalIPs",
        );
    }
    if after.session_affinity_client_ip
        && after
            .session_affinity_timeout_secs
            .is_some_and(|secs| !(1..=86_400).contains(&secs))
    {
        all.add(
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
            "must be from 1 to 86400 seconds",
        );
    }
    all.0
}

#[derive(Default)]
struct FieldErrorList(Vec<FieldError>);

impl FieldErrorList {
    fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError {
            field: field.into().into(),
            message: message.into().into(),
        });
    }
}

fn external_name_errors(
    all: &mut FieldErrorList,
    after: &ServiceRecord,
    wanted: &DesiredServiceState,
) {
    let to = ServiceKind::of(after);
    if to == ServiceKind::ExternalName {
        let name = after.external_name.as_deref().unwrap_or_default();
        if let Err(error) = external_name::check(name) {
            all.add("spec.externalName", error.to_string());
        }
    } else if wanted.external_name.is_some() {
        let said = format!("an externalName means nothing to a {to}");
        all.add("spec.externalName", said);
    }
}

fn ports(all: &mut FieldErrorList, after: &ServiceRecord) {
    let (mut names, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for (index, port) in after.ports.iter().enumerate() {
        let path = format!("spec.ports[{index}]");
        match port.name.as_deref() {
            None if after.ports.len() > 1 => {
                all.add(format!("{path}.name"), "each of several ports needs a name");
            }
            Some(name) if !is_label(name) => all.add(
                format!("{path}.name"),
                format!(
                    "`{name}` is no port name: use up to 63 lower-case letters, digits and `-`"
                ),
            ),
            Some(name) if !names.insert(name) => {
                all.add(format!("{path}.name"), format!("`{name}` is there twice"));
            }
            _ => {}
        }
        if port.port == 0 {
            all.add(format!("{path}.port"), "must be from 1 to 65535");
        } else if !numbers.insert((port.protocol, port.port)) {
            let said = format!("port {} of {} is there twice", port.port, port.protocol);
            all.add(format!("{path}.port"), said);
        }
        match &port.target_port {
            TargetPort::Number(0) => {
                all.add(format!("{path}.targetPort"), "must be from 1 to 65535");
            }
            TargetPort::Name(name) if !is_container_port_name(name) => all.add(
                format!("{path}.targetPort"),
                format!(
                    "`{name}` is no name of a container port: up to 15 lower-case letters, digits \
                     and single `-`, at least one letter"
                ),
            ),
            _ => {}
        }
    }
}

/// RFC 1123.
fn is_label(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=63).contains(&name.len())
        && name.starts_with(plain)
        && name.ends_with(plain)
        && name.chars().all(|c| plain(c) || c == '-')
}

/// IANA_SVC_NAME, RFC 6335 §5.1.
fn is_container_port_name(name: &str) -> bool {
    name.len() <= 15
        && is_label(name)
        && name.contains(|c: char| c.is_ascii_lowercase())
        && !name.contains("--")
}

fn node_ports(
    all: &mut FieldErrorList,
    before: Option<&ServiceRecord>,
    after: &ServiceRecord,
    inventory: &Inventory,
) {
    let to = ServiceKind::of(after);
    let held = |port: &ServicePort| {
        before.is_some_and(|before| {
            before
                .ports
                .iter()
                .any(|own| own.node_port == port.node_port)
        })
    };
    let mut seen = BTreeSet::new();
    let others = NodePortAllocations::excluding_service(inventory, &after.key);
    for (index, port) in after.ports.iter().enumerate() {
        let Some(number) = port.node_port else {
            continue;
        };
        let field = format!("spec.ports[{index}].nodePort");
        if !to.has_node_ports() {
            let said = format!("a {to} has no nodePorts; choose NodePort or LoadBalancer");
            all.add(field, said);
        } else if number == 0 {
            all.add(field, "0 is none; leave it out to have one allocated");
        } else if !seen.insert((port.protocol, number)) {
            let said = format!("{number} is wanted for two {} ports", port.protocol);
            all.add(field, said);
        } else if !held(port)
            && let Some(refusal) = others.refusal(number)
        {
            all.add(field, &*refusal);
        }
    }
}

fn load_balancer_only_fields(
    all: &mut FieldErrorList,
    before: Option<&ServiceRecord>,
    after: &ServiceRecord,
    wanted: &DesiredServiceState,
) {
    let to = ServiceKind::of(after);
    if to != ServiceKind::LoadBalancer {
        for (field, is_wanted) in [
            (
                "spec.loadBalancerSourceRanges",
                wanted
                    .source_ranges
                    .as_ref()
                    .is_some_and(|ranges| !ranges.is_empty()),
            ),
            (
                "spec.loadBalancerClass",
                wanted.load_balancer_class.is_some(),
            ),
            (
                "spec.allocateLoadBalancerNodePorts",
                wanted.allocate_load_balancer_node_ports.is_some(),
            ),
        ] {
            if is_wanted {
                all.add(
                    field,
                    format!("only a LoadBalancer may have it, not a {to}"),
                );
            }
        }
        return;
    }
    for (index, range) in after.source_ranges.iter().enumerate() {
        if !is_cidr(range.trim()) {
            all.add(
                format!("spec.loadBalancerSourceRanges[{index}]"),
                format!("`{range}` is no range of addresses; write for example 192.0.2.0/24"),
            );
        }
    }
    if let Some(before) = before
        && ServiceKind::of(before) == ServiceKind::LoadBalancer
        && before.load_balancer_class != after.load_balancer_class
    {
        all.add(
            "spec.loadBalancerClass",
            "can be chosen only when a Service becomes a LoadBalancer; change it to another type \
             first",
        );
    }
}

fn is_cidr(range: &str) -> bool {
    // Old Services may hold ranges with bits of the host: which of them it takes, the server says.
    parse_cidr(range).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_as_the_server_does() {
        for good in ["http", "h2", "a-b", "8080-tcp"] {
            assert!(is_label(good) && is_container_port_name(good), "{good}");
        }
        for bad in ["", "-a", "a-", "HTTP", "a_b"] {
            assert!(!is_label(bad) && !is_container_port_name(bad), "{bad}");
        }
        for only_label in ["a--b", "123", "sixteen-letters-"] {
            assert!(!is_container_port_name(only_label), "{only_label}");
        }
    }

    #[test]
    fn ranges_are_addresses_with_bits() {
        for good in ["192.0.2.0/24", "2001:db8::/64", "010.1.2.3/8"] {
            assert!(is_cidr(good), "{good}");
        }
        for bad in ["192.0.2.0", "192.0.2.0/33", "x/8", "2001:db8::/129"] {
            assert!(!is_cidr(bad), "{bad}");
        }
    }
}
