//! Whether the watches of a scope can be relied on.
//!
//! A server, or a proxy on the way to it, may answer each watch and bring nothing
//! (kubernetes/kubernetes#104171), or never answer one, while lists work. Then the scope is polled:
//! listed again and again, and now and then a watch is tried.

use std::time::Duration;

use tokio::time::Instant;

use super::timing::WatchTiming;
use svcscope_model::inventory::SharedStr;

/// After so many watches in a row that brought nothing a list shows whether the server is there.
const MAX_EMPTY_WATCHES: u32 = 3;

/// After so many watches in a row that were answered and brought nothing an answer proves nothing.
const MAX_ANSWERED_EMPTY_WATCHES: u32 = 2;

/// Lists take at most a tenth of the time while they replace watches.
const POLL_SHARE: u32 = 10;

/// What the watches of a scope were good for lately.
pub(super) struct WatchHealth {
    poll: Duration,
    longest_trial: Duration,
    empty_watches: u32,
    /// How many of those were answered.
    answered_empty_watches: u32,
    reason: SharedStr,
    is_polling: bool,
    current_poll_interval: Duration,
    trials: u32,
    next_trial: Instant,
}

impl WatchHealth {
    pub fn new(pace: &WatchTiming) -> Self {
        Self {
            poll: pace.poll_interval,
            longest_trial: pace.max_trial_interval,
            empty_watches: 0,
            answered_empty_watches: 0,
            reason: SharedStr::default(),
            is_polling: false,
            current_poll_interval: pace.poll_interval,
            trials: 0,
            next_trial: Instant::now(),
        }
    }

    /// A watch brought something.
    pub fn watch_succeeded(&mut self) {
        self.empty_watches = 0;
        self.answered_empty_watches = 0;
    }

    /// A watch lived as long as it should.
    pub fn watch_lasted(&mut self) {
        self.watch_succeeded();
        self.trials = 0;
    }

    /// A watch brought nothing, though it was answered or not; `weight` counts it several times.
    pub fn watch_failed(&mut self, weight: u32, answered: bool, reason: impl Into<SharedStr>) {
        self.empty_watches = self.empty_watches.saturating_add(weight);
        if answered {
            self.answered_empty_watches = self.answered_empty_watches.saturating_add(weight);
        }
        self.reason = reason.into();
    }

    /// A watch was refused, and the next one would be too.
    pub fn watch_refused(&mut self, reason: impl Into<SharedStr>) {
        self.watch_failed(MAX_EMPTY_WATCHES, false, reason);
    }

    /// Whether the last watch was a good one.
    pub fn is_healthy(&self) -> bool {
        self.empty_watches == 0
    }

    /// Whether that a watch is answered proves nothing. One that was cut may happen to any.
    pub fn is_answer_no_proof(&self) -> bool {
        self.answered_empty_watches >= MAX_ANSWERED_EMPTY_WATCHES
    }

    /// Whether watches failed so often that a list has to show what is wrong.
    pub fn needs_list_check(&self) -> bool {
        self.empty_watches >= MAX_EMPTY_WATCHES
    }

    /// Whether the scope is listed again and again instead of watched.
    pub fn is_polling(&self) -> bool {
        self.is_polling
    }

    /// What is wrong with the watches.
    pub fn reason(&self) -> &SharedStr {
        &self.reason
    }

    /// Lists work and watches don't.
    pub fn begin_polling(&mut self) {
        self.is_polling = true;
        self.current_poll_interval = self.poll;
        self.postpone_trial();
    }

    /// The time between two lists of which the last one took so long. It grows in large steps and
    /// never shrinks, so that what is said of it stays the same.
    pub fn next_poll_interval(&mut self, took: Duration) -> Duration {
        let longest = self.longest_trial.max(self.poll);
        while self.current_poll_interval < took.saturating_mul(POLL_SHARE).min(longest) {
            self.current_poll_interval = self.current_poll_interval.saturating_mul(2).min(longest);
        }
        self.current_poll_interval
    }

    /// Whether a watch is to be tried again.
    pub fn trial_is_due(&self) -> bool {
        Instant::now() >= self.next_trial
    }

    /// Requests that a watch be tried as soon as a list has worked.
    pub fn try_soon(&mut self) {
        self.next_trial = Instant::now();
    }

    /// What became of a trial. It is the next failure that makes the pause longer, not this success
    /// that makes it short again.
    pub fn finish_trial(&mut self, worked: bool) {
        if worked {
            self.is_polling = false;
            self.watch_succeeded();
        } else {
            self.postpone_trial();
        }
    }

    fn postpone_trial(&mut self) {
        self.trials = self.trials.saturating_add(1);
        let pause = self.poll.saturating_mul(1 << self.trials.min(20));
        self.next_trial = Instant::now() + pause.min(self.longest_trial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_watch_is_tried_ever_more_rarely_but_never_given_up() {
        let mut health = WatchHealth::new(&WatchTiming::default());
        health.watch_failed(3, true, "ended");
        assert!(health.needs_list_check() && health.is_answer_no_proof());
        health.begin_polling();
        let mut pauses = Vec::new();
        for _ in 0..6 {
            let start = Instant::now();
            while !health.trial_is_due() {
                tokio::time::advance(SECOND).await;
            }
            pauses.push(start.elapsed().as_secs());
            health.finish_trial(false);
        }
        assert_eq!(pauses, [10, 20, 40, 60, 60, 60]);
        health.finish_trial(true);
        assert!(!health.is_polling() && !health.needs_list_check() && !health.is_answer_no_proof());
        // What works for a moment only is not tried more often for it.
        health.begin_polling();
        tokio::time::advance(59 * SECOND).await;
        assert!(!health.trial_is_due());
        health.watch_lasted();
        health.begin_polling();
        tokio::time::advance(10 * SECOND).await;
        assert!(health.trial_is_due());
    }

    #[tokio::test(start_paused = true)]
    async fn an_expensive_list_is_read_less_often() {
        let mut health = WatchHealth::new(&WatchTiming::default());
        let seconds = |took: f64| {
            health
                .next_poll_interval(Duration::from_secs_f64(took))
                .as_secs()
        };
        assert_eq!(
            [0.01, 0.5, 0.6, 0.5, 3.0, 60.0].map(seconds),
            [5, 5, 10, 10, 40, 60]
        );
    }
}
