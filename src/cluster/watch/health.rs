//! Whether the watches of a scope can be relied on.
//!
//! A server, or a proxy on the way to it, may answer each watch and bring nothing
//! (kubernetes/kubernetes#104171), or never answer one, while lists work. Then the scope is polled:
//! listed again and again, and now and then a watch is tried.

use std::time::Duration;

use tokio::time::Instant;

use super::Pace;
use crate::inventory::Text;

/// After so many watches in a row that brought nothing a list shows whether the server is there.
const FRUITLESS: u32 = 3;

/// After so many watches in a row that were answered and brought nothing an answer proves nothing.
const DOUBTED: u32 = 2;

/// Lists take at most a tenth of the time while they stand in for watches.
const POLL_SHARE: u32 = 10;

/// What the watches of a scope were good for lately.
pub(super) struct WatchHealth {
    poll: Duration,
    longest_trial: Duration,
    fruitless: u32,
    /// How many of those were answered.
    in_vain: u32,
    reason: Text,
    polls: bool,
    every: Duration,
    trials: u32,
    next_trial: Instant,
}

impl WatchHealth {
    pub fn new(pace: &Pace) -> Self {
        Self {
            poll: pace.poll,
            longest_trial: pace.trial,
            fruitless: 0,
            in_vain: 0,
            reason: Text::default(),
            polls: false,
            every: pace.poll,
            trials: 0,
            next_trial: Instant::now(),
        }
    }

    /// A watch brought something.
    pub fn worked(&mut self) {
        self.fruitless = 0;
        self.in_vain = 0;
    }

    /// A watch lived as long as it should.
    pub fn lasted(&mut self) {
        self.worked();
        self.trials = 0;
    }

    /// A watch brought nothing, though it was answered or not; `weight` counts it several times.
    pub fn failed(&mut self, weight: u32, answered: bool, reason: impl Into<Text>) {
        self.fruitless = self.fruitless.saturating_add(weight);
        if answered {
            self.in_vain = self.in_vain.saturating_add(weight);
        }
        self.reason = reason.into();
    }

    /// A watch was refused, and the next one would be too.
    pub fn refused(&mut self, reason: impl Into<Text>) {
        self.failed(FRUITLESS, false, reason);
    }

    /// Whether the last watch was a good one.
    pub fn is_well(&self) -> bool {
        self.fruitless == 0
    }

    /// Whether that a watch is answered proves nothing. One that was cut may happen to any.
    pub fn is_doubted(&self) -> bool {
        self.in_vain >= DOUBTED
    }

    /// Whether watches failed so often that a list has to show what is wrong.
    pub fn is_beaten(&self) -> bool {
        self.fruitless >= FRUITLESS
    }

    /// Whether the scope is listed again and again instead of watched.
    pub fn polls(&self) -> bool {
        self.polls
    }

    /// What is wrong with the watches.
    pub fn reason(&self) -> &Text {
        &self.reason
    }

    /// Lists work and watches don't.
    pub fn begin_polling(&mut self) {
        self.polls = true;
        self.every = self.poll;
        self.put_off_trial();
    }

    /// The time between two lists of which the last one took so long. It grows in large steps and
    /// never shrinks, so that what is said of it stays the same.
    pub fn every(&mut self, took: Duration) -> Duration {
        let longest = self.longest_trial.max(self.poll);
        while self.every < took.saturating_mul(POLL_SHARE).min(longest) {
            self.every = self.every.saturating_mul(2).min(longest);
        }
        self.every
    }

    /// Whether a watch is to be tried again.
    pub fn trial_is_due(&self) -> bool {
        Instant::now() >= self.next_trial
    }

    /// Has a watch tried as soon as a list has worked.
    pub fn try_soon(&mut self) {
        self.next_trial = Instant::now();
    }

    /// What became of a trial. It is the next failure that makes the pause longer, not this success
    /// that makes it short again.
    pub fn tried(&mut self, worked: bool) {
        if worked {
            self.polls = false;
            self.worked();
        } else {
            self.put_off_trial();
        }
    }

    fn put_off_trial(&mut self) {
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
        let mut health = WatchHealth::new(&Pace::default());
        health.failed(3, true, "ended");
        assert!(health.is_beaten() && health.is_doubted());
        health.begin_polling();
        let mut pauses = Vec::new();
        for _ in 0..6 {
            let start = Instant::now();
            while !health.trial_is_due() {
                tokio::time::advance(SECOND).await;
            }
            pauses.push(start.elapsed().as_secs());
            health.tried(false);
        }
        assert_eq!(pauses, [10, 20, 40, 60, 60, 60]);
        health.tried(true);
        assert!(!health.polls() && !health.is_beaten() && !health.is_doubted());
        // What works for a moment only is not tried more often for it.
        health.begin_polling();
        tokio::time::advance(59 * SECOND).await;
        assert!(!health.trial_is_due());
        health.lasted();
        health.begin_polling();
        tokio::time::advance(10 * SECOND).await;
        assert!(health.trial_is_due());
    }

    #[tokio::test(start_paused = true)]
    async fn an_expensive_list_is_read_less_often() {
        let mut health = WatchHealth::new(&Pace::default());
        let seconds = |took: f64| health.every(Duration::from_secs_f64(took)).as_secs();
        assert_eq!(
            [0.01, 0.5, 0.6, 0.5, 3.0, 60.0].map(seconds),
            [5, 5, 10, 10, 40, 60]
        );
    }
}
