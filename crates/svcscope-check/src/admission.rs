//! Who gets into a pod past the NetworkPolicies, as the API documents it
//! (k8s:networking/v1 NetworkPolicySpec): a pod that no policy selects for ingress takes everybody;
//! else what the rules of all policies that select it admit together, and the node that it is on.
//!
//! All of this is predicted: whoever enforces policies, the network plugin, may do otherwise or not
//! at all. What policies of the client's side let out is not looked at.

use svcscope_model::inventory::{
    Inventory, LabelSelector, NetworkPolicyRecord, PodRecord, PolicyPeer, PolicyPort, PolicyRule,
    Protocol, ResourceKind, SharedStr, TargetPort,
};

/// More groups of clients than this are not named one by one.
const MAX_NAMED_PEERS: usize = 4;

/// Who gets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PolicyAdmission {
    /// Everybody.
    All,
    /// It is not defined what policies do to a pod of the node's network.
    Undefined,
    /// Those that the policies of these names admit.
    Limited {
        /// Their names.
        policies: Vec<SharedStr>,
        /// Who, in words: `pods with role=admin`.
        who: Vec<String>,
    },
    /// Nobody that exists; certain, as far as policies say.
    Nobody {
        /// Their names.
        policies: Vec<SharedStr>,
        /// Who would get in; nothing where no rule admits anybody to the port.
        who: Vec<String>,
    },
}

/// Policies that isolate what comes into a pod.
pub(super) fn isolating<'a>(
    inventory: &'a Inventory,
    pod: &PodRecord,
) -> Vec<&'a NetworkPolicyRecord> {
    inventory
        .related_in::<NetworkPolicyRecord>(ResourceKind::NetworkPolicy, &pod.key.namespace)
        .filter(|policy| policy.ingress.is_some() && policy.pods.matches(&pod.labels))
        .collect()
}

/// Who gets to a port of a pod.
pub(super) fn admission(
    inventory: &Inventory,
    pod: &PodRecord,
    protocol: Protocol,
    number: u16,
) -> PolicyAdmission {
    let policies = isolating(inventory, pod);
    if policies.is_empty() {
        return PolicyAdmission::All;
    }
    if pod.host_network {
        return PolicyAdmission::Undefined;
    }
    let rules = policies.iter().flat_map(|policy| {
        let rules = policy.ingress.iter().flatten();
        rules.map(|rule| (&policy.key.namespace, rule))
    });
    let (mut who, mut somebody) = (Vec::new(), false);
    for (namespace, rule) in rules.filter(|(_, rule)| covers(rule, pod, protocol, number)) {
        if rule.peers.is_empty() {
            return PolicyAdmission::All;
        }
        for peer in &rule.peers {
            somebody |= may_exist(peer, namespace, inventory);
            who.push(words(peer, namespace));
        }
    }
    who.sort();
    who.dedup();
    let policies = policies.iter().map(|policy| policy.key.name.clone());
    let policies = policies.collect();
    if somebody {
        PolicyAdmission::Limited { policies, who }
    } else {
        PolicyAdmission::Nobody { policies, who }
    }
}

/// Whether a rule is about a port of a pod.
pub(super) fn covers(rule: &PolicyRule, pod: &PodRecord, protocol: Protocol, number: u16) -> bool {
    rule.ports.is_empty()
        || rule
            .ports
            .iter()
            .any(|port| port.protocol == protocol && is_at(port, pod, number))
}

fn is_at(port: &PolicyPort, pod: &PodRecord, number: u16) -> bool {
    match (&port.port, port.end) {
        (None, _) => true,
        (Some(TargetPort::Number(first)), Some(last)) => (*first..=last).contains(&number),
        (Some(TargetPort::Number(own)), None) => *own == number,
        (Some(TargetPort::Name(name)), _) => pod
            .containers
            .iter()
            .flat_map(|container| &container.ports)
            .any(|declared| {
                declared.port == number
                    && declared.protocol == port.protocol
                    && declared.name.as_ref() == Some(name)
            }),
    }
}

