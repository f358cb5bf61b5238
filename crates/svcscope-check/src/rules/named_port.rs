//! A targetPort is a name, and pods don't declare it.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    CheckRule, Finding, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup, Severity,
    SuggestedFix, WITH_PODS, documentation_urls, place_of, target_port_digits::is_digits, words,
};
use svcscope_model::inventory::{
    PodRecord, Protocol, ServicePort, SharedStr, TargetPort, ports::resolve_target_port,
};

pub(super) static RULES: &[&CheckRule] = &[&OTHER_PROTOCOL, &ON_NO_POD, &ON_SOME_PODS];

const NAMED: CheckRule = CheckRule {
    group: RuleGroup::Ports,
    severity: Severity::Error,
    implied_health: Health::Broken,
    required_kinds: WITH_PODS,
    supersedes: &["SVC-PORT-NO-ENDPOINTS"],
    url: documentation_urls::PORTS,
    ..CheckRule::BASE
};

static OTHER_PROTOCOL: CheckRule = CheckRule {
    id: "SVC-PORT-WRONG-PROTOCOL",
    title: "The named targetPort has another protocol on the pods",
    about: "The EndpointSlice controller looks for a container port with the name and the protocol \
            of the Service port. Pods declare the name with another protocol only.",
    function: RuleFunction::Service(other_protocol),
    ..NAMED
};

static ON_NO_POD: CheckRule = CheckRule {
    id: "SVC-PORT-NAME-UNKNOWN",
    title: "No pod declares the named targetPort",
    about: "A named targetPort must be declared by a container (or a sidecar) of the pod under this \
            very name. A pod without it gets no traffic for this port.",
    function: RuleFunction::Service(on_no_pod),
    ..NAMED
};

static ON_SOME_PODS: CheckRule = CheckRule {
    id: "SVC-PORT-NAME-ON-SOME",
    title: "Only some pods declare the named targetPort",
    severity: Severity::Warning,
    implied_health: Health::Degraded,
    about: "Pods that don't declare the named targetPort never get traffic for this port, however \
            ready they are. During a rollout that renames a port this is so for a while.",
    function: RuleFunction::Service(on_some_pods),
    ..NAMED
};

/// The pods that could serve, and which of them have the named port.
struct NamedPortPods<'a> {
    port: &'a ServicePort,
    name: &'a str,
    pods: Vec<&'a Arc<PodRecord>>,
    without: Vec<&'a Arc<PodRecord>>,
}

fn named<'a>(case: &RuleContext<'a>) -> Vec<NamedPortPods<'a>> {
    let mut ports = case
        .named_ports()
        .filter(|(_, name)| !is_digits(name))
        .peekable();
    if ports.peek().is_none() {
        return Vec::new();
    }
    let pods: Vec<_> = case.candidates().collect();
    ports
        .filter(|_| !pods.is_empty())
        .map(|(port, name)| NamedPortPods {
            port,
            name,
            without: pods
                .iter()
                .filter(|pod| resolve_target_port(port, pod).is_none())
                .copied()
                .collect(),
            pods: pods.clone(),
        })
        .collect()
}

impl<'a> NamedPortPods<'a> {
    fn on_none(&self) -> bool {
        self.without.len() == self.pods.len()
    }

    /// The protocols under which pods declare the name although the Service asks another.
    fn protocols(&self) -> Vec<Protocol> {
        let mut found = Vec::new();
        for (name, protocol) in self.declared() {
            if **name == *self.name && !found.contains(&protocol) {
                found.push(protocol);
            }
        }
        found
    }

    fn declared(&self) -> impl Iterator<Item = (&'a SharedStr, Protocol)> {
        self.pods
            .iter()
            .flat_map(|pod| &pod.containers)
            .flat_map(|container| &container.ports)
            .filter_map(|port| Some((port.name.as_ref()?, port.protocol)))
    }

    /// Names that pods declare with the protocol of the port.
    fn fitting(&self) -> BTreeSet<&'a SharedStr> {
        self.declared()
            .filter(|(_, protocol)| *protocol == self.port.protocol)
            .map(|(name, _)| name)
            .collect()
    }

    fn found(
        &self,
        case: &RuleContext<'_>,
        rule: &CheckRule,
        short: String,
        message: String,
    ) -> Finding {
        let names: BTreeSet<_> = self.declared().map(|(name, _)| name).collect();
        let declared = if names.is_empty() {
            "the pods name none of their ports".to_owned()
        } else {
            format!("pods declare {}", words::list(names))
        };
        rule.finding(place_of(case, self.port), short, message)
            .with_objects(words::some(&self.without).map(|pod| ObjectRef::pod(&pod.key)))
            .evidence([
                format!("spec.ports[].targetPort: {}", self.name),
                format!("spec.containers[].ports[] of the pods: {declared}"),
            ])
            .hint(declared)
    }
}

fn on_no_pod(case: &RuleContext<'_>) -> Vec<Finding> {
    named(case)
        .iter()
        .filter(|named| named.on_none() && named.protocols().is_empty())
        .map(|named| {
            let short = format!("no container port named {}", named.name);
            let message = format!(
                "Port {} leads to the container port named {}, and none of the {} declares it.",
                named.port.port,
                named.name,
                words::pods(named.pods.len())
            );
            let found = named.found(case, &ON_NO_POD, short, message);
            match Vec::from_iter(named.fitting()).as_slice() {
                [only] => found.fix(SuggestedFix::TargetPort {
                    port: case.port_id(named.port),
                    to: TargetPort::Name((*only).clone()),
                }),
                _ => found,
            }
        })
        .collect()
}

fn on_some_pods(case: &RuleContext<'_>) -> Vec<Finding> {
    named(case)
        .iter()
        .filter(|named| !named.on_none() && !named.without.is_empty())
        .map(|named| {
            let all = named.pods.len();
            let having = all - named.without.len();
            let short = format!("port {} on {having} of {all} pods", named.name);
            let message = format!(
                "{having} of {all} pods {} the container port {}: the others never get traffic for \
                 port {}.",
                words::verb(having, "declare"),
                named.name,
                named.port.port
            );
            named.found(case, &ON_SOME_PODS, short, message)
        })
        .collect()
}

fn other_protocol(case: &RuleContext<'_>) -> Vec<Finding> {
    named(case)
        .iter()
        .filter(|named| named.on_none() && !named.protocols().is_empty())
        .map(|named| {
            let protocols = named.protocols();
            let declared = words::list(&protocols);
            let short = format!(
                "{} is {declared} on the pods, not {}",
                named.name, named.port.protocol
            );
            let message = format!(
                "The pods declare {} as {declared}, port {} of the Service asks for {}: no pod \
                 gets its traffic.",
                named.name, named.port.port, named.port.protocol
            );
            let found = named.found(case, &OTHER_PROTOCOL, short, message);
            match protocols.as_slice() {
                [only] => found.fix(SuggestedFix::Protocol {
                    port: case.port_id(named.port),
                    to: *only,
                }),
                _ => found,
            }
        })
        .collect()
}
