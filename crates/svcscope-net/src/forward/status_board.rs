//! What is true of one forward now: written by its tasks, read by anybody without waiting.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::{
    ForwardId, ForwardSpec, ForwardState, ForwardStatus, TrafficHistory, TrafficVolume,
    backend_slots::BackendSlots, bind::BindError, byte_counters::ByteCounters,
    endpoint_selection::CandidateEndpoint,
};
use svcscope_model::inventory::SharedStr;

/// Called when something about a forward changed. It must not block.
pub type StatusCallback = Arc<dyn Fn() + Send + Sync>;

/// Since when something is so, and why.
type DatedReason = (Timestamp, SharedStr);

/// The facts from which a [`ForwardStatus`] is made.
pub(crate) struct StatusBoard {
    id: ForwardId,
    spec: ForwardSpec,
    started: Timestamp,
    on_change: StatusCallback,
    pub(crate) byte_counters: ByteCounters,
    fields: Mutex<StatusFields>,
}

#[derive(Default)]
struct StatusFields {
    name: Option<SharedStr>,
    /// Not bound yet.
    starting: Option<DatedReason>,
    local_addresses: Vec<SocketAddr>,
    free_port: Option<u16>,
    end: Option<ForwardEnd>,
    /// The way to the cluster is lost.
    link_down: Option<DatedReason>,
    /// What is known of the cluster is old, which a lost way shows in as well.
    stale: Option<DatedReason>,
    /// No pod would take a connection.
    no_endpoint: Option<DatedReason>,
    /// Why the last connection failed, and whether a lost way would explain it.
    last_failure: Option<(SharedStr, bool)>,
    last_error: Option<SharedStr>,
    /// Why further connections wait.
    at_capacity: Option<SharedStr>,
    backend_slots: BackendSlots,
    total: u64,
    history: Arc<TrafficHistory>,
    /// What the history has counted.
    recorded_bytes: TrafficVolume,
}

enum ForwardEnd {
    Failed(SharedStr),
    Stopped,
}

impl StatusBoard {
    pub(crate) fn new(id: ForwardId, spec: ForwardSpec, on_change: StatusCallback) -> Self {
        let started = Timestamp::now();
        Self {
            id,
            started,
            on_change,
            byte_counters: ByteCounters::default(),
            fields: Mutex::new(StatusFields {
                name: spec.name.clone(),
                starting: Some((started, SharedStr::from("starting"))),
                ..StatusFields::default()
            }),
            spec,
        }
    }

    pub(crate) fn id(&self) -> ForwardId {
        self.id
    }

    pub(crate) fn spec(&self) -> &ForwardSpec {
        &self.spec
    }

    /// The user calls it so from now on.
    pub(crate) fn set_name(&self, name: Option<SharedStr>) {
        self.update(|facts| facts.name = name);
    }

    /// Bound to these addresses.
    pub(crate) fn bound(&self, locals: Vec<SocketAddr>) {
        self.update(|facts| {
            facts.starting = None;
            facts.local_addresses = locals;
        });
    }

    /// Could not be bound.
    pub(crate) fn not_bound(&self, why: BindError) {
        self.update(|facts| {
            facts.free_port = why.free_port;
            facts.end = facts.end.take().or(Some(ForwardEnd::Failed(why.reason)));
        });
    }

    /// Will never work. What was stopped before stays stopped.
    pub(crate) fn failed(&self, reason: SharedStr) {
        self.update(|facts| facts.end = facts.end.take().or(Some(ForwardEnd::Failed(reason))));
    }

    /// Stopped by the user. What failed before stays failed.
    pub(crate) fn stopped(&self) {
        self.update(|facts| facts.end = facts.end.take().or(Some(ForwardEnd::Stopped)));
    }

    /// Whether a connection would find a pod by what is known, the reason where it would not, and
    /// since when that is old, where it is. What becomes known anew shows that the way is back.
    pub(crate) fn availability(&self, pods: Result<(), SharedStr>, stale: Option<DatedReason>) {
        self.update_if_changed(|facts| {
            if facts.stale.is_some() && stale.is_none() {
                facts.link_restored();
            }
            facts.stale = stale;
            let since = facts.no_endpoint.as_ref().map(|(since, _)| *since);
            facts.no_endpoint = pods
                .err()
                .map(|reason| (since.unwrap_or_else(Timestamp::now), reason));
        });
    }

    /// The way to the cluster is lost.
    pub(crate) fn link_lost(&self, lost: DatedReason) {
        self.update_if_changed(|facts| {
            facts.link_down = match (lost, facts.link_down.take()) {
                // Since the first sign of it.
                ((_, reason), Some((since, _))) => Some((since, reason)),
                (lost, None) => Some(lost),
            };
        });
    }

    /// The way to the cluster is there; `again` where it had been lost.
    pub(crate) fn link_restored(&self, again: bool) {
        self.update_if_changed(|facts| {
            facts.link_down = None;
            if again {
                facts.link_restored();
            }
        });
    }

    /// A local connection was accepted.
    pub(crate) fn connection_accepted(&self) {
        self.update(|facts| facts.total += 1);
    }

    /// Takes a seat at one of these pods that was not tried yet.
    pub(crate) fn lease_slot(
        self: &Arc<Self>,
        candidates: &[CandidateEndpoint],
        tried: &[CandidateEndpoint],
    ) -> Option<SlotLease> {
        let to = self
            .fields()
            .backend_slots
            .lease(&self.spec.spread, candidates, tried)?;
        Some(SlotLease {
            status_board: self.clone(),
            endpoint: to,
            open: false,
        })
    }

