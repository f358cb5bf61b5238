//! The state of a session: its streams, what waits to be sent, what came for whom. No I/O.
//!
//! Every local connection has a pair of streams, as client-go opens them
//! (k8s.io/client-go/tools/portforward): one for errors, closed on this side at once, and two
//! numbers later one for data, by whose number the pair goes here.
//!
//! SPDY as Kubernetes speaks it has no flow control: whoever does not read his stream must not
//! make the others wait, and must not fill the memory either. So what comes for a slow reader is
//! kept up to a bound, which is larger when other streams share the session. Beyond it the session
//! is **held**: it reads no more from the server, which holds back every stream on it. New
//! connections go to another session meanwhile. Those that are open can't move; when one of them
//! waits for an answer for too long, the slow connection is ended for their sake. Idle ones do not
//! count, so a download that is slow on purpose lives on beside them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use tokio::time::Instant;

use super::{
    frame::{self, Frame},
    headers::HeaderWriter,
    inbox::Inbox,
    pulse::Pulse,
};

/// What may wait for the reader of a stream that has the session to itself, and of one that has
/// not; and what may wait for all readers together.
const ALONE: usize = 1 << 20;
const SHARED: usize = 32 << 20;
const TOGETHER: usize = 96 << 20;

/// A reader with so much before it is a reason to open the next connection elsewhere.
const CROWDED: usize = 256 * 1024;

/// How long a session may be held while one of its streams waits for an answer.
const HELD: Duration = Duration::from_secs(10);

/// How often a session that was held for so long is looked after.
const LOOK: Duration = Duration::from_secs(1);

/// What may wait of a writer.
const OUTBOX: usize = 256 * 1024;

/// The longest complaint that is kept.
const MAX_WORDS: usize = 4 * 1024;

/// So many connections, and a session has done its duty: a node keeps a little of each.
const LAST_STREAM: u32 = 4 * 8192;

/// How long a session without a stream is kept.
const IDLE: Duration = Duration::from_secs(60);

/// The state of one session.
pub(super) struct Book {
    streams: BTreeMap<u32, Entry>,
    next: u32,
    headers: HeaderWriter,
    /// Frames without data, which go first.
    control: BytesMut,
    /// Streams with something to send, in turn.
    turn: VecDeque<u32>,
    pub pulse: Pulse,
    /// What waits for all readers.
    waiting: usize,
    held: Option<Held>,
    /// Ports from which something came, and when.
    answered: BTreeMap<u16, Instant>,
    /// Ports of which a stream was once too slow.
    slow: Vec<u16>,
    /// Takes no more streams.
    retired: bool,
    idle_since: Instant,
    ended: Option<Arc<str>>,
    driver: Option<Waker>,
}

/// Whose reader holds the session, and since when.
#[derive(Clone, Copy)]
struct Held {
    stream: u32,
    since: Instant,
}

struct Entry {
    port: u16,
    inbox: Inbox,
    outbox: VecDeque<Bytes>,
    outbox_bytes: usize,
    in_turn: bool,
    /// The node knows the stream.
    accepted: bool,
    /// Nothing came since something was last sent: an answer is waited for.
    asked: bool,
    /// The pod has nothing more to say.
    pod_ended: bool,
    /// The local side has nothing more to say, and the node knows.
    end: End,
    words: Vec<u8>,
    failure: Option<Arc<str>>,
    /// The local side has ended.
    lingers: bool,
    /// Nobody holds the stream any more.
    dropped: bool,
    reader: Option<Waker>,
    /// Since when the reader has found nothing.
    waits_since: Option<Instant>,
    writer: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Wanted,
    Sent,
}

/// What a reader finds.
pub(super) enum Read {
    Data(Bytes),
    End,
    Failed(Arc<str>),
}

