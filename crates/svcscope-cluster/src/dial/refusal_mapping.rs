//! A stream whose pod may still refuse: the words of the node come as the error of a dial.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use kube_tunnel::{ByteChunks, NodeRefusal, PodStream, TunnelStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::dial_error::{error_kind_of_node_message, refusal_error};
use svcscope_net::forward::DialErrorKind;

/// A stream, and what was tried when it was opened.
pub(super) struct RefusalMappingStream {
    pub stream: TunnelStream,
    pub tried: String,
}

impl RefusalMappingStream {
    fn map_refusal(&self, error: io::Error) -> io::Error {
        let said = error
            .get_ref()
            .and_then(|it| it.downcast_ref::<NodeRefusal>());
        match said.map(|said| (error_kind_of_node_message(&said.0), said)) {
            // Any other complaint may be about a pod that was reached.
            Some((DialErrorKind::Refused | DialErrorKind::PodGone, said)) => {
                refusal_error(&self.tried, &said.0).into_stream_error()
            }
            _ => error,
        }
    }
}

impl PodStream for RefusalMappingStream {
    fn poll_read_chunks(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &mut ByteChunks,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.stream).poll_read_chunks(cx, pieces));
        Poll::Ready(read.map_err(|error| self.map_refusal(error)))
    }

    fn poll_write_bytes(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut Bytes,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_write_bytes(cx, bytes)
    }
}

impl AsyncRead for RefusalMappingStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buf));
        Poll::Ready(read.map_err(|error| self.map_refusal(error)))
    }
}

impl AsyncWrite for RefusalMappingStream {
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
