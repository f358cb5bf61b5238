//! What keeps svcscope from judging at all.

use super::{Finding, Place, Severity, finding};
use crate::check::case::Case;
use crate::inventory::{Kind, Sync};

/// One note for each kind that a verdict needs and that is not known.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    if !case.needs_endpoints() {
        return Vec::new();
    }
    let mut found: Vec<_> = [Kind::EndpointSlice, Kind::Pod]
        .into_iter()
        .filter_map(|kind| {
            let note = |id, message| finding(id, Severity::Note, Place::Service, message);
            match case.inventory.sync(kind, &case.service().key.namespace) {
                Sync::Live => None,
                Sync::Syncing => Some(note("not-listed-yet", format!("{kind} not listed yet"))),
                Sync::Stale { reason, .. } => {
                    Some(note("stale", format!("{kind} are stale")).hint(reason.clone()))
                }
                Sync::Forbidden { message } => Some(
                    note("not-permitted", format!("not permitted to list {kind}"))
                        .hint(message.clone()),
                ),
                Sync::Absent { reason } => {
                    Some(note("not-listed", format!("{kind} not listed")).hint(reason.clone()))
                }
            }
        })
        .collect();
    if case.slices.iter().any(|slice| slice.truncated) {
        found.push(
            finding(
                "endpoints-truncated",
                Severity::Note,
                Place::Service,
                "more endpoints than Endpoints can hold",
            )
            .hint("Endpoints are cut by the server at 1,000; EndpointSlices are not"),
        );
    }
    found
}
