//! What a supervisor holds, and what it sends to the inventory.

use std::sync::Arc;

use tokio::{
    sync::{mpsc, watch},
    time::{Duration, sleep},
};

use super::{capabilities::ServerCapabilities, sync_reporter::SyncReporter, timing::WatchTiming};
use crate::{api_client::ApiClient, error::CallError};
use svcscope_model::inventory::{InventoryChange, SharedStr, SyncState};

/// What every supervisor needs.
#[derive(Clone)]
pub(super) struct ResourceWatcher {
    pub link: Arc<ApiClient>,
    pub capabilities: ServerCapabilities,
    pub timing: WatchTiming,
    pub changes: mpsc::Sender<InventoryChange>,
    pub notes: mpsc::UnboundedSender<SharedStr>,
    pub restarts: watch::Receiver<()>,
    /// Told when the list is to be read again.
    pub relists: watch::Receiver<()>,
}

/// Why a scope is no longer watched.
pub(super) enum WatchEndReason {
    /// 403.
    Forbidden(CallError),
    /// 404: the server does not serve this resource.
    NotServed(CallError),
    /// Nobody listens any more.
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

    /// Says how well a kind is known.
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
}

pub(super) async fn wait_for_signal(signal: &mut watch::Receiver<()>) {
    if signal.changed().await.is_err() {
        // The watches are being dropped, and this with them.
        std::future::pending::<()>().await;
    }
}
