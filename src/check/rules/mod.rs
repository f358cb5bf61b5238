//! The rules, one a function, by what they are about.

mod addresses;
mod app_protocol;
mod external_name;
mod fields;
mod flapping;
mod fronts;
mod headless;
mod lifecycle;
mod links;
mod load_balancer;
mod load_balancer_pending;
mod manual_endpoints;
mod named_port;
mod nearest;
mod only_finished;
mod orphan_slice;
mod policies;
mod port_without_endpoints;
mod probes;
mod readiness;
mod scaled;
mod selector;
mod sharing;
mod sight;
mod slices;
mod spread;
mod standby;
mod system;
mod target_port_digits;
mod target_ports;
mod terminating;
mod tested;
mod traffic_policy;
mod unexplained;
pub(super) mod words;

use super::{
    Finding, Fix, Group, ObjectRef, Place, Rule, Severity, Verdict, case::Case, rule::Find,
};
use crate::inventory::{Kind, ServicePort};

pub(super) use system::{api_service, is_kube_proxy};

const WITH_PODS: &[Kind] = &[Kind::Service, Kind::Pod];
const WITH_SLICES: &[Kind] = &[Kind::Service, Kind::EndpointSlice];
const WITH_BOTH: &[Kind] = &[Kind::Service, Kind::Pod, Kind::EndpointSlice];

/// All rules, in the order in which a person would ask. What is found is told in this order where
/// it is equally bad.
static FILES: &[&[&Rule]] = &[
    sight::RULES,
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
    tested::RULES,
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
    fronts::INGRESSES,
    fronts::ROUTES,
    fronts::GATEWAYS,
    fronts::CALLERS,
    policies::RULES,
];

/// All rules, in the order in which a person would ask.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    FILES.iter().flat_map(|rules| rules.iter().copied())
}

/// The rule of this identifier.
pub fn by_id(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

fn place_of(case: &Case<'_>, port: &ServicePort) -> Place {
    Place::Port(case.port_id(port))
}
