//! One round of a scope: a list, where one is needed, and a watch until it ends; or, where watches
//! bring nothing, a list and a pause.

use jiff::Timestamp;
use tokio::time::{Duration, Instant, sleep_until, timeout, timeout_at};

use super::{
    backoff,
    event_lines::{self, EventLineReader, WatchLineKind},
    health::WatchHealth,
    list::{self, CompleteList},
    request,
    resource_watcher::{ResourceWatcher, RoundError, wait_for_signal},
    round_progress::{ListMode, RoundProgress},
    sync_reporter::SyncReporter,
    sync_state::{DecodedWatchEvent, ResourceSyncState, decode_event},
};
use crate::error::{CallError, CallErrorKind};
use svcscope_decode::TextInterner;
use svcscope_model::inventory::{InventoryChange, SyncState, WatchScope};

/// So many times the time that a list took passes until it is read again although the watch works:
/// that costs at most a hundredth of one connection's time, here and at the server.
const RELIST_SHARE: u32 = 100;

impl ResourceWatcher {
    /// A list, where one is needed, and one watch until it ends.
    pub(super) async fn round(
        &self,
        scope: &WatchScope,
        sync_state: &mut ResourceSyncState,
        health: &WatchHealth,
        listing: ListMode,
        round_progress: &mut RoundProgress,
        reporter: &mut SyncReporter,
    ) -> Result<(), RoundError> {
        if listing == ListMode::Paged {
            self.list(scope, sync_state, round_progress, Duration::MAX)
                .await?;
            // After a watch that failed the next one has to show that it works.
            if health.is_healthy() {
                self.report_live(reporter).await?;
            }
        }
        let streams = listing == ListMode::Streamed;
        let action = request::action(
            &sync_state.resource,
            if streams { "list" } else { "watch" },
            scope,
        );
        let from = sync_state.version.as_deref().filter(|_| !streams);
        let request = request::watch(
            &sync_state.resource,
            scope,
            from,
            self.timing.watch_duration,
        )?;
        let response = tokio::select! {
            response = self.link.send(&action, &request, self.timing.answer_timeout) => response?,
            () = wait_for_signal(&mut round_progress.relist), if !streams => {
                round_progress.ended_for_relist = true;
                return Ok(());
            }
        };
        let mut lines = EventLineReader::new(
            response.into_body(),
            action.clone(),
            self.timing.silence_timeout,
        );
        round_progress.mark_answered();
        if streams {
            self.streamed_list(scope, sync_state, round_progress, &mut lines, &action)
                .await?;
        }
        if !health.is_answer_no_proof() {
            self.report_live(reporter).await?;
        }
        // A watch that began with a list was given more time by the server.
        let lasting = if streams {
            self.timing.watch_duration
        } else {
            self.timing.max_watch_duration()
        };
        let end = Instant::now() + lasting;
        self.read_events(
            scope,
            sync_state,
            round_progress,
            lines,
            end,
            Some(reporter),
        )
        .await
    }

    /// Takes in what a watch says until it ends. That it works is told once it has shown that, by
    /// an event or by living on.
    async fn read_events(
        &self,
        scope: &WatchScope,
        sync_state: &mut ResourceSyncState,
        round_progress: &mut RoundProgress,
        mut lines: EventLineReader,
        end: Instant,
        mut reporter: Option<&mut SyncReporter>,
    ) -> Result<(), RoundError> {
        let action = lines.action.clone();
        let shown = Instant::now() + self.timing.healthy_watch_duration();
        let mut until = shown.min(end);
        loop {
            let next = tokio::select! {
                next = timeout_at(until, lines.next()) => next,
                () = wait_for_signal(&mut round_progress.relist) => {
                    round_progress.ended_for_relist = true;
                    return Ok(());
                }
            };
            match next {
                Err(_elapsed) if until == end => return Ok(()),
                Err(_elapsed) => {
                    until = end;
                    if let Some(told) = &mut reporter {
                        self.report_live(told).await?;
                    }
                    continue;
                }
                Ok(line) => {
                    let Some(line) = line? else {
                        return Ok(());
                    };
                    let DecodedWatchEvent { changes, version } =
                        decode_event(&action, line, sync_state)?;
                    sync_state.check_version(&action, &version)?;
                    self.report_unreadable(scope, sync_state).await?;
                    for change in changes {
                        self.send(change)
                            .await
                            .map_err(|_closed| RoundError::Closed)?;
                    }
                    // Only now: a round that is cut short comes back to what was not sent.
                    round_progress.received_news |= sync_state.advance(version);
                }
            }
            round_progress.received_event = true;
            round_progress.last_line_at = Some(Instant::now());
            sync_state.last_current_at = Timestamp::now();
            if round_progress.received_news
                && let Some(told) = &mut reporter
            {
                self.report_live(told).await?;
            }
        }
    }

