//! Where ports lead in the pods, beyond what names say.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CheckRule, Finding, FindingLocation, ObjectRef, RuleContext, RuleFunction, RuleGroup, Severity,
    SuggestedFix, WITH_PODS, documentation_urls, place_of, words,
};
use svcscope_model::inventory::{
    ContainerPort, PodRecord, ServicePort, TargetPort, ports::resolve_target_port,
};

pub(super) static RULES: &[&CheckRule] = &[
    &DIFFERS,
    &DEFAULTED,
    &OTHER_DECLARED,
    &NOT_DECLARED,
    &UNNAMED,
];

const TARGET: CheckRule = CheckRule {
    group: RuleGroup::Ports,
    required_kinds: WITH_PODS,
    url: documentation_urls::PORTS,
    ..CheckRule::BASE
};

static DIFFERS: CheckRule = CheckRule {
    id: "SVC-PORT-NAME-DIFFERS",
    title: "The named targetPort is another number on other pods",
    severity: Severity::Warning,
    about: "Works, because each pod is asked at its own number. It is so during a rollout that \
            changes the port, and where a selector matches what does not belong together.",
    function: RuleFunction::Service(differs),
    ..TARGET
};

static DEFAULTED: CheckRule = CheckRule {
    id: "SVC-PORT-DEFAULTED",
    title: "targetPort is the port itself, and the pods declare others",
    severity: Severity::Warning,
    supersedes: &["SVC-PROBE-OTHER-PORT"],
    about: "A targetPort that is left out is the port itself. The pods don't declare it, and declare \
            others: it was probably forgotten. Ports of proxies beside the application and those \
            for metrics and health don't count.",
    function: RuleFunction::Service(defaulted),
    ..TARGET
};

static OTHER_DECLARED: CheckRule = CheckRule {
    id: "SVC-PORT-OTHER-DECLARED",
    title: "targetPort is not declared, and exactly one other port is",
    severity: Severity::Warning,
    supersedes: &["SVC-PROBE-OTHER-PORT"],
    about: "A pod need not declare its ports. One that declares a single other port probably means \
            that one. Ports of proxies beside the application and those for metrics and health \
            don't count.",
    function: RuleFunction::Service(other_declared),
    ..TARGET
};

static NOT_DECLARED: CheckRule = CheckRule {
    id: "SVC-PORT-NOT-DECLARED",
    title: "targetPort is not declared by the pods",
    about: "A pod need not declare its ports; whether something listens there is unknown.",
    function: RuleFunction::Service(not_declared),
    ..TARGET
};

static UNNAMED: CheckRule = CheckRule {
    id: "SVC-PORT-UNNAMED",
    title: "A port of several has no name",
    required_kinds: TARGET.required_kinds,
    about: "With more than one port each must have a name; the API server refuses it today, old \
            objects may still lack one.",
    function: RuleFunction::Service(unnamed),
    ..TARGET
};

/// Containers that meshes put beside the application.
const PROXIES: [&str; 4] = ["istio-proxy", "linkerd-proxy", "envoy", "consul-dataplane"];
/// Names of ports that are no way in for clients.
const ASIDE: [&str; 6] = ["metric", "prom", "health", "probe", "admin", "debug"];

/// The ports that the application of a pod declares for clients.
fn declared<'a>(pod: &'a PodRecord, port: &ServicePort) -> impl Iterator<Item = &'a ContainerPort> {
    let protocol = port.protocol;
    pod.containers
        .iter()
        .filter(|container| !container.sidecar && !PROXIES.contains(&&*container.name))
        .flat_map(|container| &container.ports)
        .filter(move |declared| declared.protocol == protocol)
        .filter(|declared| {
            let name = declared.name.as_deref().unwrap_or_default();
            !ASIDE.iter().any(|aside| name.contains(aside))
        })
}

fn declares(pod: &PodRecord, port: &ServicePort, number: u16) -> bool {
    let mut ports = pod.containers.iter().flat_map(|container| &container.ports);
    ports.any(|declared| declared.port == number && declared.protocol == port.protocol)
}

/// What is known of a port that leads to a number which no pod declares.
struct UndeclaredPort<'a> {
    port: &'a ServicePort,
    number: u16,
    /// What the pods declare instead.
    others: BTreeSet<u16>,
}

fn undeclared<'a>(case: &RuleContext<'a>) -> Vec<UndeclaredPort<'a>> {
    if !case.needs_endpoints() || case.candidates().next().is_none() {
        return Vec::new();
    }
    case.service()
        .ports
        .iter()
        .filter_map(|port| match port.target_port {
            TargetPort::Number(number) => Some((port, number)),
            TargetPort::Name(_) => None,
        })
        .filter(|(port, number)| !case.candidates().any(|pod| declares(pod, port, *number)))
        .map(|(port, number)| UndeclaredPort {
            port,
            number,
            others: case
                .candidates()
                .flat_map(|pod| declared(pod, port))
                .map(|declared| declared.port)
                .collect(),
        })
        .collect()
}

