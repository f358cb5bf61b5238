//! What is true of one forward now: written by its tasks, read by anybody without waiting.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::{
    Flow, ForwardId, ForwardSpec, ForwardState, ForwardStatus, History, bind::NotBound,
    choice::Candidate, meter::Meter, seats::Seats,
};
use crate::inventory::Text;

/// Called when something about a forward changed. It must not block.
pub type OnChange = Arc<dyn Fn() + Send + Sync>;

/// Since when something is so, and why.
type Since = (Timestamp, Text);

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
    name: Option<Text>,
    /// Not bound yet.
    starting: Option<Since>,
    locals: Vec<SocketAddr>,
    offer: Option<u16>,
    end: Option<End>,
    /// The way to the cluster is lost.
    cut: Option<Since>,
    /// What is known of the cluster is old, which a lost way shows in as well.
    stale: Option<Since>,
    /// No pod would take a connection.
    missing: Option<Since>,
    /// Why the last connection failed, and whether a lost way would explain it.
    failing: Option<(Text, bool)>,
    last_error: Option<Text>,
    /// Why further connections wait.
    full: Option<Text>,
    seats: Seats,
    total: u64,
    history: Arc<History>,
    /// What the history has counted.
    counted: Flow,
}

enum End {
    Failed(Text),
    Stopped,
}

