//! The state of a session: its streams, what waits to be sent, what came for whom. No I/O.
//!
//! [`opening`] begins streams, [`send`] and [`receive`] carry their bytes, [`hold`] bounds what
//! waits for slow readers; how streams and the session end stands here.

mod backpressure;
mod opening;
mod receive;
mod send;
mod stream_state;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    task::Waker,
    time::Duration,
};

use bytes::BytesMut;
use tokio::time::Instant;

use self::{
    backpressure::ReadPause,
    stream_state::{FinState, StreamState},
};
use super::{
    frame, headers::HeaderWriter, keepalive::KeepaliveState, receive_buffer::ReceiveBuffer,
};

pub(super) use self::{opening::StreamOpenStatus, receive::StreamReadResult, send::OutgoingChunk};

/// How long a session without a stream is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The state of one session.
pub(super) struct TunnelSessionState {
    streams: BTreeMap<u32, StreamState>,
    next_stream: u32,
    headers: HeaderWriter,
    /// Frames without data, which go first.
    control: BytesMut,
    /// Streams with something to send, in turn.
    send_turns: VecDeque<u32>,
    pub keepalive: KeepaliveState,
    /// What waits for all readers.
    buffered_bytes: usize,
    read_pause: Option<ReadPause>,
    /// Streams whose pod has ended, and until when their node may say why.
    closing_streams: VecDeque<(Instant, u32)>,
    /// Ports from which something came, and when.
    responsive_ports: BTreeMap<u16, Instant>,
    /// Takes no more streams.
    is_draining: bool,
    idle_since: Instant,
    end_reason: Option<Arc<str>>,
    driver: Option<Waker>,
}

impl TunnelSessionState {
    pub fn new(now: Instant) -> Self {
        Self {
            streams: BTreeMap::new(),
            next_stream: 1,
            headers: HeaderWriter::new(),
            control: BytesMut::new(),
            send_turns: VecDeque::new(),
            keepalive: KeepaliveState::new(now),
            buffered_bytes: 0,
            read_pause: None,
            closing_streams: VecDeque::new(),
            responsive_ports: BTreeMap::new(),
            is_draining: false,
            idle_since: now,
            end_reason: None,
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
    pub fn is_finished(&self, now: Instant) -> bool {
        self.streams.is_empty()
            && self.control.is_empty()
            && (self.is_draining || now >= self.idle_since + IDLE_TIMEOUT)
    }

    /// When the driver must look again although nothing happened.
    pub fn next_tick(&self, now: Instant) -> Instant {
        let mut next = self.keepalive.next_deadline();
        if self.streams.is_empty() {
            next = next.min(self.idle_since + IDLE_TIMEOUT);
        }
        if let Some((until, _)) = self.closing_streams.front() {
            next = next.min(*until);
        }
        self.next_read_pause_check(now)
            .map_or(next, |at| next.min(at))
    }

    /// Looks after what time brings. An error is the end of the session.
    pub fn tick(&mut self, now: Instant) -> Result<(), Arc<str>> {
        self.update_read_pause(now);
        self.expire_closing_streams(now);
        if let Some(silence) = self.keepalive.dead_after(now) {
            let silence = silence.as_secs();
            return Err(format!(
                "the connection to the node timed out: nothing was received for {silence} s"
            )
            .into());
        }
        if let Some(id) = self.keepalive.next_ping(now) {
            frame::put_ping(&mut self.control, id);
        }
        Ok(())
    }

    /// The session is over: every stream ends with the reason.
    pub fn end(&mut self, why: &Arc<str>) {
        self.end_reason.get_or_insert_with(|| why.clone());
        self.driver = None;
        self.control.clear();
        self.send_turns.clear();
        for entry in self.streams.values_mut() {
            entry.send_queue.clear();
            entry.send_queue_bytes = 0;
            entry.wake();
        }
        self.streams.retain(|_, entry| !entry.is_dropped);
    }

    pub fn send_go_away(&mut self) {
        self.is_draining = true;
        frame::put_go_away(&mut self.control);
    }

    // === the stream's side ===

    /// The local side has ended, which the node need not know yet. Whoever waits to read is woken,
    /// to wait with patience from now on.
    pub fn close_local(&mut self, stream: u32) {
        if let Some(entry) = self.streams.get_mut(&stream) {
            entry.is_local_closed = true;
            entry.wake();
        }
    }

    /// How many streams' local sides have ended while the pod may still speak.
    pub fn half_closed_streams(&self) -> usize {
        self.streams
            .values()
            .filter(|entry| entry.is_local_closed)
            .count()
    }

    /// Nobody holds the stream any more. What was written before an orderly end still goes out.
    pub fn drop_stream(&mut self, stream: u32, now: Instant) {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return;
        };
        entry.is_dropped = true;
        self.buffered_bytes -= entry.receive_buffer.len();
        entry.receive_buffer = ReceiveBuffer::default();
        let is_over = entry.is_finished();
        if !is_over && (entry.local_fin != FinState::Queued || self.end_reason.is_some()) {
            frame::put_cancel(&mut self.control, stream);
            self.streams.remove(&stream);
        }
        self.remove_if_finished(stream);
        if self.streams.is_empty() {
            self.idle_since = now;
        }
        self.resume_reads_if_drained();
        self.wake_driver();
    }

    /// Forgets a stream that is over on both sides and that nobody holds.
    fn remove_if_finished(&mut self, stream: u32) {
        let Some(entry) = self.streams.get(&stream).filter(|entry| entry.is_dropped) else {
            return;
        };
        if entry.local_fin == FinState::Sent {
            if !entry.data_ended {
                frame::put_cancel(&mut self.control, stream);
            }
            self.streams.remove(&stream);
            self.idle_since = Instant::now();
        }
    }

    fn end_reason(&self) -> Arc<str> {
        let forgotten = || "the connection to the node has ended".into();
        self.end_reason.clone().unwrap_or_else(forgotten)
    }
}
