//! Which pods a connection may be sent to at this moment, the best first.

mod direct;
mod known;
mod service;

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;

use super::{ForwardSpec, ForwardTarget, Spread};
use crate::inventory::{Inventory, Kind, ObjectKey, Sync, Text};

/// A port of a pod that a connection may be sent to.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// The pod.
    pub(crate) pod: ObjectKey,
    /// Its uid where pods can be read: a StatefulSet gives a new pod the old one's name.
    pub(crate) uid: Option<Text>,
    /// The pod's own port.
    pub(crate) port: u16,
    /// How well it takes traffic now.
    pub(crate) fitness: Fitness,
}

impl Candidate {
    /// Whether the pod is gone, by what is known for certain.
    pub(crate) fn is_gone(&self, inventory: &Inventory) -> bool {
        let certain = inventory.sync(Kind::Pod, &self.pod.namespace).is_current();
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
impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        (&self.pod, &self.uid, self.port) == (&other.pod, &other.uid, other.port)
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pod {} port {}", self.pod.name, self.port)
    }
}

/// Why there is no candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoPod {
    /// The target as it stands can't be forwarded to; what to do instead is said.
    Refused(Text),
    /// Not now.
    Waiting(Text),
}

impl NoPod {
    pub(crate) fn reason(self) -> Text {
        match self {
            Self::Refused(reason) | Self::Waiting(reason) => reason,
        }
    }

    fn refused(reason: impl Into<Text>) -> Self {
        Self::Refused(reason.into())
    }

    fn waiting(reason: impl Into<Text>) -> Self {
        Self::Waiting(reason.into())
    }
}

/// How well a pod takes traffic; better ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fitness {
    /// Ready and staying.
    Ready,
    /// Serving though terminating, or (behind no Service) running though not ready.
    Serving,
}

/// Candidates for the next connection of a forward, never none, the best first.
///
/// The order of a Service's pods is kube-proxy's: ready endpoints, and only then those that still
/// serve while they terminate.
pub(crate) fn candidates(
    inventory: &Inventory,
    spec: &ForwardSpec,
) -> Result<Vec<Candidate>, NoPod> {
    let mut found = match &spec.target {
        ForwardTarget::Service(key) => service::candidates(inventory, key, &spec.port),
        ForwardTarget::Pod(key) => direct::of_pod(inventory, key, &spec.port),
        ForwardTarget::Workload { kind, key } => {
            direct::of_workload(inventory, kind, key, &spec.port)
        }
    }?;
    if let Spread::Pinned(pod) = &spec.spread {
        found.retain(|candidate| candidate.pod.name == *pod);
        if found.is_empty() {
            return Err(NoPod::waiting(format!(
                "pod {pod} is not among the pods of {} that take connections now",
                spec.target
            )));
        }
    }
    Ok(found)
}

/// Since when what is known of a forward's pods is old, and why; none while it is not.
pub(crate) fn stale(inventory: &Inventory, spec: &ForwardSpec) -> Option<(Timestamp, Text)> {
    let kinds: &[Kind] = match spec.target {
        ForwardTarget::Service(_) => &[Kind::Service, Kind::EndpointSlice, Kind::Pod],
        ForwardTarget::Pod(_) | ForwardTarget::Workload { .. } => &[Kind::Pod],
    };
    let namespace = &spec.target.key().namespace;
    kinds
        .iter()
        .filter_map(|kind| match inventory.sync(*kind, namespace) {
            Sync::Stale { since, reason } => Some((*since, reason.clone())),
            _ => None,
        })
        .min_by_key(|(since, _)| *since)
}

/// Candidates as they are found: each pod once, however many slices and address families name it.
#[derive(Default)]
struct Found {
    fit: BTreeMap<ObjectKey, Candidate>,
    unfit: u32,
}

impl Found {
    fn add(&mut self, pod: ObjectKey, uid: Option<Text>, port: u16, fitness: Option<Fitness>) {
        let Some(fitness) = fitness else {
            self.unfit += 1;
            return;
        };
        let held = self.fit.get(&pod).map(|held| held.fitness);
        if held.is_none_or(|held| fitness < held) {
            let candidate = Candidate {
                pod: pod.clone(),
                uid,
                port,
                fitness,
            };
            self.fit.insert(pod, candidate);
        }
    }

    fn best_first(&self) -> Option<Vec<Candidate>> {
        let mut fit: Vec<_> = self.fit.values().cloned().collect();
        // The map is sorted by name and the sort is stable.
        fit.sort_by_key(|candidate| candidate.fitness);
        (!fit.is_empty()).then_some(fit)
    }
}

#[cfg(test)]
mod tests;
