//! The bytes of HTTP/1 on their way through the socket.
//!
//! hyper writes names in lower case and tells none of a head's own bytes. So the head that it
//! writes is replaced by ours, and what comes is noted: heads as they are, and the end, where
//! trailers are.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::probe::response_heads::field_lines;

/// More of heads than this is not kept; hyper gives one up at 400 KB.
const MAX_HEADS: usize = 1024 * 1024;
/// So much of the end is kept, at least.
const TAIL: usize = 16 * 1024;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// What went through a socket.
#[derive(Debug, Default)]
pub(in crate::probe) struct WireCapture(Mutex<RecordedBytes>);

#[derive(Debug, Default)]
struct RecordedBytes {
    heads: Vec<u8>,
    /// Where the head begins that is coming.
    begun: usize,
    is_done: bool,
    tail: Vec<u8>,
    trailers: Vec<u8>,
    sent: u64,
}

impl WireCapture {
    fn with<T>(&self, act: impl FnOnce(&mut RecordedBytes) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The heads up to the one that is no `1xx`, as they came.
    pub(in crate::probe) fn heads(&self) -> Vec<u8> {
        self.with(|seen| seen.heads.clone())
    }

    /// Trailers came, and of HTTP/1 they are the last lines; those of HTTP/2 are written anew.
    pub(super) fn trailers(&self, fields: &HeaderMap) {
        let lines = self.last_lines(fields.len());
        let count = lines.windows(2).filter(|two| *two == b"\r\n").count();
        let lines = if count == fields.len() && self.with(|seen| seen.is_done) {
            lines
        } else {
            field_lines(fields)
        };
        self.with(|seen| seen.trailers = lines);
    }

    /// What came behind the body, as lines of a head.
    pub(in crate::probe) fn trailer_lines(&self) -> Vec<u8> {
        self.with(|seen| seen.trailers.clone())
    }

    /// The last so many lines, as they came.
    fn last_lines(&self, count: usize) -> Vec<u8> {
        let tail = self.with(|seen| seen.tail.clone());
        let text = tail.strip_suffix(HEAD_END).unwrap_or(&tail);
        let mut begin = text.len();
        for _ in 0..count {
            let before = text.get(..begin.saturating_sub(2)).unwrap_or_default();
            begin = before
                .windows(2)
                .rposition(|two| two == b"\r\n")
                .map_or(0, |at| at + 2);
        }
        let mut lines = text.get(begin..).unwrap_or_default().to_vec();
        lines.extend(b"\r\n");
        lines
    }

    /// How many bytes were sent, heads and bodies together.
    pub(in crate::probe) fn sent(&self) -> u64 {
        self.with(|seen| seen.sent)
    }
}

impl RecordedBytes {
    fn received(&mut self, bytes: &[u8]) {
        if self.is_done {
            self.tail.extend_from_slice(bytes);
            if self.tail.len() > 2 * TAIL {
                self.tail.drain(..self.tail.len() - TAIL);
            }
            return;
        }
        let mut looked_at = self.heads.len().saturating_sub(3).max(self.begun);
        self.heads.extend_from_slice(bytes);
        while let Some(end) = find(&self.heads, looked_at) {
            let head = self.heads.get(self.begun..end).unwrap_or_default();
            let is_patience = head.get(8..10) == Some(b" 1") && head.get(8..12) != Some(b" 101");
            self.begun = end;
            looked_at = end;
            if !is_patience {
                self.is_done = true;
                let rest = self.heads.split_off(end);
                return self.received(&rest);
            }
        }
        self.is_done |= self.heads.len() > MAX_HEADS;
    }
}

/// Behind the empty line that ends a head.
fn find(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let at = rest.windows(4).position(|four| four == HEAD_END)?;
    Some(from + at + HEAD_END.len())
}

/// A stream through which HTTP/1 is spoken with a head of ours.
pub(super) struct HeadRewritingStream<S> {
    io: S,
    /// What is still to be sent of our head.
    head: Bytes,
    /// How much of the end of hyper's head was seen; none once it is over.
    matched: Option<usize>,
    capture: Arc<WireCapture>,
}

impl<S> HeadRewritingStream<S> {
    pub(super) fn new(io: S, head: Bytes, capture: Arc<WireCapture>) -> Self {
        let matched = (!head.is_empty()).then_some(0);
        Self {
            io,
            head,
            matched,
            capture,
        }
    }

    /// How many of these bytes are hyper's own head.
    fn swallow(&mut self, bytes: &[u8]) -> usize {
        let mut swallowed = 0;
        for byte in bytes {
            let Some(matched) = self.matched else { break };
            swallowed += 1;
            let goes_on = HEAD_END.get(matched) == Some(byte);
            self.matched = match (goes_on, matched, byte) {
                (true, 3, _) => None,
                (true, ..) => Some(matched + 1),
                (false, _, b'\r') => Some(1),
                (false, ..) => Some(0),
            };
        }
        swallowed
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadRewritingStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buffer))?;
        let came = buffer.filled().get(before..).unwrap_or_default();
        this.capture.with(|seen| seen.received(came));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadRewritingStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        while this.head.has_remaining() {
            let sent = ready!(Pin::new(&mut this.io).poll_write(cx, &this.head))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            this.head.advance(sent);
            this.capture.with(|seen| seen.sent += sent as u64);
        }
        let swallowed = this.swallow(bytes);
        if swallowed > 0 {
            return Poll::Ready(Ok(swallowed));
        }
        let sent = ready!(Pin::new(&mut this.io).poll_write(cx, bytes))?;
        this.capture.with(|seen| seen.sent += sent as u64);
        Poll::Ready(Ok(sent))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn the_head_is_ours_and_the_body_hypers_however_it_is_cut() {
        for size in 1..12 {
            let (mut far, near) = tokio::io::duplex(5);
            let record = Arc::new(WireCapture::default());
            let head = Bytes::from_static(b"GET / HTTP/1.1\r\nX-A: 1\r\n\r\n");
            let mut wire = HeadRewritingStream::new(near, head, record.clone());
            let writing = async {
                for piece in b"get /\r\r\nx\r\n\r\nbody\r\n\r\n".chunks(size) {
                    wire.write_all(piece).await.unwrap();
                }
                drop(wire);
            };
            let mut got = Vec::new();
            let (_, read) = tokio::join!(writing, far.read_to_end(&mut got));
            read.unwrap();
            assert_eq!(
                got, b"GET / HTTP/1.1\r\nX-A: 1\r\n\r\nbody\r\n\r\n",
                "{size}"
            );
            assert_eq!(record.sent(), got.len() as u64);
        }
    }

    #[test]
    fn heads_and_trailers_are_kept_as_they_came() {
        let sent = b"HTTP/1.1 103 Early\r\nL: x\r\n\r\nHTTP/1.1 200 Very OK\r\nX-CaSe: A\r\n\r\n\
            2\r\nhi\r\n0\r\nX-T: 1\r\nx-U: 2\r\n\r\n";
        for size in 1..sent.len() {
            let record = WireCapture::default();
            for piece in sent.chunks(size) {
                record.with(|seen| seen.received(piece));
            }
            assert!(
                record.heads().ends_with(b"OK\r\nX-CaSe: A\r\n\r\n"),
                "{size}"
            );
            assert!(record.heads().starts_with(b"HTTP/1.1 103"));
            assert_eq!(record.last_lines(2), b"X-T: 1\r\nx-U: 2\r\n");
            assert_eq!(record.last_lines(0), b"\r\n");
        }
    }
}
