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

use super::{Book, Entry};
use crate::cluster::tunnel::frame;

/// So many connections, and a session has done its duty: a node keeps a little of each.
const LAST_STREAM: u32 = 4 * 8192;

/// With so much of an answer, or of a question, a stream may keep others waiting: who comes next
/// goes elsewhere.
const HEAVY: usize = 1 << 20;

/// A pod has room for so much that it does not read. Beyond that it may keep a node's queue of
/// frames full, and a stream that is opened then waits behind it.
const UNREAD: usize = 128 * 1024;

/// A port that gave a sign of life so recently is not asked again whether it listens.
const FRESH: Duration = Duration::from_secs(2);

/// What is known of a stream that was opened just now.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Opening {
    /// The node took it, and nothing else is known.
    Accepted,
    /// The pod has spoken, or hung up: it was reached.
    Answered,
    /// The node refused it, in its words.
    Refused(Arc<str>),
    /// The session ended.
    Ended(Arc<str>),
}

impl Book {
    /// Opens a pair of streams to a port; `None` when the session takes no more. The node hears
    /// of it with the first data, or when somebody waits for the answer.
    pub fn open(&mut self, port: u16) -> Option<u32> {
        if !self.takes_streams() {
            return None;
        }
        let (error, data) = (self.next, self.next + 2);
        self.next += 4;
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
        self.streams.insert(data, Entry::new(port));
        self.retired = self.next > LAST_STREAM;
        // It shares the session from now on, which changes what may wait.
        self.relieve();
        Some(data)
    }

    /// Whether a stream may be opened.
    pub fn takes_streams(&self) -> bool {
        !self.retired && self.ended.is_none()
    }

    /// No streams are opened any more; the session ends with the last one.
    pub fn retire(&mut self) {
        self.retired = true;
        self.wake_driver();
    }

    /// How many connections use the session. One whose local end has come needs little.
    pub fn load(&self) -> usize {
        let used = self.streams.values().filter(|entry| !entry.lingers);
        used.count()
    }

    /// Whether a stream that is opened now would wait for others.
    pub fn is_busy(&self, now: Instant) -> bool {
        let heavy = |entry: &Entry| {
            let down = entry.answer >= HEAVY && !entry.pod_ended;
            down || entry.question >= HEAVY
        };
        self.hold.is_some() || self.pulse.is_held_up(now) || self.streams.values().any(heavy)
    }

    /// Whether a port has spoken lately and no pod can hold up the node now, so that a stream to
    /// it need not be waited for.
    pub fn is_trusted(&self, port: u16) -> bool {
        let answered = self.answered.get(&port);
        let mut streams = self.streams.values();
        answered.is_some_and(|at| at.elapsed() <= FRESH)
            && streams.all(|entry| entry.question < UNREAD)
    }

    /// What is known of a stream whose opening is waited for.
    pub fn poll_opening(&mut self, stream: u32, cx: &Context<'_>) -> Poll<Opening> {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return Poll::Ready(Opening::Ended(self.why_ended()));
        };
        let known = if !entry.inbox.is_empty() {
            Opening::Answered
        } else if let Some(why) = entry.why_failed() {
            Opening::Refused(why)
        } else if let Some(why) = &self.ended {
            Opening::Ended(why.clone())
        } else if entry.pod_ended && entry.node_ended {
            Opening::Answered
        } else if entry.accepted {
            Opening::Accepted
        } else {
            entry.reader = Some(cx.waker().clone());
            self.wake_if_unsent();
            return Poll::Pending;
        };
        Poll::Ready(known)
    }

    /// As [`Self::poll_opening`], for more than that it was accepted.
    pub fn poll_answer(&mut self, stream: u32, cx: &Context<'_>) -> Poll<Opening> {
        let known = self.poll_opening(stream, cx);
        if known == Poll::Ready(Opening::Accepted)
            && let Some(entry) = self.streams.get_mut(&stream)
        {
            entry.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        known
    }
}
