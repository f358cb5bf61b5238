//! What keeps svcscope from judging at all.

use super::{
    CheckRule, Finding, FindingLocation, RuleContext, RuleFunction, RuleGroup, Severity,
    documentation_urls,
};
use svcscope_model::inventory::{ResourceKind, SyncState};

pub(super) static RULES: &[&CheckRule] = &[
    &NOT_LISTED_YET,
    &STALE,
    &NOT_PERMITTED,
    &NOT_WATCHED,
    &TRUNCATED,
];

/// The kinds without which nobody can say that a Service works.
const WATCHED: [ResourceKind; 2] = [ResourceKind::EndpointSlice, ResourceKind::Pod];

const VISIBILITY: CheckRule = CheckRule {
    group: RuleGroup::Visibility,
    severity: Severity::Note,
    required_kinds: &[],
    optional_kinds: &WATCHED,
    ..CheckRule::BASE
};

static NOT_LISTED_YET: CheckRule = CheckRule {
    id: "SVC-NOT-LISTED-YET",
    title: "Pods or EndpointSlices are still being listed",
    about: "Until the first list has arrived it is unknown whether a Service works.",
    url: documentation_urls::SERVICE,
    function: RuleFunction::Service(not_listed_yet),
    ..VISIBILITY
};

static STALE: CheckRule = CheckRule {
    id: "SVC-STALE",
    title: "The watch of pods or EndpointSlices is lost",
    about: "What is shown was true when the watch was lost. It explains, but it proves nothing: \
            the Service is unknown until the watch runs again.",
    url: documentation_urls::SERVICE,
    function: RuleFunction::Service(stale),
    ..VISIBILITY
};

static NOT_PERMITTED: CheckRule = CheckRule {
    id: "SVC-NOT-PERMITTED",
    title: "Not permitted to list pods or EndpointSlices",
    about: "The API server refuses to list what the verdict rests on, so that the Service is \
            unknown and never healthy. The evidence has the API server's own words.",
    url: documentation_urls::RBAC,
    function: RuleFunction::Service(not_permitted),
    ..VISIBILITY
};

static NOT_WATCHED: CheckRule = CheckRule {
    id: "SVC-NOT-WATCHED",
    title: "Pods or EndpointSlices are not watched",
    about: "The server does not serve the kind, or it was not requested.",
    url: documentation_urls::SERVICE,
    function: RuleFunction::Service(not_watched),
    ..VISIBILITY
};

static TRUNCATED: CheckRule = CheckRule {
    id: "SVC-ENDPOINTS-TRUNCATED",
    title: "Endpoints are cut by the server at 1,000",
    about: "Where EndpointSlices can't be had, Endpoints stand in for them. The server cuts them at \
            1,000 addresses and says so in the annotation \
            endpoints.kubernetes.io/over-capacity.",
    url: documentation_urls::SLICES,
    function: RuleFunction::Service(truncated),
    ..VISIBILITY
};

fn each(
    case: &RuleContext<'_>,
    say: impl Fn(ResourceKind, &SyncState) -> Option<Finding>,
) -> Vec<Finding> {
    if !case.needs_endpoints() {
        return Vec::new();
    }
    let namespace = &case.service().key.namespace;
    WATCHED
        .into_iter()
        .filter_map(|kind| say(kind, case.inventory.sync(kind, namespace)))
        .collect()
}

fn not_listed_yet(case: &RuleContext<'_>) -> Vec<Finding> {
    each(case, |kind, sync| match sync {
        SyncState::Syncing => Some(NOT_LISTED_YET.finding(
            FindingLocation::Service,
            format!("{kind} not listed yet"),
            format!("The first list of {kind} has not arrived yet."),
        )),
        SyncState::Failing { reason } => Some(
            NOT_LISTED_YET
                .finding(
                    FindingLocation::Service,
                    format!("{kind} not listed yet"),
                    format!("The first list of {kind} failed and is tried again."),
                )
                .evidence([reason.clone()])
                .hint(reason.clone()),
        ),
        _ => None,
    })
}

fn stale(case: &RuleContext<'_>) -> Vec<Finding> {
    each(case, |kind, sync| match sync {
        SyncState::Stale { since, reason } => Some(
            STALE
                .finding(
                    FindingLocation::Service,
                    format!("{kind} are stale"),
                    format!("The watch of {kind} is lost; what is shown was true at {since:.0}."),
                )
                .evidence([reason.clone()])
                .hint(reason.clone()),
        ),
        _ => None,
    })
}

fn not_permitted(case: &RuleContext<'_>) -> Vec<Finding> {
    each(case, |kind, sync| {
        match sync {
        SyncState::Forbidden { message } => Some(
            NOT_PERMITTED
                .finding(
                    FindingLocation::Service,
                    format!("not permitted to list {kind}"),
                    format!(
                        "You may not list and watch {kind} in namespace {}, so it is unknown whether \
                         this Service works.",
                        case.service().key.namespace
                    ),
                )
                .evidence([message.clone()])
                .hint(message.clone()),
        ),
        _ => None,
    }
    })
}

fn not_watched(case: &RuleContext<'_>) -> Vec<Finding> {
    each(case, |kind, sync| match sync {
        SyncState::Absent { reason } => Some(
            NOT_WATCHED
                .finding(
                    FindingLocation::Service,
                    format!("{kind} not listed"),
                    format!("The cluster's {kind} are not known here."),
                )
                .evidence([reason.clone()])
                .hint(reason.clone()),
        ),
        _ => None,
    })
}

fn truncated(case: &RuleContext<'_>) -> Vec<Finding> {
    if !case.needs_endpoints() || !case.slices.iter().any(|slice| slice.truncated) {
        return Vec::new();
    }
    let listed = case.inventory.endpoints_of(&case.service().key).len();
    vec![
        TRUNCATED
            .finding(
                FindingLocation::Service,
                "more endpoints than Endpoints can hold",
                format!("The server cut the Endpoints of this Service: {listed} are listed, and there are more."),
            )
            .evidence(["annotation endpoints.kubernetes.io/over-capacity: truncated"])
            .hint("Endpoints are cut by the server at 1,000; EndpointSlices are not"),
    ]
}
