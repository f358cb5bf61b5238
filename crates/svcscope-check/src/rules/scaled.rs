//! A workload that was scaled to 0: nothing is wrong, and nothing answers.

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    WITH_PODS, documentation_urls, words,
};
use svcscope_model::inventory::{ResourceKind, WorkloadRecord, selector};

pub(super) static RULES: &[&CheckRule] = &[&SCALED];

/// The kinds that say how many pods there should be.
pub(super) const WORKLOADS: &[ResourceKind] =
    &[ResourceKind::Deployment, ResourceKind::StatefulSet];

static SCALED: CheckRule = CheckRule {
    id: "SVC-SCALED-TO-ZERO",
    group: RuleGroup::Pods,
    title: "The workload behind it is scaled to 0",
    implied_health: Health::Pending,
    required_kinds: WITH_PODS,
    optional_kinds: WORKLOADS,
    supersedes: &[
        "SVC-PORT-NO-ENDPOINTS",
        "SVC-NO-SLICES",
        "SVC-HEADLESS-EMPTY",
    ],
    about: "No pod matches, and a Deployment or StatefulSet whose pods would match has 0 replicas: \
            by hand, by an autoscaler such as KEDA, or by Knative. It is no error.",
    url: documentation_urls::DEBUG_SERVICES,
    function: RuleFunction::Service(scaled),
    ..CheckRule::BASE
};

/// Workloads that would make pods for a Service that has none.
pub(super) fn to_zero<'a>(case: &RuleContext<'a>) -> Vec<&'a WorkloadRecord> {
    let service = case.service();
    let waits = case.needs_endpoints() && case.candidates().next().is_none();
    if !waits || service.selector.is_empty() {
        return Vec::new();
    }
    let namespace = &service.key.namespace;
    WORKLOADS
        .iter()
        .flat_map(|kind| {
            case.inventory
                .related_in::<WorkloadRecord>(*kind, namespace)
        })
        .filter(|workload| workload.replicas == 0)
        .filter(|workload| selector::matches(&service.selector, &workload.template))
        .collect()
}

fn scaled(case: &RuleContext<'_>) -> Vec<Finding> {
    let workloads = to_zero(case);
    // Pods that are on their way out say more.
    let Some(first) = workloads.first().filter(|_| case.selected.is_empty()) else {
        return Vec::new();
    };
    let names = workloads
        .iter()
        .map(|workload| format!("{} {}", workload.kind_word(), workload.key.name));
    let list = words::list(names);
    let object =
        |workload: &&WorkloadRecord| ObjectRef::new(workload.kind_word(), workload.key.clone());
    vec![
        SCALED
            .finding(
                FindingLocation::Service,
                format!("{} scaled to 0", first.key.name),
                format!(
                    "{list} {} scaled to 0: no pod is there to take the traffic.",
                    words::are(workloads.len())
                ),
            )
            .with_objects(words::some(workloads.iter().map(object)))
            .evidence([format!("spec.replicas: 0 of {list}")])
            .hint("scale it up when it is needed"),
    ]
}
