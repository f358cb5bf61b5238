//! Pods match, and some or all of them are not ready.

use std::{collections::BTreeMap, sync::Arc};

use super::{Finding, Place, Severity, finding};
use crate::check::case::Case;
use crate::inventory::PodRecord;

/// All pods are young and none is ready yet.
pub(super) const NONE_STARTED: &str = "pods-starting";
/// Young pods join others that are ready.
pub(super) const SOME_STARTING: &str = "more-pods-starting";

/// How the pods of a Service with a selector stand.
struct Pods<'a> {
    all: usize,
    waiting: Vec<&'a Arc<PodRecord>>,
    /// Nothing went wrong yet with any that waits.
    starting: bool,
}

impl<'a> Pods<'a> {
    /// None where every pod is ready or there is none.
    fn of(case: &Case<'a>) -> Option<Self> {
        let waiting = case.waiting();
        (case.needs_endpoints() && !waiting.is_empty()).then(|| Self {
            all: case.candidates().count(),
            starting: waiting.iter().all(|pod| case.is_starting(pod)),
            waiting,
        })
    }

    fn none_ready(&self) -> bool {
        self.waiting.len() == self.all
    }

    fn count(&self) -> String {
        format!(
            "{} of {} pods ready",
            self.all - self.waiting.len(),
            self.all
        )
    }
}

/// No pod takes traffic.
pub(super) fn none_ready(case: &Case<'_>) -> Vec<Finding> {
    Pods::of(case)
        .filter(|pods| pods.none_ready() && !pods.starting)
        .map(|pods| {
            let message = format!("{}: {}", pods.count(), top_reason(&pods.waiting));
            let found = finding("no-pod-ready", Severity::Error, Place::Service, message);
            explain(found, &pods)
        })
        .into_iter()
        .collect()
}

/// Some pods take no traffic.
pub(super) fn some_not_ready(case: &Case<'_>) -> Vec<Finding> {
    Pods::of(case)
        .filter(|pods| !pods.none_ready() && !pods.starting)
        .map(|pods| {
            let found = finding(
                "some-pods-not-ready",
                Severity::Warning,
                Place::Service,
                pods.count(),
            );
            explain(found, &pods)
        })
        .into_iter()
        .collect()
}

/// No pod takes traffic yet, and none had the time to.
pub(super) fn none_started(case: &Case<'_>) -> Vec<Finding> {
    Pods::of(case)
        .filter(|pods| pods.none_ready() && pods.starting)
        .map(|pods| {
            let message = format!("{}, starting", pods.count());
            finding(NONE_STARTED, Severity::Note, Place::Service, message)
        })
        .into_iter()
        .collect()
}

/// A rollout or a scale-up is under way.
pub(super) fn some_starting(case: &Case<'_>) -> Vec<Finding> {
    Pods::of(case)
        .filter(|pods| !pods.none_ready() && pods.starting)
        .map(|pods| {
            let message = format!("{}, {} starting", pods.count(), pods.waiting.len());
            finding(SOME_STARTING, Severity::Note, Place::Service, message)
        })
        .into_iter()
        .collect()
}

/// Names the first pod that waits and says why, in the kubelet's words where it has some.
fn explain(found: Finding, pods: &Pods<'_>) -> Finding {
    let Some(pod) = pods.waiting.first() else {
        return found;
    };
    let words = pod
        .not_ready_message
        .as_deref()
        .unwrap_or_else(|| reason(pod));
    found.hint(format!("{}: {words}", pod.key.name))
}

/// The reason that most pods share; of several the first by name.
fn top_reason<'a>(waiting: &[&'a Arc<PodRecord>]) -> &'a str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for pod in waiting {
        *counts.entry(reason(pod)).or_default() += 1;
    }
    counts
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or("not ready", |(reason, _)| reason)
}

fn reason(pod: &PodRecord) -> &str {
    if let Some(trouble) = pod.trouble() {
        trouble
    } else if pod.node.is_none() {
        "not scheduled"
    } else if pod.ips.is_empty() {
        "no address yet"
    } else if pod.not_ready_message.is_some() || pod.containers.iter().any(|c| !c.ready) {
        "containers not ready"
    } else {
        "not ready"
    }
}
