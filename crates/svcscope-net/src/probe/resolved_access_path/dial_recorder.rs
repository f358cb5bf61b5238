//! Sees what becomes of a forward's dials.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use kube_tunnel::{ByteChunks, PodStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    forward::{DialError, DialErrorKind, Dialer},
    probe::http::PhaseTimestamps,
};
use svcscope_model::inventory::ObjectKey;

/// What was seen.
#[derive(Default)]
pub(super) struct DialRecord {
    timestamps: Mutex<Option<Arc<PhaseTimestamps>>>,
    failure: Mutex<Option<DialErrorKind>>,
}

impl DialRecord {
    /// What comes next belongs to this exchange.
    pub(super) fn begin(&self, marks: Arc<PhaseTimestamps>) {
        *self
            .timestamps
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(marks);
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why the pod was not reached.
    pub(super) fn failure(&self) -> Option<DialErrorKind> {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dialled(&self) {
        if let Some(marks) = &*self
            .timestamps
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
        {
            marks.dialled();
        }
    }

    fn failed(&self, kind: DialErrorKind) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(kind);
    }
}

/// A dialer under watch.
pub(super) struct DialRecorder<T> {
    inner: T,
    record: Arc<DialRecord>,
}

impl<T> DialRecorder<T> {
    pub(super) fn new(inner: T, record: Arc<DialRecord>) -> Self {
        Self { inner, record }
    }
}

impl Dialer for DialRecorder<Arc<dyn Dialer>> {
    fn dial<'a>(
        &'a self,
        pod: &'a ObjectKey,
        port: u16,
    ) -> BoxFuture<'a, Result<Box<dyn PodStream>, DialError>> {
        Box::pin(async move {
            let dialled = self.inner.dial(pod, port).await;
            match dialled {
                Ok(inner) => {
                    self.record.dialled();
                    let watch = self.record.clone();
                    Ok(Box::new(DialRecorder {
                        inner,
                        record: watch,
                    }) as Box<dyn PodStream>)
                }
                Err(error) => {
                    self.record.failed(error.kind);
                    Err(error)
                }
            }
        })
    }

    fn recheck(&self) {
        self.inner.recheck();
    }
}

impl DialRecorder<Box<dyn PodStream>> {
    /// A node says only afterwards that nothing listens.
    fn record_failure<T>(&self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &polled
            && let Some(late) = DialError::from_io_error(error)
        {
            self.record.failed(late.kind);
        }
        polled
    }
}

impl AsyncRead for DialRecorder<Box<dyn PodStream>> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        self.record_failure(polled)
    }
}

impl AsyncWrite for DialRecorder<Box<dyn PodStream>> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.record_failure(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl PodStream for DialRecorder<Box<dyn PodStream>> {
    fn poll_read_chunks(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &mut ByteChunks,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_read_chunks(cx, pieces);
        self.record_failure(polled)
    }

    fn poll_write_bytes(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut Bytes,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_write_bytes(cx, bytes);
        self.record_failure(polled)
    }
}
