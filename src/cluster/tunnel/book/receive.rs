//! What comes from the server, and who reads it.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;

use super::Book;
use crate::cluster::tunnel::frame::{self, Frame};

/// How long after the end of its data stream a node may take to end the error stream, too. It does
/// both in one go.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The longest complaint that is kept.
const MAX_WORDS: usize = 4 * 1024;

/// What a reader finds.
pub(in super::super) enum Read {
    Data(Bytes),
    End,
    Failed(Arc<str>),
    /// The node said this before anything else: perhaps it did not reach the pod.
    Refused(Arc<str>),
}

impl Book {
    /// Takes in what the server sent.
    pub fn receive(&mut self, frame: Frame, now: Instant) {
        match frame {
            Frame::Open { stream } => frame::put_refusal(&mut self.control, stream),
            Frame::Reply { stream, fin } => {
                if let Some(entry) = self.streams.get_mut(&stream) {
                    entry.accepted = true;
                    entry.wake();
                    if fin {
                        self.pod_ends(stream, now);
                    }
                }
            }
            Frame::Ping { id } if id % 2 == 1 => self.pulse.answered(id),
            Frame::Ping { id } => frame::put_ping(&mut self.control, id),
            Frame::GoAway => self.retired = true,
            Frame::Reset { stream } => self.reset(stream),
            // Numbers 1, 5, 9 … are the error streams of 3, 7, 11 …
            Frame::Data { stream, data, fin } if stream % 4 == 1 => {
                self.complain(stream + 2, &data, fin);
            }
            Frame::Data { stream, data, fin } => self.deliver(stream, data, fin, now),
        }
    }

    fn deliver(&mut self, stream: u32, data: Bytes, fin: bool, now: Instant) {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return;
        };
        // The kubelet may dial before it has sent its reply.
        entry.accepted = true;
        entry.asked = false;
        entry.question = 0;
        entry.is_unheard &= data.is_empty();
        entry.answer += data.len();
        if entry.words.is_empty() {
            self.answered.insert(entry.port, now);
        }
        if !entry.dropped && entry.failure.is_none() {
            self.waiting += data.len();
            entry.inbox.push(data);
        }
        entry.wake();
        self.hold_if_full(stream, now);
        if fin {
            self.pod_ends(stream, now);
        }
    }

    /// The data stream has ended; the error stream should follow.
    fn pod_ends(&mut self, stream: u32, now: Instant) {
        if let Some(entry) = self.streams.get_mut(&stream) {
            entry.pod_ended = true;
            if !entry.node_ended {
                self.ending.push_back((now + LAST_WORDS, stream));
            }
            self.forget_if_over(stream);
        }
    }

    /// Waits no longer for the last words of nodes that said none.
    pub(super) fn look_at_endings(&mut self, now: Instant) {
        while let Some((_, stream)) = self.ending.pop_front_if(|(until, _)| *until <= now) {
            if let Some(entry) = self.streams.get_mut(&stream) {
                entry.node_ended = true;
                entry.wake();
            }
        }
    }

    fn complain(&mut self, stream: u32, words: &[u8], fin: bool) {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return;
        };
        if !words.is_empty() {
            let room = MAX_WORDS.saturating_sub(entry.words.len());
            entry.words.extend(words.iter().take(room));
            self.answered.remove(&entry.port);
        }
        entry.node_ended |= fin;
        if fin || !words.is_empty() {
            entry.wake();
        }
    }

    fn reset(&mut self, stream: u32) {
        if stream % 4 == 1 {
            // Without its error stream the node would not pair the other.
            let data = stream + 2;
            if self.streams.get(&data).is_some_and(|entry| !entry.accepted) {
                self.reset(data);
            }
            return;
        }
        if let Some(entry) = self.streams.get_mut(&stream) {
            self.answered.remove(&entry.port);
            entry.break_off("the node ended the connection");
            self.forget_if_over(stream);
        }
    }

    /// What a reader finds, at most so many bytes of it, and as much as is in one piece.
    pub fn poll_read(&mut self, stream: u32, most: usize, cx: &Context<'_>) -> Poll<Read> {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return Poll::Ready(Read::Failed(self.why_ended()));
        };
        if let Some(data) = entry.inbox.pop(most) {
            entry.waits_since = None;
            self.waiting -= data.len();
            self.relieve();
            return Poll::Ready(Read::Data(data));
        }
        if let Some(why) = entry.why_failed() {
            let first = entry.is_unheard && !entry.words.is_empty();
            return Poll::Ready(if first {
                Read::Refused(why)
            } else {
                Read::Failed(why)
            });
        }
        if entry.pod_ended && entry.node_ended {
            return Poll::Ready(Read::End);
        }
        if let Some(why) = &self.ended {
            return Poll::Ready(Read::Failed(why.clone()));
        }
        if !entry
            .reader
            .as_ref()
            .is_some_and(|old| old.will_wake(cx.waker()))
        {
            entry.reader = Some(cx.waker().clone());
        }
        entry.waits_since.get_or_insert_with(Instant::now);
        self.wake_if_unsent();
        Poll::Pending
    }

    /// The next piece of what waits for a reader that has found some.
    pub fn read_on(&mut self, stream: u32) -> Option<Bytes> {
        let data = self.streams.get_mut(&stream)?.inbox.pop(usize::MAX)?;
        self.waiting -= data.len();
        self.relieve();
        Some(data)
    }
}
