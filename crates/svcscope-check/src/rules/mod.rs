//! The rules, one a function, by what they are about.

mod addresses;
mod app_protocol;
mod documentation_urls;
mod external_name;
mod fields;
mod flapping;
mod headless;
mod inbound;
mod lifecycle;
mod load_balancer;
mod load_balancer_pending;
mod manual_endpoints;
mod named_port;
mod nearest_label;
mod only_finished;
mod orphan_slice;
mod path_tests;
mod policies;
mod port_without_endpoints;
mod probes;
mod readiness;
mod refused;
mod scaled;
mod selector;
mod sharing;
mod slices;
mod spread;
mod standby;
mod system;
mod target_port_digits;
mod target_ports;
mod terminating;
mod traffic_policy;
mod unexplained;
mod visibility;
pub(super) mod words;

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleGroup, Severity, SuggestedFix,
    rule::RuleFunction, rule_context::RuleContext,
};
use svcscope_model::inventory::{ResourceKind, ServicePort};

const WITH_PODS: &[ResourceKind] = &[ResourceKind::Service, ResourceKind::Pod];
const WITH_SLICES: &[ResourceKind] = &[ResourceKind::Service, ResourceKind::EndpointSlice];
const WITH_BOTH: &[ResourceKind] = &[
    ResourceKind::Service,
    ResourceKind::Pod,
    ResourceKind::EndpointSlice,
];

/// All rules, in the order in which the user would ask. What is found is told in this order where
/// it is equally bad.
static FILES: &[&[&CheckRule]] = &[
    visibility::RULES,
    refused::RULES,
    system::RULES,
    external_name::RULES,
    selector::RULES,
    scaled::RULES,
    only_finished::RULES,
    terminating::RULES,
    manual_endpoints::RULES,
    readiness::RULES,
    standby::RULES,
    flapping::RULES,
    spread::RULES,
    sharing::RULES,
    probes::RULES,
    target_port_digits::RULES,
    named_port::RULES,
    target_ports::RULES,
    port_without_endpoints::RULES,
    path_tests::RULES,
    app_protocol::RULES,
    slices::RULES,
    load_balancer::RULES,
    load_balancer_pending::RULES,
    traffic_policy::RULES,
    headless::RULES,
    fields::RULES,
    addresses::RULES,
    lifecycle::RULES,
    unexplained::RULES,
    orphan_slice::RULES,
    inbound::INGRESSES,
    inbound::ROUTES,
    inbound::GATEWAYS,
    inbound::CALLERS,
    policies::RULES,
];

pub use refused::refused;

/// All rules, in the order in which the user would ask.
pub fn all() -> impl Iterator<Item = &'static CheckRule> {
    FILES.iter().flat_map(|rules| rules.iter().copied())
}

/// The rule of this identifier.
pub fn by_id(id: &str) -> Option<&'static CheckRule> {
    all().find(|rule| rule.id == id)
}

fn place_of(case: &RuleContext<'_>, port: &ServicePort) -> FindingLocation {
    FindingLocation::Port(case.port_id(port))
}
