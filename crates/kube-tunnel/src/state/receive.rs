//! What comes from the server, and who reads it.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;

use super::TunnelSessionState;
use crate::frame::{self, SpdyFrame};

/// How long after the end of its data stream a node may take to end the error stream, too. It does
/// both in one go.
const ERROR_STREAM_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest complaint that is kept.
const MAX_ERROR_TEXT: usize = 4 * 1024;

/// What a reader finds.
pub enum StreamReadResult {
    Data(Bytes),
    End,
    Failed(Arc<str>),
    /// The node said this before anything else: perhaps it did not reach the pod.
    Refused(Arc<str>),
}

impl TunnelSessionState {
    /// Takes in what the server sent.
    pub fn receive(&mut self, frame: SpdyFrame, now: Instant) {
        match frame {
            SpdyFrame::Open { stream } => frame::put_refusal(&mut self.control, stream),
            SpdyFrame::Reply { stream, fin } => {
                if let Some(entry) = self.streams.get_mut(&stream) {
                    entry.accepted = true;
                    entry.wake();
                    if fin {
                        self.end_data_stream(stream, now);
                    }
                }
            }
            SpdyFrame::Ping { id } if id % 2 == 1 => self.keepalive.on_pong(id),
            SpdyFrame::Ping { id } => frame::put_ping(&mut self.control, id),
            SpdyFrame::GoAway => self.is_draining = true,
            SpdyFrame::Reset { stream } => self.reset(stream),
            // Numbers 1, 5, 9 … are the error streams of 3, 7, 11 …
            SpdyFrame::Data { stream, data, fin } if stream % 4 == 1 => {
                self.receive_error_text(stream + 2, &data, fin);
            }
            SpdyFrame::Data { stream, data, fin } => self.deliver(stream, data, fin, now),
        }
    }

    fn deliver(&mut self, stream: u32, data: Bytes, fin: bool, now: Instant) {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return;
        };
        // The kubelet may dial before it has sent its reply.
        entry.accepted = true;
        entry.awaits_answer = false;
        entry.sent_since_receive = 0;
        entry.nothing_received &= data.is_empty();
        entry.received_since_send += data.len();
        if entry.error_text.is_empty() {
            self.responsive_ports.insert(entry.port, now);
        }
        if !entry.is_dropped && entry.failure.is_none() {
            self.buffered_bytes += data.len();
            entry.receive_buffer.push(data);
        }
        entry.wake();
        self.pause_reads_if_full(stream, now);
        if fin {
            self.end_data_stream(stream, now);
        }
    }

    /// The data stream has ended; the error stream should follow.
    fn end_data_stream(&mut self, stream: u32, now: Instant) {
        if let Some(entry) = self.streams.get_mut(&stream) {
            entry.data_ended = true;
            if !entry.error_stream_ended {
                self.closing_streams
                    .push_back((now + ERROR_STREAM_TIMEOUT, stream));
            }
            self.remove_if_finished(stream);
        }
    }

    /// Waits no longer for the last words of nodes that said none.
    pub(super) fn expire_closing_streams(&mut self, now: Instant) {
        while let Some((_, stream)) = self
            .closing_streams
            .pop_front_if(|(until, _)| *until <= now)
        {
            if let Some(entry) = self.streams.get_mut(&stream) {
                entry.error_stream_ended = true;
                entry.wake();
            }
        }
    }

    fn receive_error_text(&mut self, stream: u32, words: &[u8], fin: bool) {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return;
        };
        if !words.is_empty() {
            let room = MAX_ERROR_TEXT.saturating_sub(entry.error_text.len());
            entry.error_text.extend(words.iter().take(room));
            self.responsive_ports.remove(&entry.port);
        }
        entry.error_stream_ended |= fin;
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
            self.responsive_ports.remove(&entry.port);
            entry.abort("the node ended the connection");
            self.remove_if_finished(stream);
        }
    }

    /// What a reader finds, at most so many bytes of it, and as much as is in one piece.
    pub fn poll_read(
        &mut self,
        stream: u32,
        most: usize,
        cx: &Context<'_>,
    ) -> Poll<StreamReadResult> {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return Poll::Ready(StreamReadResult::Failed(self.end_reason()));
        };
        if let Some(data) = entry.receive_buffer.pop(most) {
            entry.waits_since = None;
            self.buffered_bytes -= data.len();
            self.resume_reads_if_drained();
            return Poll::Ready(StreamReadResult::Data(data));
        }
        if let Some(why) = entry.failure_reason() {
            let first = entry.nothing_received && !entry.error_text.is_empty();
            return Poll::Ready(if first {
                StreamReadResult::Refused(why)
            } else {
                StreamReadResult::Failed(why)
            });
        }
        if entry.data_ended && entry.error_stream_ended {
            return Poll::Ready(StreamReadResult::End);
        }
        if let Some(why) = &self.end_reason {
            return Poll::Ready(StreamReadResult::Failed(why.clone()));
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
    pub fn read_more(&mut self, stream: u32) -> Option<Bytes> {
        let data = self
            .streams
            .get_mut(&stream)?
            .receive_buffer
            .pop(usize::MAX)?;
        self.buffered_bytes -= data.len();
        self.resume_reads_if_drained();
        Some(data)
    }
}