/// Whether somebody is there who is meant; where that can't be seen, somebody may be.
pub(super) fn may_exist(peer: &PolicyPeer, namespace: &SharedStr, inventory: &Inventory) -> bool {
    match peer {
        // Who has an address outside is not the cluster's to say.
        PolicyPeer::Block { cidr, except } => !except.contains(cidr),
        PolicyPeer::Pods {
            namespaces: None,
            pods,
        } => has_pod(namespace, pods.as_ref(), inventory),
        PolicyPeer::Pods {
            namespaces: Some(wanted),
            pods,
        } => {
            let known = inventory
                .sync(ResourceKind::Namespace, &SharedStr::from(""))
                .is_current();
            !known
                || inventory
                    .namespaces()
                    .filter(|namespace| wanted.matches(&namespace.labels))
                    .any(|namespace| has_pod(&namespace.name, pods.as_ref(), inventory))
        }
    }
}

fn has_pod(namespace: &SharedStr, wanted: Option<&LabelSelector>, inventory: &Inventory) -> bool {
    !inventory.sync(ResourceKind::Pod, namespace).is_current()
        || inventory
            .pods_in(namespace)
            .any(|pod| pod.is_active() && wanted.is_none_or(|it| it.matches(&pod.labels)))
}

fn words(peer: &PolicyPeer, namespace: &SharedStr) -> String {
    let pods = |wanted: &Option<LabelSelector>| match wanted {
        Some(wanted) if !wanted.is_empty() => format!("pods with {wanted}"),
        _ => "all pods".to_owned(),
    };
    match peer {
        PolicyPeer::Block { cidr, except } if except.is_empty() => format!("addresses in {cidr}"),
        PolicyPeer::Block { cidr, except } => {
            format!("addresses in {cidr} but not {}", except.join(", "))
        }
        PolicyPeer::Pods {
            namespaces: None,
            pods: None,
        } => format!("pods of namespace {namespace}"),
        PolicyPeer::Pods {
            namespaces: None,
            pods: wanted,
        } => pods(wanted),
        PolicyPeer::Pods {
            namespaces: Some(namespaces),
            pods: wanted,
        } if namespaces.is_empty() => format!("{} of any namespace", pods(wanted)),
        PolicyPeer::Pods {
            namespaces: Some(namespaces),
            pods: wanted,
        } => format!("{} of namespaces with {namespaces}", pods(wanted)),
    }
}

impl PolicyAdmission {
    /// The policies, by name.
    pub fn policies(&self) -> &[SharedStr] {
        match self {
            Self::All | Self::Undefined => &[],
            Self::Limited { policies, .. } | Self::Nobody { policies, .. } => policies,
        }
    }

    /// Who gets in, in words that follow the policies' names.
    pub fn describe(&self, number: u16) -> String {
        match self {
            Self::All => "admits all clients".to_owned(),
            Self::Undefined => {
                "the pod is in its node's network, and what policies do to such pods is not defined"
                    .to_owned()
            }
            Self::Limited { who, .. } => format!(
                "predicted: admits only {} to port {number}, and the pod's own node; no other \
                 client arrives",
                listed(who)
            ),
            Self::Nobody { who, .. } if who.is_empty() => format!(
                "predicted: admits no client to port {number} except the pod's own node; the network plugin may enforce this differently"
            ),
            Self::Nobody { who, .. } => format!(
                "predicted: admits only {} to port {number}, and none exist, so nobody arrives but \
                 the pod's own node; the network plugin may do otherwise",
                listed(who)
            ),
        }
    }
}

fn listed(who: &[String]) -> String {
    let named = who.iter().take(MAX_NAMED_PEERS).map(String::as_str);
    let mut words = Vec::from_iter(named).join("; ");
    if let Some(more) = who
        .len()
        .checked_sub(MAX_NAMED_PEERS)
        .filter(|more| *more > 0)
    {
        words.push_str(&format!("; and {more} more"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_testkit::sample::pod;

    #[test]
    fn a_named_port_is_one_of_the_same_protocol() {
        let rule = |protocol| PolicyRule {
            ports: vec![PolicyPort {
                protocol,
                port: Some(TargetPort::Name("http".into())),
                end: None,
            }],
            ..PolicyRule::default()
        };
        // It declares http 8080/TCP.
        let web = pod("web", 1);
        let admits = |protocol| covers(&rule(protocol), &web, protocol, 8080);
        assert!(admits(Protocol::Tcp));
        assert!(!admits(Protocol::Udp));
    }
}
