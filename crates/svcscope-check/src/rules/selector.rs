//! The selector matches no pod.

use super::{
    CheckRule, Finding, FindingLocation, Health, RuleContext, RuleFunction, RuleGroup, Severity,
    SuggestedFix, WITH_PODS,
};
use super::{documentation_urls, nearest_label, scaled, words};

pub(super) static RULES: &[&CheckRule] = &[&NO_MATCH];

static NO_MATCH: CheckRule = CheckRule {
    id: "SVC-SELECTOR-NO-MATCH",
    group: RuleGroup::Pods,
    title: "The selector matches no pod",
    severity: Severity::Error,
    implied_health: Health::Broken,
    required_kinds: WITH_PODS,
    optional_kinds: scaled::WORKLOADS,
    supersedes: &[
        "SVC-PORT-NO-ENDPOINTS",
        "SVC-NO-SLICES",
        "SVC-HEADLESS-EMPTY",
    ],
    about: "The commonest mistake: the labels of selector and pods differ in a letter, or the pods \
            are in another namespace. The nearest pair that pods do have is named.",
    url: documentation_urls::DEBUG_SERVICES,
    function: RuleFunction::Service(matches_nothing),
    ..CheckRule::BASE
};

fn matches_nothing(case: &RuleContext<'_>) -> Vec<Finding> {
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
        .finding(
            FindingLocation::Service,
            format!("{pairs} matches no pod"),
            message,
        )
        .evidence([format!("spec.selector: {pairs}")]);
    let Some(nearest) = nearest_label::find(case) else {
        return vec![found.hint("no pod here has labels like it; its workload may be scaled to 0")];
    };
    let fix = SuggestedFix::Selector {
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