    /// A list in pages, within a time.
    async fn list(
        &self,
        scope: &WatchScope,
        sync_state: &mut ResourceSyncState,
        round_progress: &mut RoundProgress,
        within: Duration,
    ) -> Result<(), RoundError> {
        let started = Instant::now();
        sync_state.texts = TextInterner::default();
        let listed = list::paged(
            &sync_state.resource,
            &self.link,
            &self.timing,
            scope,
            &mut sync_state.texts,
        );
        let listed = timeout(within, listed).await.map_err(|_elapsed| {
            CallError::timed_out(
                &request::action(&sync_state.resource, "list", scope),
                within,
            )
        })??;
        self.replace(scope, sync_state, round_progress, listed, started)
            .await
    }

    /// The list that a watch begins with. What already happens while it arrives comes after it.
    async fn streamed_list(
        &self,
        scope: &WatchScope,
        sync_state: &mut ResourceSyncState,
        round_progress: &mut RoundProgress,
        lines: &mut EventLineReader,
        action: &str,
    ) -> Result<(), RoundError> {
        let started = Instant::now();
        sync_state.texts = TextInterner::default();
        let mut listed = CompleteList::new(sync_state.resource);
        let mut patience = self.timing.answer_timeout;
        loop {
            let line = timeout(patience, lines.next())
                .await
                .map_err(|_elapsed| CallError::timed_out(action, patience))?;
            // Once it has begun, the silence of a dead connection is noticed anyway.
            patience = self.timing.silence_timeout.saturating_mul(2);
            let Some(line) = line? else {
                // A server that ends the stream before the list is complete does not stream lists.
                self.capabilities.disable_streaming_lists();
                return Err(CallError::new(
                    CallErrorKind::Unreachable,
                    action,
                    "the API server ended the list before it was complete",
                )
                .into());
            };
            match event_lines::event_type(line) {
                Some(WatchLineKind::Upsert) => {
                    listed.add_event(action, line, &mut sync_state.texts)?;
                }
                Some(WatchLineKind::Bookmark) => {
                    let (version, ends_list) = event_lines::bookmark(action, line)?;
                    if ends_list {
                        listed.version = version;
                        round_progress.mark_answered();
                        return self
                            .replace(scope, sync_state, round_progress, listed, started)
                            .await;
                    }
                }
                // An object that goes while the list arrives is in none of its lines: the server
                // sends what it holds, and everything that happens later after the bookmark.
                Some(WatchLineKind::Remove) => {}
                Some(WatchLineKind::Error) => {
                    return Err(event_lines::error_event(action, line).into());
                }
                None => return Err(event_lines::not_an_event_error(action, line).into()),
            }
        }
    }

    /// Swaps the view: the list that was begun at `started` is complete.
    async fn replace(
        &self,
        scope: &WatchScope,
        sync_state: &mut ResourceSyncState,
        round_progress: &mut RoundProgress,
        listed: CompleteList,
        started: Instant,
    ) -> Result<(), RoundError> {
        let kind = sync_state.resource.kind;
        self.send(listed.records.into_replacement(kind, scope.clone()))
            .await
            .map_err(|_closed| RoundError::Closed)?;
        sync_state.record_counts = listed.record_counts.into_iter().collect();
        sync_state.unreadable = listed.unreadable;
        self.report_unreadable(scope, sync_state).await?;
        sync_state.last_current_at = Timestamp::now();
        sync_state.version = Some(listed.version);
        sync_state.list_duration = started.elapsed();
        sync_state.relist_at = Instant::now() + self.relist_after(sync_state.list_duration);
        round_progress.list_complete = true;
        Ok(())
    }

