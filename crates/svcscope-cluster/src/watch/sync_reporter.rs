//! How well a kind is known, as it was reported last.

use jiff::Timestamp;

use svcscope_model::inventory::{ResourceKind, SharedStr, SyncState, WatchScope};

/// Tells how well a kind is known, each state once.
pub(super) struct SyncReporter {
    pub kind: ResourceKind,
    pub scopes: Vec<WatchScope>,
    pub last_reported: Option<SyncState>,
    /// Whether a list has ever arrived: before, there is nothing that could be stale.
    pub was_listed: bool,
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

    pub fn is_current(&self) -> bool {
        self.last_reported
            .as_ref()
            .is_some_and(SyncState::is_current)
    }

    /// How a kind is known while the server can't be asked.
    pub fn out_of_date_state(&self, since: Timestamp, reason: SharedStr) -> SyncState {
        if self.was_listed {
            SyncState::Stale { since, reason }
        } else {
            SyncState::Failing { reason }
        }
    }
}
