//! Port-forwards: local listeners, choice of pod, the pump.
//!
//! **In**: a [`ForwardSpec`], the live inventory and a [`Dialer`] that reaches into pods.
//! **Out**: a listener that stays bound until stopped, and a [`ForwardStatus`] that is true.
//!
//! [`Forwards`] owns the forwards, each a task that accepts (`listener`). A connection chooses its
//! pod when it is accepted (`choice` says which could take it, `seats` which of them does), reaches
//! it (`connection`) and is pumped to its end (`pump`); what happens is written down where anybody
//! can read it without waiting (`ledger`).

mod bind;
mod choice;
mod connection;
mod descriptors;
mod dialer;
#[cfg(test)]
pub(crate) mod fixtures;
mod forwards;
mod history;
mod holder;
mod lane;
mod ledger;
mod listener;
mod meter;
mod pieces;
mod pump;
mod seats;
mod service_port;
mod sessions;
mod spec;
mod status;

pub use bind::free_port_at;
#[cfg(test)]
pub(crate) use choice::candidates;
pub use descriptors::raise_limit;
pub(crate) use descriptors::{is_out_of_files, out_of_files};
pub use dialer::{DialError, DialErrorKind, Dialer, PodStream};
pub use forwards::Forwards;
pub use history::{Flow, History};
pub use ledger::OnChange;
pub use pieces::Pieces;
pub(crate) use service_port::service_port;
pub use spec::{ForwardId, ForwardSpec, ForwardTarget, RemotePort, Spread};
pub use status::{ForwardState, ForwardStatus, PodInUse};

/// The live inventory: whoever owns it sends each new one.
pub type InventoryFeed = tokio::sync::watch::Receiver<crate::inventory::Inventory>;
