//! What goes to the server, and who writes it.

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{BufMut, Bytes, BytesMut};
use tokio::time::Instant;

use super::{Book, End};
use crate::cluster::tunnel::frame;

/// What may wait of a writer.
const OUTBOX: usize = 256 * 1024;

impl Book {
    /// What goes out next: all frames without data, or one with data of the stream whose turn it
    /// is.
    pub fn next_chunk(&mut self) -> Option<Bytes> {
        if !self.control.is_empty() {
            return Some(self.control.split().freeze());
        }
        while let Some(stream) = self.turn.pop_front() {
            let Some(entry) = self.streams.get_mut(&stream) else {
                continue;
            };
            let chunk = entry.outbox.pop_front();
            entry.outbox_bytes -= chunk.as_ref().map_or(0, Bytes::len);
            // Woken early enough to fill up again before the rest is sent.
            if let Some(writer) = entry.writer.take_if(|_| entry.outbox_bytes <= OUTBOX / 2) {
                writer.wake();
            }
            entry.in_turn = !entry.outbox.is_empty();
            if entry.in_turn {
                self.turn.push_back(stream);
            } else if entry.end == End::Wanted {
                entry.end = End::Sent;
                frame::put_data_head(&mut self.control, stream, 0, true);
                self.forget_if_over(stream);
            }
            match chunk {
                Some(chunk) => {
                    self.pulse.sent(chunk.len());
                    return Some(chunk);
                }
                None if self.control.is_empty() => {}
                None => return Some(self.control.split().freeze()),
            }
        }
        None
    }

    /// Takes at most one frame's data of a writer.
    pub fn poll_write(
        &mut self,
        stream: u32,
        data: &[u8],
        cx: &Context<'_>,
    ) -> Poll<Result<usize, Arc<str>>> {
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
        let part = data.get(..frame::MAX_DATA).unwrap_or(data);
        let mut chunk = BytesMut::with_capacity(frame::HEAD + part.len());
        frame::put_data_head(&mut chunk, stream, part.len(), false);
        chunk.put_slice(part);
        entry.outbox_bytes += chunk.len();
        entry.outbox.push_back(chunk.freeze());
        entry.answer = 0;
        entry.question += part.len();
        if !mem::replace(&mut entry.asked, true) && entry.waits_since.is_some() {
            // Until now it was idle.
            entry.waits_since = Some(Instant::now());
        }
        self.take_turn(stream);
        Poll::Ready(Ok(part.len()))
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
