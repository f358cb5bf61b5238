//! `networking.k8s.io/v1` NetworkPolicy.

use serde::Deserialize;

use super::{
    super::{
        Described as _, Interner, Resource,
        endpoint_slice::protocol,
        port,
        text::{Str, own},
    },
    Selector, Whole, list, selector,
};
use crate::inventory::{
    Change, Delta, Kind, NetworkPolicyRecord, PolicyPeer, PolicyPort, PolicyRule, Related,
    TargetPort,
};

/// NetworkPolicies.
pub struct NetworkPolicies;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec<'json> {
    #[serde(borrow)]
    pod_selector: Option<Selector<'json>>,
    #[serde(borrow)]
    policy_types: Option<Vec<Str<'json>>>,
    #[serde(borrow)]
    ingress: Option<Vec<Rule<'json>>>,
    #[serde(borrow)]
    egress: Option<Vec<Rule<'json>>>,
}

#[derive(Debug, Deserialize)]
struct Rule<'json> {
    #[serde(borrow)]
    from: Option<Vec<Peer<'json>>>,
    #[serde(borrow)]
    to: Option<Vec<Peer<'json>>>,
    #[serde(borrow)]
    ports: Option<Vec<Port<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Peer<'json> {
    #[serde(borrow)]
    pod_selector: Option<Selector<'json>>,
    #[serde(borrow)]
    namespace_selector: Option<Selector<'json>>,
    #[serde(borrow)]
    ip_block: Option<Block<'json>>,
}

#[derive(Debug, Deserialize)]
struct Block<'json> {
    #[serde(borrow)]
    cidr: Option<Str<'json>>,
    #[serde(borrow)]
    except: Option<Vec<Str<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port<'json> {
    #[serde(borrow)]
    protocol: Option<Str<'json>>,
    #[serde(borrow)]
    port: Option<NumberOrName<'json>>,
    end_port: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum NumberOrName<'json> {
    Number(i64),
    Name(#[serde(borrow)] Str<'json>),
}

impl Resource for NetworkPolicies {
    type Object<'json> = Whole<'json, Spec<'json>>;
    type Record = Related;

    const KIND: Kind = Kind::NetworkPolicy;
    const API: &'static str = "/apis/networking.k8s.io/v1";
    const PLURAL: &'static str = "networkpolicies";

    fn records(object: &Self::Object<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
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

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}

fn rules(found: Option<&[Rule<'_>]>, texts: &mut Interner) -> Vec<PolicyRule> {
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

fn peer(found: &Peer<'_>, texts: &mut Interner) -> PolicyPeer {
    if let Some(block) = &found.ip_block {
        return PolicyPeer::Block {
            cidr: own(block.cidr.as_ref()),
            except: list(block.except.as_deref()),
        };
    }
    let mut some = |found: Option<&Selector<'_>>| found.map(|found| selector(Some(found), texts));
    PolicyPeer::Pods {
        namespaces: some(found.namespace_selector.as_ref()),
        pods: some(found.pod_selector.as_ref()),
    }
}

fn policy_port(found: &Port<'_>) -> PolicyPort {
    PolicyPort {
        protocol: protocol(found.protocol.as_ref()),
        port: match &found.port {
            Some(NumberOrName::Number(number)) => port(Some(*number)).map(TargetPort::Number),
            Some(NumberOrName::Name(name)) => Some(TargetPort::Name(own(Some(name)))),
            None => None,
        },
        end: port(found.end_port),
    }
}
