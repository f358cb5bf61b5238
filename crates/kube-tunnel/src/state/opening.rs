//! How streams begin.
//!
//! Every local connection has a pair of streams, as client-go opens them
//! (k8s.io/client-go/tools/portforward): one for errors, closed on this side at once, and two
//! numbers later one for data, by whose number the pair goes here.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Instant;

use super::{StreamState, TunnelSessionState};
use crate::frame;

/// So many connections, and a session has done its duty: a node keeps a little of each.
const LAST_STREAM_ID: u32 = 4 * 8192;

/// With so much of an answer, or of a question, a stream may keep others waiting: who comes next
/// goes elsewhere.
const HEAVY_TRAFFIC: usize = 1 << 20;

/// A pod has room for so much that it does not read. Beyond that it may keep a node's queue of
/// frames full, and a stream that is opened then waits behind it.
const UNREAD_LIMIT: usize = 128 * 1024;

/// A port that gave a sign of life so recently is not asked again whether it listens.
const LISTENING_TTL: Duration = Duration::from_secs(2);

/// What is known of a stream that was opened just now.
#[derive(Debug, PartialEq, Eq)]
pub enum StreamOpenStatus {
    /// The node took it, and nothing else is known.
    Accepted,
    /// The pod has spoken, or hung up: it was reached.
    Answered,
    /// The node refused it, in its words.
    Refused(Arc<str>),
    /// The session ended.
    Ended(Arc<str>),
}

impl TunnelSessionState {
    /// Opens a pair of streams to a port; `None` when the session accepts no more of them. The node
    /// learns of it with the first data, or when a caller waits for the answer.
    pub fn open(&mut self, port: u16) -> Option<u32> {
        if !self.accepts_streams() {
            return None;
        }
        let (error, data) = (self.next_stream, self.next_stream + 2);
        self.next_stream += 4;
        let port_text = port.to_string();
        let request = (error / 4).to_string();
        let mut headers = [
            ("streamtype", "error"),
            ("port", port_text.as_str()),
            ("requestid", request.as_str()),
        ];
        let block = self.headers.block(&headers);
        frame::put_open(&mut self.control, error, &block);
        frame::put_data_head(&mut self.control, error, 0, true);
        if let Some(kind) = headers.first_mut() {
            kind.1 = "data";
        }
        let block = self.headers.block(&headers);
        frame::put_open(&mut self.control, data, &block);
        self.streams.insert(data, StreamState::new(port));
        self.is_draining = self.next_stream > LAST_STREAM_ID;
        // It shares the session from now on, which changes what may wait.
        self.resume_reads_if_drained();
        Some(data)
    }

    /// Whether a stream may be opened.
    pub fn accepts_streams(&self) -> bool {
        !self.is_draining && self.end_reason.is_none()
    }

    /// No streams are opened any more; the session ends with the last one.
    pub fn drain(&mut self) {
        self.is_draining = true;
        self.wake_driver();
    }

    /// How many connections use the session. One whose local end has come needs little.
    pub fn active_streams(&self) -> usize {
        let used = self.streams.values().filter(|entry| !entry.is_local_closed);
        used.count()
    }

    /// Whether a stream that is opened now would wait for others.
    pub fn is_busy(&self, now: Instant) -> bool {
        let heavy = |entry: &StreamState| {
            let down = entry.received_since_send >= HEAVY_TRAFFIC && !entry.data_ended;
            down || entry.sent_since_receive >= HEAVY_TRAFFIC
        };
        self.read_pause.is_some()
            || self.keepalive.is_stalled(now)
            || self.streams.values().any(heavy)
    }

    /// Whether a port has spoken lately and no pod can hold up the node now, so that a stream to
    /// it need not be waited for.
    pub fn is_known_to_listen(&self, port: u16) -> bool {
        let answered = self.responsive_ports.get(&port);
        let mut streams = self.streams.values();
        answered.is_some_and(|at| at.elapsed() <= LISTENING_TTL)
            && streams.all(|entry| entry.sent_since_receive < UNREAD_LIMIT)
    }

    /// What is known of a stream whose opening is waited for.
    pub fn poll_opening(&mut self, stream: u32, cx: &Context<'_>) -> Poll<StreamOpenStatus> {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return Poll::Ready(StreamOpenStatus::Ended(self.end_reason()));
        };
        let known = if !entry.receive_buffer.is_empty() {
            StreamOpenStatus::Answered
        } else if let Some(why) = entry.failure_reason() {
            StreamOpenStatus::Refused(why)
        } else if let Some(why) = &self.end_reason {
            StreamOpenStatus::Ended(why.clone())
        } else if entry.data_ended && entry.error_stream_ended {
            StreamOpenStatus::Answered
        } else if entry.accepted {
            StreamOpenStatus::Accepted
        } else {
            entry.reader = Some(cx.waker().clone());
            self.wake_if_unsent();
            return Poll::Pending;
        };
        Poll::Ready(known)
    }

    /// As [`Self::poll_opening`], for more than that it was accepted.
    pub fn poll_answer(&mut self, stream: u32, cx: &Context<'_>) -> Poll<StreamOpenStatus> {
        let known = self.poll_opening(stream, cx);
        if known == Poll::Ready(StreamOpenStatus::Accepted)
            && let Some(entry) = self.streams.get_mut(&stream)
        {
            entry.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        known
    }
}
