//! Pods match, and some or all of them are not ready.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    Severity, WITH_BOTH, documentation_urls, standby, words,
};
use svcscope_model::inventory::PodRecord;

pub(super) static RULES: &[&CheckRule] = &[
    &NONE_READY,
    &UNSCHEDULED,
    &GATED,
    &SOME_NOT_READY,
    &NONE_STARTED,
    &SOME_STARTING,
];

const PODS: CheckRule = CheckRule {
    group: RuleGroup::Pods,
    required_kinds: WITH_BOTH,
    url: documentation_urls::PROBES,
    ..CheckRule::BASE
};

static NONE_READY: CheckRule = CheckRule {
    id: "SVC-PODS-NONE-READY",
    needs_cluster_state: true,
    title: "Pods match and none is ready",
    severity: Severity::Error,
    implied_health: Health::Broken,
    supersedes: &["SVC-PORT-NO-ENDPOINTS", "SVC-HEADLESS-EMPTY"],
    about: "Only ready pods get traffic, unless the Service publishes those that are not. The \
            commonest reason is named. Pods younger than 30 s that nothing went wrong with are \
            starting, which is no error.",
    function: RuleFunction::Service(none_ready),
    ..PODS
};

static UNSCHEDULED: CheckRule = CheckRule {
    id: "SVC-PODS-UNSCHEDULED",
    needs_cluster_state: true,
    title: "Some pods have no node or no address",
    severity: Severity::Warning,
    implied_health: Health::Degraded,
    about: "The scheduler finds no node for them, or the node gives them no address; the evidence \
            has its words. Where no pod at all is ready, that is said instead.",
    url: documentation_urls::SCHEDULING,
    function: RuleFunction::Service(unscheduled),
    ..PODS
};

static GATED: CheckRule = CheckRule {
    id: "SVC-PODS-GATED",
    title: "A readiness gate holds pods back whose containers are ready",
    severity: Severity::Warning,
    implied_health: Health::Degraded,
    about: "Somebody outside, mostly the controller of a load balancer, has to set the condition of \
            the gate. Where no pod at all is ready, that is said instead.",
    url: documentation_urls::READINESS_GATES,
    function: RuleFunction::Service(gated),
    ..PODS
};

static SOME_NOT_READY: CheckRule = CheckRule {
    id: "SVC-PODS-SOME-NOT-READY",
    needs_cluster_state: true,
    title: "Some of the pods that match are not ready",
    severity: Severity::Warning,
    implied_health: Health::Degraded,
    about: "The others carry the load of those that are not ready. Pods younger than 30 s that \
            nothing went wrong with are starting, which is no warning.",
    function: RuleFunction::Service(some_not_ready),
    ..PODS
};

static NONE_STARTED: CheckRule = CheckRule {
    id: "SVC-PODS-STARTING",
    needs_cluster_state: true,
    title: "All pods are young and none is ready yet",
    implied_health: Health::Pending,
    supersedes: &["SVC-PORT-NO-ENDPOINTS"],
    about: "A rollout is no outage: pods get 30 s to become ready.",
    function: RuleFunction::Service(none_started),
    ..PODS
};

static SOME_STARTING: CheckRule = CheckRule {
    id: "SVC-PODS-MORE-STARTING",
    needs_cluster_state: true,
    title: "Young pods join others that are ready",
    about: "A rollout or a scale-up is under way: pods get 30 s to become ready.",
    function: RuleFunction::Service(some_starting),
    ..PODS
};

/// How the pods of a Service with a selector stand.
struct PodReadiness<'a> {
    all: usize,
    waiting: Vec<&'a Arc<PodRecord>>,
    /// Nothing went wrong yet with any that waits.
    starting: bool,
}

impl<'a> PodReadiness<'a> {
    /// None where every pod is ready or there is none.
    fn of(case: &RuleContext<'a>) -> Option<Self> {
        let waiting = case.not_ready_pods();
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
    case: &RuleContext<'_>,
    rule: &CheckRule,
    none_ready: bool,
    starting: bool,
    say: impl Fn(&PodReadiness<'_>) -> (String, String),
) -> Vec<Finding> {
    PodReadiness::of(case)
        .filter(|pods| pods.none_ready() == none_ready && pods.starting == starting)
        .map(|pods| {
            let (short, message) = say(&pods);
            explain(
                rule.finding(FindingLocation::Service, short, message),
                &pods,
            )
        })
        .into_iter()
        .collect()
}

fn none_ready(case: &RuleContext<'_>) -> Vec<Finding> {
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
fn all_waiting(case: &RuleContext<'_>, is_so: fn(&PodRecord) -> bool) -> bool {
    PodReadiness::of(case).is_some_and(|pods| pods.waiting.iter().all(|pod| is_so(pod)))
}

fn unscheduled(case: &RuleContext<'_>) -> Vec<Finding> {
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

fn gated(case: &RuleContext<'_>) -> Vec<Finding> {
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

fn some_not_ready(case: &RuleContext<'_>) -> Vec<Finding> {
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

fn none_started(case: &RuleContext<'_>) -> Vec<Finding> {
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

fn some_starting(case: &RuleContext<'_>) -> Vec<Finding> {
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
fn explain(found: Finding, pods: &PodReadiness<'_>) -> Finding {
    let line = |pod: &Arc<PodRecord>| {
        let said = pod
            .unscheduled
            .as_deref()
            .or(pod.not_ready_message.as_deref());
        format!("{}: {}", pod.key.name, said.unwrap_or_else(|| reason(pod)))
    };
    let waiting = || words::some(&pods.waiting);
    let found = found
        .with_objects(waiting().map(|pod| ObjectRef::pod(&pod.key)))
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
