//! Large reads below TLS. rustls asks for 4 to 18 KB at a time (rustls, deframer/buffers.rs), each by
//! a system call of its own; here what the system has is taken at once and handed on in pieces.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::{FutureExt, future::BoxFuture};
use http::Uri;
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tower::Service;

/// How much is taken at once, to begin with and where much comes.
const MIN_BUFFER: usize = 8 * 1024;
const MAX_BUFFER: usize = 256 * 1024;

/// A connector whose connections are read in large pieces.
#[derive(Clone)]
pub(super) struct BufferingConnector<C>(pub C);

impl<C> Service<Uri> for BufferingConnector<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Response: 'static,
    C::Error: 'static,
{
    type Response = BufferedConnection<C::Response>;
    type Error = C::Error;
    type Future = BoxFuture<'static, Result<Self::Response, C::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        self.0
            .call(to)
            .map(|connected| connected.map(BufferedConnection::new))
            .boxed()
    }
}

/// A connection that is read in large pieces.
pub(super) struct BufferedConnection<S> {
    inner: S,
    buffer: Vec<u8>,
    /// Where what was read and not handed on begins and ends.
    start: usize,
    end: usize,
}

impl<S> BufferedConnection<S> {
    fn new(inner: S) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
            start: 0,
            end: 0,
        }
    }
}

impl<S: Read + Unpin> BufferedConnection<S> {
    /// Reads into the empty buffer, a larger one where the last one was filled.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let size = self.buffer.len();
        if self.end == size && size < MAX_BUFFER {
            self.buffer.resize((size * 2).max(MIN_BUFFER), 0);
        }
        let mut room = ReadBuf::new(&mut self.buffer);
        ready!(Pin::new(&mut self.inner).poll_read(cx, room.unfilled()))?;
        (self.start, self.end) = (0, room.filled().len());
        Poll::Ready(Ok(()))
    }
}

impl<S: Read + Unpin> Read for BufferedConnection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut to: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.start == self.end {
            ready!(self.poll_fill(cx))?;
        }
        let taken = (self.end - self.start).min(to.remaining());
        let piece = self.buffer.get(self.start..self.start + taken);
        to.put_slice(piece.unwrap_or_default());
        self.start += taken;
        Poll::Ready(Ok(()))
    }
}

impl<S: Write + Unpin> Write for BufferedConnection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, pieces)
    }
}

impl<S: Connection> Connection for BufferedConnection<S> {
    fn connected(&self) -> Connected {
        self.inner.connected()
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn every_byte_comes_in_its_order_and_then_the_end() {
        let (near, mut far) = duplex(100_000);
        let sent: Vec<u8> = (0..3_000_000_u32)
            .map(|at| ((at * 31) >> 3) as u8)
            .collect();
        let sending = sent.clone();
        tokio::spawn(async move { far.write_all(&sending).await.unwrap() });
        let mut buffered = TokioIo::new(BufferedConnection::new(TokioIo::new(near)));
        let (mut got, mut size) = (Vec::new(), 1);
        loop {
            size = size * 7 % 20_000 + 1;
            let mut piece = vec![0; size];
            match buffered.read(&mut piece).await.unwrap() {
                0 => break,
                length => got.extend_from_slice(&piece[..length]),
            }
        }
        assert!(got == sent, "{} of {}", got.len(), sent.len());
        assert!(buffered.inner().buffer.len() > MIN_BUFFER);
    }
}
