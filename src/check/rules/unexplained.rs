//! A port has no ready endpoint and nothing else says why.

use super::{Finding, Place, Severity, finding};
use crate::check::case::Case;

const ID: &str = "no-ready-endpoint";

/// Pods are ready, yet the slices don't say so: the EndpointSlice controller lags or does not run.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let hint = if case.service().selector.is_empty() {
        "its EndpointSlices list no endpoint of it as ready"
    } else if case.waiting().len() < case.candidates().count() {
        "pods are ready, but the EndpointSlices don't list them as ready"
    } else {
        // No pod is ready, and other rules say why.
        return Vec::new();
    };
    if !case.needs_endpoints() {
        return Vec::new();
    }
    if case.traffic.ports.is_empty() && case.ready.is_empty() {
        let words = "no ready endpoint";
        return vec![finding(ID, Severity::Error, Place::Service, words).hint(hint)];
    }
    case.traffic
        .ports
        .iter()
        .filter(|traffic| traffic.ready() == 0)
        .map(|traffic| {
            finding(
                ID,
                Severity::Error,
                Place::Port(traffic.id(&case.service().key)),
                format!("port {} has no ready endpoint", traffic.port.port),
            )
            .hint(hint)
        })
        .collect()
}
