//! A Service without selector: somebody else writes its endpoints.

use super::{Finding, Place, Severity, finding};
use crate::check::case::Case;

fn applies(case: &Case<'_>) -> bool {
    case.needs_endpoints() && case.service().selector.is_empty()
}

fn endpoints(case: &Case<'_>) -> usize {
    case.slices.iter().map(|slice| slice.endpoints.len()).sum()
}

/// Nobody has written any.
pub(super) fn none(case: &Case<'_>) -> Vec<Finding> {
    if !applies(case) || endpoints(case) > 0 {
        return Vec::new();
    }
    let hint = if case.slices.is_empty() {
        "no EndpointSlice with addresses has this name in label kubernetes.io/service-name"
    } else {
        "its EndpointSlices are empty"
    };
    vec![
        finding(
            "no-selector-no-endpoints",
            Severity::Error,
            Place::Service,
            "no selector and no endpoints",
        )
        .hint(hint),
    ]
}

/// All that are written say that they are not ready.
pub(super) fn none_ready(case: &Case<'_>) -> Vec<Finding> {
    if !applies(case) || case.wanted.is_empty() || !case.ready.is_empty() {
        return Vec::new();
    }
    vec![finding(
        "no-endpoint-ready",
        Severity::Error,
        Place::Service,
        format!("0 of {} endpoints ready", case.wanted.len()),
    )]
}

/// Some of them do.
pub(super) fn some_not_ready(case: &Case<'_>) -> Vec<Finding> {
    let (ready, wanted) = (case.ready.len(), case.wanted.len());
    if !applies(case) || ready == 0 || ready == wanted {
        return Vec::new();
    }
    vec![finding(
        "some-endpoints-not-ready",
        Severity::Warning,
        Place::Service,
        format!("{ready} of {wanted} endpoints ready"),
    )]
}