impl UndeclaredPort<'_> {
    fn is_defaulted(&self) -> bool {
        self.number == self.port.port && !self.others.is_empty()
    }

    fn is_other(&self) -> bool {
        self.number != self.port.port && self.others.len() == 1
    }

    fn found(
        &self,
        case: &RuleContext<'_>,
        rule: &CheckRule,
        short: String,
        message: String,
    ) -> Finding {
        let pods = case.candidates().map(|pod| ObjectRef::pod(&pod.key));
        let declared = if self.others.is_empty() {
            "the pods declare no port for clients".to_owned()
        } else {
            format!("the pods declare {}", words::list(&self.others))
        };
        let found = rule
            .finding(place_of(case, self.port), short, message)
            .with_objects(words::some(pods))
            .evidence([
                format!("spec.ports[].targetPort: {}", self.number),
                format!("spec.containers[].ports[]: {declared}"),
            ]);
        match (rule.severity, Vec::from_iter(&self.others).as_slice()) {
            (Severity::Warning, [only]) => found
                .hint(format!("did you mean targetPort {only}?"))
                .fix(SuggestedFix::TargetPort {
                    port: case.port_id(self.port),
                    to: TargetPort::Number(**only),
                }),
            (Severity::Warning, _) => found.hint(declared),
            _ => found,
        }
    }
}

fn defaulted(case: &RuleContext<'_>) -> Vec<Finding> {
    let all = undeclared(case);
    let found = all.iter().filter(|one| one.is_defaulted());
    found
        .map(|one| {
            let others = words::list(&one.others);
            let short = format!("targetPort {} not declared", one.number);
            let message = format!(
                "Port {} leads to the same number in the pods, which declare {others} instead.",
                one.port.port
            );
            one.found(case, &DEFAULTED, short, message)
        })
        .collect()
}

fn other_declared(case: &RuleContext<'_>) -> Vec<Finding> {
    let all = undeclared(case);
    let found = all.iter().filter(|one| one.is_other());
    found
        .map(|one| {
            let others = words::list(&one.others);
            let short = format!("targetPort {} not declared", one.number);
            let message = format!(
                "Port {} leads to {} in the pods, which declare only {others}.",
                one.port.port, one.number
            );
            one.found(case, &OTHER_DECLARED, short, message)
        })
        .collect()
}

fn not_declared(case: &RuleContext<'_>) -> Vec<Finding> {
    let all = undeclared(case);
    let found = all
        .iter()
        .filter(|one| !one.is_defaulted() && !one.is_other());
    found
        .map(|one| {
            let short = format!("targetPort {} not declared", one.number);
            let message = format!(
                "No pod declares port {}, which port {} leads to; that is allowed, and nobody can \
                 tell from here whether something listens.",
                one.number, one.port.port
            );
            one.found(case, &NOT_DECLARED, short, message)
        })
        .collect()
}

fn differs(case: &RuleContext<'_>) -> Vec<Finding> {
    case.named_ports()
        .filter_map(|(port, name)| {
            let mut numbers: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
            for pod in case.candidates() {
                if let Some(number) = resolve_target_port(port, pod) {
                    numbers.entry(number).or_default().push(&pod.key.name);
                }
            }
            if numbers.len() < 2 {
                return None;
            }
            let each = numbers
                .iter()
                .map(|(number, pods)| format!("{number} on {}", words::pods(pods.len())));
            let lines = numbers
                .iter()
                .map(|(number, pods)| format!("{name} is {number} on {}", words::list(pods)));
            Some(
                DIFFERS
                    .finding(
                        place_of(case, port),
                        format!("{name} is {} different numbers", numbers.len()),
                        format!("The container port {name} is {}.", words::list(each)),
                    )
                    .evidence(lines)
                    .hint("a rollout may be under way; else the selector matches what does not belong together"),
            )
        })
        .collect()
}

fn unnamed(case: &RuleContext<'_>) -> Vec<Finding> {
    let ports = &case.service().ports;
    if ports.len() < 2 {
        return Vec::new();
    }
    let unnamed = ports.iter().filter(|port| port.name.is_none());
    unnamed
        .map(|port| {
            UNNAMED.finding(
                FindingLocation::Port(case.port_id(port)),
                format!("port {} has no name", port.port),
                format!(
                    "Port {} has no name, though the Service has {} ports; each of several must \
                     have one.",
                    port.port,
                    ports.len()
                ),
            )
        })
        .collect()
}
