//! Sees when reqwest has a connection.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures::{FutureExt, future::Inspect};
use tower::{Layer, Service};

use super::Marks;

/// A layer around the connector that notes when the connection is there.
#[derive(Clone)]
pub(super) struct Seen(pub(super) Arc<Marks>);

impl<S> Layer<S> for Seen {
    type Service = Seeing<S>;

    fn layer(&self, inner: S) -> Seeing<S> {
        Seeing {
            inner,
            marks: self.0.clone(),
        }
    }
}

/// The connector with the layer around it.
#[derive(Clone)]
pub(super) struct Seeing<S> {
    inner: S,
    marks: Arc<Marks>,
}

type Note<T, E> = Box<dyn FnOnce(&Result<T, E>) + Send>;

impl<S, R> Service<R> for Seeing<S>
where
    S: Service<R>,
    S::Response: 'static,
    S::Error: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Inspect<S::Future, Note<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let marks = self.marks.clone();
        let note: Note<S::Response, S::Error> = Box::new(move |outcome| {
            if outcome.is_ok() {
                marks.connected();
            }
        });
        self.inner.call(request).inspect(note)
    }
}
