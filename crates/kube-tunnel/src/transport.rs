//! What carries a session's bytes: a WebSocket whose binary messages follow each other
//! (`SPDY/3.1+portforward.k8s.io`), or the upgraded connection itself (`SPDY/3.1`).

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message},
};
use tokio_util::io::{poll_read_buf, poll_write_buf};

use super::state::OutgoingChunk;
use crate::ByteChunks;

/// How much is read at once.
const READ_BUFFER: usize = 128 * 1024;

/// How much waits to be written before there is no room for more.
const UNSENT_LIMIT: usize = 128 * 1024;

/// Carries chunks of bytes both ways. Where they are cut says nothing.
pub(super) trait SessionTransport: Send + Unpin + 'static {
    /// The next bytes; `None` at the end.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>>;

    /// Whether there is room for a chunk.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Takes a chunk, after `poll_ready`.
    fn send(&mut self, chunk: OutgoingChunk) -> io::Result<()>;

    /// Hands everything to the system.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Says goodbye.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// Chunks are binary messages.
pub(super) struct WebSocketTransport<S> {
    socket: WebSocketStream<S>,
    unflushed: bool,
}

impl<S> WebSocketTransport<S> {
    pub fn new(socket: WebSocketStream<S>) -> Self {
        Self {
            socket,
            unflushed: false,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> SessionTransport
    for WebSocketTransport<S>
{
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        loop {
            match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                None | Some(Ok(Message::Close(_))) => return Poll::Ready(Ok(None)),
                Some(Ok(Message::Binary(bytes))) => return Poll::Ready(Ok(Some(bytes))),
                // The answer is in the socket's buffer already.
                Some(Ok(Message::Ping(_))) => self.unflushed = true,
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(to_io(error))),
            }
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_ready(cx).map_err(to_io)
    }

    /// A message is one piece, and is masked in place if nobody else holds it.
    fn send(&mut self, chunk: OutgoingChunk) -> io::Result<()> {
        self.unflushed = true;
        let mut message = BytesMut::with_capacity(chunk.head.len() + chunk.data.len());
        message.put(chunk.head);
        message.put(chunk.data);
        Pin::new(&mut self.socket)
            .start_send(Message::Binary(message.freeze()))
            .map_err(to_io)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unflushed {
            ready!(Pin::new(&mut self.socket).poll_flush(cx)).map_err(to_io)?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(cx).map_err(to_io)
    }
}

fn to_io(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        other => io::Error::new(io::ErrorKind::ConnectionReset, other.to_string()),
    }
}

/// Chunks follow each other as they are.
pub(super) struct RawStreamTransport<S> {
    stream: S,
    read: BytesMut,
    unsent: ByteChunks,
    unflushed: bool,
    /// The other side has said its last word.
    is_closed: bool,
    pending_error: Option<io::Error>,
}

impl<S> RawStreamTransport<S> {
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            read: BytesMut::new(),
            unsent: ByteChunks::default(),
            unflushed: false,
            is_closed: false,
            pending_error: None,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> RawStreamTransport<S> {
    /// Writes until at most `left` bytes wait.
    fn poll_drain(&mut self, left: usize, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.unsent.remaining() > left {
            let stream = Pin::new(&mut self.stream);
            if ready!(poll_write_buf(stream, cx, &mut self.unsent))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> SessionTransport
    for RawStreamTransport<S>
{
    /// TLS gives one record at a time: as many are taken as are there.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        if self.is_closed {
            return Poll::Ready(self.pending_error.take().map_or(Ok(None), Err));
        }
        // What was read before keeps its place: a new buffer is only made when this one is used up.
        if self.read.capacity() < READ_BUFFER / 4 {
            self.read.reserve(READ_BUFFER);
        }
        while self.read.len() < self.read.capacity() {
            match poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.read) {
                Poll::Ready(Ok(0)) => {
                    self.is_closed = true;
                    break;
                }
                Poll::Ready(Ok(_)) => {}
                // What came before it is given first.
                Poll::Ready(Err(error)) => {
                    (self.is_closed, self.pending_error) = (true, Some(error));
                    break;
                }
                Poll::Pending if self.read.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        if self.read.is_empty() {
            return Poll::Ready(self.pending_error.take().map_or(Ok(None), Err));
        }
        Poll::Ready(Ok(Some(self.read.split().freeze())))
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drain(UNSENT_LIMIT, cx)
    }

    fn send(&mut self, chunk: OutgoingChunk) -> io::Result<()> {
        self.unflushed = true;
        self.unsent.push(chunk.head);
        self.unsent.push(chunk.data);
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unflushed {
            ready!(self.poll_drain(0, cx))?;
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
