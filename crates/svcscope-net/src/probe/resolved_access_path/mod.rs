//! Doors: from where a request leaves, and what is known of its way.
//!
//! **In**: a request and the [`AccessPaths`]. **Out**: a place to connect to from this machine ([`ResolvedAccessPath`]),
//! or for those that lead through somebody else ([`api_proxy`]) an answer.

pub(super) mod api_proxy;
mod dial_recorder;
mod direct;
mod temporary_forward;

use std::sync::Arc;

use super::{
    AccessPath, AccessPaths, CurlError, CurlRequest, RequestProgress, TlsSummary,
    http::{ConnectAddress, PhaseTimestamps},
};
use crate::forward::{DialErrorKind, ForwardTarget, RemotePort, SpreadPolicy};
use svcscope_model::inventory::{Inventory, ObjectKey, SharedStr};

use temporary_forward::TemporaryForward;

/// A place to connect to. What it needs lives as long as it does.
pub(super) enum ResolvedAccessPath {
    /// The listener of a temporary forward.
    Forward(Box<TemporaryForward>),
    /// An address or a name that this machine reaches by its own network.
    Direct {
        /// Where.
        to: ConnectAddress,
        /// In words: `NodePort on node-a, 10.0.0.7:30080`.
        description: SharedStr,
    },
}

/// What a request through a forward is forwarded to.
pub(super) fn forward_target(
    request: &CurlRequest,
    inventory: &Inventory,
) -> Option<(ForwardTarget, RemotePort)> {
    match &request.access_path {
        AccessPath::ForwardPod(pod) => temporary_forward::to_pod(request, pod, inventory).ok(),
        _ => Some((request.target.clone(), request.port.clone())),
    }
}

/// Where a request goes that leaves by this machine's own network: `10.0.0.7:30080`.
pub(super) fn direct_address(request: &CurlRequest, inventory: &Inventory) -> Option<String> {
    match direct::resolve(request, inventory).ok()? {
        ResolvedAccessPath::Direct { to, .. } => Some(to.to_string()),
        ResolvedAccessPath::Forward(_) => None,
    }
}

/// What a door knows of a failure behind it.
pub(super) struct DialFailure {
    pub(super) kind: DialErrorKind,
    pub(super) message: SharedStr,
}

impl ResolvedAccessPath {
    /// Opens the door that the request names.
    pub(super) async fn open(request: &CurlRequest, ways: &AccessPaths) -> Result<Self, CurlError> {
        match &request.access_path {
            AccessPath::Forward | AccessPath::ForwardPod(_) => {
                TemporaryForward::open(request, ways, SpreadPolicy::Sticky)
                    .await
                    .map(|door| Self::Forward(Box::new(door)))
            }
            _ => direct::resolve(request, &ways.inventory.borrow()),
        }
    }

    /// A forward that stays open for many requests, and spreads them over the pods.
    pub(super) async fn open_balanced(
        request: &CurlRequest,
        ways: &AccessPaths,
    ) -> Result<Self, CurlError> {
        let door = TemporaryForward::open(request, ways, SpreadPolicy::Balanced).await?;
        Ok(Self::Forward(Box::new(door)))
    }

    /// Where to connect. Its moments are noted from now on.
    pub(super) fn connect_address(&self, marks: &Arc<PhaseTimestamps>) -> ConnectAddress {
        match self {
            Self::Forward(door) => {
                door.start_recording(marks);
                ConnectAddress::Address(door.local)
            }
            Self::Direct { to, .. } => to.clone(),
        }
    }

    /// The path in words.
    pub(super) fn description(&self) -> SharedStr {
        match self {
            Self::Forward(door) => door.description(),
            Self::Direct {
                description: words, ..
            } => words.clone(),
        }
    }

    /// The pod behind it, where the door tells.
    pub(super) fn pod(&self) -> Option<ObjectKey> {
        match self {
            Self::Forward(door) => door.pod(),
            Self::Direct { .. } => None,
        }
    }

    /// Who is at the other side, for a sentence: `pod web-0`, `10.0.0.7:30080`.
    pub(super) fn peer(&self) -> String {
        match (self, self.pod()) {
            (_, Some(pod)) => format!("pod {}", pod.name),
            (Self::Direct { to, .. }, None) => to.to_string(),
            (Self::Forward(_), None) => "the pod".to_owned(),
        }
    }

    /// How far a request through it came.
    pub(super) fn progress(
        &self,
        marks: &PhaseTimestamps,
        tls: Option<Arc<TlsSummary>>,
    ) -> RequestProgress {
        RequestProgress {
            via: Some(self.description()),
            pod: self.pod(),
            phases: marks.timings(),
            tls,
            partial: None,
        }
    }

    /// What went wrong behind it, where the door tells.
    pub(super) fn dial_failure(&self) -> Option<DialFailure> {
        match self {
            Self::Forward(door) => door.dial_failure(),
            Self::Direct { .. } => None,
        }
    }
}
