//! What follows a round: the next one, a pause, a report that the state is stale, or the end.

use jiff::Timestamp;
use tokio::time::{Duration, Instant};

use super::{
    backoff::Backoff,
    capabilities::ServerCapabilities,
    health::WatchHealth,
    resource_watcher::WatchEndReason,
    round_progress::{ListMode, RoundProgress},
    sync_state::ResourceSyncState,
    timing::WatchTiming,
};
use crate::error::{CallError, CallErrorKind};
use svcscope_decode::ResourceDescriptor;

/// A watch that was silent for so long counts as two that end at once.
const SILENT_WATCH_WEIGHT: u32 = 2;

/// So does one with an answer that is none.
const INVALID_ANSWER_WEIGHT: u32 = 2;

/// What a scope remembers between its rounds.
pub(super) struct ScopeWatchState {
    pub progress: ResourceSyncState,
    pub health: WatchHealth,
    pub backoff: Backoff,
    pace: WatchTiming,
    /// Whether a list by a watch is tried: it may be refused where a list is not, and what swallows
    /// watches swallows such a list.
    may_stream_list: bool,
}

/// What follows a round.
pub(super) enum NextRound {
    /// Another round, after a pause; what is held still counts as current.
    After(Duration),
    /// The same, but what is held may be out of date.
    Stale(CallError, Duration),
    /// None: that was refused.
    Ended(WatchEndReason),
}

impl ScopeWatchState {
    pub fn new(resource: ResourceDescriptor, pace: &WatchTiming) -> Self {
        Self {
            progress: ResourceSyncState::new(resource),
            health: WatchHealth::new(pace),
            backoff: Backoff::new(pace),
            pace: pace.clone(),
            may_stream_list: true,
        }
    }

    /// How the next round begins.
    pub fn list_mode(&self, memory: &ServerCapabilities) -> ListMode {
        if !self.progress.needs_list() {
            return ListMode::None;
        }
        // A list by a watch proves no more than watches do.
        if self.may_stream_list && memory.streams_lists() && self.health.is_healthy() {
            ListMode::Streamed
        } else {
            ListMode::Paged
        }
    }

    /// A round came to its end.
    pub fn round_ended(&mut self, round_progress: &RoundProgress) -> NextRound {
        if round_progress.watch_age() >= self.pace.healthy_watch_duration() {
            // The time that was asked for is over.
            self.watch_lasted(Timestamp::now());
            return NextRound::After(Duration::ZERO);
        }
        if round_progress.received_news {
            return NextRound::After(self.count_good_watch());
        }
        self.health
            .watch_failed(1, true, "the API server closes each watch immediately");
        self.list_or_poll(round_progress)
            .unwrap_or_else(|| NextRound::After(self.backoff.next()))
    }

    /// The list of a round failed.
    pub fn list_failed(
        &mut self,
        error: CallError,
        listing: ListMode,
        memory: &ServerCapabilities,
    ) -> NextRound {
        let again = NextRound::After(Duration::ZERO);
        let streamed = listing == ListMode::Streamed;
        match error.kind {
            // Another kind may have found out in the meantime.
            CallErrorKind::Invalid if streamed => {
                memory.disable_streaming_lists();
                return again;
            }
            CallErrorKind::Forbidden | CallErrorKind::Unreachable | CallErrorKind::Other
                if streamed =>
            {
                self.may_stream_list = false;
                return again;
            }
            CallErrorKind::Forbidden => return NextRound::Ended(WatchEndReason::Forbidden(error)),
            CallErrorKind::NotFound => return NextRound::Ended(WatchEndReason::NotServed(error)),
            CallErrorKind::Expired => self.progress.version = None,
            _ => {}
        }
        self.health.try_soon();
        self.progress.relist_at =
            Instant::now() + self.pace.relist_interval.min(self.pace.refused_delay);
        let was_to_be_sure = self.progress.version.is_some() && self.health.is_healthy();
        if was_to_be_sure {
            // The watch goes on where it was, and says what is wrong if something is.
            return again;
        }
        let delay = self.backoff.next().max(self.imposed_delay(&error));
        NextRound::Stale(error, delay)
    }

