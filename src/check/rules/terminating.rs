//! All pods that match are on their way out.

use super::{Finding, Place, Severity, finding, pods};
use crate::check::case::Case;
use crate::topology::BackendState;

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

/// kube-proxy sends traffic to terminating pods that still serve when nothing else is left.
pub(super) fn still_serving(case: &Case<'_>) -> Vec<Finding> {
    let leaving = leaving(case);
    if leaving == 0 || !serves(case) {
        return Vec::new();
    }
    vec![finding(
        "only-terminating-pods",
        Severity::Warning,
        Place::Service,
        format!("only {} left, terminating", pods(leaving)),
    )]
}

/// None of them serves any more.
pub(super) fn none_serving(case: &Case<'_>) -> Vec<Finding> {
    let leaving = leaving(case);
    if leaving == 0 || serves(case) {
        return Vec::new();
    }
    vec![finding(
        "all-pods-terminating",
        Severity::Error,
        Place::Service,
        format!("{} left, terminating and not serving", pods(leaving)),
    )]
}
