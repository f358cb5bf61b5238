//! One stream, as its session's book keeps it.

use std::{collections::VecDeque, sync::Arc, task::Waker};

use bytes::Bytes;
use tokio::time::Instant;

use super::super::receive_buffer::ReceiveBuffer;
use crate::node_message::printable_line;

/// What is known of a stream.
pub(super) struct StreamState {
    pub port: u16,
    /// What came and waits for the reader.
    pub receive_buffer: ReceiveBuffer,
    /// Data that waits to be sent, a frame each, and how many bytes it is.
    pub send_queue: VecDeque<Bytes>,
    pub send_queue_bytes: usize,
    pub is_queued: bool,
    /// The node knows the stream.
    pub accepted: bool,
    /// Nothing ever came from the pod.
    pub nothing_received: bool,
    /// Nothing came since something was last sent: an answer is waited for.
    pub awaits_answer: bool,
    /// How much came since something was last sent.
    pub received_since_send: usize,
    /// How much was sent since something last came.
    pub sent_since_receive: usize,
    /// The pod has nothing more to say.
    pub data_ended: bool,
    /// Neither has the node. A node that could not reach the pod ends the data stream first and
    /// says why then, so that only this is the end.
    pub error_stream_ended: bool,
    /// The local side has nothing more to say, and the node knows.
    pub local_fin: FinState,
    /// What the node said on the error stream.
    pub error_text: Vec<u8>,
    pub failure: Option<Arc<str>>,
    /// The local side has ended.
    pub is_local_closed: bool,
    /// Nobody holds the stream any more.
    pub is_dropped: bool,
    pub reader: Option<Waker>,
    /// Since when the reader has found nothing.
    pub waits_since: Option<Instant>,
    pub writer: Option<Waker>,
}

/// How far the local end has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FinState {
    Open,
    Queued,
    Sent,
}

impl StreamState {
    pub fn new(port: u16) -> Self {
        Self {
            port,
            receive_buffer: ReceiveBuffer::default(),
            send_queue: VecDeque::new(),
            send_queue_bytes: 0,
            is_queued: false,
            accepted: false,
            nothing_received: true,
            awaits_answer: true,
            received_since_send: 0,
            sent_since_receive: 0,
            data_ended: false,
            error_stream_ended: false,
            local_fin: FinState::Open,
            error_text: Vec::new(),
            failure: None,
            is_local_closed: false,
            is_dropped: false,
            reader: None,
            waits_since: None,
            writer: None,
        }
    }

    pub fn is_finished(&self) -> bool {
        self.data_ended && self.local_fin == FinState::Sent
    }

    /// Whether somebody waits for an answer of the pod.
    pub fn is_awaiting_answer(&self) -> bool {
        self.awaits_answer && !self.is_local_closed && self.waits_since.is_some()
    }

    pub fn failure_reason(&self) -> Option<Arc<str>> {
        let words = String::from_utf8_lossy(&self.error_text);
        match words.trim() {
            "" => self.failure.clone(),
            words => Some(printable_line(words).into()),
        }
    }

    /// Neither side says anything more; what came before can still be read.
    pub fn abort(&mut self, why: &str) {
        self.failure.get_or_insert_with(|| why.into());
        self.local_fin = FinState::Sent;
        (self.data_ended, self.error_stream_ended) = (true, true);
        self.send_queue.clear();
        self.send_queue_bytes = 0;
        self.wake();
    }

    pub fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()]
            .into_iter()
            .flatten()
        {
            waker.wake();
        }
    }
}
