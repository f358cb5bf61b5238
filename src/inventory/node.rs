//! A node, with the addresses at which its nodePorts answer.

use serde::{Deserialize, Serialize};

use super::Text;

/// `status.addresses[].type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NodeAddressKind {
    /// Reachable from the internet, where the cloud says so.
    ExternalIP,
    /// Reachable in the cluster's network.
    InternalIP,
    /// A DNS name outside.
    ExternalDNS,
    /// A DNS name inside.
    InternalDNS,
    /// The host's own name.
    Hostname,
}

/// One address of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NodeAddress {
    /// Of what kind it is.
    pub kind: NodeAddressKind,
    /// The address or name.
    pub address: Text,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its name.
    pub name: Text,
    /// Its addresses in the order of the object.
    pub addresses: Vec<NodeAddress>,
    /// The `Ready` condition.
    pub ready: bool,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// Label `topology.kubernetes.io/zone`.
    pub zone: Option<Text>,
}

impl NodeRecord {
    /// The address to try first from a laptop: an external one, else an internal one.
    pub fn reachable_address(&self) -> Option<&Text> {
        [NodeAddressKind::ExternalIP, NodeAddressKind::InternalIP]
            .into_iter()
            .find_map(|wanted| self.addresses.iter().find(|address| address.kind == wanted))
            .map(|found| &found.address)
    }
}
