//! A connection to a port of a pod, one of many on its session.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{book::Read, frame::MAX_DATA, session::Session};
use crate::forward::{Pieces, PodStream};

/// How long a pod that has not answered yet may think after the local end; less when more than
/// [`SOME`] connections of the session linger like that.
const THINK: Duration = Duration::from_secs(10);
const SHORT_THINK: Duration = Duration::from_secs(2);

/// How long a pod that has answered may pause after the local end. Most clients that end first have
/// closed and want nothing more, which TCP does not tell: the more of them linger, the shorter.
const PAUSE: Duration = Duration::from_secs(2);
const SHORT_PAUSE: Duration = Duration::from_millis(300);
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// What is taken at once.
const TAKE: usize = 256 * 1024;

/// So many lingering connections of a session are few, and so many are some.
const FEW: usize = 4;
const SOME: usize = 16;

/// A stream to a port of a pod. Dropping it closes the connection.
///
/// The local end is told to the node late, when the pod has been silent for a while: containerd
/// does not pass it on but cuts the connection a second later, whatever the pod still has to say
/// (internal/cri/server/sandbox_portforward_linux.go).
pub(in super::super) struct TunnelStream {
    session: Arc<Session>,
    id: u32,
    end: End,
    /// The pod has spoken since something was last sent to it.
    answered: bool,
    /// When the pod last spoke, or the local end.
    heard: Instant,
    patience: Pin<Box<Sleep>>,
}

/// The first that a node said of a stream was a complaint.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in super::super) struct Refusal(pub Arc<str>);

/// How far the local end has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    /// Nothing more will be written.
    Kept,
    /// The node knows.
    Told,
}

impl TunnelStream {
    pub(super) fn new(session: Arc<Session>, id: u32) -> Self {
        let now = Instant::now();
        Self {
            session,
            id,
            end: End::Open,
            answered: false,
            heard: now,
            patience: Box::pin(sleep_until(now)),
        }
    }

    /// How long the pod may be silent now.
    fn quiet(&self) -> Duration {
        let lingering = self.session.book().lingering();
        match (self.answered, lingering) {
            (true, ..=FEW) => PAUSE,
            (true, ..=SOME) => SHORT_PAUSE,
            (true, _) => SHORTEST_PAUSE,
            (false, ..=SOME) => THINK,
            (false, _) => SHORT_THINK,
        }
    }

    /// Waits for the pod to be silent for long enough.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let until = self.heard + self.quiet();
        if self.patience.deadline() != until {
            self.patience.as_mut().reset(until);
        }
        self.patience.as_mut().poll(cx)
    }
}

impl TunnelStream {
    /// What the pod has said, at most so many bytes of it and as much as is in one piece; `None` at
    /// its end.
    fn poll_piece(&mut self, most: usize, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        loop {
            let read = self.session.book().poll_read(self.id, most, cx);
            match read {
                Poll::Ready(Read::Data(data)) => {
                    self.answered = true;
                    if self.end != End::Open {
                        self.heard = Instant::now();
                    }
                    return Poll::Ready(Ok(Some(data)));
                }
                Poll::Ready(Read::End) => return Poll::Ready(Ok(None)),
                Poll::Ready(Read::Refused(words)) => {
                    let refusal = Refusal(words);
                    let error = io::Error::new(io::ErrorKind::ConnectionReset, refusal);
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(Read::Failed(why)) => {
                    let error = io::Error::new(io::ErrorKind::ConnectionReset, why.to_string());
                    return Poll::Ready(Err(error));
                }
                Poll::Pending if self.end == End::Open => return Poll::Pending,
                Poll::Pending => {
                    ready!(self.poll_patience(cx));
                    if self.session.book().is_sending(self.id) {
                        // The pod does not have the whole question yet.
                        self.heard = Instant::now();
                        continue;
                    }
                    if self.end == End::Told {
                        // A pod that neither speaks nor ends is let go.
                        return Poll::Ready(Ok(None));
                    }
                    self.end = End::Told;
                    self.heard = Instant::now();
                    self.session.book().end_writing(self.id);
                }
            }
        }
    }
}

impl PodStream for TunnelStream {
    fn poll_take(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &mut Pieces,
    ) -> Poll<io::Result<()>> {
        let Some(first) = ready!(self.poll_piece(TAKE, cx))? else {
            return Poll::Ready(Ok(()));
        };
        pieces.push(first);
        let mut book = self.session.book();
        while pieces.remaining() < TAKE
            && let Some(piece) = book.read_on(self.id)
        {
            pieces.push(piece);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_give(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut Bytes,
    ) -> Poll<io::Result<()>> {
        if self.end != End::Open {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        ready!(self.session.book().poll_give(self.id, bytes, cx))
            .map_err(|why| io::Error::new(io::ErrorKind::BrokenPipe, why.to_string()))?;
        self.answered = false;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for TunnelStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let piece = ready!(self.poll_piece(buf.remaining(), cx))?;
        buf.put_slice(&piece.unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TunnelStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let part = data.get(..MAX_DATA).unwrap_or(data);
        if part.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let mut bytes = Bytes::copy_from_slice(part);
        ready!(self.poll_give(cx, &mut bytes))?;
        Poll::Ready(Ok(part.len() - bytes.len()))
    }

    /// What was written is on its way without further ado.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.end == End::Open {
            self.end = End::Kept;
            self.heard = Instant::now();
            self.session.book().linger(self.id);
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for TunnelStream {
    fn drop(&mut self) {
        self.session.book().drop_stream(self.id, Instant::now());
    }
}
