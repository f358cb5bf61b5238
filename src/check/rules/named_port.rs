//! A targetPort is a name, and pods don't declare it.

use std::{collections::BTreeSet, sync::Arc};

use super::{Finding, Severity, finding, place_of, target_port_digits::is_digits};
use crate::check::case::Case;
use crate::inventory::{PodRecord, ServicePort, ports::resolve_target_port};

/// The pods that could serve, and which of them have the named port.
struct Named<'a> {
    port: &'a ServicePort,
    name: &'a str,
    pods: Vec<&'a Arc<PodRecord>>,
    having: usize,
}

fn named<'a>(case: &Case<'a>) -> Vec<Named<'a>> {
    let pods: Vec<_> = case.candidates().collect();
    case.named_ports()
        .filter(|(_, name)| !is_digits(name) && !pods.is_empty())
        .map(|(port, name)| Named {
            port,
            name,
            having: pods
                .iter()
                .filter(|pod| resolve_target_port(port, pod).is_some())
                .count(),
            pods: pods.clone(),
        })
        .collect()
}

impl Named<'_> {
    /// The protocols under which pods declare the name although the Service asks another.
    fn protocols(&self) -> BTreeSet<&'static str> {
        self.declared()
            .filter(|(name, _)| *name == self.name)
            .map(|(_, protocol)| protocol)
            .collect()
    }

    fn declared(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.pods
            .iter()
            .flat_map(|pod| &pod.containers)
            .flat_map(|container| &container.ports)
            .filter_map(|port| Some((port.name.as_deref()?, port.protocol.as_str())))
    }

    fn found(
        &self,
        case: &Case<'_>,
        id: &'static str,
        severity: Severity,
        words: String,
    ) -> Finding {
        let names: BTreeSet<_> = self.declared().map(|(name, _)| name).collect();
        let hint = if names.is_empty() {
            "the pods name none of their ports".to_owned()
        } else {
            format!("pods declare {}", Vec::from_iter(names).join(", "))
        };
        finding(id, severity, place_of(case, self.port), words).hint(hint)
    }
}

/// No pod declares the name: none gets traffic for this port.
pub(super) fn on_no_pod(case: &Case<'_>) -> Vec<Finding> {
    named(case)
        .iter()
        .filter(|named| named.having == 0 && named.protocols().is_empty())
        .map(|named| {
            let words = format!("no container port named {}", named.name);
            named.found(case, "named-port-on-no-pod", Severity::Error, words)
        })
        .collect()
}

/// Some pods declare the name: the others never get traffic for this port.
pub(super) fn on_some_pods(case: &Case<'_>) -> Vec<Finding> {
    named(case)
        .iter()
        .filter(|named| named.having > 0 && named.having < named.pods.len())
        .map(|named| {
            let words = format!(
                "port {} on {} of {} pods",
                named.name,
                named.having,
                named.pods.len()
            );
            named.found(case, "named-port-on-some-pods", Severity::Warning, words)
        })
        .collect()
}

/// Pods declare the name with another protocol only.
pub(super) fn other_protocol(case: &Case<'_>) -> Vec<Finding> {
    named(case)
        .iter()
        .filter(|named| named.having == 0 && !named.protocols().is_empty())
        .map(|named| {
            let declared = Vec::from_iter(named.protocols()).join(", ");
            let words = format!(
                "{} is {declared} on the pods, not {}",
                named.name, named.port.protocol
            );
            named.found(case, "named-port-protocol", Severity::Error, words)
        })
        .collect()
}
