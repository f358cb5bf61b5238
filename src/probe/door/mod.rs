//! Doors: from where a request leaves, and what is known of its way.
//!
//! **In**: a request and the [`Ways`]. **Out**: a place to connect to from this machine ([`Door`]),
//! or for those that lead through somebody else ([`proxy`]) an answer.

mod direct;
mod forward;
pub(super) mod proxy;
mod watched;

use std::sync::Arc;

use super::{
    CurlError, CurlRequest, SoFar, TlsFacts, Vantage, Ways,
    http::{Marks, To},
};
use crate::{
    forward::{DialErrorKind, ForwardTarget, RemotePort, Spread},
    inventory::{Inventory, ObjectKey, Text},
};

use forward::ForwardDoor;

/// A place to connect to. What it needs lives as long as it does.
pub(super) enum Door {
    /// The listener of a temporary forward.
    Forward(Box<ForwardDoor>),
    /// An address or a name that this machine reaches by its own network.
    Direct {
        /// Where.
        to: To,
        /// In words: `NodePort on node-a, 10.0.0.7:30080`.
        words: Text,
    },
}

/// What a request through a forward is forwarded to.
pub(super) fn forwarded(
    request: &CurlRequest,
    inventory: &Inventory,
) -> Option<(ForwardTarget, RemotePort)> {
    match &request.vantage {
        Vantage::ForwardPod(pod) => forward::to_pod(request, pod, inventory).ok(),
        _ => Some((request.target.clone(), request.port.clone())),
    }
}

/// Where a request goes that leaves by this machine's own network: `10.0.0.7:30080`.
pub(super) fn direct_address(request: &CurlRequest, inventory: &Inventory) -> Option<String> {
    match direct::find(request, inventory).ok()? {
        Door::Direct { to, .. } => Some(to.to_string()),
        Door::Forward(_) => None,
    }
}

/// What a door knows of a failure behind it.
pub(super) struct Failure {
    pub(super) kind: DialErrorKind,
    pub(super) message: Text,
}

impl Door {
    /// Opens the door that the request names.
    pub(super) async fn open(request: &CurlRequest, ways: &Ways) -> Result<Self, CurlError> {
        match &request.vantage {
            Vantage::Forward | Vantage::ForwardPod(_) => {
                ForwardDoor::open(request, ways, Spread::Sticky)
                    .await
                    .map(|door| Self::Forward(Box::new(door)))
            }
            _ => direct::find(request, &ways.inventory.borrow()),
        }
    }

    /// A forward that stays open for many requests, and spreads them over the pods.
    pub(super) async fn open_for_many(
        request: &CurlRequest,
        ways: &Ways,
    ) -> Result<Self, CurlError> {
        let door = ForwardDoor::open(request, ways, Spread::Balanced).await?;
        Ok(Self::Forward(Box::new(door)))
    }

    /// Where to connect. Its moments are noted from now on.
    pub(super) fn to(&self, marks: &Arc<Marks>) -> To {
        match self {
            Self::Forward(door) => {
                door.watch(marks);
                To::Address(door.local)
            }
            Self::Direct { to, .. } => to.clone(),
        }
    }

    /// The path in words.
    pub(super) fn words(&self) -> Text {
        match self {
            Self::Forward(door) => door.words(),
            Self::Direct { words, .. } => words.clone(),
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
    pub(super) fn other_side(&self) -> String {
        match (self, self.pod()) {
            (_, Some(pod)) => format!("pod {}", pod.name),
            (Self::Direct { to, .. }, None) => to.to_string(),
            (Self::Forward(_), None) => "the pod".to_owned(),
        }
    }

    /// How far a request through it came.
    pub(super) fn so_far(&self, marks: &Marks, tls: Option<Arc<TlsFacts>>) -> SoFar {
        SoFar {
            via: Some(self.words()),
            pod: self.pod(),
            phases: marks.phases(),
            tls,
            partial: None,
        }
    }

    /// What went wrong behind it, where the door tells.
    pub(super) fn failure(&self) -> Option<Failure> {
        match self {
            Self::Forward(door) => door.failure(),
            Self::Direct { .. } => None,
        }
    }
}
