//! One resource in one scope: list, watch, and what happens when either fails.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, watch},
    time::{Duration, sleep},
};

use super::{
    super::{CallError, api_client::ApiClient, decode::WatchedResource},
    ServerCapabilities, WatchTiming,
    next_round::{NextRound, ScopeWatchState},
    round::{ListMode, RoundProgress},
};
use svcscope_model::inventory::{InventoryChange, ResourceKind, SharedStr, SyncState, WatchScope};

/// What every supervisor needs.
#[derive(Clone)]
pub(super) struct ResourceWatcher {
    pub link: Arc<ApiClient>,
    pub capabilities: ServerCapabilities,
    pub timing: WatchTiming,
    pub changes: mpsc::Sender<InventoryChange>,
    pub notes: mpsc::UnboundedSender<SharedStr>,
    pub restarts: watch::Receiver<()>,
    /// Notified when the list is to be read again.
    pub relists: watch::Receiver<()>,
}

/// Why a scope is no longer watched.
pub(super) enum WatchEndReason {
    /// 403.
    Forbidden(CallError),
    /// 404: the server does not serve this resource.
    NotServed(CallError),
    /// The receiver was dropped.
    Closed,
}

/// What went wrong in one round of [`ResourceWatcher::run`].
pub(super) enum RoundError {
    Call(CallError),
    Closed,
}

impl From<CallError> for RoundError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// Reports the sync state of a kind, each state once.
pub(super) struct SyncReporter {
    kind: ResourceKind,
    scopes: Vec<WatchScope>,
    last_reported: Option<SyncState>,
    /// Whether a list has ever arrived: before, there is nothing that could be stale.
    was_listed: bool,
    /// To be noted as soon as the kind is known.
    pub note_when_live: Option<SharedStr>,
}

impl SyncReporter {
    pub fn new(kind: ResourceKind, scope: WatchScope) -> Self {
        Self {
            kind,
            scopes: vec![scope],
            last_reported: None,
            was_listed: false,
            note_when_live: None,
        }
    }

    /// From now on the states hold for `scope` as well.
    pub fn add_scope(&mut self, scope: WatchScope) {
        if !self.scopes.contains(&scope) {
            self.scopes.push(scope);
        }
        self.last_reported = None;
    }

    fn is_current(&self) -> bool {
        self.last_reported
            .as_ref()
            .is_some_and(SyncState::is_current)
    }

    /// The sync state of a kind while the server can't be asked.
    fn out_of_date_state(&self, since: Timestamp, reason: SharedStr) -> SyncState {
        if self.was_listed {
            SyncState::Stale { since, reason }
        } else {
            SyncState::Failing { reason }
        }
    }
}

impl ResourceWatcher {
    /// Waits for a time, or until everything is to be tried again now; says whether the list is to
    /// be read.
    pub async fn wait(&mut self, time: Duration) -> bool {
        tokio::select! {
            () = sleep(time) => false,
            () = wait_for_signal(&mut self.restarts) => false,
            () = wait_for_signal(&mut self.relists) => true,
        }
    }

    /// Reports the sync state of a kind.
    pub async fn report(
        &self,
        reporter: &mut SyncReporter,
        state: SyncState,
    ) -> Result<(), WatchEndReason> {
        if reporter.last_reported.as_ref() == Some(&state) {
            return Ok(());
        }
        for scope in &reporter.scopes {
            self.send(InventoryChange::Sync(
                reporter.kind,
                scope.clone(),
                state.clone(),
            ))
            .await?;
        }
        reporter.last_reported = Some(state);
        reporter.was_listed |= reporter.is_current();
        if reporter.is_current()
            && let Some(note) = reporter.note_when_live.take()
        {
            self.notes.send(note).ok();
        }
        Ok(())
    }

    pub(super) async fn send(&self, change: InventoryChange) -> Result<(), WatchEndReason> {
        self.changes
            .send(change)
            .await
            .map_err(|_closed| WatchEndReason::Closed)
    }

    /// Lists and watches until that is refused. Whatever else goes wrong is tried again.
    pub async fn run<R: WatchedResource>(
        &mut self,
        scope: &WatchScope,
        reporter: &mut SyncReporter,
    ) -> WatchEndReason {
        let mut rounds = ScopeWatchState::<R>::new(&self.timing);
        loop {
            let polls = rounds.health.is_polling();
            let listing = rounds.list_mode(&self.capabilities);
            let was_current = reporter.is_current();
            let mut kick = self.restarts.clone();
            let mut course = RoundProgress::new(self.relists.clone());
            let (progress, health) = (&mut rounds.progress, &mut rounds.health);
            let round = async {
                if polls {
                    self.poll(scope, progress, health, &mut course, reporter)
                        .await
                } else {
                    self.round(scope, progress, health, listing, &mut course, reporter)
                        .await
                }
            };
            let round = tokio::select! {
                round = round => round,
                () = wait_for_signal(&mut kick) => {
                    self.restarts.mark_unchanged();
                    rounds.backoff.reset();
                    rounds.health.try_soon();
                    continue;
                }
            };
            let next = match round {
                Err(RoundError::Closed) => return WatchEndReason::Closed,
                Ok(()) if course.ended_for_relist => {
                    self.relists.mark_unchanged();
                    rounds.progress.relist();
                    continue;
                }
                Ok(()) if polls => {
                    rounds.backoff.reset();
                    continue;
                }
                Ok(()) => rounds.round_ended(&course),
                Err(RoundError::Call(error))
                    if course.list_complete || (listing == ListMode::None && !polls) =>
                {
                    rounds.watch_failed(error, &course, was_current || reporter.is_current())
                }
                Err(RoundError::Call(error)) => {
                    rounds.list_failed(error, listing, &self.capabilities)
                }
            };
            let delay = match next {
                NextRound::After(delay) => delay,
                NextRound::Stale(error, delay) => {
                    reporter.was_listed |= rounds.progress.version.is_some();
                    let lost = reporter
                        .out_of_date_state(rounds.progress.last_current_at, error.message.clone());
                    if let Err(closed) = self.report(reporter, lost).await {
                        return closed;
                    }
                    delay
                }
                NextRound::Ended(ended) => return ended,
            };
            if self.wait(delay).await {
                rounds.progress.relist();
            }
        }
    }
}

pub(super) async fn wait_for_signal(signal: &mut watch::Receiver<()>) {
    if signal.changed().await.is_err() {
        // The watches are being dropped, and this with them.
        std::future::pending::<()>().await;
    }
}
