//! A port of a pod as a byte stream, over the WebSocket that `pods/portforward` upgrades to.
//!
//! The protocol is `v4.channel.k8s.io` (k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go): the
//! first byte of a message names its channel, 0 for data and 1 for errors; the first message on
//! either begins with the port as two bytes. It has no half-close.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use futures::{Sink, Stream, future::BoxFuture};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message},
};

use crate::{ByteChunks, LivenessCheck, PodStream, node_message::printable_line};

const DATA: u8 = 0;
const ERROR: u8 = 1;

/// What one message carries up. Larger ones gain nothing and hold the other direction back.
const MAX_FRAME: usize = 64 * 1024;

/// The longest complaint that is kept.
const MAX_ERROR_TEXT: usize = 4 * 1024;

/// Load balancers in front of API servers cut what is silent, some after 60 s.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// So many pings without an answer are a dead connection.
const MAX_UNANSWERED_PINGS: u8 = 2;

/// Silence with data on the way, after which the witness is asked.
const LIVENESS_CHECK_AFTER: Duration = Duration::from_secs(12);

/// After the local side has ended, the pod may be silent for so long: it can't be told of the end.
const CLOSE_GRACE_PERIOD: Duration = Duration::from_secs(10);

/// The same where the pod has answered since something was last sent to it. Most clients that end
/// then have closed and want nothing more, which TCP does not tell.
const SHORT_CLOSE_GRACE_PERIOD: Duration = Duration::from_secs(4);

/// A stream to a port of a pod. Dropping it closes the connection.
pub struct WebSocketPodStream<S> {
    socket: WebSocketStream<S>,
    /// Of each channel, how many bytes of the port are still to come.
    port_bytes: [usize; 2],
    /// Data of the message being read.
    data: Bytes,
    /// What the node said on the error channel.
    error_text: Vec<u8>,
    /// The pod's side is over.
    is_ended: bool,
    /// The local side has nothing more to send.
    is_local_closed: bool,
    /// The pod has spoken since something was last sent to it.
    is_answered: bool,
    /// Something was handed to the socket and may still be in its buffer.
    unflushed: bool,
    /// Who waits until the socket takes more. A reader that flushes must not take its place: it
    /// may be held up elsewhere when the socket is ready again.
    writer: Option<Waker>,
    /// The next ping, or after `shut` the end of the patience.
    timer: Pin<Box<Sleep>>,
    last_received: Instant,
    /// Data went up since the last sign of life: a pod that does not read holds back the answers
    /// to pings too, so silence then proves nothing, and the witness is asked.
    sent_since_receive: bool,
    unanswered_pings: u8,
    liveness_check: LivenessCheck,
    /// What the witness was asked and has not answered yet.
    liveness_answer: Option<BoxFuture<'static, bool>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocketPodStream<S> {
    /// Takes over a socket on which exactly one port is forwarded.
    pub fn new(socket: WebSocketStream<S>, liveness_check: LivenessCheck) -> Self {
        Self {
            socket,
            port_bytes: [2, 2],
            data: Bytes::new(),
            error_text: Vec::new(),
            is_ended: false,
            is_local_closed: false,
            is_answered: false,
            unflushed: false,
            writer: None,
            timer: Box::pin(sleep(PING_INTERVAL)),
            last_received: Instant::now(),
            sent_since_receive: false,
            unanswered_pings: 0,
            liveness_check,
            liveness_answer: None,
        }
    }

    /// Waits until the node has named the port on both channels, then for a moment: a port on
    /// which nothing listens is refused within milliseconds. Returns the node's words if it was.
    pub async fn wait_for_refusal(&mut self, moment: Duration) -> io::Result<Option<String>> {
        let named = std::future::poll_fn(|cx| {
            loop {
                if self.port_bytes == [0, 0] || !self.data.is_empty() || self.is_finished() {
                    return Poll::Ready(Ok(()));
                }
                if let Err(error) = ready!(self.poll_message(cx)) {
                    return Poll::Ready(Err(error));
                }
            }
        });
        named.await?;
        let spoke = std::future::poll_fn(|cx| {
            while self.data.is_empty() && !self.is_finished() {
                if let Err(error) = ready!(self.poll_message(cx)) {
                    return Poll::Ready(Err(error));
                }
            }
            Poll::Ready(Ok(()))
        });
        if let Ok(outcome) = tokio::time::timeout(moment, spoke).await {
            outcome?;
        }
        Ok(self.error_message().filter(|_| self.data.is_empty()))
    }

