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
const IDLE_PING_AFTER: Duration = Duration::from_secs(10);

/// Silence that is a dead session: two pings were not answered.
const DEAD_AFTER: Duration = Duration::from_secs(25);

/// Silence with data on the way, after which somebody else is asked whether the server lives: a
/// pod that does not read may hold up the node, or the network may be dead. The question is
/// answered within ten seconds.
const LIVENESS_CHECK_AFTER: Duration = Duration::from_secs(12);

/// Data after which a ping asks whether it was read, at the latest after [`BUSY_PING_AFTER`].
const PING_AFTER_BYTES: u64 = 512 * 1024;
const BUSY_PING_AFTER: Duration = Duration::from_millis(500);

/// Without an answer for so long while data is on the way, the node is held up by a pod.
const STALLED_AFTER: Duration = Duration::from_millis(1500);

/// The pulse of one session.
#[derive(Debug)]
pub(super) struct KeepaliveState {
    last_received: Instant,
    last_ping: Instant,
    /// When somebody else was last asked.
    last_liveness_check: Instant,
    next_id: u32,
    /// Bytes of data sent, those that were read for certain, and those before the last ping.
    sent_bytes: u64,
    acknowledged_bytes: u64,
    pinged_bytes: u64,
    /// Pings without an answer, and what was sent before each.
    unanswered_pings: VecDeque<(u32, u64, Instant)>,
}

impl KeepaliveState {
    pub fn new(now: Instant) -> Self {
        Self {
            last_received: now,
            last_ping: now,
            last_liveness_check: now,
            next_id: 1,
            sent_bytes: 0,
            acknowledged_bytes: 0,
            pinged_bytes: 0,
            unanswered_pings: VecDeque::new(),
        }
    }

    /// Something came.
    pub fn on_receive(&mut self, now: Instant) {
        self.last_received = now;
    }

    /// So much data was sent.
    pub fn on_send(&mut self, bytes: usize) {
        self.sent_bytes += bytes as u64;
    }

    /// A ping was answered.
    pub fn on_pong(&mut self, id: u32) {
        if let Some(place) = self
            .unanswered_pings
            .iter()
            .position(|(open, ..)| *open == id)
        {
            let proofs = self
                .unanswered_pings
                .drain(..=place)
                .map(|(_, sent, _)| sent);
            self.acknowledged_bytes = proofs
                .max()
                .unwrap_or_default()
                .max(self.acknowledged_bytes);
        }
    }

    /// Whether the node seems to stand still: a pod does not read what is sent to it.
    pub fn is_stalled(&self, now: Instant) -> bool {
        let oldest = self.unanswered_pings.front();
        self.sent_bytes > self.acknowledged_bytes
            && oldest.is_some_and(|(.., at)| now - *at >= STALLED_AFTER)
    }

    /// The number of a ping that is due.
    pub fn next_ping(&mut self, now: Instant) -> Option<u32> {
        if now < self.ping_at() {
            return None;
        }
        let id = self.next_id;
        // Odd, as the client's are; the server's are even.
        self.next_id = self.next_id.wrapping_add(2);
        self.last_ping = now;
        self.pinged_bytes = self.sent_bytes;
        self.unanswered_pings.push_back((id, self.sent_bytes, now));
        Some(id)
    }

    /// How long nothing was heard, if that is a dead session. Silence of a node that has data to
    /// read proves nothing: a pod may hold it up.
    pub fn dead_after(&self, now: Instant) -> Option<Duration> {
        let silence = self.silence(now);
        (silence >= DEAD_AFTER && self.sent_bytes == self.acknowledged_bytes).then_some(silence)
    }

