//! One resource in one scope: list, watch, and what happens when either fails.

use super::{
    next_round::{NextRound, ScopeWatchState},
    resource_watcher::{ResourceWatcher, RoundError, WatchEndReason, wait_for_signal},
    round_progress::{ListMode, RoundProgress},
    sync_reporter::SyncReporter,
};
use svcscope_decode::ResourceDescriptor;
use svcscope_model::inventory::WatchScope;

impl ResourceWatcher {
    /// Lists and watches until that is refused. Whatever else goes wrong is tried again.
    pub async fn run(
        &mut self,
        resource: ResourceDescriptor,
        scope: &WatchScope,
        reporter: &mut SyncReporter,
    ) -> WatchEndReason {
        let mut rounds = ScopeWatchState::new(resource, &self.timing);
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
