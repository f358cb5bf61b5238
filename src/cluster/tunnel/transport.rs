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

use super::book::Chunk;
use crate::forward::Pieces;

/// How much is read at once.
const READ: usize = 128 * 1024;

/// How much waits to be written before there is no room for more.
const WAITING: usize = 128 * 1024;

/// Carries chunks of bytes both ways. Where they are cut says nothing.
pub(super) trait Transport: Send + Unpin + 'static {
    /// The next bytes; `None` at the end.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>>;

    /// Whether there is room for a chunk.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Takes a chunk, after `poll_ready`.
    fn send(&mut self, chunk: Chunk) -> io::Result<()>;

    /// Hands everything to the system.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Says goodbye.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// Chunks are binary messages.
pub(super) struct Tunnel<S> {
    socket: WebSocketStream<S>,
    unflushed: bool,
}

impl<S> Tunnel<S> {
    pub fn new(socket: WebSocketStream<S>) -> Self {
        Self {
            socket,
            unflushed: false,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for Tunnel<S> {
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
    fn send(&mut self, chunk: Chunk) -> io::Result<()> {
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
pub(super) struct Plain<S> {
    stream: S,
    read: BytesMut,
    waiting: Pieces,
    unflushed: bool,
    /// The other side has said its last word.
    over: bool,
    failed: Option<io::Error>,
}

impl<S> Plain<S> {
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            read: BytesMut::new(),
            waiting: Pieces::default(),
            unflushed: false,
            over: false,
            failed: None,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Plain<S> {
    /// Writes until at most `left` bytes wait.
    fn poll_drain(&mut self, left: usize, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.waiting.remaining() > left {
            let stream = Pin::new(&mut self.stream);
            if ready!(poll_write_buf(stream, cx, &mut self.waiting))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for Plain<S> {
    /// TLS gives one record at a time: as many are taken as are there.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        if self.over {
            return Poll::Ready(self.failed.take().map_or(Ok(None), Err));
        }
        // What was read before keeps its place: a new buffer is only made when this one is used up.
        if self.read.capacity() < READ / 4 {
            self.read.reserve(READ);
        }
        while self.read.len() < self.read.capacity() {
            match poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.read) {
                Poll::Ready(Ok(0)) => {
                    self.over = true;
                    break;
                }
                Poll::Ready(Ok(_)) => {}
                // What came before it is given first.
                Poll::Ready(Err(error)) => {
                    (self.over, self.failed) = (true, Some(error));
                    break;
                }
                Poll::Pending if self.read.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        if self.read.is_empty() {
            return Poll::Ready(self.failed.take().map_or(Ok(None), Err));
        }
        Poll::Ready(Ok(Some(self.read.split().freeze())))
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drain(WAITING, cx)
    }

    fn send(&mut self, chunk: Chunk) -> io::Result<()> {
        self.unflushed = true;
        self.waiting.push(chunk.head);
        self.waiting.push(chunk.data);
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
