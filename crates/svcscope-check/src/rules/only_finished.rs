//! Only finished pods match.

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    Severity, WITH_PODS,
};
use super::{
    documentation_urls,
    words::{self, pods},
};

pub(super) static RULES: &[&CheckRule] = &[&ONLY_FINISHED];

static ONLY_FINISHED: CheckRule = CheckRule {
    id: "SVC-SELECTOR-ONLY-FINISHED",
    group: RuleGroup::Pods,
    title: "Only finished pods match",
    severity: Severity::Warning,
    implied_health: Health::Broken,
    required_kinds: WITH_PODS,
    supersedes: &[
        "SVC-PORT-NO-ENDPOINTS",
        "SVC-NO-SLICES",
        "SVC-HEADLESS-EMPTY",
    ],
    about: "Pods that Succeeded or Failed are never endpoints: the selector may mean a Job, or all \
            pods were evicted.",
    url: documentation_urls::POD_LIFECYCLE,
    function: RuleFunction::Service(check),
    ..CheckRule::BASE
};

fn check(case: &RuleContext<'_>) -> Vec<Finding> {
    let finished = case.selected.iter().filter(|pod| !pod.is_active()).count();
    if !case.needs_endpoints() || finished == 0 || finished < case.selected.len() {
        return Vec::new();
    }
    let phases = case
        .selected
        .iter()
        .map(|pod| format!("{}: phase {:?}", pod.key.name, pod.phase));
    vec![
        ONLY_FINISHED
            .finding(
                FindingLocation::Service,
                "only finished pods match",
                format!(
                    "The selector {} matches {} and all have finished; finished pods are never \
                     endpoints.",
                    words::pairs(&case.service().selector),
                    pods(finished)
                ),
            )
            .with_objects(words::some(&case.selected).map(|pod| ObjectRef::pod(&pod.key)))
            .evidence(words::some(phases))
            .hint(format!(
                "{} Succeeded or Failed; such pods are never endpoints",
                pods(finished)
            )),
    ]
}
