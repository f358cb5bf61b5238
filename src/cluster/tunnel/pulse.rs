//! Whether the other side of a session lives, and whether it takes what is sent.
//!
//! Both are answered by pings, which the node answers in the order in which it reads: an answer
//! proves that everything before the ping was read. The reader of a node
//! (moby/spdystream) deals frames to five queues of fifty frames and pings to each in turn, and
//! stands still when one is full; so a ping may wait behind a pod that does not read while the
//! next one is answered. The answer to any ping proves all before it.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Silence after which a ping is sent. Load balancers in front of API servers cut what is silent,
/// some after 60 s.
const IDLE: Duration = Duration::from_secs(10);

/// Silence that is a dead session: two pings were not answered.
const DEAD: Duration = Duration::from_secs(25);

/// Silence with data on the way, after which somebody else is asked whether the server lives: a
/// pod that does not read may hold up the node, or the network may be dead. The question is
/// answered within ten seconds.
const DOUBT: Duration = Duration::from_secs(12);

/// Data after which a ping asks whether it was read, at the latest after [`SOON`].
const STEP: u64 = 512 * 1024;
const SOON: Duration = Duration::from_millis(500);

/// Without an answer for so long while data is on the way, the node is held up by a pod.
const HELD_UP: Duration = Duration::from_millis(1500);

/// The pulse of one session.
#[derive(Debug)]
pub(super) struct Pulse {
    heard: Instant,
    last_ping: Instant,
    /// When somebody else was last asked.
    doubted: Instant,
    next_id: u32,
    /// Bytes of data sent, those that were read for certain, and those before the last ping.
    sent: u64,
    proven: u64,
    asked: u64,
    /// Pings without an answer, and what was sent before each.
    open: VecDeque<(u32, u64, Instant)>,
}

impl Pulse {
    pub fn new(now: Instant) -> Self {
        Self {
            heard: now,
            last_ping: now,
            doubted: now,
            next_id: 1,
            sent: 0,
            proven: 0,
            asked: 0,
            open: VecDeque::new(),
        }
    }

    /// Something came.
    pub fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// So much data was sent.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// A ping was answered.
    pub fn answered(&mut self, id: u32) {
        if let Some(place) = self.open.iter().position(|(open, ..)| *open == id) {
            let proofs = self.open.drain(..=place).map(|(_, sent, _)| sent);
            self.proven = proofs.max().unwrap_or_default().max(self.proven);
        }
    }

    /// Whether the node seems to stand still: a pod does not read what is sent to it.
    pub fn is_held_up(&self, now: Instant) -> bool {
        let oldest = self.open.front();
        self.sent > self.proven && oldest.is_some_and(|(.., at)| now - *at >= HELD_UP)
    }

    /// The number of a ping that is due.
    pub fn ping(&mut self, now: Instant) -> Option<u32> {
        if now < self.ping_at() {
            return None;
        }
        let id = self.next_id;
        // Odd, as the client's are; the server's are even.
        self.next_id = self.next_id.wrapping_add(2);
        self.last_ping = now;
        self.asked = self.sent;
        self.open.push_back((id, self.sent, now));
        Some(id)
    }

    /// How long nothing was heard, if that is a dead session. Silence of a node that has data to
    /// read proves nothing: a pod may hold it up.
    pub fn death(&self, now: Instant) -> Option<Duration> {
        let silence = self.silence(now);
        (silence >= DEAD && self.sent == self.proven).then_some(silence)
    }

    /// How long nothing was heard.
    pub fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard)
    }

    /// Whether silence proves nothing and somebody else must be asked, once in a while.
    pub fn doubt(&mut self, now: Instant) -> bool {
        let is_due = self.sent > self.proven && now >= self.doubt_at();
        if is_due {
            self.doubted = now;
        }
        is_due
    }

    fn doubt_at(&self) -> Instant {
        self.heard.max(self.doubted) + DOUBT
    }

    /// When [`Self::ping`], [`Self::death`] or [`Self::doubt`] must be asked again.
    pub fn next(&self) -> Instant {
        self.ping_at().min(if self.sent == self.proven {
            self.heard + DEAD
        } else {
            self.doubt_at()
        })
    }

    fn ping_at(&self) -> Instant {
        if self.sent - self.asked >= STEP {
            return self.last_ping;
        }
        if self.sent > self.proven {
            // Those without an answer fill up the node's queues: fewer and fewer.
            let doubled = u32::try_from(self.open.len().min(5)).unwrap_or_default();
            return self.last_ping + (SOON * (1 << doubled)).min(IDLE);
        }
        self.heard.max(self.last_ping) + IDLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn silence_is_broken_by_pings_and_then_is_death() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        assert_eq!(pulse.ping(start + 9 * S), None);
        assert_eq!(pulse.ping(start + 10 * S), Some(1));
        assert_eq!(pulse.ping(start + 11 * S), None);
        assert_eq!(pulse.ping(start + 20 * S), Some(3));
        assert_eq!(pulse.death(start + 24 * S), None);
        assert_eq!(pulse.next(), start + 25 * S);
        assert_eq!(pulse.death(start + 25 * S), Some(25 * S));
        pulse.heard(start + 25 * S);
        assert_eq!(pulse.death(start + 25 * S), None);
    }

    #[test]
    fn data_on_the_way_is_asked_for_soon_and_an_answer_proves_what_came_before() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        pulse.sent(10);
        assert_eq!(pulse.ping(start + SOON), Some(1));
        pulse.answered(1);
        assert_eq!(pulse.ping(start + S), None);
        for _ in 0..8 {
            pulse.sent(512 * 1024);
            assert!(pulse.ping(start + S).is_some());
        }
        // The answer to the last ping proves what was sent before it.
        pulse.answered(17);
        assert!(!pulse.is_held_up(start + 60 * S));
        assert_eq!(pulse.ping(start + S), None);
    }

    #[test]
    fn a_node_that_is_held_up_by_a_pod_is_not_dead() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        pulse.sent(600 * 1024);
        assert!(pulse.ping(start).is_some());
        assert!(!pulse.is_held_up(start + S));
        assert!(pulse.is_held_up(start + 2 * S));
        assert_eq!(pulse.death(start + 60 * S), None);
        let mut pings = 0;
        for second in 0..60 {
            pings += u32::from(pulse.ping(start + second * S).is_some());
        }
        assert!((4..15).contains(&pings), "{pings}");
        // But the API server is asked whether it lives.
        assert!(!pulse.doubt(start + 11 * S));
        assert!(pulse.doubt(start + 12 * S));
        assert!(!pulse.doubt(start + 13 * S));
        assert!(pulse.doubt(start + 24 * S));
        pulse.heard(start + 30 * S);
        assert!(!pulse.doubt(start + 41 * S));
    }
}