    /// How long nothing was heard.
    pub fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_received)
    }

    /// Whether silence proves nothing and somebody else must be asked, once in a while.
    pub fn needs_liveness_check(&mut self, now: Instant) -> bool {
        let is_due = self.sent_bytes > self.acknowledged_bytes && now >= self.liveness_check_at();
        if is_due {
            self.last_liveness_check = now;
        }
        is_due
    }

    fn liveness_check_at(&self) -> Instant {
        self.last_received.max(self.last_liveness_check) + LIVENESS_CHECK_AFTER
    }

    /// When [`Self::next_ping`], [`Self::dead_after`] or [`Self::needs_liveness_check`] must be asked again.
    pub fn next_deadline(&self) -> Instant {
        self.ping_at()
            .min(if self.sent_bytes == self.acknowledged_bytes {
                self.last_received + DEAD_AFTER
            } else {
                self.liveness_check_at()
            })
    }

    fn ping_at(&self) -> Instant {
        if self.sent_bytes - self.pinged_bytes >= PING_AFTER_BYTES {
            return self.last_ping;
        }
        if self.sent_bytes > self.acknowledged_bytes {
            // Those without an answer fill up the node's queues: fewer and fewer.
            let doubled = u32::try_from(self.unanswered_pings.len().min(5)).unwrap_or_default();
            return self.last_ping + (BUSY_PING_AFTER * (1 << doubled)).min(IDLE_PING_AFTER);
        }
        self.last_received.max(self.last_ping) + IDLE_PING_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn silence_is_broken_by_pings_and_then_is_death() {
        let start = Instant::now();
        let mut pulse = KeepaliveState::new(start);
        assert_eq!(pulse.next_ping(start + 9 * S), None);
        assert_eq!(pulse.next_ping(start + 10 * S), Some(1));
        assert_eq!(pulse.next_ping(start + 11 * S), None);
        assert_eq!(pulse.next_ping(start + 20 * S), Some(3));
        assert_eq!(pulse.dead_after(start + 24 * S), None);
        assert_eq!(pulse.next_deadline(), start + 25 * S);
        assert_eq!(pulse.dead_after(start + 25 * S), Some(25 * S));
        pulse.on_receive(start + 25 * S);
        assert_eq!(pulse.dead_after(start + 25 * S), None);
    }

    #[test]
    fn data_on_the_way_is_asked_for_soon_and_an_answer_proves_what_came_before() {
        let start = Instant::now();
        let mut pulse = KeepaliveState::new(start);
        pulse.on_send(10);
        assert_eq!(pulse.next_ping(start + BUSY_PING_AFTER), Some(1));
        pulse.on_pong(1);
        assert_eq!(pulse.next_ping(start + S), None);
        for _ in 0..8 {
            pulse.on_send(512 * 1024);
            assert!(pulse.next_ping(start + S).is_some());
        }
        // The answer to the last ping proves what was sent before it.
        pulse.on_pong(17);
        assert!(!pulse.is_stalled(start + 60 * S));
        assert_eq!(pulse.next_ping(start + S), None);
    }

    #[test]
    fn a_node_that_is_held_up_by_a_pod_is_not_dead() {
        let start = Instant::now();
        let mut pulse = KeepaliveState::new(start);
        pulse.on_send(600 * 1024);
        assert!(pulse.next_ping(start).is_some());
        assert!(!pulse.is_stalled(start + S));
        assert!(pulse.is_stalled(start + 2 * S));
        assert_eq!(pulse.dead_after(start + 60 * S), None);
        let mut pings = 0;
        for second in 0..60 {
            pings += u32::from(pulse.next_ping(start + second * S).is_some());
        }
        assert!((4..15).contains(&pings), "{pings}");
        // But the API server is asked whether it lives.
        assert!(!pulse.needs_liveness_check(start + 11 * S));
        assert!(pulse.needs_liveness_check(start + 12 * S));
        assert!(!pulse.needs_liveness_check(start + 13 * S));
        assert!(pulse.needs_liveness_check(start + 24 * S));
        pulse.on_receive(start + 30 * S);
        assert!(!pulse.needs_liveness_check(start + 41 * S));
    }
}
