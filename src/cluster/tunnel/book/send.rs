//! What goes to the server, and who writes it.

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::time::Instant;

use super::{Book, End};
use crate::cluster::tunnel::frame;

/// What may wait of a writer.
const OUTBOX: usize = 256 * 1024;

/// What goes out in one piece: frames without data, or the head of one and its data.
pub(in super::super) struct Chunk {
    pub head: Bytes,
    pub data: Bytes,
}

impl Book {
    /// What goes out next: all frames without data, or one with data of the stream whose turn it
    /// is.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        if !self.control.is_empty() {
            return Some(self.take_control());
        }
        while let Some(stream) = self.turn.pop_front() {
            let Some(entry) = self.streams.get_mut(&stream) else {
                continue;
            };
            let data = entry.outbox.pop_front();
            entry.outbox_bytes -= data.as_ref().map_or(0, Bytes::len);
            // Woken early enough to fill up again before the rest is sent.
            if let Some(writer) = entry.writer.take_if(|_| entry.outbox_bytes <= OUTBOX / 2) {
                writer.wake();
            }
            entry.in_turn = !entry.outbox.is_empty();
            let ends = !entry.in_turn && entry.end == End::Wanted;
            if entry.in_turn {
                self.turn.push_back(stream);
            }
            let chunk = data.map(|data| {
                frame::put_data_head(&mut self.control, stream, data.len(), false);
                let head = self.control.split().freeze();
                self.pulse.sent(head.len() + data.len());
                Chunk { head, data }
            });
            if ends {
                entry.end = End::Sent;
                frame::put_data_head(&mut self.control, stream, 0, true);
                self.forget_if_over(stream);
            }
            if chunk.is_some() {
                return chunk;
            }
            if !self.control.is_empty() {
                return Some(self.take_control());
            }
        }
        None
    }

    fn take_control(&mut self) -> Chunk {
        Chunk {
            head: self.control.split().freeze(),
            data: Bytes::new(),
        }
    }

    /// Takes at most one frame's data of a writer, and cuts it off.
    pub fn poll_give(
        &mut self,
        stream: u32,
        data: &mut Bytes,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Arc<str>>> {
        let ended = self.ended.clone();
        let Some(entry) = self.streams.get_mut(&stream) else {
            return Poll::Ready(Err(self.why_ended()));
        };
        if let Some(why) = entry.why_failed().or(ended) {
            return Poll::Ready(Err(why));
        }
        if entry.end != End::Open || entry.pod_ended {
            // A node that has ended its half has let go of the pod as well.
            return Poll::Ready(Err("the pod closed the connection".into()));
        }
        if entry.outbox_bytes >= OUTBOX {
            entry.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let part = data.split_to(data.len().min(frame::MAX_DATA));
        entry.outbox_bytes += part.len();
        entry.answer = 0;
        entry.question += part.len();
        if !mem::replace(&mut entry.asked, true) && entry.waits_since.is_some() {
            // Until now it was idle.
            entry.waits_since = Some(Instant::now());
        }
        entry.outbox.push_back(part);
        self.take_turn(stream);
        Poll::Ready(Ok(()))
    }

    /// After what was written, the node is told that this side has nothing more to say.
    pub fn end_writing(&mut self, stream: u32) {
        if let Some(entry) = self.streams.get_mut(&stream)
            && entry.end == End::Open
        {
            entry.end = End::Wanted;
            self.take_turn(stream);
        }
    }

    /// Whether what was written has not all been sent.
    pub fn is_sending(&self, stream: u32) -> bool {
        let entry = self.streams.get(&stream);
        entry.is_some_and(|entry| self.ended.is_none() && !entry.outbox.is_empty())
    }

    fn take_turn(&mut self, stream: u32) {
        if let Some(entry) = self.streams.get_mut(&stream)
            && !mem::replace(&mut entry.in_turn, true)
        {
            self.turn.push_back(stream);
            self.wake_driver();
        }
    }

    /// Wakes the driver where frames without data wait, that nobody has told it of yet.
    pub(super) fn wake_if_unsent(&self) {
        if !self.control.is_empty() {
            self.wake_driver();
        }
    }
}
