//! What may wait for readers that are slower than their pods.
//!
//! SPDY as Kubernetes speaks it has no flow control for each stream: the only way to make a pod
//! wait is to read no more from its session, which makes every stream on it wait. So:
//!
//! - Connections share a session as little as they can: the pool gives newcomers another one as
//!   soon as a stream moves much data, in either direction.
//! - What comes for a slow reader is kept up to a bound, which is larger where others share its
//!   session. Beyond it the session is **held**: nothing is read from it.
//! - While somebody else on a held session waits for an answer, it is read on a little at a time,
//!   so that the answer gets through; what comes for the slow reader meanwhile is kept as well.
//! - Only when that has filled the last bound, and somebody has waited behind it for a quarter of a
//!   minute all the same, is the slow connection ended for their sake: memory is finite, and
//!   an open connection can't be moved. Idle connections wait for nothing, so a download that is
//!   paused lives on beside them for as long as it likes.

use std::time::Duration;

use tokio::time::Instant;

use super::TunnelSessionState;
use crate::{frame, receive_buffer::ReceiveBuffer};

/// What may wait for the reader of a stream that has the session to itself, and of one that has
/// not; and what may wait for all readers together.
const SOLE_STREAM_LIMIT: usize = 1 << 20;
const SHARED_STREAM_LIMIT: usize = 32 << 20;
const SESSION_LIMIT: usize = 64 << 20;

/// The last bound, for the sake of somebody who waits. Not more than one in eight sessions of a
/// pod comes near it: newcomers avoid one that is held.
const HARD_LIMIT: usize = 128 << 20;

/// So much more is read for who waits, so often: 20 MB/s.
const REFILL_BYTES: usize = 1 << 20;
const REFILL_INTERVAL: Duration = Duration::from_millis(50);

/// How long somebody may wait behind a reader that has filled the last bound.
const BLOCKED_GRACE_PERIOD: Duration = Duration::from_secs(15);

/// How often a held session is looked after.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A session that reads nothing, or only as much as is allowed.
pub(super) struct ReadPause {
    /// Whose reader is the slowest.
    slowest_stream: u32,
    /// Nothing is read while so much waits: at first, whatever waits.
    buffer_limit: usize,
    next_refill: Instant,
    /// For how long somebody has waited with nothing left to allow, and when that was last added
    /// to. A process that gets no time to run can't blame a reader for it.
    blocked_for: Duration,
    last_checked: Instant,
}

impl TunnelSessionState {
    /// Whether the server must wait.
    pub fn is_read_paused(&self) -> bool {
        let waits = |hold: &ReadPause| self.buffered_bytes >= hold.buffer_limit;
        self.read_pause.as_ref().is_some_and(waits)
    }

    fn stream_limit(&self) -> usize {
        if self.streams.len() > 1 {
            SHARED_STREAM_LIMIT
        } else {
            SOLE_STREAM_LIMIT
        }
    }

    /// Begins to hold the session when too much waits for this stream, or for all.
    pub(super) fn pause_reads_if_full(&mut self, stream: u32, now: Instant) {
        let inbox = self
            .streams
            .get(&stream)
            .map_or(0, |it| it.receive_buffer.len());
        if self.read_pause.is_none()
            && (inbox > self.stream_limit() || self.buffered_bytes > SESSION_LIMIT)
        {
            self.read_pause = Some(ReadPause {
                slowest_stream: self.slowest_stream(),
                buffer_limit: 0,
                next_refill: now,
                blocked_for: Duration::ZERO,
                last_checked: now,
            });
        }
    }

    fn slowest_stream(&self) -> u32 {
        let inboxes = self.streams.iter();
        let slowest = inboxes.max_by_key(|(_, entry)| entry.receive_buffer.len());
        slowest.map_or(0, |(stream, _)| *stream)
    }

    /// Ends a hold whose reason is gone: a reader took something or left, or the bound is another.
    pub(super) fn resume_reads_if_drained(&mut self) {
        let Some(slow) = self.read_pause.as_ref().map(|hold| hold.slowest_stream) else {
            return;
        };
        let bound = self.stream_limit() / 2;
        let mut inboxes = self
            .streams
            .values()
            .map(|entry| entry.receive_buffer.len());
        if self.buffered_bytes <= SESSION_LIMIT / 2 && inboxes.all(|length| length <= bound) {
            self.read_pause = None;
            self.wake_driver();
            return;
        }
        let fits = |inbox: &ReceiveBuffer| inbox.len() <= bound;
        if self
            .streams
            .get(&slow)
            .is_none_or(|it| fits(&it.receive_buffer))
        {
            let slowest = self.slowest_stream();
            if let Some(hold) = &mut self.read_pause {
                hold.slowest_stream = slowest;
                hold.blocked_for = Duration::ZERO;
            }
        }
        if !self.is_read_paused() {
            self.wake_driver();
        }
    }

    /// Since when somebody has waited for an answer that a held session might bring.
    fn blocked_since(&self, slow: u32) -> Option<Instant> {
        let others = self.streams.iter().filter(|(id, _)| **id != slow);
        let waiting = others.filter(|(_, entry)| entry.is_awaiting_answer());
        waiting.filter_map(|(_, entry)| entry.waits_since).min()
    }

    /// Looks after a held session.
    pub(super) fn update_read_pause(&mut self, now: Instant) {
        if !self.is_read_paused() {
            return;
        }
        let slow = self
            .read_pause
            .as_ref()
            .map_or(0, |hold| hold.slowest_stream);
        let since = self.blocked_since(slow);
        let waiting = self.buffered_bytes;
        let Some(hold) = &mut self.read_pause else {
            return;
        };
        // Nothing is read, so nothing is heard.
        self.keepalive.on_receive(now);
        let passed = (now - hold.last_checked).min(2 * CHECK_INTERVAL);
        hold.last_checked = now;
        let Some(since) = since else {
            hold.blocked_for = Duration::ZERO;
            return;
        };
        if waiting < HARD_LIMIT {
            if now >= hold.next_refill {
                hold.buffer_limit = waiting + REFILL_BYTES;
                hold.next_refill = now + REFILL_INTERVAL;
            }
            return;
        }
        hold.blocked_for += passed;
        if hold.blocked_for >= BLOCKED_GRACE_PERIOD && now >= since + BLOCKED_GRACE_PERIOD {
            hold.blocked_for = Duration::ZERO;
            self.abort_slow_stream(slow);
        }
    }

    fn abort_slow_stream(&mut self, stream: u32) {
        let why = "closed because the local application read too slowly and blocked other connections to the pod";
        if let Some(entry) = self.streams.get_mut(&stream) {
            entry.abort(why);
            // What waits for its reader is lost.
            self.buffered_bytes -= entry.receive_buffer.len();
            entry.receive_buffer = ReceiveBuffer::default();
        }
        frame::put_cancel(&mut self.control, stream);
        self.resume_reads_if_drained();
    }

    /// When a held session must be looked after again.
    pub(super) fn next_read_pause_check(&self, now: Instant) -> Option<Instant> {
        let hold = self.read_pause.as_ref().filter(|_| self.is_read_paused())?;
        let feeds =
            self.buffered_bytes < HARD_LIMIT && self.blocked_since(hold.slowest_stream).is_some();
        Some(if feeds {
            hold.next_refill
        } else {
            now + CHECK_INTERVAL
        })
    }
}
