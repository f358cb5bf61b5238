//! How long the watches wait for what.

use std::time::Duration;

/// How patient the watches are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchTiming {
    /// The server is asked to end a watch after this long; it is taken up again where it ended.
    pub watch_duration: Duration,
    /// A connection that brought nothing for this long is dead. Longer than `watch`, so that a
    /// live one has ended by itself before.
    pub silence_timeout: Duration,
    /// How long the server may think before it answers a watch.
    pub answer_timeout: Duration,
    /// How long it may think before it answers a list.
    pub list_timeout: Duration,
    /// How long until what was refused is asked for again.
    pub refused_delay: Duration,
    /// The delay before the second retry; the first comes at once and each later one doubles.
    pub first_delay: Duration,
    /// No retry waits longer.
    pub max_delay: Duration,
    /// How old a list may become before it is read again although the watch works: an event that
    /// was lost, or a state that an older API server brought back, is never told by a watch.
    /// Each kind waits a quarter more or less, so that they don't list all together, and longer
    /// where its list is expensive.
    pub relist_interval: Duration,
    /// How often the list is read where watches bring nothing.
    pub poll_interval: Duration,
    /// How often, at the least, a watch is tried meanwhile.
    pub max_trial_interval: Duration,
}

impl WatchTiming {
    /// When a watch that the server does not end is ended here: the server is told whole seconds,
    /// and one that goes on talking for ever would never be listed again.
    pub(super) fn max_watch_duration(&self) -> Duration {
        if self.watch_duration < Duration::from_secs(1) {
            self.watch_duration
        } else {
            self.silence_timeout.saturating_add(Duration::from_secs(5))
        }
    }

    /// A watch that lived this long was a good one: the next failure is a first one.
    pub(super) fn healthy_watch_duration(&self) -> Duration {
        // The clock of the server began a little later.
        Duration::from_secs(5).min(self.watch_duration.mul_f64(0.8))
    }
}

/// A dead connection is noticed within a minute: `silence` and then `answer`.
impl Default for WatchTiming {
    fn default() -> Self {
        Self {
            watch_duration: Duration::from_secs(40),
            silence_timeout: Duration::from_secs(45),
            answer_timeout: Duration::from_secs(10),
            list_timeout: Duration::from_secs(30),
            refused_delay: Duration::from_secs(60),
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(30),
            relist_interval: Duration::from_secs(5 * 60),
            poll_interval: Duration::from_secs(5),
            max_trial_interval: Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_connection_is_noticed_within_a_minute() {
        let pace = WatchTiming::default();
        assert!(pace.watch_duration < pace.silence_timeout);
        assert!(pace.silence_timeout + pace.answer_timeout <= Duration::from_secs(60));
    }
}
