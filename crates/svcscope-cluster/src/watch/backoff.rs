//! How long to wait before trying again.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use super::timing::WatchTiming;

/// Counts failures in a row.
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub fn new(pace: &WatchTiming) -> Self {
        Self {
            first: pace.first_delay,
            longest: pace.max_delay,
            failures: 0,
        }
    }

    /// Nothing after the first failure, for most connections that break can be made again at
    /// once; then doubling, with jitter so that the watches don't come back all together.
    pub fn next(&mut self) -> Duration {
        let doublings = self.failures.checked_sub(1);
        self.failures = self.failures.saturating_add(1);
        let Some(doublings) = doublings else {
            return Duration::ZERO;
        };
        let whole = self
            .first
            .saturating_mul(1 << doublings.min(20))
            .min(self.longest);
        whole.mul_f64(0.5 + 0.5 * random())
    }

    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// From 0 to 1. The hasher's seed is random enough to spread retries and lists.
pub(super) fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish();
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_is_immediate_and_the_last_bounded() {
        let pace = WatchTiming::default();
        let mut backoff = Backoff::new(&pace);
        assert_eq!(backoff.next(), Duration::ZERO);
        let delays: Vec<_> = (0..40).map(|_| backoff.next()).collect();
        for (n, delay) in delays.iter().enumerate() {
            let whole = pace
                .first_delay
                .saturating_mul(1 << n.min(20))
                .min(pace.max_delay);
            assert!(*delay >= whole / 2 && *delay <= whole, "{n}: {delay:?}");
        }
        backoff.reset();
        assert_eq!(backoff.next(), Duration::ZERO);
    }
}
