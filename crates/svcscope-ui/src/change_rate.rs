//! How fast the cluster changes.

use std::collections::VecDeque;

use jiff::Timestamp;

/// Over how long changes are counted, in milliseconds.
const WINDOW: i64 = 5_000;

/// The count of changes at some moments of the last seconds.
#[derive(Debug, Default)]
pub struct ChangeRate {
    samples: VecDeque<(Timestamp, u64)>,
}

impl ChangeRate {
    /// Takes in how many changes there have been by now.
    pub fn note(&mut self, now: Timestamp, changes: u64) {
        if self
            .samples
            .back()
            .is_some_and(|(_, before)| *before > changes)
        {
            // Another cluster counts anew.
            self.samples.clear();
        }
        self.samples.push_back((now, changes));
        // One that is older than the window stays: from it on is counted.
        while let Some((second, _)) = self.samples.get(1)
            && millis(*second, now) >= WINDOW
        {
            self.samples.pop_front();
        }
    }

    /// Changes a second over the last seconds.
    pub fn per_second(&self, now: Timestamp) -> f64 {
        let Some((_, newest)) = self.samples.back() else {
            return 0.0;
        };
        // What stood at the beginning of the window: the last count from before it, else the
        // first one there is.
        let before = self
            .samples
            .iter()
            .rev()
            .find(|(at, _)| millis(*at, now) >= WINDOW)
            .or_else(|| self.samples.front());
        let since = before.map_or(0, |(_, count)| newest - count);
        since as f64 * 1_000.0 / WINDOW as f64
    }
}

fn millis(from: Timestamp, to: Timestamp) -> i64 {
    to.as_millisecond() - from.as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + millis).unwrap()
    }

    #[test]
    fn changes_are_counted_over_the_last_seconds() {
        let mut rate = ChangeRate::default();
        assert_eq!(rate.per_second(at(0)), 0.0);
        rate.note(at(0), 100);
        assert_eq!(rate.per_second(at(0)), 0.0, "what was before is not news");
        for second in 1..=20 {
            rate.note(at(second * 1_000), 100 + second.unsigned_abs() * 30);
        }
        assert_eq!(rate.per_second(at(20_000)), 30.0);
        assert!(rate.samples.len() <= 7, "nothing is kept for long");
        assert_eq!(rate.per_second(at(22_000)), 18.0);
        assert_eq!(rate.per_second(at(25_000)), 0.0);
    }

    #[test]
    fn another_cluster_counts_anew() {
        let mut rate = ChangeRate::default();
        rate.note(at(0), 500);
        rate.note(at(1_000), 0);
        rate.note(at(2_000), 10);
        assert_eq!(rate.per_second(at(2_000)), 2.0);
    }
}
