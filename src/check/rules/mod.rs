//! The rules, and what each means for a Service.

mod external_name;
mod load_balancer_pending;
mod manual_endpoints;
mod named_port;
mod nearest;
mod not_seen;
mod only_finished;
mod port_without_endpoints;
mod readiness;
mod selector;
mod target_port_digits;
mod terminating;
mod unexplained;

use super::{Finding, Place, Severity, Verdict, case::Case};
use crate::inventory::{Kind, ServicePort, Text};
use crate::topology::PortId;

/// One check.
pub(super) struct Rule {
    /// The kinds of objects that its proof rests on.
    pub needs: &'static [Kind],
    /// How a Service stands of which it finds something.
    pub means: Verdict,
    /// Looks at a Service.
    pub find: fn(&Case<'_>) -> Vec<Finding>,
}

const SERVICES: &[Kind] = &[Kind::Service];
const WITH_PODS: &[Kind] = &[Kind::Service, Kind::Pod];
const WITH_SLICES: &[Kind] = &[Kind::Service, Kind::EndpointSlice];
const WITH_BOTH: &[Kind] = &[Kind::Service, Kind::Pod, Kind::EndpointSlice];

/// All rules, in the order in which a person would ask.
pub(super) const ALL: &[Rule] = &[
    rule(&[], Verdict::Healthy, not_seen::check),
    rule(SERVICES, Verdict::Broken, external_name::is_an_address),
    rule(SERVICES, Verdict::Healthy, external_name::not_tested),
    rule(WITH_PODS, Verdict::Broken, selector::matches_nothing),
    rule(WITH_PODS, Verdict::Broken, only_finished::check),
    rule(WITH_BOTH, Verdict::Degraded, terminating::still_serving),
    rule(WITH_BOTH, Verdict::Broken, terminating::none_serving),
    rule(WITH_SLICES, Verdict::Broken, manual_endpoints::none),
    rule(WITH_SLICES, Verdict::Broken, manual_endpoints::none_ready),
    rule(
        WITH_SLICES,
        Verdict::Degraded,
        manual_endpoints::some_not_ready,
    ),
    rule(WITH_BOTH, Verdict::Broken, readiness::none_ready),
    rule(WITH_BOTH, Verdict::Degraded, readiness::some_not_ready),
    rule(WITH_BOTH, Verdict::Pending, readiness::none_started),
    rule(WITH_BOTH, Verdict::Healthy, readiness::some_starting),
    rule(SERVICES, Verdict::Broken, target_port_digits::check),
    rule(WITH_PODS, Verdict::Broken, named_port::other_protocol),
    rule(WITH_PODS, Verdict::Broken, named_port::on_no_pod),
    rule(WITH_PODS, Verdict::Degraded, named_port::on_some_pods),
    rule(WITH_SLICES, Verdict::Broken, port_without_endpoints::check),
    rule(SERVICES, Verdict::Pending, load_balancer_pending::check),
];

/// Asked last, and only of a Service of which nothing above says why it is broken.
pub(super) const UNEXPLAINED: Rule = rule(WITH_BOTH, Verdict::Broken, unexplained::check);

/// Findings that time alone may change.
pub(super) const TIMED: &[&str] = &[
    load_balancer_pending::ID,
    readiness::NONE_STARTED,
    readiness::SOME_STARTING,
];

const fn rule(needs: &'static [Kind], means: Verdict, find: fn(&Case<'_>) -> Vec<Finding>) -> Rule {
    Rule { needs, means, find }
}

fn finding(
    id: &'static str,
    severity: Severity,
    place: Place,
    message: impl Into<Text>,
) -> Finding {
    Finding {
        id,
        severity,
        place,
        message: message.into(),
        hint: None,
    }
}

impl Finding {
    fn hint(self, hint: impl Into<Text>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

fn place_of(case: &Case<'_>, port: &ServicePort) -> Place {
    Place::Port(PortId {
        service: case.service().key.clone(),
        protocol: port.protocol,
        port: port.port,
    })
}

/// `1 pod`, `2 pods`.
fn pods(count: usize) -> String {
    format!("{count} pod{}", if count == 1 { "" } else { "s" })
}