    /// A connection ended before its time through no fault of the forward: its pod was deleted.
    pub(crate) fn connection_lost(&self, reason: SharedStr) {
        self.update(|facts| facts.last_error = Some(reason));
    }

    /// Why further connections wait, where they do.
    pub(crate) fn set_at_capacity(&self, reason: Option<SharedStr>) {
        if self.fields().at_capacity != reason {
            self.update(|facts| facts.at_capacity = reason);
        }
    }

    /// Whether further connections wait.
    pub(crate) fn is_at_capacity(&self) -> bool {
        self.fields().at_capacity.is_some()
    }

    /// A connection could not reach a pod; `cut` says that it could not even reach the cluster.
    pub(crate) fn connection_failed(&self, reason: SharedStr, cut: bool) {
        self.update(|facts| {
            if cut && facts.link_down.is_none() {
                facts.link_down = Some((Timestamp::now(), reason.clone()));
            }
            facts.last_failure = Some((reason.clone(), cut));
            facts.last_error = Some(reason);
        });
    }

    /// Tells about bytes counted since the last time.
    pub(crate) fn publish_bytes(&self) {
        self.byte_counters.acknowledge();
        self.update(|facts| {
            let now = TrafficVolume {
                up: self.byte_counters.up(),
                down: self.byte_counters.down(),
            };
            let fresh = TrafficVolume {
                up: now.up.saturating_sub(facts.recorded_bytes.up),
                down: now.down.saturating_sub(facts.recorded_bytes.down),
            };
            facts.recorded_bytes = now;
            Arc::make_mut(&mut facts.history).record(Timestamp::now(), fresh);
        });
    }

    /// Everything at this moment.
    pub(crate) fn status(&self) -> ForwardStatus {
        let facts = self.fields();
        let last = facts.backend_slots.last();
        let spec = ForwardSpec {
            name: facts.name.clone(),
            ..self.spec.clone()
        };
        ForwardStatus {
            local: facts.local_addresses.first().copied(),
            local_ipv6: facts.local_addresses.get(1).copied(),
            free_port: facts.free_port,
            pod: last.map(|last| last.pod.clone()),
            pod_port: last.map(|last| last.port),
            pods: facts.backend_slots.in_use().into(),
            open: facts.backend_slots.count(),
            total: facts.total,
            bytes_up: self.byte_counters.up(),
            bytes_down: self.byte_counters.down(),
            history: facts.history.clone(),
            last_error: facts.last_error.clone(),
            at_capacity: facts.at_capacity.clone(),
            ..ForwardStatus::new(self.id, spec, facts.state(), self.started)
        }
    }

    fn update(&self, write: impl FnOnce(&mut StatusFields)) {
        write(&mut self.fields());
        (self.on_change)();
    }

    /// Writes what may well be the same as before: then nobody is told.
    fn update_if_changed(&self, write: impl FnOnce(&mut StatusFields)) {
        let mut facts = self.fields();
        let before = facts.state();
        write(&mut facts);
        let changed = facts.state() != before;
        drop(facts);
        if changed {
            (self.on_change)();
        }
    }

    // Held for a few assignments only, and never across an await. Facts are whole after each of
    // them, so what a panicking holder left is still true.
    fn fields(&self) -> MutexGuard<'_, StatusFields> {
        self.fields.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StatusFields {
    /// The way was lost and is there again: what it explained is over.
    fn link_restored(&mut self) {
        self.link_down = None;
        self.last_failure = self.last_failure.take().filter(|(_, cut)| !cut);
    }

    fn state(&self) -> ForwardState {
        match &self.end {
            Some(ForwardEnd::Failed(reason)) => {
                let reason = reason.clone();
                return ForwardState::Failed { reason };
            }
            Some(ForwardEnd::Stopped) => return ForwardState::Stopped,
            None => {}
        }
        if let Some((since, reason)) = self.starting.clone() {
            ForwardState::Waiting { since, reason }
        } else if let Some((since, reason)) = self.link_down.clone().or_else(|| self.stale.clone())
        {
            ForwardState::Reconnecting { since, reason }
        } else if self.backend_slots.count() > 0 {
            ForwardState::Connected
        } else if let Some((since, reason)) = self.no_endpoint.clone() {
            ForwardState::Waiting { since, reason }
        } else if let Some((reason, _)) = self.last_failure.clone() {
            ForwardState::Failing { reason }
        } else {
            ForwardState::Listening
        }
    }
}

/// A connection on its way to a pod or open to it; dropping it says that it is not any more.
pub(crate) struct SlotLease {
    status_board: Arc<StatusBoard>,
    endpoint: CandidateEndpoint,
    open: bool,
}

impl SlotLease {
    /// Where it leads.
    pub(crate) fn endpoint(&self) -> &CandidateEndpoint {
        &self.endpoint
    }

    /// It has reached the pod, so the way is there.
    pub(crate) fn mark_open(&mut self) {
        self.open = true;
        self.status_board.update(|facts| {
            facts.backend_slots.open(&self.endpoint);
            facts.last_failure = None;
            facts.link_down = None;
        });
    }
}

impl Drop for SlotLease {
    fn drop(&mut self) {
        if self.open {
            self.status_board
                .update(|facts| facts.backend_slots.release(&self.endpoint, true));
        } else {
            self.status_board
                .fields()
                .backend_slots
                .release(&self.endpoint, false);
        }
    }
}
