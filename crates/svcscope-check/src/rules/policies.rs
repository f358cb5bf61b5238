//! NetworkPolicies that may stand in the way. What is found is predicted: whoever enforces them
//! (the CNI plugin) may do it otherwise, or not at all.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    CheckRule, Finding, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup, Severity,
    documentation_urls, place_of, words,
};
use crate::{
    FindingLocation,
    admission::{covers, isolating, may_exist},
};
use svcscope_model::inventory::{
    NetworkPolicyRecord, PodRecord, PolicyPeer, PolicyPort, Protocol, ResourceKind, ServicePort,
    TargetPort, ports::resolve_target_port,
};

pub(super) static RULES: &[&CheckRule] = &[&BLOCKED, &NO_DNS, &SERVICE_PORT];

/// The health stays as it is: whether the cluster enforces the policy is unknown.
const POLICY: CheckRule = CheckRule {
    group: RuleGroup::Policies,
    severity: Severity::Warning,
    implied_health: Health::Healthy,
    required_kinds: &[
        ResourceKind::Service,
        ResourceKind::Pod,
        ResourceKind::NetworkPolicy,
    ],
    url: documentation_urls::POLICIES,
    ..CheckRule::BASE
};

static BLOCKED: CheckRule = CheckRule {
    id: "SVC-POLICY-BLOCKED",
    title: "NetworkPolicies admit no client (predicted)",
    supersedes: &["SVC-POLICY-SERVICE-PORT"],
    reads_other_services: true,
    about: "Pods that a policy isolates take only what some policy lets in. Here each pod behind a \
            port is isolated, and no policy lets anybody reach that port, or only pods of the same \
            namespace of which there are none. This is predicted from the policies: the network plugin may enforce them otherwise, or not at all.",
    function: RuleFunction::Service(blocked),
    ..POLICY
};

fn policy_ref(policy: &NetworkPolicyRecord) -> ObjectRef {
    ObjectRef::new("NetworkPolicy", policy.key.clone())
}

fn blocked(case: &RuleContext<'_>) -> Vec<Finding> {
    let namespace = &case.service().key.namespace;
    let mut policies = case
        .inventory
        .related_in::<NetworkPolicyRecord>(ResourceKind::NetworkPolicy, namespace);
    if policies.next().is_none() {
        return Vec::new();
    }
    let pods: Vec<_> = case.candidates().collect();
    let ports = case.traffic.ports.iter().map(|traffic| &traffic.port);
    ports
        .filter_map(|port| {
            let mut in_the_way = BTreeSet::new();
            let mut covered = false;
            let mut numbers = BTreeSet::new();
            for pod in &pods {
                // What policies do to pods of the host's network is not defined.
                let number = resolve_target_port(port, pod).filter(|_| !pod.host_network)?;
                let policies = isolating(case.inventory, pod);
                if policies.is_empty() || lets_in(case, &policies, pod, port.protocol, number) {
                    return None;
                }
                numbers.insert(number);
                let mut rules = policies.iter().flat_map(|it| it.ingress.iter().flatten());
                covered |= rules.any(|rule| covers(rule, pod, port.protocol, number));
                in_the_way.extend(policies.iter().map(|policy| &policy.key));
            }
            if in_the_way.is_empty() {
                return None;
            }
            let number = words::list(&numbers);
            let names = words::list(in_the_way.iter().map(|key| &key.name));
            let message = format!(
                "Predicted: no client can reach port {number} of the {}, because NetworkPolicy {names} admits no source for it{}. The network plugin may enforce this differently.",
                words::pods(pods.len()),
                if covered { " that exists" } else { "" }
            );
            let policies = in_the_way
                .iter()
                .map(|key| ObjectRef::new("NetworkPolicy", (*key).clone()));
            let found = BLOCKED
                .finding(
                    place_of(case, port),
                    format!("predicted: blocked by {names}"),
                    message,
                )
                .with_objects(policies)
                .evidence([if covered {
                    format!("no pod of the namespace matches a source that {names} admits")
                } else {
                    format!(
                        "no rule of spec.ingress of {names} covers {number}/{}",
                        port.protocol
                    )
                }]);
            // A client may be a Job that comes tomorrow.
            let found = if covered {
                found.with_severity(Severity::Note)
            } else {
                found
            };
            let named = names_service_port(case, port, &pods);
            Some(match named {
                Some(_) => found.hint(format!(
                    "policies see the pods' port {number}, not the Service's port {}",
                    port.port
                )),
                None if covered => {
                    found.hint("check the labels that the policy requires of clients".to_owned())
                }
                None => found.hint(format!("add a rule that admits clients to port {number}")),
            })
        })
        .collect()
}

/// Whether any of the policies lets anybody reach a port of a pod. Pods of the same namespace must
/// be there; of other namespaces and of the world outside it is unknown.
fn lets_in(
    case: &RuleContext<'_>,
    policies: &[&NetworkPolicyRecord],
    pod: &PodRecord,
    protocol: Protocol,
    number: u16,
) -> bool {
    let mut rules = policies
        .iter()
        .flat_map(|policy| policy.ingress.iter().flatten());
    let namespace = &pod.key.namespace;
    let is_there = |peer: &PolicyPeer| match peer {
        PolicyPeer::Pods {
            namespaces: None, ..
        } => may_exist(peer, namespace, case.inventory),
        _ => true,
    };
    rules.any(|rule| {
        covers(rule, pod, protocol, number)
            && (rule.peers.is_empty() || rule.peers.iter().any(is_there))
    })
}

