//! A byte stream to a port of a pod, whatever carries it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::poll_read_buf;

use crate::ByteChunks;

/// A byte stream to a port of a pod.
///
/// `shutdown` means that the local side has nothing more to send; what the pod still says can be
/// read afterwards, until end of file. Where the transport can't carry a half-close, the pod just
/// does not hear of it.
///
/// A pod that turns out to refuse after the stream was opened gives a [`NodeRefusal`](crate::NodeRefusal)
/// as the error of reading: nothing that was written has reached an application.
pub trait PodStream: AsyncRead + AsyncWrite + Send + Unpin {
    /// As `poll_read`, without a copy where the stream has what it received in pieces of its own.
    /// Nothing is added at the end of what the pod says.
    fn poll_read_chunks(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &mut ByteChunks,
    ) -> Poll<io::Result<()>> {
        let mut buffer = BytesMut::with_capacity(READ);
        ready!(poll_read_buf(self.as_mut(), cx, &mut buffer))?;
        pieces.push(buffer.freeze());
        Poll::Ready(Ok(()))
    }

    /// As `poll_write`, without a copy where the stream can keep bytes until they are sent. What
    /// was taken is cut off.
    fn poll_write_bytes(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut Bytes,
    ) -> Poll<io::Result<()>> {
        let taken = ready!(self.poll_write(cx, bytes))?;
        bytes.advance(taken);
        Poll::Ready(Ok(()))
    }
}

/// What a stream reads at once that keeps no pieces of its own.
const READ: usize = 16 * 1024;

impl<S: PodStream + ?Sized> PodStream for Box<S> {
    fn poll_read_chunks(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &mut ByteChunks,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut **self).poll_read_chunks(cx, pieces)
    }

    fn poll_write_bytes(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut Bytes,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut **self).poll_write_bytes(cx, bytes)
    }
}

impl PodStream for tokio::io::DuplexStream {}
impl PodStream for tokio::net::TcpStream {}
impl<R, W> PodStream for tokio::io::Join<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin,
{
}
