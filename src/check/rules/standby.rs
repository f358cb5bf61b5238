//! One pod works and the others wait for it to go: leader election.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{Case, Find, Finding, Group, ObjectRef, Place, Rule, WITH_BOTH, links, words};
use crate::inventory::PodRecord;

pub(super) static RULES: &[&Rule] = &[&STANDBY];

/// How long the pods must have been so.
const SETTLED: SignedDuration = SignedDuration::from_mins(10);

static STANDBY: Rule = Rule {
    id: "SVC-PODS-STANDBY",
    group: Group::Pods,
    title: "One pod is ready, and the others seem to stand by",
    needs: WITH_BOTH,
    about: "Where replicas elect a leader, only the leader is ready, by design. It is taken for that \
            where exactly one pod is ready, the others are alike, have run for ten minutes without \
            a restart and were never ready.",
    url: links::PROBES,
    find: Find::Service(standby),
    ..Rule::BASE
};

/// The pods that stand by, where it looks like leader election.
fn standing_by<'a>(case: &Case<'a>) -> Option<Vec<&'a Arc<PodRecord>>> {
    let waiting = case.waiting();
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
                !case.is_younger_than(created, SETTLED)
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
pub(super) fn is_by_design(case: &Case<'_>) -> bool {
    standing_by(case).is_some()
}

fn standby(case: &Case<'_>) -> Vec<Finding> {
    let Some(pods) = standing_by(case).filter(|_| case.needs_endpoints()) else {
        return Vec::new();
    };
    let count = words::pods(pods.len());
    let was = if pods.len() == 1 { "was" } else { "were" };
    vec![
        STANDBY
            .found(
                Place::Service,
                format!("{count} standing by"),
                format!("One pod is ready, and {count} never {was}: standing by for it, it seems."),
            )
            .about(words::some(&pods).map(|pod| ObjectRef::pod(&pod.key))),
    ]
}
