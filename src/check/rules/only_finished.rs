//! Only finished pods match.

use super::{Finding, Place, Severity, finding, pods};
use crate::check::case::Case;

/// Finished pods are never endpoints: the selector may mean a Job, or all pods were evicted.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let finished = case.selected.iter().filter(|pod| !pod.is_active()).count();
    if !case.needs_endpoints() || finished == 0 || finished < case.selected.len() {
        return Vec::new();
    }
    vec![
        finding(
            "only-finished-pods",
            Severity::Warning,
            Place::Service,
            "only finished pods match",
        )
        .hint(format!(
            "{} Succeeded or Failed; such pods are never endpoints",
            pods(finished)
        )),
    ]
}
