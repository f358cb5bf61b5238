//! The traffic graph: how a packet reaches every Service, derived from an inventory.
//!
//! **In**: an [`crate::inventory::Inventory`] and what a change touched in it.
//! **Out**: [`Topology`]: for every Service its entry points, its ports and the backends behind each port,
//! and the same as nodes and edges.
//!
//! It is kept up to date from changes; the graph built from scratch is the oracle it must equal.

mod affected;
mod backends;
pub mod dot;
mod edges;
mod entry_points;
mod graph;
mod id;
mod ingress;
pub mod json;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
pub mod text;
mod traffic;

pub use edges::{TrafficEdge, TrafficEdgeKind};
pub use graph::Topology;
pub use id::{EntryPointId, EntryPointKind, NodeId, PortId, WorkloadId};
pub use ingress::{IngressHost, IngressHostPath, ingress_port};
pub use traffic::{
    BackendState, BackendTarget, BackendTls, EntryPoint, PortBackend, PortTraffic, ServiceTraffic,
};
