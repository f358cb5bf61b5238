//! A port has no endpoints although the Service has some.

use std::collections::BTreeSet;

use super::{Finding, Place, Severity, finding};
use crate::check::case::{Case, Known};
use crate::inventory::{Kind, ServicePort, TargetPort, ports::resolve_target_port};

/// Slices carry ports by name: one that a Service port's name and protocol don't match serves
/// nothing. In slices written by hand that is a mistake; of the controller's own, a rule about named
/// targetPorts says more where it can.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let mut served = case
        .slices
        .iter()
        .filter(|slice| !slice.endpoints.is_empty())
        .peekable();
    if !case.needs_endpoints() || served.peek().is_none() {
        return Vec::new();
    }
    let names: BTreeSet<_> = served
        .flat_map(|slice| &slice.ports)
        .map(|port| match &*port.name {
            "" => format!("an unnamed {} port", port.protocol),
            name => format!("{name} {}", port.protocol),
        })
        .collect();
    let hint = if names.is_empty() {
        "its EndpointSlices serve no port".to_owned()
    } else {
        format!(
            "its EndpointSlices serve {}",
            Vec::from_iter(names).join(", ")
        )
    };
    case.traffic
        .ports
        .iter()
        .filter(|traffic| traffic.backends.is_empty() && !is_named_on_no_pod(case, &traffic.port))
        .map(|traffic| {
            finding(
                "port-without-endpoints",
                Severity::Error,
                Place::Port(traffic.id(&case.service().key)),
                format!("port {} has no endpoints", traffic.port.port),
            )
            .hint(hint.clone())
        })
        .collect()
}

/// Whether the rule about named targetPorts explains it, with a proof as good as this one's.
fn is_named_on_no_pod(case: &Case<'_>, port: &ServicePort) -> bool {
    let mut candidates = case.candidates().peekable();
    matches!(port.target_port, TargetPort::Name(_))
        && case.known(Kind::Pod) > Known::Unseen
        && case.known(Kind::Pod) >= case.known(Kind::EndpointSlice)
        && candidates.peek().is_some()
        && candidates.all(|pod| resolve_target_port(port, pod).is_none())
}
