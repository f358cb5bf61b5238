//! `networking.k8s.io/v1` NetworkPolicy.

use serde::Deserialize;

use super::{
    super::{
        HasMetadata as _, TextInterner, WatchedResource,
        endpoint_slice::protocol,
        port,
        text::{JsonText, owned_text},
    },
    PartialLabelSelector, PartialSpecAndStatus, owned_texts, selector,
};
use svcscope_model::inventory::{
    InventoryChange, NetworkPolicyRecord, PolicyPeer, PolicyPort, PolicyRule, RecordDelta,
    RelatedRecord, ResourceKind, TargetPort,
};

/// NetworkPolicies.
pub struct NetworkPolicyResource;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartialNetworkPolicySpec<'json> {
    #[serde(borrow)]
    pod_selector: Option<PartialLabelSelector<'json>>,
    #[serde(borrow)]
    policy_types: Option<Vec<JsonText<'json>>>,
    #[serde(borrow)]
    ingress: Option<Vec<PartialNetworkPolicyRule<'json>>>,
    #[serde(borrow)]
    egress: Option<Vec<PartialNetworkPolicyRule<'json>>>,
}

#[derive(Debug, Deserialize)]
struct PartialNetworkPolicyRule<'json> {
    #[serde(borrow)]
    from: Option<Vec<PartialNetworkPolicyPeer<'json>>>,
    #[serde(borrow)]
    to: Option<Vec<PartialNetworkPolicyPeer<'json>>>,
    #[serde(borrow)]
    ports: Option<Vec<PartialNetworkPolicyPort<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialNetworkPolicyPeer<'json> {
    #[serde(borrow)]
    pod_selector: Option<PartialLabelSelector<'json>>,
    #[serde(borrow)]
    namespace_selector: Option<PartialLabelSelector<'json>>,
    #[serde(borrow)]
    ip_block: Option<PartialIpBlock<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialIpBlock<'json> {
    #[serde(borrow)]
    cidr: Option<JsonText<'json>>,
    #[serde(borrow)]
    except: Option<Vec<JsonText<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialNetworkPolicyPort<'json> {
    #[serde(borrow)]
    protocol: Option<JsonText<'json>>,
    #[serde(borrow)]
    port: Option<PortNumberOrName<'json>>,
    end_port: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum PortNumberOrName<'json> {
    Number(i64),
    Name(#[serde(borrow)] JsonText<'json>),
}

impl WatchedResource for NetworkPolicyResource {
    type Object<'json> = PartialSpecAndStatus<'json, PartialNetworkPolicySpec<'json>>;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::NetworkPolicy;
    const API: &'static str = "/apis/networking.k8s.io/v1";
    const PLURAL: &'static str = "networkpolicies";

    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        let key = object.metadata().key(texts);
        let Some(spec) = &object.spec else {
            return;
        };
        // Without policyTypes: Ingress always, Egress where it has rules for it.
        let types = spec.policy_types.as_deref().unwrap_or_default();
        let says = |wanted: &str| types.iter().any(|word| word.as_str() == wanted);
        let isolates_in = types.is_empty() || says("Ingress");
        let isolates_out = if types.is_empty() {
            spec.egress.as_ref().is_some_and(|rules| !rules.is_empty())
        } else {
            says("Egress")
        };
        let record = NetworkPolicyRecord {
            key,
            pods: selector(spec.pod_selector.as_ref(), texts),
            ingress: isolates_in.then(|| rules(spec.ingress.as_deref(), texts)),
            egress: isolates_out.then(|| rules(spec.egress.as_deref(), texts)),
        };
        records.push(record.into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}

fn rules(
    found: Option<&[PartialNetworkPolicyRule<'_>]>,
    texts: &mut TextInterner,
) -> Vec<PolicyRule> {
    let found = found.unwrap_or_default().iter();
    found
        .map(|rule| {
            let peers = rule.from.iter().chain(&rule.to).flatten();
            PolicyRule {
                peers: peers.map(|found| peer(found, texts)).collect(),
                ports: rule.ports.iter().flatten().map(policy_port).collect(),
            }
        })
        .collect()
}

fn peer(found: &PartialNetworkPolicyPeer<'_>, texts: &mut TextInterner) -> PolicyPeer {
    if let Some(block) = &found.ip_block {
        return PolicyPeer::Block {
            cidr: owned_text(block.cidr.as_ref()),
            except: owned_texts(block.except.as_deref()),
        };
    }
    let mut some =
        |found: Option<&PartialLabelSelector<'_>>| found.map(|found| selector(Some(found), texts));
    PolicyPeer::Pods {
        namespaces: some(found.namespace_selector.as_ref()),
        pods: some(found.pod_selector.as_ref()),
    }
}

fn policy_port(found: &PartialNetworkPolicyPort<'_>) -> PolicyPort {
    PolicyPort {
        protocol: protocol(found.protocol.as_ref()),
        port: match &found.port {
            Some(PortNumberOrName::Number(number)) => port(Some(*number)).map(TargetPort::Number),
            Some(PortNumberOrName::Name(name)) => Some(TargetPort::Name(owned_text(Some(name)))),
            None => None,
        },
        end: port(found.end_port),
    }
}
