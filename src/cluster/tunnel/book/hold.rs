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

use super::Book;
use crate::cluster::tunnel::{frame, inbox::Inbox};

/// What may wait for the reader of a stream that has the session to itself, and of one that has
/// not; and what may wait for all readers together.
const ALONE: usize = 1 << 20;
const SHARED: usize = 32 << 20;
const TOGETHER: usize = 64 << 20;

/// The last bound, for the sake of somebody who waits. Not more than one in eight sessions of a
/// pod comes near it: newcomers avoid one that is held.
const MOST: usize = 128 << 20;

/// So much more is read for who waits, so often: 20 MB/s.
const SPOON: usize = 1 << 20;
const MEAL: Duration = Duration::from_millis(50);

/// How long somebody may wait behind a reader that has filled the last bound.
const PATIENCE: Duration = Duration::from_secs(15);

/// How often a held session is looked after.
const LOOK: Duration = Duration::from_secs(1);

/// A session that reads nothing, or only as much as is allowed.
pub(super) struct Hold {
    /// Whose reader is the slowest.
    stream: u32,
    /// Nothing is read while so much waits: at first, whatever waits.
    allowed: usize,
    next_meal: Instant,
    /// For how long somebody has waited with nothing left to allow, and when that was last added
    /// to. A process that gets no time to run can't blame a reader for it.
    starved: Duration,
    looked: Instant,
}

impl Book {
    /// Whether the server must wait.
    pub fn is_held(&self) -> bool {
        let waits = |hold: &Hold| self.waiting >= hold.allowed;
        self.hold.as_ref().is_some_and(waits)
    }

    fn bound(&self) -> usize {
        if self.streams.len() > 1 {
            SHARED
        } else {
            ALONE
        }
    }

    /// Begins to hold the session when too much waits for this stream, or for all.
    pub(super) fn hold_if_full(&mut self, stream: u32, now: Instant) {
        let inbox = self.streams.get(&stream).map_or(0, |it| it.inbox.len());
        if self.hold.is_none() && (inbox > self.bound() || self.waiting > TOGETHER) {
            self.hold = Some(Hold {
                stream: self.slowest(),
                allowed: 0,
                next_meal: now,
                starved: Duration::ZERO,
                looked: now,
            });
        }
    }

    fn slowest(&self) -> u32 {
        let inboxes = self.streams.iter();
        let slowest = inboxes.max_by_key(|(_, entry)| entry.inbox.len());
        slowest.map_or(0, |(stream, _)| *stream)
    }

    /// Ends a hold whose reason is gone: a reader took something or left, or the bound is another.
    pub(super) fn relieve(&mut self) {
        let Some(slow) = self.hold.as_ref().map(|hold| hold.stream) else {
            return;
        };
        let bound = self.bound() / 2;
        let mut inboxes = self.streams.values().map(|entry| entry.inbox.len());
        if self.waiting <= TOGETHER / 2 && inboxes.all(|length| length <= bound) {
            self.hold = None;
            self.wake_driver();
            return;
        }
        let fits = |inbox: &Inbox| inbox.len() <= bound;
        if self.streams.get(&slow).is_none_or(|it| fits(&it.inbox)) {
            let slowest = self.slowest();
            if let Some(hold) = &mut self.hold {
                hold.stream = slowest;
                hold.starved = Duration::ZERO;
            }
        }
        if !self.is_held() {
            self.wake_driver();
        }
    }

    /// Since when somebody has waited for an answer that a held session might bring.
    fn waits_behind(&self, slow: u32) -> Option<Instant> {
        let others = self.streams.iter().filter(|(id, _)| **id != slow);
        let waiting = others.filter(|(_, entry)| entry.waits());
        waiting.filter_map(|(_, entry)| entry.waits_since).min()
    }

    /// Looks after a held session.
    pub(super) fn look_at_hold(&mut self, now: Instant) {
        if !self.is_held() {
            return;
        }
        let slow = self.hold.as_ref().map_or(0, |hold| hold.stream);
        let since = self.waits_behind(slow);
        let waiting = self.waiting;
        let Some(hold) = &mut self.hold else {
            return;
        };
        // Nothing is read, so nothing is heard.
        self.pulse.heard(now);
        let passed = (now - hold.looked).min(2 * LOOK);
        hold.looked = now;
        let Some(since) = since else {
            hold.starved = Duration::ZERO;
            return;
        };
        if waiting < MOST {
            if now >= hold.next_meal {
                hold.allowed = waiting + SPOON;
                hold.next_meal = now + MEAL;
            }
            return;
        }
        hold.starved += passed;
        if hold.starved >= PATIENCE && now >= since + PATIENCE {
            hold.starved = Duration::ZERO;
            self.end_slow(slow);
        }
    }

    fn end_slow(&mut self, stream: u32) {
        let why = "the local application was too slow for other connections that waited behind it";
        if let Some(entry) = self.streams.get_mut(&stream) {
            entry.break_off(why);
            // What waits for its reader is lost.
            self.waiting -= entry.inbox.len();
            entry.inbox = Inbox::default();
        }
        frame::put_cancel(&mut self.control, stream);
        self.relieve();
    }

    /// When a held session must be looked after again.
    pub(super) fn next_look_at_hold(&self, now: Instant) -> Option<Instant> {
        let hold = self.hold.as_ref().filter(|_| self.is_held())?;
        let feeds = self.waiting < MOST && self.waits_behind(hold.stream).is_some();
        Some(if feeds { hold.next_meal } else { now + LOOK })
    }
}
