//! Sees what becomes of a forward's dials.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    forward::{DialError, DialErrorKind, Dialer, Pieces, PodStream},
    inventory::ObjectKey,
    probe::http::Marks,
};

/// What was seen.
#[derive(Default)]
pub(super) struct Watch {
    marks: Mutex<Option<Arc<Marks>>>,
    failure: Mutex<Option<DialErrorKind>>,
}

impl Watch {
    /// What comes next belongs to this exchange.
    pub(super) fn begin(&self, marks: Arc<Marks>) {
        *self.marks.lock().unwrap_or_else(PoisonError::into_inner) = Some(marks);
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why the pod was not reached.
    pub(super) fn failure(&self) -> Option<DialErrorKind> {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dialled(&self) {
        if let Some(marks) = &*self.marks.lock().unwrap_or_else(PoisonError::into_inner) {
            marks.dialled();
        }
    }

    fn failed(&self, kind: DialErrorKind) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(kind);
    }
}

/// A dialer under watch.
pub(super) struct Watched<T> {
    inner: T,
    watch: Arc<Watch>,
}

impl<T> Watched<T> {
    pub(super) fn new(inner: T, watch: Arc<Watch>) -> Self {
        Self { inner, watch }
    }
}

impl Dialer for Watched<Arc<dyn Dialer>> {
    fn dial<'a>(
        &'a self,
        pod: &'a ObjectKey,
        port: u16,
    ) -> BoxFuture<'a, Result<Box<dyn PodStream>, DialError>> {
        Box::pin(async move {
            let dialled = self.inner.dial(pod, port).await;
            match dialled {
                Ok(inner) => {
                    self.watch.dialled();
                    let watch = self.watch.clone();
                    Ok(Box::new(Watched { inner, watch }) as Box<dyn PodStream>)
                }
                Err(error) => {
                    self.watch.failed(error.kind);
                    Err(error)
                }
            }
        })
    }

    fn recheck(&self) {
        self.inner.recheck();
    }
}

impl Watched<Box<dyn PodStream>> {
    /// A node says only afterwards that nothing listens.
    fn note<T>(&self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &polled
            && let Some(late) = DialError::within(error)
        {
            self.watch.failed(late.kind);
        }
        polled
    }
}

impl AsyncRead for Watched<Box<dyn PodStream>> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        self.note(polled)
    }
}

impl AsyncWrite for Watched<Box<dyn PodStream>> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.note(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl PodStream for Watched<Box<dyn PodStream>> {
    fn poll_take(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &mut Pieces,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_take(cx, pieces);
        self.note(polled)
    }

    fn poll_give(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut Bytes,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_give(cx, bytes);
        self.note(polled)
    }
}
