//! A port has no ready endpoint, for no other known reason.

use super::{
    CheckRule, Finding, FindingLocation, Health, RuleContext, RuleFunction, RuleGroup, Severity,
    WITH_BOTH,
};
use super::{documentation_urls, place_of, words};

pub(super) static RULES: &[&CheckRule] = &[&NO_READY_ENDPOINT];

static NO_READY_ENDPOINT: CheckRule = CheckRule {
    id: "SVC-NO-READY-ENDPOINT",
    group: RuleGroup::Endpoints,
    title: "A port has no ready endpoint, for no other known reason",
    severity: Severity::Error,
    implied_health: Health::Broken,
    required_kinds: WITH_BOTH,
    about: "Pods are ready, yet the EndpointSlices don't say so: their controller lags or does not \
            run, or somebody else writes them.",
    url: documentation_urls::SLICES,
    function: RuleFunction::Fallback(check),
    ..CheckRule::BASE
};

fn check(case: &RuleContext<'_>) -> Vec<Finding> {
    let hint = if case.service().selector.is_empty() {
        "its EndpointSlices list no endpoint of it as ready"
    } else if case.not_ready_pods().len() < case.candidates().count() {
        "pods are ready, but the EndpointSlices don't list them as ready"
    } else {
        // No pod is ready, and other rules say why.
        return Vec::new();
    };
    if !case.needs_endpoints() {
        return Vec::new();
    }
    let read = format!(
        "{} of it, {} of the pods that it selects ready",
        words::counted(case.slices.len(), "EndpointSlice"),
        case.candidates().filter(|pod| pod.ready).count()
    );
    let told = |place, short: String, message: String| {
        NO_READY_ENDPOINT
            .finding(place, short, message)
            .evidence([read.clone()])
            .hint(hint)
    };
    if case.traffic.ports.is_empty() && case.ready.is_empty() {
        let message = format!("It has no ready endpoint: {hint}.");
        return vec![told(
            FindingLocation::Service,
            "no ready endpoint".to_owned(),
            message,
        )];
    }
    case.traffic
        .ports
        .iter()
        .filter(|traffic| traffic.ready() == 0)
        .map(|traffic| {
            let port = &traffic.port;
            told(
                place_of(case, port),
                format!("port {} has no ready endpoint", port.port),
                format!("Port {} has no ready endpoint: {hint}.", port.port),
            )
        })
        .collect()
}
