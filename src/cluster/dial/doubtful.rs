//! A stream whose pod may still refuse: the words of the node come as the error of a dial.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{kind_of, refusal};
use crate::{
    cluster::tunnel::{Refusal, TunnelStream},
    forward::{DialErrorKind, Pieces, PodStream},
};

/// A stream, and what was tried when it was opened.
pub(super) struct Doubtful {
    pub stream: TunnelStream,
    pub tried: String,
}

impl Doubtful {
    fn refused(&self, error: io::Error) -> io::Error {
        let said = error.get_ref().and_then(|it| it.downcast_ref::<Refusal>());
        match said.map(|said| (kind_of(&said.0), said)) {
            // Any other complaint may be about a pod that was reached.
            Some((DialErrorKind::Refused | DialErrorKind::PodGone, said)) => {
                refusal(&self.tried, &said.0).into_stream_error()
            }
            _ => error,
        }
    }
}

impl PodStream for Doubtful {
    fn poll_take(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &mut Pieces,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.stream).poll_take(cx, pieces));
        Poll::Ready(read.map_err(|error| self.refused(error)))
    }

    fn poll_give(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut Bytes,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_give(cx, bytes)
    }
}

impl AsyncRead for Doubtful {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buf));
        Poll::Ready(read.map_err(|error| self.refused(error)))
    }
}

impl AsyncWrite for Doubtful {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
