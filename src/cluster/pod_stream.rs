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

use super::link::Witness;
use crate::{
    forward::{self, Pieces},
    inventory::plain_line,
};

const DATA: u8 = 0;
const ERROR: u8 = 1;

/// What one message carries up. Larger ones gain nothing and hold the other direction back.
const MAX_FRAME: usize = 64 * 1024;

/// The longest complaint that is kept.
const MAX_WORDS: usize = 4 * 1024;

/// Load balancers in front of API servers cut what is silent, some after 60 s.
const PING: Duration = Duration::from_secs(10);

/// So many pings without an answer are a dead connection.
const MAX_UNANSWERED: u8 = 2;

/// Silence with data on the way, after which the witness is asked.
const DOUBT: Duration = Duration::from_secs(12);

/// After the local side has ended, the pod may be silent for so long: it can't be told of the end.
const LINGER: Duration = Duration::from_secs(10);

/// The same where the pod has answered since something was last sent to it. Most clients that end
/// then have closed and want nothing more, which TCP does not tell.
const SHORT_LINGER: Duration = Duration::from_secs(4);

/// A stream to a port of a pod. Dropping it closes the connection.
pub(super) struct PodStream<S> {
    socket: WebSocketStream<S>,
    /// Of each channel, how many bytes of the port are still to come.
    port_bytes: [usize; 2],
    /// Data of the message being read.
    data: Bytes,
    /// What the node said on the error channel.
    words: Vec<u8>,
    /// The pod's side is over.
    ended: bool,
    /// The local side has nothing more to send.
    shut: bool,
    /// The pod has spoken since something was last sent to it.
    answered: bool,
    /// Something was handed to the socket and may still be in its buffer.
    unflushed: bool,
    /// Who waits until the socket takes more. A reader that flushes must not take its place: it
    /// may be held up elsewhere when the socket is ready again.
    writer: Option<Waker>,
    /// The next ping, or after `shut` the end of the patience.
    timer: Pin<Box<Sleep>>,
    heard: Instant,
    /// Data went up since the last sign of life: a pod that does not read holds back the answers
    /// to pings too, so silence then proves nothing, and the witness is asked.
    sent_since_heard: bool,
    unanswered: u8,
    witness: Witness,
    /// What the witness was asked and has not answered yet.
    testimony: Option<BoxFuture<'static, bool>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> PodStream<S> {
    /// Takes over a socket on which exactly one port is forwarded.
    pub fn new(socket: WebSocketStream<S>, witness: Witness) -> Self {
        Self {
            socket,
            port_bytes: [2, 2],
            data: Bytes::new(),
            words: Vec::new(),
            ended: false,
            shut: false,
            answered: false,
            unflushed: false,
            writer: None,
            timer: Box::pin(sleep(PING)),
            heard: Instant::now(),
            sent_since_heard: false,
            unanswered: 0,
            witness,
            testimony: None,
        }
    }

    /// Waits until the node has named the port on both channels, then for a moment: a port on
    /// which nothing listens is refused within milliseconds. Returns the node's words if it was.
    pub async fn refused(&mut self, moment: Duration) -> io::Result<Option<String>> {
        let named = std::future::poll_fn(|cx| {
            loop {
                if self.port_bytes == [0, 0] || !self.data.is_empty() || self.is_over() {
                    return Poll::Ready(Ok(()));
                }
                if let Err(error) = ready!(self.poll_message(cx)) {
                    return Poll::Ready(Err(error));
                }
            }
        });
        named.await?;
        let spoke = std::future::poll_fn(|cx| {
            while self.data.is_empty() && !self.is_over() {
                if let Err(error) = ready!(self.poll_message(cx)) {
                    return Poll::Ready(Err(error));
                }
            }
            Poll::Ready(Ok(()))
        });
        if let Ok(outcome) = tokio::time::timeout(moment, spoke).await {
            outcome?;
        }
        Ok(self.complaint().filter(|_| self.data.is_empty()))
    }

    fn is_over(&self) -> bool {
        self.ended || !self.words.is_empty()
    }

