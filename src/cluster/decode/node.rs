//! `v1` Node, without the images that make up most of its JSON.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Described, Interner, Resource,
    meta::{Meta, timestamp},
    text::{Str, own},
};
use crate::inventory::{Change, Delta, Kind, NodeAddress, NodeAddressKind, NodeRecord, Text};

/// Nodes of the cluster.
pub struct Nodes;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Node<'json> {
    #[serde(borrow)]
    metadata: Meta<'json>,
    spec: Option<Spec>,
    #[serde(borrow)]
    status: Option<Status<'json>>,
}

#[derive(Debug, Deserialize)]
struct Spec {
    unschedulable: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Status<'json> {
    #[serde(borrow)]
    addresses: Option<Vec<Address<'json>>>,
    #[serde(borrow)]
    conditions: Option<Vec<Condition<'json>>>,
}

#[derive(Debug, Deserialize)]
struct Address<'json> {
    #[serde(borrow, rename = "type")]
    kind: Option<Str<'json>>,
    #[serde(borrow)]
    address: Option<Str<'json>>,
}

/// One of `status.conditions`, of pods as well.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition<'json> {
    #[serde(borrow, rename = "type")]
    kind: Option<Str<'json>>,
    #[serde(borrow)]
    status: Option<Str<'json>>,
    #[serde(borrow)]
    reason: Option<Str<'json>>,
    #[serde(borrow)]
    message: Option<Str<'json>>,
    #[serde(borrow)]
    last_transition_time: Option<Str<'json>>,
}

impl<'json> Condition<'json> {
    /// The condition called `Ready`.
    pub fn ready_of(all: Option<&Vec<Self>>) -> Option<&Self> {
        Self::of(all, "Ready")
    }

    /// The condition of this type.
    pub fn of<'a>(all: Option<&'a Vec<Self>>, wanted: &str) -> Option<&'a Self> {
        all?.iter().find(|condition| {
            condition
                .kind
                .as_ref()
                .is_some_and(|kind| kind.as_str() == wanted)
        })
    }

    /// When it changed last.
    pub fn changed(&self) -> Option<Timestamp> {
        timestamp(self.last_transition_time.as_ref())
    }

    pub fn is_true(&self) -> bool {
        self.status
            .as_ref()
            .is_some_and(|status| status.as_str() == "True")
    }

    /// Why it is as it is: the message, else the reason.
    pub fn words(&self) -> Option<Text> {
        [&self.message, &self.reason]
            .into_iter()
            .flatten()
            .map(Str::as_str)
            .find(|words| !words.is_empty())
            .map(Text::from)
    }
}

impl Described for Node<'_> {
    fn metadata(&self) -> &Meta<'_> {
        &self.metadata
    }
}

impl Resource for Nodes {
    type Object<'json> = Node<'json>;
    type Record = NodeRecord;

    const KIND: Kind = Kind::Node;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "nodes";

    fn records(object: &Node<'_>, texts: &mut Interner, records: &mut Vec<NodeRecord>) {
        let status = object.status.as_ref();
        let conditions = status.and_then(|status| status.conditions.as_ref());
        let zone = object
            .metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get("topology.kubernetes.io/zone"));
        records.push(NodeRecord {
            name: object.metadata.key(texts).name,
            addresses: status
                .and_then(|status| status.addresses.as_ref())
                .into_iter()
                .flatten()
                .filter_map(address)
                .collect(),
            ready: Condition::ready_of(conditions).is_some_and(Condition::is_true),
            unschedulable: object
                .spec
                .as_ref()
                .and_then(|spec| spec.unschedulable)
                .unwrap_or(false),
            zone: zone.map(|zone| texts.common(zone)),
        });
    }

    fn change(delta: Delta<NodeRecord>) -> Change {
        Change::Node(delta)
    }
}

fn address(found: &Address<'_>) -> Option<NodeAddress> {
    let kind = match found.kind.as_ref()?.as_str() {
        "ExternalIP" => NodeAddressKind::ExternalIP,
        "InternalIP" => NodeAddressKind::InternalIP,
        "ExternalDNS" => NodeAddressKind::ExternalDNS,
        "InternalDNS" => NodeAddressKind::InternalDNS,
        "Hostname" => NodeAddressKind::Hostname,
        _ => return None,
    };
    Some(NodeAddress {
        kind,
        address: own(found.address.as_ref()),
    })
}