    /// Says what can't be read, where that is news.
    async fn report_unreadable(
        &self,
        scope: &WatchScope,
        sync_state: &mut ResourceSyncState,
    ) -> Result<(), RoundError> {
        if sync_state.unreadable == sync_state.reported_unreadable {
            return Ok(());
        }
        sync_state
            .reported_unreadable
            .clone_from(&sync_state.unreadable);
        let change = InventoryChange::Unreadable(
            sync_state.resource.kind,
            scope.clone(),
            sync_state.unreadable.clone(),
        );
        self.send(change)
            .await
            .map_err(|_closed| RoundError::Closed)
    }

    /// How long a list that took so long is good for.
    fn relist_after(&self, took: Duration) -> Duration {
        let spread = 0.75 + 0.5 * backoff::random();
        let after = self.timing.relist_interval.mul_f64(spread);
        after.max(took.saturating_mul(RELIST_SHARE))
    }

    async fn report_live(&self, reporter: &mut SyncReporter) -> Result<(), RoundError> {
        self.report(reporter, SyncState::Live)
            .await
            .map_err(|_closed| RoundError::Closed)
    }

    /// Where watches bring nothing: a list, and the time until the next one, in which a watch is
    /// tried now and then.
    pub(super) async fn poll(
        &self,
        scope: &WatchScope,
        sync_state: &mut ResourceSyncState,
        health: &mut WatchHealth,
        round_progress: &mut RoundProgress,
        reporter: &mut SyncReporter,
    ) -> Result<(), RoundError> {
        let started = Instant::now();
        // What is said to be read every few seconds is not waited for much longer.
        let within = self
            .timing
            .answer_timeout
            .max(sync_state.list_duration.saturating_mul(3));
        self.list(scope, sync_state, round_progress, within).await?;
        let every = health.next_poll_interval(sync_state.list_duration);
        let polled = SyncState::Polled {
            every,
            reason: health.reason().clone(),
        };
        self.report(reporter, polled)
            .await
            .map_err(|_closed| RoundError::Closed)?;
        if health.trial_is_due() {
            let worked = self
                .try_watch(scope, sync_state, round_progress, every)
                .await?;
            health.finish_trial(worked);
            if worked {
                return Ok(());
            }
        }
        tokio::select! {
            () = sleep_until(started + every) => {}
            () = wait_for_signal(&mut round_progress.relist) => round_progress.ended_for_relist = true,
        }
        Ok(())
    }

    /// Whether a watch brings something, or is ended when the server was asked to and not before.
    async fn try_watch(
        &self,
        scope: &WatchScope,
        sync_state: &mut ResourceSyncState,
        round_progress: &mut RoundProgress,
        every: Duration,
    ) -> Result<bool, RoundError> {
        // The server is told whole seconds.
        let lasting = Duration::from_secs(every.as_secs().clamp(1, 10));
        let action = request::action(&sync_state.resource, "watch", scope);
        let request = request::watch(
            &sync_state.resource,
            scope,
            sync_state.version.as_deref(),
            lasting,
        )?;
        let answer = self.link.send(&action, &request, lasting);
        let Ok(response) = answer.await else {
            return Ok(false);
        };
        round_progress.mark_answered();
        let lines = EventLineReader::new(
            response.into_body(),
            action.clone(),
            self.timing.silence_timeout,
        );
        let end = Instant::now() + lasting.mul_f64(1.5);
        match self
            .read_events(scope, sync_state, round_progress, lines, end, None)
            .await
        {
            Err(RoundError::Closed) => Err(RoundError::Closed),
            Err(RoundError::Call(_)) => Ok(false),
            Ok(()) => {
                let lasted = round_progress.watch_age();
                let ended = lasted >= lasting.mul_f64(0.8) && Instant::now() < end;
                Ok(round_progress.received_event || ended)
            }
        }
    }
}
