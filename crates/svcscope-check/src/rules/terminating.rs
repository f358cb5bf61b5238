//! All pods that match are on their way out.

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    Severity, WITH_BOTH,
};
use super::{
    documentation_urls,
    words::{self, pods},
};
use svcscope_model::topology::BackendState;

pub(super) static RULES: &[&CheckRule] = &[&STILL_SERVING, &NONE_SERVING];

static STILL_SERVING: CheckRule = CheckRule {
    id: "SVC-PODS-TERMINATING",
    group: RuleGroup::Pods,
    title: "Only terminating pods are left, and they still serve",
    severity: Severity::Warning,
    implied_health: Health::Degraded,
    required_kinds: WITH_BOTH,
    supersedes: &["SVC-PORT-NO-ENDPOINTS", "SVC-HEADLESS-EMPTY"],
    about: "kube-proxy sends traffic to terminating pods that still serve when nothing else is \
            left. They will be gone soon.",
    url: documentation_urls::SLICES,
    function: RuleFunction::Service(still_serving),
    ..CheckRule::BASE
};

static NONE_SERVING: CheckRule = CheckRule {
    id: "SVC-PODS-GONE",
    needs_cluster_state: true,
    group: RuleGroup::Pods,
    title: "Only terminating pods are left, and none serves",
    severity: Severity::Error,
    implied_health: Health::Broken,
    required_kinds: WITH_BOTH,
    supersedes: &["SVC-PORT-NO-ENDPOINTS", "SVC-HEADLESS-EMPTY"],
    about: "All pods that the selector matches are terminating and their endpoints are not \
            serving any more, so that not even kube-proxy's fallback finds one.",
    url: documentation_urls::SLICES,
    function: RuleFunction::Service(none_serving),
    ..CheckRule::BASE
};

fn leaving(case: &RuleContext<'_>) -> usize {
    if case.needs_endpoints() && case.candidates().next().is_none() {
        case.selected.iter().filter(|pod| pod.is_active()).count()
    } else {
        0
    }
}

fn serves(case: &RuleContext<'_>) -> bool {
    let mut backends = case.traffic.ports.iter().flat_map(|port| &port.backends);
    backends.any(|backend| backend.state() != BackendState::NotReady)
}

fn terminating_finding(
    case: &RuleContext<'_>,
    rule: &CheckRule,
    short: String,
    message: String,
) -> Vec<Finding> {
    let leaving = case.selected.iter().filter(|pod| pod.is_active());
    let lines = leaving.clone().filter_map(|pod| {
        let since = pod.deleting?;
        Some(format!("{}: deletionTimestamp {since:.0}", pod.key.name))
    });
    vec![
        rule.finding(FindingLocation::Service, short, message)
            .with_objects(words::some(leaving).map(|pod| ObjectRef::pod(&pod.key)))
            .evidence(words::some(lines)),
    ]
}

fn still_serving(case: &RuleContext<'_>) -> Vec<Finding> {
    let leaving = leaving(case);
    if leaving == 0 || !serves(case) {
        return Vec::new();
    }
    let message = format!(
        "Only {} left, terminating; kube-proxy still sends traffic there because nothing else is \
         ready.",
        pods(leaving)
    );
    let short = format!("only {} left, terminating", pods(leaving));
    terminating_finding(case, &STILL_SERVING, short, message)
}

fn none_serving(case: &RuleContext<'_>) -> Vec<Finding> {
    let leaving = leaving(case);
    if leaving == 0 || serves(case) {
        return Vec::new();
    }
    let message = format!(
        "Only {} left, terminating and not serving any more: nothing takes traffic.",
        pods(leaving)
    );
    let short = format!("{} left, terminating and not serving", pods(leaving));
    terminating_finding(case, &NONE_SERVING, short, message)
}
