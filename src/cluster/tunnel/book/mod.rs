//! The state of a session: its streams, what waits to be sent, what came for whom. No I/O.
//!
//! [`opening`] begins streams, [`send`] and [`receive`] carry their bytes, [`hold`] bounds what
//! waits for slow readers; how streams and the session end stands here.

mod entry;
mod hold;
mod opening;
mod receive;
mod send;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    task::Waker,
    time::Duration,
};

use bytes::BytesMut;
use tokio::time::Instant;

use self::{
    entry::{End, Entry},
    hold::Hold,
};
use super::{frame, headers::HeaderWriter, inbox::Inbox, pulse::Pulse};

pub(super) use self::{opening::Opening, receive::Read, send::Chunk};

/// How long a session without a stream is kept.
const IDLE: Duration = Duration::from_secs(60);

/// The state of one session.
pub(super) struct Book {
    streams: BTreeMap<u32, Entry>,
    next: u32,
    headers: HeaderWriter,
    /// Frames without data, which go first.
    control: BytesMut,
    /// Streams with something to send, in turn.
    turn: VecDeque<u32>,
    pub pulse: Pulse,
    /// What waits for all readers.
    waiting: usize,
    hold: Option<Hold>,
    /// Streams whose pod has ended, and until when their node may say why.
    ending: VecDeque<(Instant, u32)>,
    /// Ports from which something came, and when.
    answered: BTreeMap<u16, Instant>,
    /// Takes no more streams.
    retired: bool,
    idle_since: Instant,
    ended: Option<Arc<str>>,
    driver: Option<Waker>,
}

impl Book {
    pub fn new(now: Instant) -> Self {
        Self {
            streams: BTreeMap::new(),
            next: 1,
            headers: HeaderWriter::new(),
            control: BytesMut::new(),
            turn: VecDeque::new(),
            pulse: Pulse::new(now),
            waiting: 0,
            hold: None,
            ending: VecDeque::new(),
            answered: BTreeMap::new(),
            retired: false,
            idle_since: now,
            ended: None,
            driver: None,
        }
    }

    // === the driver's side ===

    pub fn set_driver(&mut self, waker: &Waker) {
        if !self.driver.as_ref().is_some_and(|old| old.will_wake(waker)) {
            self.driver = Some(waker.clone());
        }
    }

    fn wake_driver(&self) {
        if let Some(driver) = &self.driver {
            driver.wake_by_ref();
        }
    }

    /// Whether the session is at its end: nobody uses it and nobody will.
    pub fn is_over(&self, now: Instant) -> bool {
        self.streams.is_empty()
            && self.control.is_empty()
            && (self.retired || now >= self.idle_since + IDLE)
    }

    /// When the driver must look again although nothing happened.
    pub fn next_look(&self, now: Instant) -> Instant {
        let mut next = self.pulse.next();
        if self.streams.is_empty() {
            next = next.min(self.idle_since + IDLE);
        }
        if let Some((until, _)) = self.ending.front() {
            next = next.min(*until);
        }
        self.next_look_at_hold(now).map_or(next, |at| next.min(at))
    }

    /// Looks after what time brings. An error is the end of the session.
    pub fn look(&mut self, now: Instant) -> Result<(), Arc<str>> {
        self.look_at_hold(now);
        self.look_at_endings(now);
        if let Some(silence) = self.pulse.death(now) {
            let silence = silence.as_secs();
            return Err(format!(
                "the connection to the node is dead: nothing was heard for {silence} s"
            )
            .into());
        }
        if let Some(id) = self.pulse.ping(now) {
            frame::put_ping(&mut self.control, id);
        }
        Ok(())
    }

    /// The session is over: every stream ends with the reason.
    pub fn end(&mut self, why: &Arc<str>) {
        self.ended.get_or_insert_with(|| why.clone());
        self.driver = None;
        self.control.clear();
        self.turn.clear();
        for entry in self.streams.values_mut() {
            entry.outbox.clear();
            entry.outbox_bytes = 0;
            entry.wake();
        }
        self.streams.retain(|_, entry| !entry.dropped);
    }

    pub fn say_goodbye(&mut self) {
        self.retired = true;
        frame::put_go_away(&mut self.control);
    }

    // === the stream's side ===

    /// The local side has ended, which the node need not know yet. Whoever waits to read is woken,
    /// to wait with patience from now on.
    pub fn linger(&mut self, stream: u32) {
        if let Some(entry) = self.streams.get_mut(&stream) {
            entry.lingers = true;
            entry.wake();
        }
    }

    /// How many streams' local sides have ended while the pod may still speak.
    pub fn lingering(&self) -> usize {
        self.streams.values().filter(|entry| entry.lingers).count()
    }

    /// Nobody holds the stream any more. What was written before an orderly end still goes out.
    pub fn drop_stream(&mut self, stream: u32, now: Instant) {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return;
        };
        entry.dropped = true;
        self.waiting -= entry.inbox.len();
        entry.inbox = Inbox::default();
        let is_over = entry.is_over();
        if !is_over && (entry.end != End::Wanted || self.ended.is_some()) {
            frame::put_cancel(&mut self.control, stream);
            self.streams.remove(&stream);
        }
        self.forget_if_over(stream);
        if self.streams.is_empty() {
            self.idle_since = now;
        }
        self.relieve();
        self.wake_driver();
    }

    /// Forgets a stream that is over on both sides and that nobody holds.
    fn forget_if_over(&mut self, stream: u32) {
        let Some(entry) = self.streams.get(&stream).filter(|entry| entry.dropped) else {
            return;
        };
        if entry.end == End::Sent {
            if !entry.pod_ended {
                frame::put_cancel(&mut self.control, stream);
            }
            self.streams.remove(&stream);
            self.idle_since = Instant::now();
        }
    }

    fn why_ended(&self) -> Arc<str> {
        let forgotten = || "the connection to the node has ended".into();
        self.ended.clone().unwrap_or_else(forgotten)
    }
}
