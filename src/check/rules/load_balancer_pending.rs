//! A load balancer that has no address yet.

use jiff::{SignedDuration, Timestamp};

use super::{Finding, Place, Severity, finding};
use crate::check::case::Case;

/// This rule's finding.
pub(super) const ID: &str = "load-balancer-pending";

/// Clouds take up to about this long; after that somebody should look.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// Events are kept for an hour: an older Service without one may have been changed at any time.
const EVENTS_KEPT: SignedDuration = SignedDuration::from_hours(1);

/// Says how long it has been waited for, and the last complaint about it.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    if !case.traffic.entries.iter().any(|entry| entry.is_pending()) {
        return Vec::new();
    }
    let age = since(case).map(|since| case.now.duration_since(since).max(SignedDuration::ZERO));
    let message = age.map_or_else(
        || "pending".to_owned(),
        |age| format!("pending {}", words(age)),
    );
    let severity = if age.is_some_and(|age| age < PATIENCE) {
        Severity::Note
    } else {
        Severity::Warning
    };
    let complaint = case
        .inventory
        .events_of(&case.service().key)
        .into_iter()
        .rfind(|event| event.warning && !is_about_endpoints(&event.reason))
        .map(|event| format!("{}: {}", event.reason, event.message));
    let hint = complaint.unwrap_or_else(|| match &case.service().load_balancer_class {
        Some(class) => format!("only a controller for class {class} serves this"),
        None => {
            "no load balancer has taken it; does the cluster have a controller for them?".to_owned()
        }
    });
    vec![finding(ID, severity, Place::Entry, message).hint(hint)]
}

/// Whether an Event tells of the Service's endpoints, as `FailedToUpdateEndpointSlices` does
/// (pkg/controller/endpoint and endpointslice): load balancers are given out by others.
fn is_about_endpoints(reason: &str) -> bool {
    reason.contains("Endpoint")
}

/// Since when it is waited for: the change of type where an Event tells of it, else the Service's
/// creation where no Event could have been lost since.
fn since(case: &Case<'_>) -> Option<Timestamp> {
    let changed = case
        .inventory
        .events_of(&case.service().key)
        .into_iter()
        .rfind(|event| &*event.reason == "Type")
        .and_then(|event| event.last_seen);
    let created = case
        .service()
        .created
        .filter(|&created| case.now.duration_since(created) < EVENTS_KEPT);
    changed.or(created)
}

fn words(age: SignedDuration) -> String {
    match age.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}
