//! Which pods a connection may be sent to at this moment, the best first.

mod direct;
mod pod_lookup;
mod service;

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;

use super::{ForwardSpec, ForwardTarget, SpreadPolicy};
use svcscope_model::inventory::{Inventory, ObjectKey, ResourceKind, SharedStr, SyncState};

/// A port of a pod that a connection may be sent to.
#[derive(Clone, Debug)]
pub struct CandidateEndpoint {
    /// The pod.
    pub(crate) pod: ObjectKey,
    /// Its uid where pods can be read: a StatefulSet gives a new pod the old one's name.
    pub(crate) uid: Option<SharedStr>,
    /// The pod's own port.
    pub(crate) port: u16,
    /// How well it takes traffic now.
    pub(crate) readiness: EndpointReadiness,
}

impl CandidateEndpoint {
    /// Whether the pod is gone, by what is known for certain.
    pub(crate) fn is_gone(&self, inventory: &Inventory) -> bool {
        let certain = inventory
            .sync(ResourceKind::Pod, &self.pod.namespace)
            .is_current();
        let stands = inventory.pod(&self.pod).map(|pod| &pod.uid) == self.uid.as_ref();
        certain && self.uid.is_some() && !stands
    }

    /// Whether the pod is on its way out, or gone.
    pub(crate) fn is_leaving(&self, inventory: &Inventory) -> bool {
        let pod = inventory.pod(&self.pod);
        pod.is_some_and(|pod| pod.deleting.is_some()) || self.is_gone(inventory)
    }
}

/// The same port of the same pod, however fit it is by now.
impl PartialEq for CandidateEndpoint {
    fn eq(&self, other: &Self) -> bool {
        (&self.pod, &self.uid, self.port) == (&other.pod, &other.uid, other.port)
    }
}

impl fmt::Display for CandidateEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pod {} port {}", self.pod.name, self.port)
    }
}

/// Why there is no candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoEndpointReason {
    /// The target as it stands can't be forwarded to; what to do instead is said.
    Refused(SharedStr),
    /// Not now.
    Waiting(SharedStr),
}

impl NoEndpointReason {
    pub(crate) fn reason(self) -> SharedStr {
        match self {
            Self::Refused(reason) | Self::Waiting(reason) => reason,
        }
    }

    fn refused(reason: impl Into<SharedStr>) -> Self {
        Self::Refused(reason.into())
    }

    fn waiting(reason: impl Into<SharedStr>) -> Self {
        Self::Waiting(reason.into())
    }
}

/// How well a pod takes traffic; better ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndpointReadiness {
    /// Ready and staying.
    Ready,
    /// Serving though terminating, or (behind no Service) running though not ready.
    Serving,
}

/// Candidates for the next connection of a forward, never none, the best first.
///
/// The order of a Service's pods is kube-proxy's: ready endpoints, and only then those that still
/// serve while they terminate.
pub fn candidates(
    inventory: &Inventory,
    spec: &ForwardSpec,
) -> Result<Vec<CandidateEndpoint>, NoEndpointReason> {
    let mut found = match &spec.target {
        ForwardTarget::Service(key) => service::candidates(inventory, key, &spec.port),
        ForwardTarget::Pod(key) => direct::of_pod(inventory, key, &spec.port),
        ForwardTarget::Workload { kind, key } => {
            direct::of_workload(inventory, kind, key, &spec.port)
        }
    }?;
    if let SpreadPolicy::Pinned(pod) = &spec.spread {
        found.retain(|candidate| candidate.pod.name == *pod);
        if found.is_empty() {
            return Err(NoEndpointReason::waiting(format!(
                "pod {pod} is not currently an available endpoint of {}",
                spec.target
            )));
        }
    }
    Ok(found)
}

/// Since when what is known of a forward's pods is old, and why; none while it is not.
pub(crate) fn stale(inventory: &Inventory, spec: &ForwardSpec) -> Option<(Timestamp, SharedStr)> {
    let kinds: &[ResourceKind] = match spec.target {
        ForwardTarget::Service(_) => &[
            ResourceKind::Service,
            ResourceKind::EndpointSlice,
            ResourceKind::Pod,
        ],
        ForwardTarget::Pod(_) | ForwardTarget::Workload { .. } => &[ResourceKind::Pod],
    };
    let namespace = &spec.target.key().namespace;
    kinds
        .iter()
        .filter_map(|kind| match inventory.sync(*kind, namespace) {
            SyncState::Stale { since, reason } => Some((*since, reason.clone())),
            _ => None,
        })
        .min_by_key(|(since, _)| *since)
}

/// Candidates as they are found: each pod once, however many slices and address families name it.
#[derive(Default)]
struct CandidateSet {
    usable: BTreeMap<ObjectKey, CandidateEndpoint>,
    unusable: u32,
}

impl CandidateSet {
    fn add(
        &mut self,
        pod: ObjectKey,
        uid: Option<SharedStr>,
        port: u16,
        fitness: Option<EndpointReadiness>,
    ) {
        let Some(fitness) = fitness else {
            self.unusable += 1;
            return;
        };
        let held = self.usable.get(&pod).map(|held| held.readiness);
        if held.is_none_or(|held| fitness < held) {
            let candidate = CandidateEndpoint {
                pod: pod.clone(),
                uid,
                port,
                readiness: fitness,
            };
            self.usable.insert(pod, candidate);
        }
    }

    fn best_first(&self) -> Option<Vec<CandidateEndpoint>> {
        let mut fit: Vec<_> = self.usable.values().cloned().collect();
        // The map is sorted by name and the sort is stable.
        fit.sort_by_key(|candidate| candidate.readiness);
        (!fit.is_empty()).then_some(fit)
    }
}

#[cfg(test)]
mod tests;
