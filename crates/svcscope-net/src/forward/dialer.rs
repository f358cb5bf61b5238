//! The way into a pod.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::poll_read_buf;

use super::ByteChunks;
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// A byte stream to a port of a pod.
///
/// `shutdown` means that the local side has nothing more to send; what the pod still says can be
/// read afterwards, until end of file. Where the transport can't carry a half-close, the pod just
/// does not hear of it.
///
/// A pod that turns out to refuse after the dial is told by an error of reading that
/// [`DialError::from_io_error`] knows: nothing that was written has reached an application.
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

#[cfg(test)]
impl PodStream for tokio::io::DuplexStream {}
#[cfg(test)]
impl PodStream for tokio::net::TcpStream {}
#[cfg(test)]
impl<R, W> PodStream for tokio::io::Join<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin,
{
}

/// Opens streams to ports of pods. `cluster/` implements it; tests use loopback.
pub trait Dialer: Send + Sync + 'static {
    /// Connects to `port` of the pod. Dropping the future gives up.
    fn dial<'a>(
        &'a self,
        pod: &'a ObjectKey,
        port: u16,
    ) -> BoxFuture<'a, Result<Box<dyn PodStream>, DialError>>;

    /// The way may have been cut (the machine slept, the network is another one): what is kept
    /// open for later dials must show that it lives before it is used again.
    fn recheck(&self) {}
}

/// Why a pod could not be reached, coarse enough to decide what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DialErrorKind {
    /// The pod is gone: choose another.
    PodGone,
    /// Nothing in the pod listens on that port.
    Refused,
    /// The user lacks a right; trying again is pointless.
    Forbidden,
    /// The API server does not know who asks.
    Unauthorized,
    /// The API server can't be reached or did not answer in time.
    Unreachable,
    /// Anything else.
    Other,
}

/// A failed [`Dialer::dial`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DialError {
    /// What to do about it.
    pub kind: DialErrorKind,
    /// What was tried and what the other side said.
    pub message: SharedStr,
}

impl DialError {
    /// As an error of a stream, found out after the dial.
    pub fn into_stream_error(self) -> io::Error {
        io::Error::new(io::ErrorKind::ConnectionRefused, self)
    }

    /// What a stream's error says about its dial, if it says something.
    pub fn from_io_error(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}
