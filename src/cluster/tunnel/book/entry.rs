//! One stream, as its session's book keeps it.

use std::{collections::VecDeque, sync::Arc, task::Waker};

use bytes::Bytes;
use tokio::time::Instant;

use super::super::inbox::Inbox;
use crate::inventory::plain_line;

/// What is known of a stream.
pub(super) struct Entry {
    pub port: u16,
    /// What came and waits for the reader.
    pub inbox: Inbox,
    /// Data that waits to be sent, a frame each, and how many bytes it is.
    pub outbox: VecDeque<Bytes>,
    pub outbox_bytes: usize,
    pub in_turn: bool,
    /// The node knows the stream.
    pub accepted: bool,
    /// Nothing ever came from the pod.
    pub is_unheard: bool,
    /// Nothing came since something was last sent: an answer is waited for.
    pub asked: bool,
    /// How much came since something was last sent.
    pub answer: usize,
    /// How much was sent since something last came.
    pub question: usize,
    /// The pod has nothing more to say.
    pub pod_ended: bool,
    /// Neither has the node. A node that could not reach the pod ends the data stream first and
    /// says why then, so that only this is the end.
    pub node_ended: bool,
    /// The local side has nothing more to say, and the node knows.
    pub end: End,
    /// What the node said on the error stream.
    pub words: Vec<u8>,
    pub failure: Option<Arc<str>>,
    /// The local side has ended.
    pub lingers: bool,
    /// Nobody holds the stream any more.
    pub dropped: bool,
    pub reader: Option<Waker>,
    /// Since when the reader has found nothing.
    pub waits_since: Option<Instant>,
    pub writer: Option<Waker>,
}

/// How far the local end has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Open,
    Wanted,
    Sent,
}

impl Entry {
    pub fn new(port: u16) -> Self {
        Self {
            port,
            inbox: Inbox::default(),
            outbox: VecDeque::new(),
            outbox_bytes: 0,
            in_turn: false,
            accepted: false,
            is_unheard: true,
            asked: true,
            answer: 0,
            question: 0,
            pod_ended: false,
            node_ended: false,
            end: End::Open,
            words: Vec::new(),
            failure: None,
            lingers: false,
            dropped: false,
            reader: None,
            waits_since: None,
            writer: None,
        }
    }

    pub fn is_over(&self) -> bool {
        self.pod_ended && self.end == End::Sent
    }

    /// Whether somebody waits for an answer of the pod.
    pub fn waits(&self) -> bool {
        self.asked && !self.lingers && self.waits_since.is_some()
    }

    pub fn why_failed(&self) -> Option<Arc<str>> {
        let words = String::from_utf8_lossy(&self.words);
        match words.trim() {
            "" => self.failure.clone(),
            words => Some(plain_line(words).into()),
        }
    }

    /// Neither side says anything more; what came before can still be read.
    pub fn break_off(&mut self, why: &str) {
        self.failure.get_or_insert_with(|| why.into());
        self.end = End::Sent;
        (self.pod_ended, self.node_ended) = (true, true);
        self.outbox.clear();
        self.outbox_bytes = 0;
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
