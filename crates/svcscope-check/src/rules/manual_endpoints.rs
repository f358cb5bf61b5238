//! A Service without selector: somebody else writes its endpoints.

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    Severity, WITH_SLICES,
};
use super::{documentation_urls, words};

pub(super) static RULES: &[&CheckRule] = &[&NONE, &NONE_READY, &SOME_NOT_READY];

const MANUAL: CheckRule = CheckRule {
    group: RuleGroup::Endpoints,
    severity: Severity::Error,
    implied_health: Health::Broken,
    required_kinds: WITH_SLICES,
    url: documentation_urls::SELECTORLESS,
    supersedes: &["SVC-PORT-NO-ENDPOINTS", "SVC-HEADLESS-EMPTY"],
    ..CheckRule::BASE
};

static NONE: CheckRule = CheckRule {
    id: "SVC-MANUAL-NO-ENDPOINTS",
    title: "No selector and no endpoints",
    about: "Of a Service without selector no controller writes the endpoints. Somebody has to write \
            an EndpointSlice with the label kubernetes.io/service-name, and nobody has.",
    function: RuleFunction::Service(none),
    ..MANUAL
};

static NONE_READY: CheckRule = CheckRule {
    id: "SVC-MANUAL-NONE-READY",
    title: "No endpoint that was written by hand is ready",
    about: "The endpoints of a Service without selector say by their own conditions whether they \
            take traffic; null means ready.",
    function: RuleFunction::Service(none_ready),
    ..MANUAL
};

static SOME_NOT_READY: CheckRule = CheckRule {
    id: "SVC-MANUAL-SOME-NOT-READY",
    title: "Some endpoints that were written by hand are not ready",
    severity: Severity::Warning,
    implied_health: Health::Degraded,
    about: "The endpoints of a Service without selector say by their own conditions whether they \
            take traffic; null means ready.",
    function: RuleFunction::Service(some_not_ready),
    ..MANUAL
};

fn applies(case: &RuleContext<'_>) -> bool {
    case.needs_endpoints() && case.service().selector.is_empty()
}

fn endpoints(case: &RuleContext<'_>) -> usize {
    case.inventory.endpoints_of(&case.service().key).len()
}

fn none(case: &RuleContext<'_>) -> Vec<Finding> {
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
        NONE.finding(
            FindingLocation::Service,
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
fn explain(case: &RuleContext<'_>, found: Finding) -> Finding {
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
    found.with_objects(
        words::some(slices).map(|slice| ObjectRef::new("EndpointSlice", slice.key.clone())),
    )
}

fn none_ready(case: &RuleContext<'_>) -> Vec<Finding> {
    if !applies(case) || case.expected.is_empty() || !case.ready.is_empty() {
        return Vec::new();
    }
    let wanted = case.expected.len();
    let found = NONE_READY.finding(
        FindingLocation::Service,
        format!("0 of {wanted} endpoints ready"),
        format!(
            "None of its {} is ready.",
            words::counted(wanted, "endpoint")
        ),
    );
    vec![explain(case, found)]
}

fn some_not_ready(case: &RuleContext<'_>) -> Vec<Finding> {
    let (ready, wanted) = (case.ready.len(), case.expected.len());
    if !applies(case) || ready == 0 || ready == wanted {
        return Vec::new();
    }
    let found = SOME_NOT_READY.finding(
        FindingLocation::Service,
        format!("{ready} of {wanted} endpoints ready"),
        format!(
            "{ready} of its {wanted} endpoints {} ready, the others take no traffic.",
            words::are(ready)
        ),
    );
    vec![explain(case, found)]
}
