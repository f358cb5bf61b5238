//! All pods that match are on their way out.

use super::{Case, Find, Finding, Group, ObjectRef, Place, Rule, Severity, Verdict, WITH_BOTH};
use super::{
    links,
    words::{self, pods},
};
use crate::topology::BackendState;

pub(super) static RULES: &[&Rule] = &[&STILL_SERVING, &NONE_SERVING];

static STILL_SERVING: Rule = Rule {
    id: "SVC-PODS-TERMINATING",
    group: Group::Pods,
    title: "Only terminating pods are left, and they still serve",
    severity: Severity::Warning,
    means: Verdict::Degraded,
    needs: WITH_BOTH,
    silences: &["SVC-PORT-NO-ENDPOINTS", "SVC-HEADLESS-EMPTY"],
    about: "kube-proxy sends traffic to terminating pods that still serve when nothing else is \
            left. They will be gone soon.",
    url: links::SLICES,
    find: Find::Service(still_serving),
    ..Rule::BASE
};

static NONE_SERVING: Rule = Rule {
    id: "SVC-PODS-GONE",
    group: Group::Pods,
    title: "Only terminating pods are left, and none serves",
    severity: Severity::Error,
    means: Verdict::Broken,
    needs: WITH_BOTH,
    silences: &["SVC-PORT-NO-ENDPOINTS", "SVC-HEADLESS-EMPTY"],
    about: "All pods that the selector matches are terminating and their endpoints are not \
            serving any more, so that not even kube-proxy's fallback finds one.",
    url: links::SLICES,
    find: Find::Service(none_serving),
    ..Rule::BASE
};

fn leaving(case: &Case<'_>) -> usize {
    if case.needs_endpoints() && case.candidates().next().is_none() {
        case.selected.iter().filter(|pod| pod.is_active()).count()
    } else {
        0
    }
}

fn serves(case: &Case<'_>) -> bool {
    let mut backends = case.traffic.ports.iter().flat_map(|port| &port.backends);
    backends.any(|backend| backend.state() != BackendState::NotReady)
}

fn told(case: &Case<'_>, rule: &Rule, short: String, message: String) -> Vec<Finding> {
    let leaving = case.selected.iter().filter(|pod| pod.is_active());
    let lines = leaving.clone().filter_map(|pod| {
        let since = pod.deleting?;
        Some(format!("{}: deletionTimestamp {since:.0}", pod.key.name))
    });
    vec![
        rule.found(Place::Service, short, message)
            .about(words::some(leaving).map(|pod| ObjectRef::pod(&pod.key)))
            .evidence(words::some(lines)),
    ]
}

fn still_serving(case: &Case<'_>) -> Vec<Finding> {
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
    told(case, &STILL_SERVING, short, message)
}

fn none_serving(case: &Case<'_>) -> Vec<Finding> {
    let leaving = leaving(case);
    if leaving == 0 || serves(case) {
        return Vec::new();
    }
    let message = format!(
        "Only {} left, terminating and not serving any more: nothing takes traffic.",
        pods(leaving)
    );
    let short = format!("{} left, terminating and not serving", pods(leaving));
    told(case, &NONE_SERVING, short, message)
}
