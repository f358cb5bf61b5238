//! A Service without selector: somebody else writes its endpoints.

use super::{Case, Find, Finding, Group, ObjectRef, Place, Rule, Severity, Verdict, WITH_SLICES};
use super::{links, words};

pub(super) static RULES: &[&Rule] = &[&NONE, &NONE_READY, &SOME_NOT_READY];

const MANUAL: Rule = Rule {
    group: Group::Endpoints,
    severity: Severity::Error,
    means: Verdict::Broken,
    needs: WITH_SLICES,
    url: links::SELECTORLESS,
    silences: &["SVC-PORT-NO-ENDPOINTS", "SVC-HEADLESS-EMPTY"],
    ..Rule::BASE
};

static NONE: Rule = Rule {
    id: "SVC-MANUAL-NO-ENDPOINTS",
    title: "No selector and no endpoints",
    about: "Of a Service without selector no controller writes the endpoints. Somebody has to write \
            an EndpointSlice with the label kubernetes.io/service-name, and nobody has.",
    find: Find::Service(none),
    ..MANUAL
};

static NONE_READY: Rule = Rule {
    id: "SVC-MANUAL-NONE-READY",
    title: "No endpoint that was written by hand is ready",
    about: "The endpoints of a Service without selector say by their own conditions whether they \
            take traffic; null means ready.",
    find: Find::Service(none_ready),
    ..MANUAL
};

static SOME_NOT_READY: Rule = Rule {
    id: "SVC-MANUAL-SOME-NOT-READY",
    title: "Some endpoints that were written by hand are not ready",
    severity: Severity::Warning,
    means: Verdict::Degraded,
    about: "The endpoints of a Service without selector say by their own conditions whether they \
            take traffic; null means ready.",
    find: Find::Service(some_not_ready),
    ..MANUAL
};

fn applies(case: &Case<'_>) -> bool {
    case.needs_endpoints() && case.service().selector.is_empty()
}

fn endpoints(case: &Case<'_>) -> usize {
    case.inventory.endpoints_of(&case.service().key).len()
}

fn none(case: &Case<'_>) -> Vec<Finding> {
    if !applies(case) || endpoints(case) > 0 {
        return Vec::new();
    }
    let hint = if case.slices.is_empty() {
        "no EndpointSlice with addresses has this name in label kubernetes.io/service-name"
    } else {
        "its EndpointSlices are empty"
    };
    let slices = case.slices.len();
    vec![
        NONE.found(
            Place::Service,
            "no selector and no endpoints",
            "It has no selector and no EndpointSlice gives it endpoints: traffic has nowhere to go.",
        )
        .evidence([
            "spec.selector is empty".to_owned(),
            format!("{} of it", words::counted(slices, "EndpointSlice")),
        ])
        .hint(hint),
    ]
}

/// Endpoints that say that they are not ready, by slice.
fn explain(case: &Case<'_>, found: Finding) -> Finding {
    let endpoints = case.inventory.endpoints_of(&case.service().key).into_iter();
    let lines = endpoints
        .filter(|listed| !listed.endpoint.ready)
        .map(|listed| {
            format!(
                "{}: {} has conditions.ready: false",
                listed.slice.key.name, listed.endpoint.address
            )
        });
    let slices = case.slices.iter();
    let found = found.evidence(words::some(lines));
    found.about(words::some(slices).map(|slice| ObjectRef::new("EndpointSlice", slice.key.clone())))
}

fn none_ready(case: &Case<'_>) -> Vec<Finding> {
    if !applies(case) || case.wanted.is_empty() || !case.ready.is_empty() {
        return Vec::new();
    }
    let wanted = case.wanted.len();
    let found = NONE_READY.found(
        Place::Service,
        format!("0 of {wanted} endpoints ready"),
        format!(
            "None of its {} is ready.",
            words::counted(wanted, "endpoint")
        ),
    );
    vec![explain(case, found)]
}

fn some_not_ready(case: &Case<'_>) -> Vec<Finding> {
    let (ready, wanted) = (case.ready.len(), case.wanted.len());
    if !applies(case) || ready == 0 || ready == wanted {
        return Vec::new();
    }
    let found = SOME_NOT_READY.found(
        Place::Service,
        format!("{ready} of {wanted} endpoints ready"),
        format!(
            "{ready} of its {wanted} endpoints {} ready, the others take no traffic.",
            words::are(ready)
        ),
    );
    vec![explain(case, found)]
}
