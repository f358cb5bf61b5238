//! How a forward stands, truthfully.

use std::{net::SocketAddr, sync::Arc};

use jiff::Timestamp;

use super::{ForwardId, ForwardSpec, TrafficHistory};
use svcscope_model::inventory::{ObjectKey, SharedStr};

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
        reason: SharedStr,
    },
    /// Bound, but the way to the cluster is lost; it is looked for all the time.
    Reconnecting {
        /// Since when.
        since: Timestamp,
        /// What the other side said, or that it printed no error message.
        reason: SharedStr,
    },
    /// The last connection failed; the next one tries again.
    Failing {
        /// What was tried and what the other side said.
        reason: SharedStr,
    },
    /// Never came up (the local port is taken, the target has no such port) or was given up.
    Failed {
        /// Why, and what to do.
        reason: SharedStr,
    },
    /// The user stopped it.
    Stopped,
}

impl ForwardState {
    /// Whether nothing listens any more, or never did.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Stopped)
    }
}

/// A pod that connections are open to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodConnectionCount {
    /// The pod.
    pub pod: ObjectKey,
    /// Its port.
    pub port: u16,
    /// How many connections.
    pub open: u32,
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
    /// Where it listens too: `[::1]`, with the same port.
    pub local_ipv6: Option<SocketAddr>,
    /// How it stands.
    pub state: ForwardState,
    /// A local port that is free, where the wanted one is not.
    pub free_port: Option<u16>,
    /// The pod of the last connection.
    pub pod: Option<ObjectKey>,
    /// The pod's port of the last connection.
    pub pod_port: Option<u16>,
    /// The pods that connections are open to, by name.
    pub pods: Arc<[PodConnectionCount]>,
    /// Connections open now.
    pub open: u32,
    /// Connections accepted since it started.
    pub total: u64,
    /// Bytes sent to pods.
    pub bytes_up: u64,
    /// Bytes received from pods.
    pub bytes_down: u64,
    /// What flowed in the last minute.
    pub history: Arc<TrafficHistory>,
    /// Why the last connection failed, where it did.
    pub last_error: Option<SharedStr>,
    /// Why further connections wait until one ends, where they do.
    pub at_capacity: Option<SharedStr>,
    /// When it was started.
    pub started: Timestamp,
}

impl ForwardStatus {
    /// A forward of which nothing has come yet.
    pub fn new(id: ForwardId, spec: ForwardSpec, state: ForwardState, started: Timestamp) -> Self {
        Self {
            id,
            spec,
            local: None,
            local_ipv6: None,
            state,
            free_port: None,
            pod: None,
            pod_port: None,
            pods: Arc::default(),
            open: 0,
            total: 0,
            bytes_up: 0,
            bytes_down: 0,
            history: Arc::default(),
            last_error: None,
            at_capacity: None,
            started,
        }
    }

    /// Every address it listens at.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.local.into_iter().chain(self.local_ipv6)
    }
}
