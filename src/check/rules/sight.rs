//! What keeps svcscope from judging at all.

use super::{Case, Find, Finding, Group, Place, Rule, Severity, links};
use crate::inventory::{Kind, Sync};

pub(super) static RULES: &[&Rule] = &[
    &NOT_LISTED_YET,
    &STALE,
    &NOT_PERMITTED,
    &NOT_WATCHED,
    &TRUNCATED,
];

/// The kinds without which nobody can say that a Service works.
const WATCHED: [Kind; 2] = [Kind::EndpointSlice, Kind::Pod];

const SIGHT: Rule = Rule {
    group: Group::Sight,
    severity: Severity::Note,
    needs: &[],
    also: &WATCHED,
    ..Rule::BASE
};

static NOT_LISTED_YET: Rule = Rule {
    id: "SVC-NOT-LISTED-YET",
    title: "Pods or EndpointSlices are still being listed",
    about: "Until the first list has arrived nobody can say that a Service works: it is unknown.",
    url: links::SERVICE,
    find: Find::Service(not_listed_yet),
    ..SIGHT
};

static STALE: Rule = Rule {
    id: "SVC-STALE",
    title: "The watch of pods or EndpointSlices is lost",
    about: "What is shown was true when the watch was lost. It explains, but it proves nothing: \
            the Service is unknown until the watch runs again.",
    url: links::SERVICE,
    find: Find::Service(stale),
    ..SIGHT
};

static NOT_PERMITTED: Rule = Rule {
    id: "SVC-NOT-PERMITTED",
    title: "Not permitted to list pods or EndpointSlices",
    about: "The API server refuses to list what the verdict rests on, so that the Service is \
            unknown and never healthy. The evidence has the API server's own words.",
    url: links::RBAC,
    find: Find::Service(not_permitted),
    ..SIGHT
};

static NOT_WATCHED: Rule = Rule {
    id: "SVC-NOT-WATCHED",
    title: "Pods or EndpointSlices are not watched",
    about: "The server does not serve the kind, or nobody asked for it.",
    url: links::SERVICE,
    find: Find::Service(not_watched),
    ..SIGHT
};

static TRUNCATED: Rule = Rule {
    id: "SVC-ENDPOINTS-TRUNCATED",
    title: "Endpoints are cut by the server at 1,000",
    about: "Where EndpointSlices can't be had, Endpoints stand in for them. The server cuts them at \
            1,000 addresses and says so in the annotation \
            endpoints.kubernetes.io/over-capacity.",
    url: links::SLICES,
    find: Find::Service(truncated),
    ..SIGHT
};

fn each(case: &Case<'_>, say: impl Fn(Kind, &Sync) -> Option<Finding>) -> Vec<Finding> {
    if !case.needs_endpoints() {
        return Vec::new();
    }
    let namespace = &case.service().key.namespace;
    WATCHED
        .into_iter()
        .filter_map(|kind| say(kind, case.inventory.sync(kind, namespace)))
        .collect()
}

fn not_listed_yet(case: &Case<'_>) -> Vec<Finding> {
    each(case, |kind, sync| match sync {
        Sync::Syncing => Some(NOT_LISTED_YET.found(
            Place::Service,
            format!("{kind} not listed yet"),
            format!("The first list of {kind} has not arrived yet."),
        )),
        Sync::Failing { reason } => Some(
            NOT_LISTED_YET
                .found(
                    Place::Service,
                    format!("{kind} not listed yet"),
                    format!("The first list of {kind} failed and is tried again."),
                )
                .evidence([reason.clone()])
                .hint(reason.clone()),
        ),
        _ => None,
    })
}

fn stale(case: &Case<'_>) -> Vec<Finding> {
    each(case, |kind, sync| match sync {
        Sync::Stale { since, reason } => Some(
            STALE
                .found(
                    Place::Service,
                    format!("{kind} are stale"),
                    format!("The watch of {kind} is lost; what is shown was true at {since:.0}."),
                )
                .evidence([reason.clone()])
                .hint(reason.clone()),
        ),
        _ => None,
    })
}

fn not_permitted(case: &Case<'_>) -> Vec<Finding> {
    each(case, |kind, sync| match sync {
        Sync::Forbidden { message } => Some(
            NOT_PERMITTED
                .found(
                    Place::Service,
                    format!("not permitted to list {kind}"),
                    format!(
                        "You may not list and watch {kind} in namespace {}, so that nobody can say \
                         whether this Service works.",
                        case.service().key.namespace
                    ),
                )
                .evidence([message.clone()])
                .hint(message.clone()),
        ),
        _ => None,
    })
}

fn not_watched(case: &Case<'_>) -> Vec<Finding> {
    each(case, |kind, sync| match sync {
        Sync::Absent { reason } => Some(
            NOT_WATCHED
                .found(
                    Place::Service,
                    format!("{kind} not listed"),
                    format!("The cluster's {kind} are not known here."),
                )
                .evidence([reason.clone()])
                .hint(reason.clone()),
        ),
        _ => None,
    })
}

fn truncated(case: &Case<'_>) -> Vec<Finding> {
    if !case.needs_endpoints() || !case.slices.iter().any(|slice| slice.truncated) {
        return Vec::new();
    }
    let listed = case.inventory.endpoints_of(&case.service().key).len();
    vec![
        TRUNCATED
            .found(
                Place::Service,
                "more endpoints than Endpoints can hold",
                format!("The server cut the Endpoints of this Service: {listed} are listed, and there are more."),
            )
            .evidence(["annotation endpoints.kubernetes.io/over-capacity: truncated"])
            .hint("Endpoints are cut by the server at 1,000; EndpointSlices are not"),
    ]
}
