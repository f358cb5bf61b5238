//! The selector matches no pod.

use super::{Case, Find, Finding, Fix, Group, Place, Rule, Severity, Verdict, WITH_PODS};
use super::{links, nearest, scaled, words};

pub(super) static RULES: &[&Rule] = &[&NO_MATCH];

static NO_MATCH: Rule = Rule {
    id: "SVC-SELECTOR-NO-MATCH",
    group: Group::Pods,
    title: "The selector matches no pod",
    severity: Severity::Error,
    means: Verdict::Broken,
    needs: WITH_PODS,
    also: scaled::WORKLOADS,
    silences: &[
        "SVC-PORT-NO-ENDPOINTS",
        "SVC-NO-SLICES",
        "SVC-HEADLESS-EMPTY",
    ],
    about: "The commonest mistake: the labels of selector and pods differ in a letter, or the pods \
            are in another namespace. The nearest pair that pods do have is named.",
    url: links::DEBUG_SERVICES,
    find: Find::Service(matches_nothing),
    ..Rule::BASE
};

fn matches_nothing(case: &Case<'_>) -> Vec<Finding> {
    let service = case.service();
    let selector = &service.selector;
    let applies = case.needs_endpoints() && !selector.is_empty() && case.selected.is_empty();
    if !applies || !scaled::to_zero(case).is_empty() {
        return Vec::new();
    }
    let pairs = words::pairs(selector);
    let namespace = &service.key.namespace;
    let there = case.inventory.pods_in(namespace).count();
    let message = match there {
        0 => format!("The selector {pairs} matches no pod: namespace {namespace} has none."),
        _ => format!(
            "The selector {pairs} matches none of the {} in namespace {namespace}.",
            words::pods(there)
        ),
    };
    let found = NO_MATCH
        .found(Place::Service, format!("{pairs} matches no pod"), message)
        .evidence([format!("spec.selector: {pairs}")]);
    let Some(nearest) = nearest::find(case) else {
        return vec![found.hint("no pod here has labels like it; its workload may be scaled to 0")];
    };
    let fix = Fix::Selector {
        remove: nearest.missed.clone(),
        key: nearest.key.clone(),
        value: nearest.value.clone(),
    };
    vec![
        found
            .hint(format!("nearest: {nearest}"))
            .evidence([format!("labels of pods: {nearest}")])
            .fix(fix),
    ]
}
