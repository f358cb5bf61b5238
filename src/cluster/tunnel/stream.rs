//! A connection to a port of a pod, one of many on its session.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{book::Read, session::Session};

/// How long a pod that has not answered yet may think after the local end; less when more than
/// [`SOME`] connections of the session linger like that.
const THINK: Duration = Duration::from_secs(10);
const SHORT_THINK: Duration = Duration::from_secs(2);

/// How long a pod that has answered may pause after the local end. Most clients that end first have
/// closed and want nothing more, which TCP does not tell: the more of them linger, the shorter.
const PAUSE: Duration = Duration::from_secs(2);
const SHORT_PAUSE: Duration = Duration::from_millis(300);
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

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

impl AsyncRead for TunnelStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            let read = this.session.book().poll_read(this.id, buf.remaining(), cx);
            match read {
                Poll::Ready(Read::Data(data)) => {
                    buf.put_slice(&data);
                    this.answered = true;
                    if this.end != End::Open {
                        this.heard = Instant::now();
                    }
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Read::End) => return Poll::Ready(Ok(())),
                Poll::Ready(Read::Refused(words)) => {
                    let refusal = Refusal(words);
                    let error = io::Error::new(io::ErrorKind::ConnectionReset, refusal);
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(Read::Failed(why)) => {
                    let error = io::Error::new(io::ErrorKind::ConnectionReset, why.to_string());
                    return Poll::Ready(Err(error));
                }
                Poll::Pending if this.end == End::Open => return Poll::Pending,
                Poll::Pending => {
                    ready!(this.poll_patience(cx));
                    if this.session.book().is_sending(this.id) {
                        // The pod does not have the whole question yet.
                        this.heard = Instant::now();
                        continue;
                    }
                    if this.end == End::Told {
                        // A pod that neither speaks nor ends is let go.
                        return Poll::Ready(Ok(()));
                    }
                    this.end = End::Told;
                    this.heard = Instant::now();
                    this.session.book().end_writing(this.id);
                }
            }
        }
    }
}

impl AsyncWrite for TunnelStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.end != End::Open {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let written = ready!(self.session.book().poll_write(self.id, data, cx))
            .map_err(|why| io::Error::new(io::ErrorKind::BrokenPipe, why.to_string()))?;
        self.answered = false;
        Poll::Ready(Ok(written))
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
