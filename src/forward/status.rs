//! How a forward stands, truthfully.

use std::net::SocketAddr;

use jiff::Timestamp;

use super::{ForwardId, ForwardSpec};
use crate::inventory::{ObjectKey, Text};

/// The state of a forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardState {
    /// Bound; a connection would find a pod.
    Listening,
    /// Connections are open through it.
    Connected,
    /// Bound, but no pod would take a connection now.
    Waiting {
        /// Since when.
        since: Timestamp,
        /// What is missing: `no ready pod behind http 80`.
        reason: Text,
    },
    /// The last connection failed; the next one tries again.
    Failing {
        /// What was tried and what the other side said.
        reason: Text,
    },
    /// Never came up (the local port is taken, the target has no such port) or was given up.
    Failed {
        /// Why, and what to do.
        reason: Text,
    },
    /// A person stopped it.
    Stopped,
}

/// A forward at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct ForwardStatus {
    /// Which one.
    pub id: ForwardId,
    /// What was asked for.
    pub spec: ForwardSpec,
    /// Where it listens; none before it is bound.
    pub local: Option<SocketAddr>,
    /// How it stands.
    pub state: ForwardState,
    /// The pod of the last connection.
    pub pod: Option<ObjectKey>,
    /// The pod's port of the last connection.
    pub pod_port: Option<u16>,
    /// Connections open now.
    pub open: u32,
    /// Connections accepted since it started.
    pub total: u64,
    /// Bytes sent to pods.
    pub bytes_up: u64,
    /// Bytes received from pods.
    pub bytes_down: u64,
    /// Why the last connection failed, where it did.
    pub last_error: Option<Text>,
    /// When it was started.
    pub started: Timestamp,
}
