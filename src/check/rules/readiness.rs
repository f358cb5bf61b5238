//! Pods match, and some or all of them are not ready.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Case, Find, Finding, Group, ObjectRef, Place, Rule, Severity, Verdict, WITH_BOTH, links,
    standby, words,
};
use crate::inventory::PodRecord;

pub(super) static RULES: &[&Rule] = &[
    &NONE_READY,
    &UNSCHEDULED,
    &GATED,
    &SOME_NOT_READY,
    &NONE_STARTED,
    &SOME_STARTING,
];

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

static UNSCHEDULED: Rule = Rule {
    id: "SVC-PODS-UNSCHEDULED",
    title: "Some pods have no node or no address",
    severity: Severity::Warning,
    means: Verdict::Degraded,
    about: "The scheduler finds no node for them, or the node gives them no address; the evidence \
            has its words. Where no pod at all is ready, that is said instead.",
    url: links::SCHEDULING,
    find: Find::Service(unscheduled),
    ..PODS
};

static GATED: Rule = Rule {
    id: "SVC-PODS-GATED",
    title: "A readiness gate holds pods back whose containers are ready",
    severity: Severity::Warning,
    means: Verdict::Degraded,
    about: "Somebody outside, mostly the controller of a load balancer, has to set the condition of \
            the gate. Where no pod at all is ready, that is said instead.",
    url: links::READINESS_GATES,
    find: Find::Service(gated),
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

    fn sentence(&self) -> String {
        let ready = self.all - self.waiting.len();
        format!("{ready} of {} pods {} ready", self.all, words::are(ready))
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
            "{} ({why}), so that nothing takes its traffic.",
            words::none_ready(pods.all, " that it selects")
        );
        (short, message)
    })
}

fn is_unscheduled(pod: &PodRecord) -> bool {
    pod.ips.is_empty() && pod.trouble().is_none()
}

fn is_gated(pod: &PodRecord) -> bool {
    let up = !pod.containers.is_empty() && pod.containers.iter().all(|one| one.ready);
    up && !pod.closed_gates.is_empty()
}

/// Something that all pods which wait have in common, where others are ready.
fn all_waiting(case: &Case<'_>, is_so: fn(&PodRecord) -> bool) -> bool {
    Pods::of(case).is_some_and(|pods| pods.waiting.iter().all(|pod| is_so(pod)))
}

fn unscheduled(case: &Case<'_>) -> Vec<Finding> {
    if !all_waiting(case, is_unscheduled) {
        return Vec::new();
    }
    find(case, &UNSCHEDULED, false, false, |pods| {
        let count = words::pods(pods.waiting.len());
        let why = top_reason(&pods.waiting);
        let short = format!("{count} {why}");
        let message = format!("{}; {count}: {why}.", pods.sentence());
        (short, message)
    })
}

fn gated(case: &Case<'_>) -> Vec<Finding> {
    if !all_waiting(case, is_gated) {
        return Vec::new();
    }
    find(case, &GATED, false, false, |pods| {
        let gates = pods.waiting.iter().flat_map(|pod| &pod.closed_gates);
        let gates = words::list(gates.collect::<BTreeSet<_>>());
        let short = format!("{}: gate {gates}", pods.count());
        let message = format!(
            "{}: the containers of the others run, and readiness gate {gates} holds them back.",
            pods.sentence()
        );
        (short, message)
    })
}

fn some_not_ready(case: &Case<'_>) -> Vec<Finding> {
    let other = all_waiting(case, is_unscheduled) || all_waiting(case, is_gated);
    if other || standby::is_by_design(case) {
        return Vec::new();
    }
    find(case, &SOME_NOT_READY, false, false, |pods| {
        let waiting = pods.waiting.len();
        let message = format!(
            "{}; {waiting} {} no traffic ({}).",
            pods.sentence(),
            words::verb(waiting, "take"),
            top_reason(&pods.waiting)
        );
        (pods.count(), message)
    })
}

fn none_started(case: &Case<'_>) -> Vec<Finding> {
    find(case, &NONE_STARTED, true, true, |pods| {
        let short = format!("{}, starting", pods.count());
        let message = format!(
            "{} yet, less than 30 s after {} made.",
            words::none_ready(pods.all, " that it selects"),
            if pods.all == 1 { "it was" } else { "they were" }
        );
        (short, message)
    })
}

fn some_starting(case: &Case<'_>) -> Vec<Finding> {
    find(case, &SOME_STARTING, false, true, |pods| {
        let starting = pods.waiting.len();
        let short = format!("{}, {starting} starting", pods.count());
        let message = format!(
            "{}; {starting} {} less than 30 s old.",
            pods.sentence(),
            words::are(starting)
        );
        (short, message)
    })
}

/// Says of each pod that waits why, in the kubelet's words where it has some.
fn explain(found: Finding, pods: &Pods<'_>) -> Finding {
    let line = |pod: &Arc<PodRecord>| {
        let said = pod
            .unscheduled
            .as_deref()
            .or(pod.not_ready_message.as_deref());
        format!("{}: {}", pod.key.name, said.unwrap_or_else(|| reason(pod)))
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
    } else if is_gated(pod) {
        "readiness gate"
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
