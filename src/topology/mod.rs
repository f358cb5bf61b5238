//! The traffic graph: how a packet reaches every Service, derived from an inventory.
//!
//! **In**: an [`crate::inventory::Inventory`] and what a change touched in it.
//! **Out**: [`Topology`]: for every Service its doors, its ports and the backends behind each port,
//! and the same as nodes and edges.
//!
//! It is kept up to date from changes; the graph built from scratch is the oracle it must equal.

mod affected;
mod backends;
mod doors;
pub mod dot;
pub mod export;
mod front;
mod graph;
mod id;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
pub mod text;
mod traffic;
mod view;

pub use front::{Front, FrontPath, ingress_port};
pub use graph::Topology;
pub use id::{EntryId, EntryKind, NodeId, PortId, WorkloadId};
pub use traffic::{
    Backend, BackendState, BackendTarget, BackendTls, Entry, PortTraffic, ServiceTraffic,
};
pub use view::{Edge, EdgeKind};