static NO_DNS: CheckRule = CheckRule {
    id: "SVC-POLICY-NO-DNS",
    title: "NetworkPolicies let pods out, but not to DNS (predicted)",
    required_kinds: &[ResourceKind::Service, ResourceKind::NetworkPolicy],
    about: "Pods that a policy isolates reach only what some policy lets out. Here a policy lets \
            pods out to some places but none to port 53, so that they can't look up any name. \
            Policies that let nothing out at all are taken for meant.",
    url: documentation_urls::POLICIES,
    function: RuleFunction::Service(no_dns),
    ..POLICY
};

/// The port of DNS.
const DNS: u16 = 53;

fn no_dns(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let is_dns = service
        .labels
        .get("k8s-app")
        .is_some_and(|app| &**app == "kube-dns")
        && &*service.key.namespace == "kube-system";
    if !is_dns {
        return Vec::new();
    }
    let all = || {
        case.inventory
            .related::<NetworkPolicyRecord>(ResourceKind::NetworkPolicy)
    };
    let lets_ask = |policy: &NetworkPolicyRecord| {
        let mut rules = policy.egress.iter().flatten();
        rules.any(|rule| {
            rule.ports.is_empty()
                || rule.ports.iter().any(|port| match (&port.port, port.end) {
                    (None, _) => true,
                    (Some(TargetPort::Number(first)), Some(last)) => (*first..=last).contains(&DNS),
                    (Some(TargetPort::Number(own)), None) => *own == DNS,
                    // The name is the DNS pods' own: it may well be theirs.
                    (Some(TargetPort::Name(_)), _) => true,
                })
        })
    };
    all()
        .filter(|policy| {
            policy
                .egress
                .as_ref()
                .is_some_and(|rules| !rules.is_empty())
        })
        .filter(|policy| !lets_ask(policy))
        // Another policy may add DNS for the same pods: commonly one for the whole namespace.
        .filter(|policy| {
            !all().any(|other| {
                other.key.namespace == policy.key.namespace
                    && (other.pods.is_empty() || other.pods == policy.pods)
                    && lets_ask(other)
            })
        })
        .map(|policy| {
            let message = format!(
                "Predicted: pods that NetworkPolicy {} isolates can't look up names, because it \
                 lets nothing out to port 53. The network plugin may do otherwise.",
                policy.key
            );
            NO_DNS
                .finding(
                    FindingLocation::Object(policy_ref(policy)),
                    format!("predicted: {} blocks DNS", policy.key),
                    message,
                )
                .with_objects([policy_ref(policy)])
                .evidence(["no rule of spec.egress covers 53/UDP"])
                .hint("let them out to port 53, UDP and TCP")
        })
        .collect()
}

static SERVICE_PORT: CheckRule = CheckRule {
    id: "SVC-POLICY-SERVICE-PORT",
    title: "A NetworkPolicy names the Service's port instead of the pods'",
    severity: Severity::Note,
    about: "A policy sees packets as the pods do, after the Service has changed the port: its \
            ports are the targetPorts. A rule for the Service's own port lets nothing in that \
            comes through the Service.",
    function: RuleFunction::Service(service_port),
    ..POLICY
};

fn service_port(case: &RuleContext<'_>) -> Vec<Finding> {
    let pods: Vec<_> = case.candidates().collect();
    let ports = case.traffic.ports.iter().map(|traffic| &traffic.port);
    ports
        .filter_map(|port| {
            let (policy, number) = names_service_port(case, port, &pods)?;
            let message = format!(
                "NetworkPolicy {} admits port {}, which is the Service's port: the pods listen on {number}, and policies match the pods' port.",
                policy.key, port.port
            );
            let finding = SERVICE_PORT.finding(
                place_of(case, port),
                format!("policy has port {}, pods listen on {number}", port.port),
                message,
            );
            Some(finding.with_objects([policy_ref(policy)]))
        })
        .collect()
}

/// A policy that lets in the number of the Service's port, which no pod has, and the pods' number.
fn names_service_port<'a>(
    case: &RuleContext<'a>,
    port: &ServicePort,
    pods: &[&Arc<PodRecord>],
) -> Option<(&'a NetworkPolicyRecord, u16)> {
    let pod = pods.first()?;
    let number = resolve_target_port(port, pod)?;
    let is_declared = pods
        .iter()
        .flat_map(|pod| &pod.containers)
        .flat_map(|container| &container.ports)
        .any(|declared| declared.port == port.port);
    if number == port.port || is_declared {
        return None;
    }
    let says = |said: &PolicyPort| {
        said.protocol == port.protocol && said.port == Some(TargetPort::Number(port.port))
    };
    let policy = isolating(case.inventory, pod).into_iter().find(|policy| {
        let mut rules = policy.ingress.iter().flatten();
        rules.any(|rule| rule.ports.iter().any(says))
    })?;
    Some((policy, number))
}
