//! Port-forwards: local listeners, choice of pod, the pump.
//!
//! **In**: a [`ForwardSpec`], the live inventory and a [`Dialer`] that reaches into pods.
//! **Out**: a listener that stays bound until stopped, and a [`ForwardStatus`] that is true.
//!
//! [`Forwards`] owns the forwards, each a task that accepts (`listener`). A connection chooses its
//! pod when it is accepted (`choice` says which could take it, `seats` which of them does), reaches
//! it (`connection`) and is pumped to its end (`pump`); what happens is written down where anybody
//! can read it without waiting (`ledger`).

mod backend_slots;
mod bind;
mod byte_counters;
mod connection;
mod dialer;
mod endpoint_selection;
mod file_descriptors;
#[cfg(test)]
pub(crate) mod fixtures;
mod forwards;
mod listener;
mod open_connections;
mod port_owner;
mod relay;
mod runtime_thread;
mod service_port;
mod spec;
mod status;
mod status_board;
mod traffic_history;

pub use bind::free_port_at;
pub use dialer::{DialError, DialErrorKind, Dialer};
pub use endpoint_selection::{CandidateEndpoint, EndpointReadiness, NoEndpointReason, candidates};
pub use file_descriptors::raise_limit;
pub use file_descriptors::{is_out_of_files, out_of_files};
pub use forwards::Forwards;
pub(crate) use service_port::service_port;
pub use spec::{ForwardId, ForwardSpec, ForwardTarget, RemotePort, SpreadPolicy};
pub use status::{ForwardState, ForwardStatus, PodConnectionCount};
pub use status_board::StatusCallback;
pub use traffic_history::{TrafficHistory, TrafficVolume};

/// The live inventory: whoever owns it sends each new one.
pub type InventoryFeed = tokio::sync::watch::Receiver<svcscope_model::inventory::Inventory>;