/// What is known of a stream that was opened just now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
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
    pub fn new(now: Instant) -> Self {
        Self {
            streams: BTreeMap::new(),
            next: 1,
            headers: HeaderWriter::new(),
            control: BytesMut::new(),
            turn: VecDeque::new(),
            pulse: Pulse::new(now),
            waiting: 0,
            held: None,
            answered: BTreeMap::new(),
            slow: Vec::new(),
            retired: false,
            idle_since: now,
            ended: None,
            driver: None,
        }
    }

    /// Opens a pair of streams to a port; `None` when the session takes no more.
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
        self.wake_driver();
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

    pub fn load(&self) -> usize {
        self.streams.len()
    }

    /// Whether a stream that is opened now would wait for others.
    pub fn is_busy(&self, now: Instant) -> bool {
        self.held.is_some()
            || self.pulse.is_held_up(now)
            || self.waiting > CROWDED
            || self
                .streams
                .values()
                .any(|entry| entry.outbox_bytes >= OUTBOX)
    }

    /// When a pod's port last gave a sign of life.
    pub fn answered(&self, port: u16) -> Option<Instant> {
        self.answered.get(&port).copied()
    }

    /// Ports whose streams were too slow since the last call.
    pub fn take_slow(&mut self) -> Vec<u16> {
        std::mem::take(&mut self.slow)
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

    /// Whether the server must wait.
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Whether the session is at its end: nobody uses it and nobody will.
    pub fn is_over(&self, now: Instant) -> bool {
        self.streams.is_empty()
            && self.control.is_empty()
            && (self.retired || now >= self.idle_since + IDLE)
    }

    /// When the driver must look again although nothing happened.
    pub fn next_look(&self, now: Instant) -> Instant {
        let mut next = self.pulse.next();
        if self.streams.is_empty() {
            next = next.min(self.idle_since + IDLE);
        }
        if let Some(held) = self.held {
            // Once the time is over, who starves may come later.
            next = next.min((held.since + HELD).max(now + LOOK));
        }
        next
    }

    /// Looks after what time brings. An error is the end of the session.
    pub fn look(&mut self, now: Instant) -> Result<(), Arc<str>> {
        if let Some(held) = self.held {
            // Nothing is read, so nothing is heard.
            self.pulse.heard(now);
            if now >= held.since + HELD && self.starves(now) {
                let why = "the local application was too slow for other connections that waited behind it";
                self.fail(held.stream, why);
                frame::put_cancel(&mut self.control, held.stream);
                self.relieve();
            }
        }
        if let Some(silence) = self.pulse.death(now) {
            let silence = silence.as_secs();
            return Err(format!(
                "the connection to the node is dead: nothing was heard for {silence} s"
            )
            .into());
        }
        if let Some(id) = self.pulse.ping(now) {
            frame::put_ping(&mut self.control, id);
        }
        Ok(())
    }

    /// Whether a stream has waited for too long for what a held session might bring.
    fn starves(&self, now: Instant) -> bool {
        let since = |entry: &Entry| entry.waits_since.filter(|_| entry.asked);
        let mut waiting = self.streams.values().filter_map(since);
        waiting.any(|since| now >= since + HELD)
    }

    /// What goes out next: all frames without data, or one with data of the stream whose turn it
    /// is.
    pub fn next_chunk(&mut self) -> Option<Bytes> {
        if !self.control.is_empty() {
            return Some(self.control.split().freeze());
        }
        if !self.pulse.has_room() {
            return None;
        }
        while let Some(stream) = self.turn.pop_front() {
            let Some(entry) = self.streams.get_mut(&stream) else {
                continue;
            };
            let chunk = entry.outbox.pop_front();
            entry.outbox_bytes -= chunk.as_ref().map_or(0, Bytes::len);
            if let Some(writer) = entry.writer.take_if(|_| entry.outbox_bytes < OUTBOX) {
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

    /// Takes in what the server sent.
    pub fn receive(&mut self, frame: Frame, now: Instant) {
        match frame {
            Frame::Open { stream } => frame::put_refusal(&mut self.control, stream),
            Frame::Reply { stream, fin } => {
                if let Some(entry) = self.streams.get_mut(&stream) {
                    entry.accepted = true;
                    entry.pod_ended |= fin;
                    entry.wake();
                    self.forget_if_over(stream);
                }
            }
            Frame::Ping { id } if id % 2 == 1 => self.pulse.answered(id),
            Frame::Ping { id } => frame::put_ping(&mut self.control, id),
            Frame::GoAway => self.retired = true,
            Frame::Reset { stream } => self.reset(stream),
            // Numbers 1, 5, 9 … are the error streams of 3, 7, 11 …
            Frame::Data { stream, data, .. } if stream % 4 == 1 => self.complain(stream + 2, &data),
            Frame::Data { stream, data, fin } => self.deliver(stream, data, fin, now),
        }
    }

    fn deliver(&mut self, stream: u32, data: Bytes, fin: bool, now: Instant) {
        let shared = self.streams.len() > 1;
        let Some(entry) = self.streams.get_mut(&stream) else {
            return;
        };
        // The kubelet may dial before it has sent its reply.
        entry.accepted = true;
        entry.asked = false;
        entry.pod_ended |= fin;
        if entry.words.is_empty() {
            self.answered.insert(entry.port, now);
        }
        if !entry.dropped && entry.failure.is_none() {
            self.waiting += data.len();
            entry.inbox.push(data);
        }
        entry.wake();
        let bound = if shared { SHARED } else { ALONE };
        if self.held.is_none() && (entry.inbox.len() > bound || self.waiting > TOGETHER) {
            if shared {
                self.slow.push(entry.port);
            }
            self.hold(now);
        }
        self.forget_if_over(stream);
    }

    /// Holds the session until the reader with the most before it has taken half of that.
    fn hold(&mut self, since: Instant) {
        let slowest = self
            .streams
            .iter()
            .max_by_key(|(_, entry)| entry.inbox.len());
        self.held = slowest.map(|(stream, _)| Held {
            stream: *stream,
            since,
        });
    }

    /// Ends a hold whose reason is gone, after a reader took something or left.
    fn relieve(&mut self) {
        let shared = self.streams.len() > 1;
        let Some(held) = self.held else {
            return;
        };
        let bound = if shared { SHARED } else { ALONE } / 2;
        let fits = |entry: &Entry| entry.inbox.len() <= bound;
        if self.waiting <= TOGETHER / 2 && self.streams.values().all(fits) {
            self.held = None;
            self.wake_driver();
        } else if self.streams.get(&held.stream).is_none_or(fits) {
            self.hold(held.since);
        }
    }

    fn complain(&mut self, stream: u32, words: &[u8]) {
        if let Some(entry) = self.streams.get_mut(&stream).filter(|_| !words.is_empty()) {
            let room = MAX_WORDS.saturating_sub(entry.words.len());
            entry.words.extend(words.iter().take(room));
            self.answered.remove(&entry.port);
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

    /// Breaks a stream off; what waits for its reader is lost.
    fn fail(&mut self, stream: u32, why: &str) {
        if let Some(entry) = self.streams.get_mut(&stream) {
            entry.break_off(why);
            self.waiting -= entry.inbox.len();
            entry.inbox = Inbox::default();
        }
    }

    /// The session is over: every stream ends with the reason.
    pub fn end(&mut self, why: &Arc<str>) {
        self.ended.get_or_insert_with(|| why.clone());
        self.driver = None;
        self.control.clear();
        self.turn.clear();
        for entry in self.streams.values_mut() {
            entry.outbox.clear();
            entry.outbox_bytes = 0;
            entry.wake();
        }
        self.streams.retain(|_, entry| !entry.dropped);
    }

    pub fn say_goodbye(&mut self) {
        self.retired = true;
        frame::put_go_away(&mut self.control);
    }

    // === the stream's side ===

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
        } else if entry.pod_ended {
            Opening::Answered
        } else if entry.accepted {
            Opening::Accepted
        } else {
            entry.reader = Some(cx.waker().clone());
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
            return Poll::Ready(Read::Failed(why));
        }
        if entry.pod_ended {
            return Poll::Ready(Read::End);
        }
        if let Some(why) = &self.ended {
            return Poll::Ready(Read::Failed(why.clone()));
        }
        entry.reader = Some(cx.waker().clone());
        entry.waits_since.get_or_insert_with(Instant::now);
        Poll::Pending
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
        let mut chunk = BytesMut::with_capacity(8 + part.len());
        frame::put_data_head(&mut chunk, stream, part.len(), false);
        chunk.put_slice(part);
        entry.outbox_bytes += chunk.len();
        entry.outbox.push_back(chunk.freeze());
        if !std::mem::replace(&mut entry.asked, true) && entry.waits_since.is_some() {
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

    /// The local side has ended, which the node need not know yet. Whoever waits to read is woken,
    /// to wait with patience from now on.
    pub fn linger(&mut self, stream: u32) {
        if let Some(entry) = self.streams.get_mut(&stream) {
            entry.lingers = true;
            entry.wake();
        }
    }

    /// How many streams' local sides have ended while the pod may still speak.
    pub fn lingering(&self) -> usize {
        self.streams.values().filter(|entry| entry.lingers).count()
    }

    fn take_turn(&mut self, stream: u32) {
        if let Some(entry) = self.streams.get_mut(&stream)
            && !std::mem::replace(&mut entry.in_turn, true)
        {
            self.turn.push_back(stream);
            self.wake_driver();
        }
    }

    /// Nobody holds the stream any more. What was written before an orderly end still goes out.
    pub fn drop_stream(&mut self, stream: u32, now: Instant) {
        let Some(entry) = self.streams.get_mut(&stream) else {
            return;
        };
        entry.dropped = true;
        self.waiting -= entry.inbox.len();
        entry.inbox = Inbox::default();
        let is_over = entry.is_over();
        if !is_over && (entry.end != End::Wanted || self.ended.is_some()) {
            frame::put_cancel(&mut self.control, stream);
            self.streams.remove(&stream);
        }
        self.forget_if_over(stream);
        if self.streams.is_empty() {
            self.idle_since = now;
        }
        self.relieve();
        self.wake_driver();
    }

    /// Forgets a stream that is over on both sides and that nobody holds.
    fn forget_if_over(&mut self, stream: u32) {
        let Some(entry) = self.streams.get(&stream).filter(|entry| entry.dropped) else {
            return;
        };
        if entry.end == End::Sent {
            if !entry.pod_ended {
                frame::put_cancel(&mut self.control, stream);
            }
            self.streams.remove(&stream);
            self.idle_since = Instant::now();
        }
    }

    fn why_ended(&self) -> Arc<str> {
        let forgotten = || "the connection to the node has ended".into();
        self.ended.clone().unwrap_or_else(forgotten)
    }
}

impl Entry {
    fn new(port: u16) -> Self {
        Self {
            port,
            inbox: Inbox::default(),
            outbox: VecDeque::new(),
            outbox_bytes: 0,
            in_turn: false,
            accepted: false,
            asked: true,
            pod_ended: false,
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

    fn is_over(&self) -> bool {
        self.pod_ended && self.end == End::Sent
    }

    fn why_failed(&self) -> Option<Arc<str>> {
        let words = String::from_utf8_lossy(&self.words);
        match words.trim() {
            "" => self.failure.clone(),
            words => Some(words.into()),
        }
    }

    /// Neither side says anything more; what came before can still be read.
    fn break_off(&mut self, why: &str) {
        self.failure.get_or_insert_with(|| why.into());
        self.end = End::Sent;
        self.pod_ended = true;
        self.outbox.clear();
        self.outbox_bytes = 0;
        self.wake();
    }

    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()]
            .into_iter()
            .flatten()
        {
            waker.wake();
        }
    }
}
