//! `v1` Node, without the images that make up most of its JSON.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    HasMetadata, TextInterner, WatchedResource,
    meta::{PartialObjectMeta, timestamp},
    text::{JsonText, owned_text},
};
use svcscope_model::inventory::{
    InventoryChange, NodeAddress, NodeAddressKind, NodeRecord, RecordDelta, ResourceKind, SharedStr,
};

/// Nodes of the cluster.
pub struct NodeResource;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PartialNode<'json> {
    #[serde(borrow)]
    metadata: PartialObjectMeta<'json>,
    spec: Option<PartialNodeSpec>,
    #[serde(borrow)]
    status: Option<PartialNodeStatus<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialNodeSpec {
    unschedulable: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct PartialNodeStatus<'json> {
    #[serde(borrow)]
    addresses: Option<Vec<PartialNodeAddress<'json>>>,
    #[serde(borrow)]
    conditions: Option<Vec<PartialCondition<'json>>>,
}

#[derive(Debug, Deserialize)]
struct PartialNodeAddress<'json> {
    #[serde(borrow, rename = "type")]
    kind: Option<JsonText<'json>>,
    #[serde(borrow)]
    address: Option<JsonText<'json>>,
}

/// One of `status.conditions`, of pods as well.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartialCondition<'json> {
    #[serde(borrow, rename = "type")]
    kind: Option<JsonText<'json>>,
    #[serde(borrow)]
    status: Option<JsonText<'json>>,
    #[serde(borrow)]
    reason: Option<JsonText<'json>>,
    #[serde(borrow)]
    message: Option<JsonText<'json>>,
    #[serde(borrow)]
    last_transition_time: Option<JsonText<'json>>,
}

impl<'json> PartialCondition<'json> {
    /// The condition called `Ready`.
    pub fn find_ready(all: Option<&Vec<Self>>) -> Option<&Self> {
        Self::find_by_type(all, "Ready")
    }

    /// The condition of this type.
    pub fn find_by_type<'a>(all: Option<&'a Vec<Self>>, wanted: &str) -> Option<&'a Self> {
        all?.iter().find(|condition| {
            condition
                .kind
                .as_ref()
                .is_some_and(|kind| kind.as_str() == wanted)
        })
    }

    /// When it changed last.
    pub fn last_transition(&self) -> Option<Timestamp> {
        timestamp(self.last_transition_time.as_ref())
    }

    pub fn is_true(&self) -> bool {
        self.status
            .as_ref()
            .is_some_and(|status| status.as_str() == "True")
    }

    /// Why it is as it is: the message, else the reason.
    pub fn message_or_reason(&self) -> Option<SharedStr> {
        [&self.message, &self.reason]
            .into_iter()
            .flatten()
            .map(JsonText::as_str)
            .find(|words| !words.is_empty())
            .map(SharedStr::from)
    }
}

impl HasMetadata for PartialNode<'_> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

impl WatchedResource for NodeResource {
    type Object<'json> = PartialNode<'json>;
    type Record = NodeRecord;

    const KIND: ResourceKind = ResourceKind::Node;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "nodes";

    fn records(object: &PartialNode<'_>, texts: &mut TextInterner, records: &mut Vec<NodeRecord>) {
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
            ready: PartialCondition::find_ready(conditions).is_some_and(PartialCondition::is_true),
            unschedulable: object
                .spec
                .as_ref()
                .and_then(|spec| spec.unschedulable)
                .unwrap_or(false),
            zone: zone.map(|zone| texts.intern(zone)),
        });
    }

    fn change(delta: RecordDelta<NodeRecord>) -> InventoryChange {
        InventoryChange::Node(delta)
    }
}

fn address(found: &PartialNodeAddress<'_>) -> Option<NodeAddress> {
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
        address: owned_text(found.address.as_ref()),
    })
}