impl Ledger {
    pub(crate) fn new(id: ForwardId, spec: ForwardSpec, on_change: OnChange) -> Self {
        let started = Timestamp::now();
        Self {
            id,
            started,
            on_change,
            meter: Meter::default(),
            facts: Mutex::new(Facts {
                name: spec.name.clone(),
                starting: Some((started, Text::from("starting"))),
                ..Facts::default()
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

    /// A person calls it so from now on.
    pub(crate) fn name(&self, name: Option<Text>) {
        self.note(|facts| facts.name = name);
    }

    /// Bound to these addresses.
    pub(crate) fn bound(&self, locals: Vec<SocketAddr>) {
        self.note(|facts| {
            facts.starting = None;
            facts.locals = locals;
        });
    }

    /// Could not be bound.
    pub(crate) fn not_bound(&self, why: NotBound) {
        self.note(|facts| {
            facts.offer = why.offer;
            facts.end = facts.end.take().or(Some(End::Failed(why.reason)));
        });
    }

    /// Will never work. What was stopped before stays stopped.
    pub(crate) fn failed(&self, reason: Text) {
        self.note(|facts| facts.end = facts.end.take().or(Some(End::Failed(reason))));
    }

    /// Stopped by a person. What failed before stays failed.
    pub(crate) fn stopped(&self) {
        self.note(|facts| facts.end = facts.end.take().or(Some(End::Stopped)));
    }

    /// Whether a connection would find a pod by what is known, the reason where it would not, and
    /// since when that is old, where it is. What becomes known anew shows that the way is back.
    pub(crate) fn availability(&self, pods: Result<(), Text>, stale: Option<Since>) {
        self.note_if_changed(|facts| {
            if facts.stale.is_some() && stale.is_none() {
                facts.found();
            }
            facts.stale = stale;
            let since = facts.missing.as_ref().map(|(since, _)| *since);
            facts.missing = pods
                .err()
                .map(|reason| (since.unwrap_or_else(Timestamp::now), reason));
        });
    }

    /// The way to the cluster is lost.
    pub(crate) fn way_lost(&self, lost: Since) {
        self.note_if_changed(|facts| {
            facts.cut = match (lost, facts.cut.take()) {
                // Since the first sign of it.
                ((_, reason), Some((since, _))) => Some((since, reason)),
                (lost, None) => Some(lost),
            };
        });
    }

    /// The way to the cluster is there; `again` where it had been lost.
    pub(crate) fn way_found(&self, again: bool) {
        self.note_if_changed(|facts| {
            facts.cut = None;
            if again {
                facts.found();
            }
        });
    }

    /// A local connection was accepted.
    pub(crate) fn accepted(&self) {
        self.note(|facts| facts.total += 1);
    }

    /// Takes a seat at one of these pods that was not tried yet.
    pub(crate) fn seat(
        self: &Arc<Self>,
        candidates: &[Candidate],
        tried: &[Candidate],
    ) -> Option<Seated> {
        let to = self
            .facts()
            .seats
            .take(&self.spec.spread, candidates, tried)?;
        Some(Seated {
            ledger: self.clone(),
            to,
            open: false,
        })
    }

    /// A connection ended before its time through no fault of the forward: its pod was deleted.
    pub(crate) fn lost(&self, reason: Text) {
        self.note(|facts| facts.last_error = Some(reason));
    }

    /// Why further connections wait, where they do.
    pub(crate) fn full(&self, reason: Option<Text>) {
        if self.facts().full != reason {
            self.note(|facts| facts.full = reason);
        }
    }

    /// Whether further connections wait.
    pub(crate) fn is_full(&self) -> bool {
        self.facts().full.is_some()
    }

    /// A connection could not reach a pod; `cut` says that it could not even reach the cluster.
    pub(crate) fn failing(&self, reason: Text, cut: bool) {
        self.note(|facts| {
            if cut && facts.cut.is_none() {
                facts.cut = Some((Timestamp::now(), reason.clone()));
            }
            facts.failing = Some((reason.clone(), cut));
            facts.last_error = Some(reason);
        });
    }

    /// Tells about bytes counted since the last time.
    pub(crate) fn tell_bytes(&self) {
        self.meter.settle();
        self.note(|facts| {
            let now = Flow {
                up: self.meter.up(),
                down: self.meter.down(),
            };
            let fresh = Flow {
                up: now.up.saturating_sub(facts.counted.up),
                down: now.down.saturating_sub(facts.counted.down),
            };
            facts.counted = now;
            Arc::make_mut(&mut facts.history).record(Timestamp::now(), fresh);
        });
    }

    /// Everything at this moment.
    pub(crate) fn status(&self) -> ForwardStatus {
        let facts = self.facts();
        let last = facts.seats.last();
        let spec = ForwardSpec {
            name: facts.name.clone(),
            ..self.spec.clone()
        };
        ForwardStatus {
            local: facts.locals.first().copied(),
            also: facts.locals.get(1).copied(),
            offer: facts.offer,
            pod: last.map(|last| last.pod.clone()),
            pod_port: last.map(|last| last.port),
            pods: facts.seats.in_use().into(),
            open: facts.seats.count(),
            total: facts.total,
            bytes_up: self.meter.up(),
            bytes_down: self.meter.down(),
            history: facts.history.clone(),
            last_error: facts.last_error.clone(),
            full: facts.full.clone(),
            ..ForwardStatus::new(self.id, spec, facts.state(), self.started)
        }
    }

    fn note(&self, write: impl FnOnce(&mut Facts)) {
        write(&mut self.facts());
        (self.on_change)();
    }

    /// Writes what may well be the same as before: then nobody is told.
    fn note_if_changed(&self, write: impl FnOnce(&mut Facts)) {
        let mut facts = self.facts();
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
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Facts {
    /// The way was lost and is there again: what it explained is over.
    fn found(&mut self) {
        self.cut = None;
        self.failing = self.failing.take().filter(|(_, cut)| !cut);
    }

    fn state(&self) -> ForwardState {
        match &self.end {
            Some(End::Failed(reason)) => {
                let reason = reason.clone();
                return ForwardState::Failed { reason };
            }
            Some(End::Stopped) => return ForwardState::Stopped,
            None => {}
        }
        if let Some((since, reason)) = self.starting.clone() {
            ForwardState::Waiting { since, reason }
        } else if let Some((since, reason)) = self.cut.clone().or_else(|| self.stale.clone()) {
            ForwardState::Reconnecting { since, reason }
        } else if self.seats.count() > 0 {
            ForwardState::Connected
        } else if let Some((since, reason)) = self.missing.clone() {
            ForwardState::Waiting { since, reason }
        } else if let Some((reason, _)) = self.failing.clone() {
            ForwardState::Failing { reason }
        } else {
            ForwardState::Listening
        }
    }
}

/// A connection on its way to a pod or open to it; dropping it says that it is not any more.
pub(crate) struct Seated {
    ledger: Arc<Ledger>,
    to: Candidate,
    open: bool,
}

impl Seated {
    /// Where it leads.
    pub(crate) fn to(&self) -> &Candidate {
        &self.to
    }

    /// It has reached the pod, so the way is there.
    pub(crate) fn open(&mut self) {
        self.open = true;
        self.ledger.note(|facts| {
            facts.seats.open(&self.to);
            facts.failing = None;
            facts.cut = None;
        });
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        if self.open {
            self.ledger.note(|facts| facts.seats.leave(&self.to, true));
        } else {
            self.ledger.facts().seats.leave(&self.to, false);
        }
    }
}
