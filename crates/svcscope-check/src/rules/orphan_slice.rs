//! An EndpointSlice of a Service that does not exist.

use super::{
    CheckRule, Finding, FindingLocation, ObjectRef, RuleFunction, RuleGroup, Severity, WITH_SLICES,
    documentation_urls, slices::CONTROLLER, words,
};
use crate::rule_context::MissingService;
use svcscope_model::inventory::EndpointSource;

pub(super) static RULES: &[&CheckRule] = &[&ORPHAN];

static ORPHAN: CheckRule = CheckRule {
    id: "SVC-SLICE-ORPHAN",
    group: RuleGroup::Endpoints,
    title: "An EndpointSlice names a Service that does not exist",
    severity: Severity::Warning,
    required_kinds: WITH_SLICES,
    about: "The label kubernetes.io/service-name of a slice that somebody wrote by hand names no \
            Service of its namespace, so that nobody gets traffic through it. Slices that the \
            controller writes go with their Service and are not meant.",
    url: documentation_urls::SLICES,
    function: RuleFunction::MissingService(orphan),
    ..CheckRule::BASE
};

fn orphan(absent: &MissingService<'_>) -> Vec<Finding> {
    let slices: Vec<_> = absent
        .inputs
        .inventory
        .slices_of(absent.key)
        .filter(|slice| slice.source == EndpointSource::EndpointSlice)
        .filter(|slice| slice.managed_by.as_deref() != Some(CONTROLLER))
        .collect();
    if slices.is_empty() {
        return Vec::new();
    }
    let name = &absent.key.name;
    let endpoints: usize = slices.iter().map(|slice| slice.endpoints.len()).sum();
    vec![
        ORPHAN
            .finding(
                FindingLocation::Service,
                format!("no Service {name}"),
                format!(
                    "Namespace {} has no Service {name}, and {} with {} {} its name.",
                    absent.key.namespace,
                    words::counted(slices.len(), "EndpointSlice"),
                    words::counted(endpoints, "endpoint"),
                    if slices.len() == 1 {
                        "carries"
                    } else {
                        "carry"
                    },
                ),
            )
            .with_objects(
                words::some(&slices)
                    .map(|slice| ObjectRef::new("EndpointSlice", slice.key.clone())),
            )
            .evidence([format!("label kubernetes.io/service-name: {name}")])
            .hint("correct the label, create the Service, or delete the slice"),
    ]
}