    fn is_finished(&self) -> bool {
        self.is_ended || !self.error_text.is_empty()
    }

    fn error_message(&self) -> Option<String> {
        let words = String::from_utf8_lossy(&self.error_text);
        let words = words.trim();
        (!words.is_empty()).then(|| printable_line(words))
    }

    /// Reads one message into this state.
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
            None => self.is_ended = true,
            Some(Ok(message)) => {
                self.last_received = Instant::now();
                self.unanswered_pings = 0;
                self.sent_since_receive = false;
                self.receive(message);
            }
            Some(Err(error)) => {
                self.is_ended = true;
                return Poll::Ready(Err(to_io(error)));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn receive(&mut self, message: Message) {
        let mut payload = match message {
            Message::Binary(payload) => payload,
            Message::Close(_) => {
                self.is_ended = true;
                return;
            }
            Message::Ping(_) => {
                // The answer is in the socket's buffer already.
                self.unflushed = true;
                return;
            }
            _ => return,
        };
        let Some(channel) = payload.first().copied().filter(|channel| *channel <= ERROR) else {
            return;
        };
        let mut payload = payload.split_off(1);
        if let Some(left) = self.port_bytes.get_mut(usize::from(channel)) {
            let named = payload.len().min(*left);
            *left -= named;
            payload = payload.split_off(named);
        }
        if channel == DATA {
            self.is_answered |= !payload.is_empty();
            self.data = payload;
        } else {
            let room = MAX_ERROR_TEXT.saturating_sub(self.error_text.len());
            self.error_text.extend(payload.iter().take(room));
        }
    }

    /// Sends pings, and says when the other side is dead or has been silent for long enough.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(liveness_answer) = &mut self.liveness_answer
            && let Poll::Ready(lives) = liveness_answer.as_mut().poll(cx)
        {
            self.liveness_answer = None;
            if !lives && self.last_received.elapsed() >= LIVENESS_CHECK_AFTER {
                return Poll::Ready(Err(self.dead_connection_error()));
            }
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if self.is_local_closed {
                let until = self.last_received + self.allowed_silence();
                if now >= until {
                    self.is_ended = true;
                    return Poll::Ready(Ok(()));
                }
                self.timer.as_mut().reset(until);
                continue;
            }
            if self.unanswered_pings >= MAX_UNANSWERED_PINGS && !self.sent_since_receive {
                return Poll::Ready(Err(self.dead_connection_error()));
            }
            let is_doubtful =
                self.sent_since_receive && now >= self.last_received + LIVENESS_CHECK_AFTER;
            if is_doubtful && self.liveness_answer.is_none() {
                self.liveness_answer = Some((self.liveness_check)());
                // Heard with the next round.
                cx.waker().wake_by_ref();
            }
            self.timer.as_mut().reset(now + PING_INTERVAL);
            // A socket that takes nothing now is busy sending; it needs no ping.
            let waker = self.writer.clone().unwrap_or_else(|| cx.waker().clone());
            let mut cx = Context::from_waker(&waker);
            let ready = Pin::new(&mut self.socket).poll_ready(&mut cx);
            if ready.map_err(to_io)?.is_ready() {
                Pin::new(&mut self.socket)
                    .start_send(Message::Ping(Bytes::new()))
                    .map_err(to_io)?;
                self.unflushed = true;
                self.unanswered_pings = self.unanswered_pings.saturating_add(1);
            }
        }
        Poll::Pending
    }

