//! What flowed through a forward lately, by second.

use std::collections::VecDeque;

use jiff::Timestamp;

/// Over how long a rate is taken, in seconds.
const RATE_OVER: i64 = 3;

/// Bytes of the last minute. Seconds in which nothing flowed are not there, so that nothing ticks
/// while nothing flows; whoever looks says what time it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrafficHistory {
    /// The oldest first.
    seconds: VecDeque<TrafficSample>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TrafficSample {
    at: i64,
    flow: TrafficVolume,
}

/// Bytes, or bytes a second, each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficVolume {
    /// To pods.
    pub up: u64,
    /// From pods.
    pub down: u64,
}

impl TrafficVolume {
    /// Both ways together.
    pub fn sum(self) -> u64 {
        self.up.saturating_add(self.down)
    }
}

impl TrafficHistory {
    /// How many seconds are kept.
    pub const SECONDS: usize = 60;

    /// Counts bytes that flowed just now.
    pub fn record(&mut self, now: Timestamp, flow: TrafficVolume) {
        let at = now.as_second();
        // A clock that was set back would have two seconds of the same name.
        while self.seconds.back().is_some_and(|last| last.at > at) {
            self.seconds.pop_back();
        }
        match self.seconds.back_mut() {
            Some(last) if last.at == at => {
                last.flow.up += flow.up;
                last.flow.down += flow.down;
            }
            _ => self.seconds.push_back(TrafficSample { at, flow }),
        }
        while self.seconds.len() > Self::SECONDS {
            self.seconds.pop_front();
        }
    }

    /// Bytes a second, over the last three.
    pub fn rate(&self, now: Timestamp) -> TrafficVolume {
        let (mut up, mut down) = (0, 0);
        for second in self.since(now, RATE_OVER) {
            up += second.flow.up;
            down += second.flow.down;
        }
        // The current second is not over yet.
        let part = i64::from(now.subsec_millisecond());
        let millis = u64::try_from((RATE_OVER - 1) * 1_000 + part).unwrap_or(1);
        TrafficVolume {
            up: up.saturating_mul(1_000) / millis,
            down: down.saturating_mul(1_000) / millis,
        }
    }

    /// Bytes of each of the last sixty seconds, the current one last; nothing where nothing flowed
    /// in any of them.
    pub fn last_minute(&self, now: Timestamp) -> Option<[TrafficVolume; Self::SECONDS]> {
        let kept = Self::SECONDS as i64;
        let mut minute = None;
        for second in self.since(now, kept) {
            let at = usize::try_from(kept - 1 - (now.as_second() - second.at)).ok()?;
            let minute = minute.get_or_insert_with(|| [TrafficVolume::default(); Self::SECONDS]);
            if let Some(slot) = minute.get_mut(at) {
                *slot = second.flow;
            }
        }
        minute
    }

    fn since(&self, now: Timestamp, seconds: i64) -> impl Iterator<Item = &TrafficSample> {
        let newest = now.as_second();
        self.seconds
            .iter()
            .rev()
            .take_while(move |second| second.at > newest - seconds)
            .filter(move |second| second.at <= newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000_000 + millis).unwrap()
    }

    fn flow(up: u64, down: u64) -> TrafficVolume {
        TrafficVolume { up, down }
    }

    #[test]
    fn a_rate_follows_and_falls_by_itself() {
        let mut history = TrafficHistory::default();
        assert_eq!(history.rate(at(0)), flow(0, 0));
        for quarter in 0..40 {
            history.record(at(quarter * 250), flow(250, 500));
        }
        assert_eq!(history.rate(at(9_999)), flow(1_000, 2_000));
        assert_eq!(history.rate(at(12_000)), flow(0, 0), "nothing came since");
    }

    #[test]
    fn a_minute_is_kept_and_no_more() {
        let mut history = TrafficHistory::default();
        assert_eq!(history.last_minute(at(0)), None);
        for second in 0..200 {
            history.record(at(second * 1_000), flow(1, 0));
        }
        assert_eq!(history.seconds.len(), TrafficHistory::SECONDS);
        let minute = history.last_minute(at(199_500)).unwrap();
        assert!(minute.iter().all(|second| *second == flow(1, 0)));
        let later = history.last_minute(at(229_500)).unwrap();
        assert_eq!(later.iter().filter(|second| second.up > 0).count(), 30);
        assert_eq!(later[29], flow(1, 0));
        assert_eq!(later[30], flow(0, 0));
        assert_eq!(history.last_minute(at(400_000)), None);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_the_order() {
        let mut history = TrafficHistory::default();
        history.record(at(10_000), flow(1, 0));
        history.record(at(5_000), flow(2, 0));
        history.record(at(6_000), flow(3, 0));
        let minute = history.last_minute(at(6_000)).unwrap();
        assert_eq!((minute[58], minute[59]), (flow(2, 0), flow(3, 0)));
    }
}
