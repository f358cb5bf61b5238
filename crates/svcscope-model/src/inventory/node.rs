//! A node, with the addresses at which its nodePorts answer.

use serde::{Deserialize, Serialize};

use super::{IpFamily, SharedStr};

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
    pub address: SharedStr,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its name.
    pub name: SharedStr,
    /// Its addresses in the order of the object.
    pub addresses: Vec<NodeAddress>,
    /// The `Ready` condition.
    pub ready: bool,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// Label `topology.kubernetes.io/zone`.
    pub zone: Option<SharedStr>,
}

impl NodeRecord {
    /// The addresses of a family, the one to try first from a laptop first: external ones, then
    /// internal ones.
    pub fn addresses_of(&self, family: IpFamily) -> impl Iterator<Item = &SharedStr> + '_ {
        [NodeAddressKind::ExternalIP, NodeAddressKind::InternalIP]
            .into_iter()
            .flat_map(move |kind| self.of_kind(kind))
            .filter(move |address| IpFamily::of(address) == Some(family))
    }

    /// The address of a family that the node takes for its own: the first internal one, else the
    /// first external one (`GetNodeHostIPs` in `pkg/util/node`).
    pub fn primary_address(&self, family: IpFamily) -> Option<&SharedStr> {
        [NodeAddressKind::InternalIP, NodeAddressKind::ExternalIP]
            .into_iter()
            .flat_map(|kind| self.of_kind(kind))
            .find(|address| IpFamily::of(address) == Some(family))
    }

    /// Whether an address is external and not internal as well.
    pub fn is_external(&self, address: &str) -> bool {
        let is = |kind| self.of_kind(kind).any(|known| **known == *address);
        is(NodeAddressKind::ExternalIP) && !is(NodeAddressKind::InternalIP)
    }

    fn of_kind(&self, kind: NodeAddressKind) -> impl Iterator<Item = &SharedStr> + '_ {
        self.addresses
            .iter()
            .filter(move |address| address.kind == kind)
            .map(|found| &found.address)
    }
}
