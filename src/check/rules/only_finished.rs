//! Only finished pods match.

use super::{Case, Find, Finding, Group, ObjectRef, Place, Rule, Severity, Verdict, WITH_PODS};
use super::{
    links,
    words::{self, pods},
};

pub(super) static RULES: &[&Rule] = &[&ONLY_FINISHED];

static ONLY_FINISHED: Rule = Rule {
    id: "SVC-SELECTOR-ONLY-FINISHED",
    group: Group::Pods,
    title: "Only finished pods match",
    severity: Severity::Warning,
    means: Verdict::Broken,
    needs: WITH_PODS,
    silences: &[
        "SVC-PORT-NO-ENDPOINTS",
        "SVC-NO-SLICES",
        "SVC-HEADLESS-EMPTY",
    ],
    about: "Pods that Succeeded or Failed are never endpoints: the selector may mean a Job, or all \
            pods were evicted.",
    url: links::POD_LIFECYCLE,
    find: Find::Service(check),
    ..Rule::BASE
};

fn check(case: &Case<'_>) -> Vec<Finding> {
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
            .found(
                Place::Service,
                "only finished pods match",
                format!(
                    "The selector {} matches {} and all have finished; finished pods are never \
                     endpoints.",
                    words::pairs(&case.service().selector),
                    pods(finished)
                ),
            )
            .about(words::some(&case.selected).map(|pod| ObjectRef::pod(&pod.key)))
            .evidence(words::some(phases))
            .hint(format!(
                "{} Succeeded or Failed; such pods are never endpoints",
                pods(finished)
            )),
    ]
}
