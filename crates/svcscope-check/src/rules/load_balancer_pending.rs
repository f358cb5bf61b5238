//! A load balancer that has no address yet.

use jiff::{SignedDuration, Timestamp};

use super::{
    CheckRule, Finding, FindingLocation, Health, RuleContext, RuleFunction, RuleGroup, Severity,
    documentation_urls, words,
};
use svcscope_model::inventory::ResourceKind;

pub(super) static RULES: &[&CheckRule] = &[&PENDING];

static PENDING: CheckRule = CheckRule {
    id: "SVC-LB-PENDING",
    needs_cluster_state: true,
    group: RuleGroup::Type,
    title: "The load balancer has no address yet",
    severity: Severity::Warning,
    implied_health: Health::Pending,
    optional_kinds: &[ResourceKind::Event],
    about: "Somebody outside Kubernetes has to provide the load balancer and write its address into \
            the status. Clouds take up to five minutes; until then this is a note.",
    url: documentation_urls::LOAD_BALANCER,
    function: RuleFunction::Service(check),
    ..CheckRule::BASE
};

/// Clouds take up to about this long; after that somebody should look.
const PROVISIONING_GRACE: SignedDuration = SignedDuration::from_mins(5);

/// Events are kept for an hour: an older Service without one may have been changed at any time.
const EVENT_RETENTION: SignedDuration = SignedDuration::from_hours(1);

fn check(case: &RuleContext<'_>) -> Vec<Finding> {
    if !case
        .traffic
        .entry_points
        .iter()
        .any(|entry| entry.is_pending())
    {
        return Vec::new();
    }
    let age = since(case).map(|since| case.age(since));
    let short = age.map_or_else(
        || "pending".to_owned(),
        |age| format!("pending {}", words::duration(age)),
    );
    let message = age.map_or_else(
        || "The load balancer has no address.".to_owned(),
        |age| {
            format!(
                "The load balancer has been without an address for {}.",
                words::duration(age)
            )
        },
    );
    let severity = if age.is_some_and(|age| age < PROVISIONING_GRACE) {
        Severity::Note
    } else {
        Severity::Warning
    };
    let complaint = case
        .events()
        .iter()
        .rfind(|event| event.warning && !is_about_endpoints(&event.reason))
        .map(|event| format!("{}: {}", event.reason, event.message));
    let found = PENDING
        .finding(FindingLocation::EntryPoint, short, message)
        .with_severity(severity)
        .evidence(["status.loadBalancer.ingress is empty"])
        .evidence(complaint.clone().map(|said| format!("last Event: {said}")));
    let hint = complaint.unwrap_or_else(|| match &case.service().load_balancer_class {
        Some(class) => format!("only a controller for class {class} serves this"),
        None => {
            "no load balancer has taken it; does the cluster have a controller for them?".to_owned()
        }
    });
    vec![found.hint(hint)]
}

/// Whether an Event tells of the Service's endpoints, as `FailedToUpdateEndpointSlices` does
/// (pkg/controller/endpoint and endpointslice): load balancers are given out by others.
fn is_about_endpoints(reason: &str) -> bool {
    reason.contains("Endpoint")
}

/// Since when it is waited for: the change of type where an Event tells of it, else the Service's
/// creation where no Event could have been lost since.
fn since(case: &RuleContext<'_>) -> Option<Timestamp> {
    let changed = case
        .events()
        .iter()
        .rfind(|event| &*event.reason == "Type")
        .and_then(|event| event.last_seen);
    let created = case
        .service()
        .created
        .filter(|&created| case.is_younger_than(created, EVENT_RETENTION));
    changed.or(created)
}
