//! What is true of one forward now: written by its tasks, read by anybody without waiting.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::{ForwardId, ForwardSpec, ForwardState, ForwardStatus, choice::Candidate, meter::Meter};
use crate::inventory::Text;

/// Called when something about a forward changed. It must not block.
pub type OnChange = Arc<dyn Fn() + Send + Sync>;

/// The facts from which a [`ForwardStatus`] is made.
pub(crate) struct Ledger {
    id: ForwardId,
    spec: ForwardSpec,
    started: Timestamp,
    on_change: OnChange,
    pub(crate) meter: Meter,
    facts: Mutex<Facts>,
}

#[derive(Default)]
struct Facts {
    local: Option<SocketAddr>,
    end: Option<End>,
    missing: Option<(Timestamp, Text)>,
    failing: Option<Text>,
    last_error: Option<Text>,
    last: Option<Candidate>,
    open: u32,
    total: u64,
}

enum End {
    Failed(Text),
    Stopped,
}

impl Ledger {
    pub(crate) fn new(id: ForwardId, spec: ForwardSpec, on_change: OnChange) -> Self {
        Self {
            id,
            spec,
            started: Timestamp::now(),
            on_change,
            meter: Meter::default(),
            facts: Mutex::default(),
        }
    }

    pub(crate) fn id(&self) -> ForwardId {
        self.id
    }

    pub(crate) fn spec(&self) -> &ForwardSpec {
        &self.spec
    }

    /// Bound to this address.
    pub(crate) fn bound(&self, local: SocketAddr) {
        self.note(|facts| facts.local = Some(local));
    }

    /// Will never work.
    pub(crate) fn failed(&self, reason: Text) {
        self.note(|facts| facts.end = Some(End::Failed(reason)));
    }

    /// Stopped by a person. What failed before stays failed.
    pub(crate) fn stopped(&self) {
        self.note(|facts| facts.end = facts.end.take().or(Some(End::Stopped)));
    }

    /// Whether a connection would find a pod now; the reason where it would not.
    pub(crate) fn availability(&self, now: Result<(), Text>) {
        let mut facts = self.facts();
        let before = facts.missing.as_ref().map(|(_, reason)| reason);
        if before == now.as_ref().err() {
            return;
        }
        let since = facts.missing.as_ref().map(|(since, _)| *since);
        facts.missing = now
            .err()
            .map(|reason| (since.unwrap_or_else(Timestamp::now), reason));
        drop(facts);
        (self.on_change)();
    }

    /// A local connection was accepted.
    pub(crate) fn accepted(&self) {
        self.note(|facts| facts.total += 1);
    }

    /// A connection has reached a pod; it is open until the answer is dropped.
    pub(crate) fn connected(self: &Arc<Self>, to: Candidate) -> Open {
        self.note(|facts| {
            facts.open += 1;
            facts.failing = None;
            facts.last = Some(to);
        });
        Open(self.clone())
    }

    /// A connection ended before its time through no fault of the forward: its pod was deleted.
    pub(crate) fn lost(&self, reason: Text) {
        self.note(|facts| facts.last_error = Some(reason));
    }

    /// A connection could not reach a pod or broke on the way.
    pub(crate) fn failing(&self, reason: Text) {
        self.note(|facts| {
            facts.failing = Some(reason.clone());
            facts.last_error = Some(reason);
        });
    }

    /// The pod of the last connection that reached one.
    pub(crate) fn last(&self) -> Option<Candidate> {
        self.facts().last.clone()
    }

    /// Tells about bytes counted since the last time.
    pub(crate) fn tell_bytes(&self) {
        self.meter.settle();
        (self.on_change)();
    }

    /// Everything at this moment.
    pub(crate) fn status(&self) -> ForwardStatus {
        let facts = self.facts();
        ForwardStatus {
            id: self.id,
            spec: self.spec.clone(),
            local: facts.local,
            state: facts.state(),
            pod: facts.last.as_ref().map(|last| last.pod.clone()),
            pod_port: facts.last.as_ref().map(|last| last.port),
            open: facts.open,
            total: facts.total,
            bytes_up: self.meter.up(),
            bytes_down: self.meter.down(),
            last_error: facts.last_error.clone(),
            started: self.started,
        }
    }

    fn note(&self, write: impl FnOnce(&mut Facts)) {
        write(&mut self.facts());
        (self.on_change)();
    }

    // Held for a few assignments only, and never across an await. Facts are whole after each of
    // them, so what a panicking holder left is still true.
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Facts {
    fn state(&self) -> ForwardState {
        match (&self.end, &self.missing, &self.failing) {
            (Some(End::Failed(reason)), ..) => ForwardState::Failed {
                reason: reason.clone(),
            },
            (Some(End::Stopped), ..) => ForwardState::Stopped,
            _ if self.open > 0 => ForwardState::Connected,
            (None, Some((since, reason)), _) => ForwardState::Waiting {
                since: *since,
                reason: reason.clone(),
            },
            (None, None, Some(reason)) => ForwardState::Failing {
                reason: reason.clone(),
            },
            (None, None, None) => ForwardState::Listening,
        }
    }
}

/// A connection that is open to a pod; dropping it says that it is not any more.
pub(crate) struct Open(Arc<Ledger>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0
            .note(|facts| facts.open = facts.open.saturating_sub(1));
    }
}
