//! A port has no endpoints although the Service has some.

use std::collections::BTreeSet;

use super::{
    CheckRule, Finding, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup, Severity,
    WITH_SLICES,
};
use super::{documentation_urls, place_of, words};

pub(super) static RULES: &[&CheckRule] = &[&NO_ENDPOINTS];

static NO_ENDPOINTS: CheckRule = CheckRule {
    id: "SVC-PORT-NO-ENDPOINTS",
    group: RuleGroup::Ports,
    title: "A port has no endpoints although the Service has some",
    severity: Severity::Error,
    implied_health: Health::Broken,
    required_kinds: WITH_SLICES,
    about: "EndpointSlices carry ports by name and protocol. One that no Service port matches \
            serves nothing. In slices written by hand that is a mistake; of the controller's own, a \
            rule about named targetPorts says more where it can.",
    url: documentation_urls::SLICES,
    function: RuleFunction::Service(check),
    ..CheckRule::BASE
};

fn check(case: &RuleContext<'_>) -> Vec<Finding> {
    let served: Vec<_> = case
        .slices
        .iter()
        .filter(|slice| !slice.endpoints.is_empty())
        .collect();
    if !case.needs_endpoints() || served.is_empty() {
        return Vec::new();
    }
    let dead = case
        .traffic
        .ports
        .iter()
        .filter(|traffic| traffic.backends.is_empty())
        .map(|traffic| &traffic.port);
    dead.map(|port| {
        let own_name = port.name.as_deref().unwrap_or_default();
        let lacks_number = served.iter().flat_map(|slice| &slice.ports).any(|served| {
            *served.name == *own_name && served.protocol == port.protocol && served.port.is_none()
        });
        let names: BTreeSet<_> = served
            .iter()
            .flat_map(|slice| &slice.ports)
            .map(|port| {
                let name = match &*port.name {
                    "" => format!("an unnamed {} port", port.protocol),
                    name => format!("{name} {}", port.protocol),
                };
                match port.port {
                    Some(_) => name,
                    None => format!("{name} without a number, which kube-proxy ignores"),
                }
            })
            .collect();
        let hint = if names.is_empty() {
            "its EndpointSlices serve no port".to_owned()
        } else {
            format!("its EndpointSlices serve {}", words::list(names))
        };
        NO_ENDPOINTS
            .finding(
                place_of(case, port),
                format!("port {} has no endpoints", port.port),
                format!(
                    "Port {} has no endpoints although the Service has some: no EndpointSlice \
                     serves a port with its name and protocol{}.",
                    words::port(port),
                    if lacks_number { " by a number" } else { "" }
                ),
            )
            .with_objects(
                words::some(&served)
                    .map(|slice| ObjectRef::new("EndpointSlice", slice.key.clone())),
            )
            .evidence([hint.clone()])
            .hint(hint)
    })
    .collect()
}
