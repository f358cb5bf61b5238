//! Pods match, and some or all of them are not ready.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Case, Find, Finding, Group, ObjectRef, Place, Rule, Severity, Verdict, WITH_BOTH, links, words,
};
use crate::inventory::PodRecord;

pub(super) static RULES: &[&Rule] = &[&NONE_READY, &SOME_NOT_READY, &NONE_STARTED, &SOME_STARTING];

const PODS: Rule = Rule {
    group: Group::Pods,
    needs: WITH_BOTH,
    url: links::PROBES,
    ..Rule::BASE
};

static NONE_READY: Rule = Rule {
    id: "SVC-PODS-NONE-READY",
    title: "Pods match and none is ready",
    severity: Severity::Error,
    means: Verdict::Broken,
    silences: &["SVC-PORT-NO-ENDPOINTS", "SVC-HEADLESS-EMPTY"],
    about: "Only ready pods get traffic, unless the Service publishes those that are not. The \
            commonest reason is named. Pods younger than 30 s that nothing went wrong with are \
            starting, which is no error.",
    find: Find::Service(none_ready),
    ..PODS
};

static SOME_NOT_READY: Rule = Rule {
    id: "SVC-PODS-SOME-NOT-READY",
    title: "Some of the pods that match are not ready",
    severity: Severity::Warning,
    means: Verdict::Degraded,
    about: "The others carry the load of those that are not ready. Pods younger than 30 s that \
            nothing went wrong with are starting, which is no warning.",
    find: Find::Service(some_not_ready),
    ..PODS
};

static NONE_STARTED: Rule = Rule {
    id: "SVC-PODS-STARTING",
    title: "All pods are young and none is ready yet",
    means: Verdict::Pending,
    silences: &["SVC-PORT-NO-ENDPOINTS"],
    about: "A rollout is no outage: pods get 30 s to become ready.",
    find: Find::Service(none_started),
    ..PODS
};

static SOME_STARTING: Rule = Rule {
    id: "SVC-PODS-MORE-STARTING",
    title: "Young pods join others that are ready",
    about: "A rollout or a scale-up is under way: pods get 30 s to become ready.",
    find: Find::Service(some_starting),
    ..PODS
};

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

fn find(
    case: &Case<'_>,
    rule: &Rule,
    none_ready: bool,
    starting: bool,
    say: impl Fn(&Pods<'_>) -> (String, String),
) -> Vec<Finding> {
    Pods::of(case)
        .filter(|pods| pods.none_ready() == none_ready && pods.starting == starting)
        .map(|pods| {
            let (short, message) = say(&pods);
            explain(rule.found(Place::Service, short, message), &pods)
        })
        .into_iter()
        .collect()
}

fn none_ready(case: &Case<'_>) -> Vec<Finding> {
    find(case, &NONE_READY, true, false, |pods| {
        let why = top_reason(&pods.waiting);
        let short = format!("{}: {why}", pods.count());
        let message = format!(
            "None of the {} that it selects is ready ({why}), so that nothing takes its traffic.",
            words::pods(pods.all)
        );
        (short, message)
    })
}

fn some_not_ready(case: &Case<'_>) -> Vec<Finding> {
    find(case, &SOME_NOT_READY, false, false, |pods| {
        let message = format!(
            "{} ({}); the others take no traffic.",
            pods.count(),
            top_reason(&pods.waiting)
        );
        (pods.count(), message)
    })
}

fn none_started(case: &Case<'_>) -> Vec<Finding> {
    find(case, &NONE_STARTED, true, true, |pods| {
        let short = format!("{}, starting", pods.count());
        let message = format!("{}; they are less than 30 s old.", pods.count());
        (short, message)
    })
}

fn some_starting(case: &Case<'_>) -> Vec<Finding> {
    find(case, &SOME_STARTING, false, true, |pods| {
        let starting = pods.waiting.len();
        let short = format!("{}, {starting} starting", pods.count());
        let message = format!(
            "{}; {starting} {} less than 30 s old.",
            pods.count(),
            words::are(starting)
        );
        (short, message)
    })
}

/// Says of each pod that waits why, in the kubelet's words where it has some.
fn explain(found: Finding, pods: &Pods<'_>) -> Finding {
    let line = |pod: &Arc<PodRecord>| {
        let why = pod
            .not_ready_message
            .as_deref()
            .unwrap_or_else(|| reason(pod));
        format!("{}: {why}", pod.key.name)
    };
    let waiting = || words::some(&pods.waiting);
    let found = found
        .about(waiting().map(|pod| ObjectRef::pod(&pod.key)))
        .evidence(waiting().map(|pod| line(pod)));
    match pods.waiting.first() {
        Some(pod) if found.severity > Severity::Note => found.hint(line(pod)),
        _ => found,
    }
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
