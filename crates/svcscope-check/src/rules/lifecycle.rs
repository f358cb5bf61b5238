//! How a Service goes, and who changes it.

use jiff::SignedDuration;

use super::{
    CheckRule, Finding, FindingLocation, RuleContext, RuleFunction, RuleGroup, Severity,
    documentation_urls, words,
};
use svcscope_model::inventory::ServiceRecord;

pub(super) static RULES: &[&CheckRule] = &[&STUCK, &MANAGED];

const FINALIZER_GRACE: SignedDuration = SignedDuration::from_mins(5);

static STUCK: CheckRule = CheckRule {
    id: "SVC-STUCK-DELETING",
    group: RuleGroup::Lifecycle,
    title: "Waits for the load balancer's clean-up",
    severity: Severity::Warning,
    about: "A finalizer holds the Service back until the controller of load balancers has removed \
            what it made. After five minutes somebody should look at that controller.",
    url: documentation_urls::FINALIZERS,
    function: RuleFunction::Service(stuck),
    ..CheckRule::BASE
};

static MANAGED: CheckRule = CheckRule {
    id: "SVC-MANAGED",
    group: RuleGroup::Lifecycle,
    title: "Argo CD or Flux manages the Service",
    about: "A change that is made here is reverted, at once or at the next round.",
    url: documentation_urls::MANAGED_FIELDS,
    function: RuleFunction::Service(managed),
    ..CheckRule::BASE
};

fn stuck(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let Some(since) = service.deleting.filter(|_| service.load_balancer_cleanup) else {
        return Vec::new();
    };
    if case.is_younger_than(since, FINALIZER_GRACE) {
        return Vec::new();
    }
    vec![
        STUCK
            .finding(
                FindingLocation::Service,
                "waits for clean-up",
                format!(
                    "It was deleted {} ago and waits for the controller of load balancers to clean \
                     up.",
                    words::duration(case.age(since))
                ),
            )
            .evidence([
                format!("metadata.deletionTimestamp: {since:.0}"),
                "metadata.finalizers: service.kubernetes.io/load-balancer-cleanup".to_owned(),
            ])
            .hint("look at the logs of the cloud controller"),
    ]
}

/// Labels and annotations that tools of GitOps leave.
const MARKS: [(&str, &str); 4] = [
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("argocd.argoproj.io/instance", "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "Flux"),
];

fn mark(service: &ServiceRecord) -> Option<(String, &'static str)> {
    MARKS.into_iter().find_map(|(key, tool)| {
        let value = service
            .annotations
            .get(key)
            .or_else(|| service.labels.get(key))?;
        Some((format!("{key}: {value}"), tool))
    })
}

fn managed(case: &RuleContext<'_>) -> Vec<Finding> {
    let Some((mark, tool)) = mark(case.service()) else {
        return Vec::new();
    };
    vec![
        MANAGED
            .finding(
                FindingLocation::Service,
                format!("managed by {tool}"),
                format!("{tool} keeps this Service: what is changed here will be reverted."),
            )
            .evidence([mark])
            .hint("change it where it is written"),
    ]
}