    fn complaint(&self) -> Option<String> {
        let words = String::from_utf8_lossy(&self.words);
        let words = words.trim();
        (!words.is_empty()).then(|| plain_line(words))
    }

    /// Reads one message into this state.
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
            None => self.ended = true,
            Some(Ok(message)) => {
                self.heard = Instant::now();
                self.unanswered = 0;
                self.sent_since_heard = false;
                self.take(message);
            }
            Some(Err(error)) => {
                self.ended = true;
                return Poll::Ready(Err(to_io(error)));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn take(&mut self, message: Message) {
        let mut payload = match message {
            Message::Binary(payload) => payload,
            Message::Close(_) => {
                self.ended = true;
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
            self.answered |= !payload.is_empty();
            self.data = payload;
        } else {
            let room = MAX_WORDS.saturating_sub(self.words.len());
            self.words.extend(payload.iter().take(room));
        }
    }

    /// Sends pings, and says when the other side is dead or has been silent for long enough.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(testimony) = &mut self.testimony
            && let Poll::Ready(lives) = testimony.as_mut().poll(cx)
        {
            self.testimony = None;
            if !lives && self.heard.elapsed() >= DOUBT {
                return Poll::Ready(Err(self.dead()));
            }
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if self.shut {
                let until = self.heard + self.linger();
                if now >= until {
                    self.ended = true;
                    return Poll::Ready(Ok(()));
                }
                self.timer.as_mut().reset(until);
                continue;
            }
            if self.unanswered >= MAX_UNANSWERED && !self.sent_since_heard {
                return Poll::Ready(Err(self.dead()));
            }
            let is_doubtful = self.sent_since_heard && now >= self.heard + DOUBT;
            if is_doubtful && self.testimony.is_none() {
                self.testimony = Some((self.witness)());
                // Heard with the next round.
                cx.waker().wake_by_ref();
            }
            self.timer.as_mut().reset(now + PING);
            // A socket that takes nothing now is busy sending; it needs no ping.
            let waker = self.writer.clone().unwrap_or_else(|| cx.waker().clone());
            let mut cx = Context::from_waker(&waker);
            let ready = Pin::new(&mut self.socket).poll_ready(&mut cx);
            if ready.map_err(to_io)?.is_ready() {
                Pin::new(&mut self.socket)
                    .start_send(Message::Ping(Bytes::new()))
                    .map_err(to_io)?;
                self.unflushed = true;
                self.unanswered = self.unanswered.saturating_add(1);
            }
        }
        Poll::Pending
    }

    /// How long the pod may be silent after the local side has ended.
    fn linger(&self) -> Duration {
        if self.answered { SHORT_LINGER } else { LINGER }
    }

    fn dead(&mut self) -> io::Error {
        self.ended = true;
        let silence = self.heard.elapsed().as_secs();
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
    fn flush_aside(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
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

impl<S: AsyncRead + AsyncWrite + Unpin> PodStream<S> {
    /// What the pod has said, at most so many bytes of it and as much as is in one message; nothing
    /// at its end.
    fn poll_piece(&mut self, most: usize, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        loop {
            if !self.data.is_empty() {
                let taken = self.data.len().min(most);
                return Poll::Ready(Ok(self.data.split_to(taken)));
            }
            if let Some(words) = self.complaint() {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, words)));
            }
            if self.ended {
                return Poll::Ready(Ok(Bytes::new()));
            }
            if let Err(error) = self.flush_aside(cx) {
                self.ended = true;
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

impl<S: AsyncRead + AsyncWrite + Send + Unpin> forward::PodStream for PodStream<S> {
    fn poll_take(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &mut Pieces,
    ) -> Poll<io::Result<()>> {
        pieces.push(ready!(self.poll_piece(usize::MAX, cx))?);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for PodStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buf.put_slice(&ready!(self.poll_piece(buf.remaining(), cx))?);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for PodStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.shut || this.is_over() {
            let said = this
                .complaint()
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
        this.sent_since_heard = true;
        this.answered = false;
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
        if !self.shut {
            self.shut = true;
            self.heard = Instant::now();
            let until = self.heard + self.linger();
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
