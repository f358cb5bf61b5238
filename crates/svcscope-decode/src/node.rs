//! `v1` Node, without the images that make up most of its JSON.

use serde::Deserialize;

use crate::{
    condition::PartialCondition,
    meta::PartialObject,
    partial::partial,
    resource::watched_resource,
    text::{JsonText, TextInterner},
};
use svcscope_model::inventory::{NodeAddress, NodeAddressKind, NodeRecord};

watched_resource! {
    /// Nodes of the cluster.
    NodeResource: Node = "/api/v1" "Node",
    PartialNode<'json> => NodeRecord by node,
}

type PartialNode<'json> = PartialObject<'json, PartialNodeSpec, PartialNodeStatus<'json>>;

#[derive(Debug, Default, Deserialize)]
pub struct PartialNodeSpec {
    unschedulable: Option<bool>,
}

partial! {
    pub struct PartialNodeStatus<'json> {
        addresses: Vec<PartialNodeAddress<'json>>,
        conditions: Vec<PartialCondition<'json>>,
    }

    struct PartialNodeAddress<'json> {
        kind as "type": JsonText<'json>,
        address: JsonText<'json>,
    }
}

fn node(object: &PartialNode<'_>, texts: &mut TextInterner) -> Option<NodeRecord> {
    let PartialNode {
        metadata,
        spec,
        status,
    } = object;
    let zone = metadata.labels.get("topology.kubernetes.io/zone");
    Some(NodeRecord {
        name: metadata.key(texts).name,
        addresses: status.addresses.iter().filter_map(address).collect(),
        ready: PartialCondition::find(&status.conditions, "Ready")
            .is_some_and(PartialCondition::is_true),
        unschedulable: spec.unschedulable.unwrap_or(false),
        zone: zone.map(|zone| texts.intern(zone)),
    })
}

fn address(found: &PartialNodeAddress<'_>) -> Option<NodeAddress> {
    let kind = match found.kind.as_str() {
        "ExternalIP" => NodeAddressKind::ExternalIP,
        "InternalIP" => NodeAddressKind::InternalIP,
        "ExternalDNS" => NodeAddressKind::ExternalDNS,
        "InternalDNS" => NodeAddressKind::InternalDNS,
        "Hostname" => NodeAddressKind::Hostname,
        _ => return None,
    };
    Some(NodeAddress {
        kind,
        address: found.address.to_shared(),
    })
}