    /// How long the pod may be silent after the local side has ended.
    fn allowed_silence(&self) -> Duration {
        if self.is_answered {
            SHORT_CLOSE_GRACE_PERIOD
        } else {
            CLOSE_GRACE_PERIOD
        }
    }

    fn dead_connection_error(&mut self) -> io::Error {
        self.is_ended = true;
        let silence = self.last_received.elapsed().as_secs();
        let said = format!("the connection to the pod is dead: nothing was heard for {silence} s");
        io::Error::new(io::ErrorKind::TimedOut, said)
    }

    /// Flushes for a writer, who is woken when the socket takes more.
    fn poll_unflushed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unflushed {
            let flushed = Pin::new(&mut self.socket).poll_flush(cx);
            if flushed.is_pending() {
                self.writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            self.writer = None;
            ready!(flushed).map_err(to_io)?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Flushes for a reader: answers to pings and what a writer left behind must leave even if
    /// nobody writes.
    fn flush_for_reader(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.unflushed {
            return Ok(());
        }
        let waker = self.writer.clone().unwrap_or_else(|| cx.waker().clone());
        let mut cx = Context::from_waker(&waker);
        if let Poll::Ready(flushed) = Pin::new(&mut self.socket).poll_flush(&mut cx) {
            flushed.map_err(to_io)?;
            self.unflushed = false;
            if let Some(writer) = self.writer.take() {
                writer.wake();
            }
        }
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocketPodStream<S> {
    /// What the pod has said, at most so many bytes of it and as much as is in one message; nothing
    /// at its end.
    fn poll_chunk(&mut self, most: usize, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        loop {
            if !self.data.is_empty() {
                let taken = self.data.len().min(most);
                return Poll::Ready(Ok(self.data.split_to(taken)));
            }
            if let Some(words) = self.error_message() {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, words)));
            }
            if self.is_ended {
                return Poll::Ready(Ok(Bytes::new()));
            }
            if let Err(error) = self.flush_for_reader(cx) {
                self.is_ended = true;
                return Poll::Ready(Err(error));
            }
            match self.poll_message(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => ready!(self.poll_timer(cx))?,
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> PodStream for WebSocketPodStream<S> {
    fn poll_read_chunks(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &mut ByteChunks,
    ) -> Poll<io::Result<()>> {
        pieces.push(ready!(self.poll_chunk(usize::MAX, cx))?);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocketPodStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buf.put_slice(&ready!(self.poll_chunk(buf.remaining(), cx))?);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocketPodStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.is_local_closed || this.is_finished() {
            let said = this
                .error_message()
                .unwrap_or_else(|| "the pod closed the connection".to_owned());
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, said)));
        }
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        // One frame at most waits in the socket: a pod that is slow holds the writer back. After a
        // flush the socket is ready.
        ready!(this.poll_unflushed(cx))?;
        ready!(Pin::new(&mut this.socket).poll_ready(cx)).map_err(to_io)?;
        let part = data.get(..MAX_FRAME).unwrap_or(data);
        let mut frame = BytesMut::with_capacity(1 + part.len());
        frame.put_u8(DATA);
        frame.put_slice(part);
        Pin::new(&mut this.socket)
            .start_send(Message::Binary(frame.freeze()))
            .map_err(to_io)?;
        this.unflushed = true;
        this.sent_since_receive = true;
        this.is_answered = false;
        match this.poll_unflushed(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(part.len())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_unflushed(cx)
    }

    /// The protocol can't tell the pod, so this only ends the writing; what the pod still says can
    /// be read until it ends or is silent for long.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unflushed(cx))?;
        if !self.is_local_closed {
            self.is_local_closed = true;
            self.last_received = Instant::now();
            let until = self.last_received + self.allowed_silence();
            self.timer.as_mut().reset(until);
        }
        Poll::Ready(Ok(()))
    }
}

fn to_io(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        other => io::Error::new(io::ErrorKind::ConnectionReset, other.to_string()),
    }
}

#[cfg(test)]
mod tests;
