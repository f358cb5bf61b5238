//! One pod works and the others wait for it to go: leader election.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{
    CheckRule, Finding, FindingLocation, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    WITH_BOTH, documentation_urls, words,
};
use svcscope_model::inventory::PodRecord;

pub(super) static RULES: &[&CheckRule] = &[&STANDBY];

/// How long the pods must have been so.
const STANDBY_MIN_AGE: SignedDuration = SignedDuration::from_mins(10);

static STANDBY: CheckRule = CheckRule {
    id: "SVC-PODS-STANDBY",
    needs_cluster_state: true,
    group: RuleGroup::Pods,
    title: "One pod is ready, the others seem to be on standby (leader election)",
    required_kinds: WITH_BOTH,
    about: "Where replicas elect a leader, only the leader is ready, by design. It is taken for that \
            where exactly one pod is ready, the others are alike, have run for ten minutes without \
            a restart and were never ready.",
    url: documentation_urls::PROBES,
    function: RuleFunction::Service(standby),
    ..CheckRule::BASE
};

/// The pods that stand by, where it looks like leader election.
fn standing_by<'a>(case: &RuleContext<'a>) -> Option<Vec<&'a Arc<PodRecord>>> {
    let waiting = case.not_ready_pods();
    let mut ready = case.candidates().filter(|pod| pod.ready);
    let (Some(leader), None) = (ready.next(), ready.next()) else {
        return None;
    };
    let hash = |pod: &PodRecord| pod.labels.get("pod-template-hash").cloned();
    let stands_by = |pod: &Arc<PodRecord>| {
        let restarted = pod
            .containers
            .iter()
            .any(|container| container.restarts > 0);
        let never = match (pod.created, pod.ready_changed) {
            (Some(created), Some(changed)) => {
                !case.is_younger_than(created, STANDBY_MIN_AGE)
                    && changed.duration_since(created) < SignedDuration::from_mins(2)
            }
            _ => false,
        };
        let alike = pod.owner == leader.owner && hash(pod) == hash(leader);
        never && alike && !restarted && pod.trouble().is_none() && !pod.ips.is_empty()
    };
    let all = !waiting.is_empty() && waiting.iter().all(|pod| stands_by(pod));
    all.then_some(waiting)
}

/// Whether it is no warning that most pods are not ready.
pub(super) fn is_by_design(case: &RuleContext<'_>) -> bool {
    standing_by(case).is_some()
}

fn standby(case: &RuleContext<'_>) -> Vec<Finding> {
    let Some(pods) = standing_by(case).filter(|_| case.needs_endpoints()) else {
        return Vec::new();
    };
    let count = words::pods(pods.len());
    let was = if pods.len() == 1 { "was" } else { "were" };
    vec![
        STANDBY
            .finding(
                FindingLocation::Service,
                format!("{count} standing by"),
                format!("One pod is ready, and {count} never {was}: standing by for it, it seems."),
            )
            .with_objects(words::some(&pods).map(|pod| ObjectRef::pod(&pod.key))),
    ]
}
