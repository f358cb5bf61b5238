//! What the probes of pods ask, and what that says of the traffic.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    CheckRule, Finding, FindingLocation, ObjectRef, RuleContext, RuleFunction, RuleGroup, Severity,
    WITH_PODS, documentation_urls, words,
};
use svcscope_model::inventory::{
    ContainerProbe, ContainerRecord, PodRecord, ProbeKind, SharedStr, TargetPort,
    ports::resolve_target_port,
};

pub(super) static RULES: &[&CheckRule] = &[&UNDECLARED, &OTHER_PORT, &NO_PROBE];

const PROBES: CheckRule = CheckRule {
    group: RuleGroup::Pods,
    required_kinds: WITH_PODS,
    url: documentation_urls::PROBES,
    ..CheckRule::BASE
};

static UNDECLARED: CheckRule = CheckRule {
    id: "SVC-PROBE-PORT",
    title: "A probe probes a port that its container does not declare",
    severity: Severity::Warning,
    about: "A probe that names a port which its container does not declare fails for ever. A number \
            needs no declaration: then it is a note, and only where the container declares others.",
    function: RuleFunction::Service(undeclared),
    ..PROBES
};

static OTHER_PORT: CheckRule = CheckRule {
    id: "SVC-PROBE-OTHER-PORT",
    title: "Readiness is measured at a port that gets no traffic",
    about: "Ready then says that another port of the pod answers, such as one for management. The \
            port that gets the traffic may be dead.",
    function: RuleFunction::Service(other_port),
    ..PROBES
};

static NO_PROBE: CheckRule = CheckRule {
    id: "SVC-NO-READINESS-PROBE",
    title: "The pods have no readiness probe",
    about: "Pods count as ready as soon as their containers run, whether or not they answer \
            already.",
    function: RuleFunction::Service(no_probe),
    ..PROBES
};

/// One pod of each workload: the others are alike.
fn examples<'a>(case: &RuleContext<'a>) -> Vec<&'a Arc<PodRecord>> {
    let mut seen = BTreeSet::new();
    let of_another = |pod: &&'a Arc<PodRecord>| seen.insert(pod.owner.as_ref());
    case.candidates().filter(of_another).collect()
}

fn declares(container: &ContainerRecord, wanted: &TargetPort) -> bool {
    container.ports.iter().any(|port| match wanted {
        TargetPort::Number(number) => port.port == *number,
        TargetPort::Name(name) => port.name.as_ref() == Some(name),
    })
}

fn undeclared(case: &RuleContext<'_>) -> Vec<Finding> {
    if !case.needs_endpoints() {
        return Vec::new();
    }
    let mut found: Vec<Finding> = Vec::new();
    for pod in examples(case) {
        for container in &pod.containers {
            for probe in &container.probes {
                let Some(port) = &probe.port else { continue };
                let by_name = matches!(port, TargetPort::Name(_));
                if declares(container, port) || (!by_name && container.ports.is_empty()) {
                    continue;
                }
                let said = say(pod, container, probe, port, by_name);
                if !found.contains(&said) {
                    found.push(said);
                }
            }
        }
    }
    found
}

fn say(
    pod: &PodRecord,
    container: &ContainerRecord,
    probe: &ContainerProbe,
    port: &TargetPort,
    by_name: bool,
) -> Finding {
    let field = probe.kind.field();
    let found = UNDECLARED
        .finding(
            FindingLocation::Service,
            format!("{field} asks port {port}, not declared"),
            format!(
                "The {field} of container {} asks port {port}, which the container does not declare.",
                container.name
            ),
        )
        .with_objects([ObjectRef::pod(&pod.key)])
        .evidence([format!(
            "{}: ports declared: {}",
            pod.key.name,
            words::list(container.ports.iter().map(|port| port.port))
        )]);
    if by_name {
        found
    } else {
        found.with_severity(Severity::Note)
    }
}

fn readiness(pod: &PodRecord) -> impl Iterator<Item = (&ContainerRecord, &ContainerProbe)> {
    pod.containers.iter().flat_map(|container| {
        let probes = container.probes.iter();
        probes
            .filter(|probe| probe.kind == ProbeKind::Readiness)
            .map(move |probe| (container, probe))
    })
}

fn number(container: &ContainerRecord, port: &TargetPort) -> Option<u16> {
    match port {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(name) => {
            let mut ports = container.ports.iter();
            ports
                .find(|declared| declared.name.as_ref() == Some(name))
                .map(|declared| declared.port)
        }
    }
}

fn other_port(case: &RuleContext<'_>) -> Vec<Finding> {
    if !case.needs_endpoints() {
        return Vec::new();
    }
    let Some(pod) = case.candidates().next() else {
        return Vec::new();
    };
    let targets: BTreeSet<u16> = case
        .service()
        .ports
        .iter()
        .filter_map(|port| resolve_target_port(port, pod))
        .collect();
    // A command may ask whatever it likes.
    let asked: Option<BTreeSet<u16>> = readiness(pod)
        .map(|(container, probe)| number(container, probe.port.as_ref()?))
        .collect();
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
        return Vec::new();
    };
    if targets.is_empty() || !asked.is_disjoint(&targets) {
        return Vec::new();
    }
    let (asked, targets) = (words::list(asked), words::list(targets));
    vec![
        OTHER_PORT
            .finding(
                FindingLocation::Service,
                format!("ready is measured on {asked}"),
                format!(
                    "Readiness is measured at port {asked} of the pods, traffic goes to {targets}."
                ),
            )
            .with_objects([ObjectRef::pod(&pod.key)])
            .evidence([format!("{}: readinessProbe at {asked}", pod.key.name)]),
    ]
}

fn no_probe(case: &RuleContext<'_>) -> Vec<Finding> {
    let mut pods = case.candidates().peekable();
    if !case.needs_endpoints() || pods.peek().is_none() {
        return Vec::new();
    }
    let names: Vec<&SharedStr> = pods
        .filter(|pod| readiness(pod).next().is_none())
        .map(|pod| &pod.key.name)
        .collect();
    let all = case.candidates().count();
    if names.len() < all {
        return Vec::new();
    }
    vec![
        NO_PROBE
            .finding(
                FindingLocation::Service,
                "no readiness probe",
                "Its pods have no readiness probe: they count as ready as soon as they start.",
            )
            .evidence([format!("no readinessProbe in {}", words::list(names))])
            .hint("add a readinessProbe to the container that serves the traffic"),
    ]
}