    /// The watch of a round failed, at once or later.
    pub fn watch_failed(
        &mut self,
        error: CallError,
        round_progress: &RoundProgress,
        was_current: bool,
    ) -> NextRound {
        let is_silent = round_progress.is_silent(self.pace.silence_timeout);
        match error.kind {
            CallErrorKind::NotFound if !round_progress.list_complete => {
                return NextRound::Ended(WatchEndReason::NotServed(error));
            }
            CallErrorKind::Expired if !round_progress.list_complete => {
                // The server is there again, and a list will do, however long it was away.
                self.progress.version = None;
                let delay = self.imposed_delay(&error);
                return NextRound::Stale(error, delay);
            }
            CallErrorKind::Forbidden => {
                self.health
                    .watch_refused(format!("watching is forbidden: {}", error.cause));
            }
            // A list would fail likewise.
            CallErrorKind::Unauthorized | CallErrorKind::Credentials | CallErrorKind::Untrusted => {
            }
            _ if is_silent => self.count_empty_watch(SILENT_WATCH_WEIGHT, round_progress, &error),
            _ if round_progress.watch_age() >= self.pace.healthy_watch_duration() => {
                let answered = round_progress.answered_at.map(|(_, at)| at);
                self.watch_lasted(answered.unwrap_or(self.progress.last_current_at));
            }
            _ if round_progress.received_news => {
                let delay = self.count_good_watch();
                if was_current && error.kind == CallErrorKind::Unreachable {
                    return NextRound::After(delay);
                }
            }
            CallErrorKind::Other if round_progress.answered_at.is_some() => {
                self.count_empty_watch(INVALID_ANSWER_WEIGHT, round_progress, &error);
            }
            _ => self.count_empty_watch(1, round_progress, &error),
        }
        if let Some(next) = self.list_or_poll(round_progress) {
            return next;
        }
        if is_silent {
            self.progress.relist();
        }
        let delay = self.backoff.next().max(self.imposed_delay(&error));
        // A watch that was cut is not stale yet: it resumes where it was, if it can.
        if was_current && error.kind == CallErrorKind::Unreachable && delay.is_zero() {
            NextRound::After(delay)
        } else {
            NextRound::Stale(error, delay)
        }
    }

    fn watch_lasted(&mut self, until: Timestamp) {
        self.backoff.reset();
        self.health.watch_lasted();
        self.may_stream_list = true;
        self.progress.last_current_at = self.progress.last_current_at.max(until);
    }

    /// It brought something, though it was short; the pause before the next one.
    fn count_good_watch(&mut self) -> Duration {
        self.backoff.reset();
        self.health.watch_succeeded();
        self.pace.first_delay
    }

    fn count_empty_watch(
        &mut self,
        weight: u32,
        round_progress: &RoundProgress,
        error: &CallError,
    ) {
        if error.kind == CallErrorKind::Expired {
            self.progress.version = None;
        }
        let reason = format!("watches fail: {}", error.cause);
        self.health
            .watch_failed(weight, round_progress.answered_at.is_some(), reason);
    }

    /// Where too many watches brought nothing: a list shows whether the server is there, and if it
    /// was, lists have to do.
    fn list_or_poll(&mut self, round_progress: &RoundProgress) -> Option<NextRound> {
        if !self.health.needs_list_check() {
            return None;
        }
        if round_progress.list_complete {
            self.health.begin_polling();
        } else {
            self.progress.relist();
        }
        Some(NextRound::After(Duration::ZERO))
    }

    /// What the other side wants us to wait, and what a login deserves: a plugin may open a
    /// browser each time it is asked.
    fn imposed_delay(&self, error: &CallError) -> Duration {
        match error.kind {
            CallErrorKind::Unauthorized | CallErrorKind::Credentials => self.pace.refused_delay,
            _ => error
                .retry_after
                .unwrap_or_default()
                .min(self.pace.refused_delay),
        }
    }
}
