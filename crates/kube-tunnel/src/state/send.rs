//! What goes to the server, and who writes it.

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::time::Instant;

use super::{FinState, TunnelSessionState};
use crate::frame;

/// What may wait of a writer.
const SEND_QUEUE_LIMIT: usize = 256 * 1024;

/// What goes out in one piece: frames without data, or the head of one and its data.
pub struct OutgoingChunk {
    pub head: Bytes,
    pub data: Bytes,
}

impl TunnelSessionState {
    /// What goes out next: all frames without data, or one with data of the stream whose turn it
    /// is.
    pub fn next_chunk(&mut self) -> Option<OutgoingChunk> {
        if !self.control.is_empty() {
            return Some(self.take_control());
        }
        while let Some(stream) = self.send_turns.pop_front() {
            let Some(entry) = self.streams.get_mut(&stream) else {
                continue;
            };
            let data = entry.send_queue.pop_front();
            entry.send_queue_bytes -= data.as_ref().map_or(0, Bytes::len);
            // Woken early enough to fill up again before the rest is sent.
            if let Some(writer) = entry
                .writer
                .take_if(|_| entry.send_queue_bytes <= SEND_QUEUE_LIMIT / 2)
            {
                writer.wake();
            }
            entry.is_queued = !entry.send_queue.is_empty();
            let ends = !entry.is_queued && entry.local_fin == FinState::Queued;
            if entry.is_queued {
                self.send_turns.push_back(stream);
            }
            let chunk = data.map(|data| {
                frame::put_data_head(&mut self.control, stream, data.len(), false);
                let head = self.control.split().freeze();
                self.keepalive.on_send(head.len() + data.len());
                OutgoingChunk { head, data }
            });
            if ends {
                entry.local_fin = FinState::Sent;
                frame::put_data_head(&mut self.control, stream, 0, true);
                self.remove_if_finished(stream);
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

    fn take_control(&mut self) -> OutgoingChunk {
        OutgoingChunk {
            head: self.control.split().freeze(),
            data: Bytes::new(),
        }
    }

    /// Takes at most one frame's data of a writer, and cuts it off.
    pub fn poll_write_bytes(
        &mut self,
        stream: u32,
        data: &mut Bytes,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Arc<str>>> {
        let ended = self.end_reason.clone();
        let Some(entry) = self.streams.get_mut(&stream) else {
            return Poll::Ready(Err(self.end_reason()));
        };
        if let Some(why) = entry.failure_reason().or(ended) {
            return Poll::Ready(Err(why));
        }
        if entry.local_fin != FinState::Open || entry.data_ended {
            // A node that has ended its half has let go of the pod as well.
            return Poll::Ready(Err("the pod closed the connection".into()));
        }
        if entry.send_queue_bytes >= SEND_QUEUE_LIMIT {
            entry.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let part = data.split_to(data.len().min(frame::MAX_DATA));
        entry.send_queue_bytes += part.len();
        entry.received_since_send = 0;
        entry.sent_since_receive += part.len();
        if !mem::replace(&mut entry.awaits_answer, true) && entry.waits_since.is_some() {
            // Until now it was idle.
            entry.waits_since = Some(Instant::now());
        }
        entry.send_queue.push_back(part);
        self.queue_stream(stream);
        Poll::Ready(Ok(()))
    }

    /// After what was written, the node is told that this side has nothing more to say.
    pub fn end_writing(&mut self, stream: u32) {
        if let Some(entry) = self.streams.get_mut(&stream)
            && entry.local_fin == FinState::Open
        {
            entry.local_fin = FinState::Queued;
            self.queue_stream(stream);
        }
    }

    /// Whether what was written has not all been sent.
    pub fn is_sending(&self, stream: u32) -> bool {
        let entry = self.streams.get(&stream);
        entry.is_some_and(|entry| self.end_reason.is_none() && !entry.send_queue.is_empty())
    }

    fn queue_stream(&mut self, stream: u32) {
        if let Some(entry) = self.streams.get_mut(&stream)
            && !mem::replace(&mut entry.is_queued, true)
        {
            self.send_turns.push_back(stream);
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
