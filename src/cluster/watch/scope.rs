//! One resource in one scope: list, watch, and what happens when either fails.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, watch},
    time::{Duration, sleep},
};

use super::{
    super::{CallError, decode::Resource, link::Link},
    Memory, Pace,
    next::{Next, Rounds},
    round::{Course, Listing},
};
use crate::inventory::{Change, Kind, Scope, Sync, Text};

/// What every supervisor needs.
#[derive(Clone)]
pub(super) struct Watcher {
    pub link: Arc<Link>,
    pub memory: Memory,
    pub pace: Pace,
    pub changes: mpsc::Sender<Change>,
    pub note: mpsc::UnboundedSender<Text>,
    pub kicked: watch::Receiver<()>,
    /// Told when the list is to be read again.
    pub relist: watch::Receiver<()>,
}

/// Why a scope is no longer watched.
pub(super) enum Ended {
    /// 403.
    Forbidden(CallError),
    /// 404: the server does not serve this resource.
    NotServed(CallError),
    /// Nobody listens any more.
    Closed,
}

/// What went wrong in one round of [`Watcher::run`].
pub(super) enum Failure {
    Call(CallError),
    Closed,
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// Tells how well a kind is known, each state once.
pub(super) struct Told {
    kind: Kind,
    scopes: Vec<Scope>,
    last: Option<Sync>,
    /// Whether a list has ever arrived: before, there is nothing that could be stale.
    was_listed: bool,
    /// To be noted as soon as the kind is known.
    pub when_live: Option<Text>,
}

impl Told {
    pub fn new(kind: Kind, scope: Scope) -> Self {
        Self {
            kind,
            scopes: vec![scope],
            last: None,
            was_listed: false,
            when_live: None,
        }
    }

    /// From now on the states hold for `scope` as well.
    pub fn also(&mut self, scope: Scope) {
        if !self.scopes.contains(&scope) {
            self.scopes.push(scope);
        }
        self.last = None;
    }

    fn is_current(&self) -> bool {
        self.last.as_ref().is_some_and(Sync::is_current)
    }

    /// How a kind is known while the server can't be asked.
    fn lost(&self, since: Timestamp, reason: Text) -> Sync {
        if self.was_listed {
            Sync::Stale { since, reason }
        } else {
            Sync::Failing { reason }
        }
    }
}

impl Watcher {
    /// Waits for a time, or until everything is to be tried again now; says whether the list is to
    /// be read.
    pub async fn wait(&mut self, time: Duration) -> bool {
        tokio::select! {
            () = sleep(time) => false,
            () = kicked(&mut self.kicked) => false,
            () = kicked(&mut self.relist) => true,
        }
    }

    /// Says how well a kind is known.
    pub async fn tell(&self, told: &mut Told, state: Sync) -> Result<(), Ended> {
        if told.last.as_ref() == Some(&state) {
            return Ok(());
        }
        for scope in &told.scopes {
            self.send(Change::Sync(told.kind, scope.clone(), state.clone()))
                .await?;
        }
        told.last = Some(state);
        told.was_listed |= told.is_current();
        if told.is_current()
            && let Some(note) = told.when_live.take()
        {
            self.note.send(note).ok();
        }
        Ok(())
    }

    pub(super) async fn send(&self, change: Change) -> Result<(), Ended> {
        self.changes
            .send(change)
            .await
            .map_err(|_closed| Ended::Closed)
    }

    /// Lists and watches until that is refused. Whatever else goes wrong is tried again.
    pub async fn run<R: Resource>(&mut self, scope: &Scope, told: &mut Told) -> Ended {
        let mut rounds = Rounds::<R>::new(&self.pace);
        loop {
            let polls = rounds.health.polls();
            let listing = rounds.listing(&self.memory);
            let was_current = told.is_current();
            let mut kick = self.kicked.clone();
            let mut course = Course::new(self.relist.clone());
            let (progress, health) = (&mut rounds.progress, &mut rounds.health);
            let round = async {
                if polls {
                    self.poll(scope, progress, health, &mut course, told).await
                } else {
                    self.round(scope, progress, health, listing, &mut course, told)
                        .await
                }
            };
            let round = tokio::select! {
                round = round => round,
                () = kicked(&mut kick) => {
                    self.kicked.mark_unchanged();
                    rounds.backoff.reset();
                    rounds.health.try_soon();
                    continue;
                }
            };
            let next = match round {
                Err(Failure::Closed) => return Ended::Closed,
                Ok(()) if course.relists => {
                    self.relist.mark_unchanged();
                    rounds.progress.relist();
                    continue;
                }
                Ok(()) if polls => {
                    rounds.backoff.reset();
                    continue;
                }
                Ok(()) => rounds.ended(&course),
                Err(Failure::Call(error))
                    if course.listed || (listing == Listing::None && !polls) =>
                {
                    rounds.watch_failed(error, &course, was_current || told.is_current())
                }
                Err(Failure::Call(error)) => rounds.list_failed(error, listing, &self.memory),
            };
            let delay = match next {
                Next::After(delay) => delay,
                Next::Stale(error, delay) => {
                    told.was_listed |= rounds.progress.version.is_some();
                    let lost = told.lost(rounds.progress.heard, error.message.clone());
                    if let Err(closed) = self.tell(told, lost).await {
                        return closed;
                    }
                    delay
                }
                Next::Ended(ended) => return ended,
            };
            if self.wait(delay).await {
                rounds.progress.relist();
            }
        }
    }
}

pub(super) async fn kicked(kicked: &mut watch::Receiver<()>) {
    if kicked.changed().await.is_err() {
        // The watches are being dropped, and this with them.
        std::future::pending::<()>().await;
    }
}
