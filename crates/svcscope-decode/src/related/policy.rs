//! `networking.k8s.io/v1` NetworkPolicy.

use super::label_selector::PartialLabelSelector;
use crate::{
    meta::PartialObject,
    partial::partial,
    port::{IntOrString, protocol},
    resource::watched_resource,
    text::{JsonText, TextInterner, port_number, to_shared_texts},
};
use svcscope_model::inventory::{
    NetworkPolicyRecord, PolicyPeer, PolicyPort, PolicyRule, RelatedRecord,
};

watched_resource! {
    /// NetworkPolicies.
    NetworkPolicyResource: NetworkPolicy = "/apis/networking.k8s.io/v1" "NetworkPolicy",
    PartialNetworkPolicy<'json> => RelatedRecord by network_policy,
}

type PartialNetworkPolicy<'json> = PartialObject<'json, Option<PartialNetworkPolicySpec<'json>>>;

partial! {
    pub struct PartialNetworkPolicySpec<'json> {
        pod_selector: PartialLabelSelector<'json>,
        policy_types: Vec<JsonText<'json>>,
        ingress: Vec<PartialNetworkPolicyRule<'json>>,
        egress: Vec<PartialNetworkPolicyRule<'json>>,
    }

    struct PartialNetworkPolicyRule<'json> {
        from: Vec<PartialNetworkPolicyPeer<'json>>,
        to: Vec<PartialNetworkPolicyPeer<'json>>,
        ports: Vec<PartialNetworkPolicyPort<'json>>,
    }

    struct PartialNetworkPolicyPeer<'json> {
        pod_selector: Option<PartialLabelSelector<'json>>,
        namespace_selector: Option<PartialLabelSelector<'json>>,
        ip_block: Option<PartialIpBlock<'json>>,
    }

    struct PartialIpBlock<'json> {
        cidr: JsonText<'json>,
        except: Vec<JsonText<'json>>,
    }

    struct PartialNetworkPolicyPort<'json> {
        protocol: JsonText<'json>,
        port: Option<IntOrString<'json>>,
        end_port: Option<i64>,
    }
}

fn network_policy(
    object: &PartialNetworkPolicy<'_>,
    texts: &mut TextInterner,
) -> Option<NetworkPolicyRecord> {
    let spec = object.spec.as_ref()?;
    // Without policyTypes: Ingress always, Egress where it has rules for it.
    let types = &spec.policy_types;
    let has_type = |wanted: &str| types.iter().any(|word| word == wanted);
    let isolates_in = types.is_empty() || has_type("Ingress");
    let isolates_out = if types.is_empty() {
        !spec.egress.is_empty()
    } else {
        has_type("Egress")
    };
    Some(NetworkPolicyRecord {
        key: object.metadata.key(texts),
        pods: spec.pod_selector.record(texts),
        ingress: isolates_in.then(|| rules(&spec.ingress, texts)),
        egress: isolates_out.then(|| rules(&spec.egress, texts)),
    })
}

fn rules(found: &[PartialNetworkPolicyRule<'_>], texts: &mut TextInterner) -> Vec<PolicyRule> {
    let mut rule = |rule: &PartialNetworkPolicyRule<'_>| {
        let peers = rule.from.iter().chain(&rule.to);
        PolicyRule {
            peers: peers.map(|found| peer(found, texts)).collect(),
            ports: rule
                .ports
                .iter()
                .map(|found| policy_port(found, texts))
                .collect(),
        }
    };
    found.iter().map(&mut rule).collect()
}

fn peer(found: &PartialNetworkPolicyPeer<'_>, texts: &mut TextInterner) -> PolicyPeer {
    if let Some(block) = &found.ip_block {
        return PolicyPeer::Block {
            cidr: block.cidr.to_shared(),
            except: to_shared_texts(&block.except),
        };
    }
    let mut selector = |found: &Option<PartialLabelSelector<'_>>| {
        found.as_ref().map(|selector| selector.record(texts))
    };
    PolicyPeer::Pods {
        namespaces: selector(&found.namespace_selector),
        pods: selector(&found.pod_selector),
    }
}

fn policy_port(found: &PartialNetworkPolicyPort<'_>, texts: &mut TextInterner) -> PolicyPort {
    PolicyPort {
        protocol: protocol(&found.protocol),
        port: found.port.as_ref().and_then(|port| port.target_port(texts)),
        end: port_number(found.end_port),
    }
}
