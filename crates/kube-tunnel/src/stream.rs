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

use super::{frame::MAX_DATA, session::TunnelSession, state::StreamReadResult};
use crate::{ByteChunks, PodStream};

/// How long a pod that has not answered yet may think after the local end; less when more than
/// [`SOME_HALF_CLOSED`] connections of the session linger like that.
const ANSWER_GRACE_PERIOD: Duration = Duration::from_secs(10);
const SHORT_ANSWER_GRACE_PERIOD: Duration = Duration::from_secs(2);

/// How long a pod that has answered may pause after the local end. Most clients that end first have
/// closed and want nothing more, which TCP does not tell: the more of them linger, the shorter.
const PAUSE_GRACE_PERIOD: Duration = Duration::from_secs(2);
const SHORT_PAUSE_GRACE_PERIOD: Duration = Duration::from_millis(300);
const SHORTEST_PAUSE_GRACE_PERIOD: Duration = Duration::from_millis(50);

/// What is taken at once.
const READ_LIMIT: usize = 256 * 1024;

/// So many lingering connections of a session are few, and so many are some.
const FEW_HALF_CLOSED: usize = 4;
const SOME_HALF_CLOSED: usize = 16;

/// A stream to a port of a pod. Dropping it closes the connection.
///
/// The local end is told to the node late, when the pod has been silent for a while: containerd
/// does not pass it on but cuts the connection a second later, whatever the pod still has to say
/// (internal/cri/server/sandbox_portforward_linux.go).
pub struct TunnelStream {
    session: Arc<TunnelSession>,
    id: u32,
    shutdown: ShutdownState,
    /// The pod has spoken since something was last sent to it.
    answered: bool,
    /// When the pod last spoke, or the local end.
    silent_since: Instant,
    silence_timer: Pin<Box<Sleep>>,
}

/// The first that a node said of a stream was a complaint.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NodeRefusal(pub Arc<str>);

/// How far the local end has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ShutdownState {
    Open,
    /// Nothing more will be written.
    Deferred,
    /// The node knows.
    Sent,
}

impl TunnelStream {
    pub(super) fn new(session: Arc<TunnelSession>, id: u32) -> Self {
        let now = Instant::now();
        Self {
            session,
            id,
            shutdown: ShutdownState::Open,
            answered: false,
            silent_since: now,
            silence_timer: Box::pin(sleep_until(now)),
        }
    }

    /// How long the pod may be silent now.
    fn allowed_silence(&self) -> Duration {
        let lingering = self.session.state().half_closed_streams();
        match (self.answered, lingering) {
            (true, ..=FEW_HALF_CLOSED) => PAUSE_GRACE_PERIOD,
            (true, ..=SOME_HALF_CLOSED) => SHORT_PAUSE_GRACE_PERIOD,
            (true, _) => SHORTEST_PAUSE_GRACE_PERIOD,
            (false, ..=SOME_HALF_CLOSED) => ANSWER_GRACE_PERIOD,
            (false, _) => SHORT_ANSWER_GRACE_PERIOD,
        }
    }

    /// Waits for the pod to be silent for long enough.
    fn poll_silence_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let until = self.silent_since + self.allowed_silence();
        if self.silence_timer.deadline() != until {
            self.silence_timer.as_mut().reset(until);
        }
        self.silence_timer.as_mut().poll(cx)
    }
}

impl TunnelStream {
    /// What the pod has said, at most so many bytes of it and as much as is in one piece; `None` at
    /// its end.
    fn poll_chunk(&mut self, most: usize, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        loop {
            let read = self.session.state().poll_read(self.id, most, cx);
            match read {
                Poll::Ready(StreamReadResult::Data(data)) => {
                    self.answered = true;
                    if self.shutdown != ShutdownState::Open {
                        self.silent_since = Instant::now();
                    }
                    return Poll::Ready(Ok(Some(data)));
                }
                Poll::Ready(StreamReadResult::End) => return Poll::Ready(Ok(None)),
                Poll::Ready(StreamReadResult::Refused(words)) => {
                    let refusal = NodeRefusal(words);
                    let error = io::Error::new(io::ErrorKind::ConnectionReset, refusal);
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(StreamReadResult::Failed(why)) => {
                    let error = io::Error::new(io::ErrorKind::ConnectionReset, why.to_string());
                    return Poll::Ready(Err(error));
                }
                Poll::Pending if self.shutdown == ShutdownState::Open => return Poll::Pending,
                Poll::Pending => {
                    ready!(self.poll_silence_timer(cx));
                    if self.session.state().is_sending(self.id) {
                        // The pod does not have the whole question yet.
                        self.silent_since = Instant::now();
                        continue;
                    }
                    if self.shutdown == ShutdownState::Sent {
                        // A pod that neither speaks nor ends is let go.
                        return Poll::Ready(Ok(None));
                    }
                    self.shutdown = ShutdownState::Sent;
                    self.silent_since = Instant::now();
                    self.session.state().end_writing(self.id);
                }
            }
        }
    }
}

impl PodStream for TunnelStream {
    fn poll_read_chunks(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &mut ByteChunks,
    ) -> Poll<io::Result<()>> {
        let Some(first) = ready!(self.poll_chunk(READ_LIMIT, cx))? else {
            return Poll::Ready(Ok(()));
        };
        pieces.push(first);
        let mut state = self.session.state();
        while pieces.remaining() < READ_LIMIT
            && let Some(piece) = state.read_more(self.id)
        {
            pieces.push(piece);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_bytes(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut Bytes,
    ) -> Poll<io::Result<()>> {
        if self.shutdown != ShutdownState::Open {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        ready!(self.session.state().poll_write_bytes(self.id, bytes, cx))
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
        let piece = ready!(self.poll_chunk(buf.remaining(), cx))?;
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
        ready!(self.poll_write_bytes(cx, &mut bytes))?;
        Poll::Ready(Ok(part.len() - bytes.len()))
    }

    /// What was written is on its way without further ado.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.shutdown == ShutdownState::Open {
            self.shutdown = ShutdownState::Deferred;
            self.silent_since = Instant::now();
            self.session.state().close_local(self.id);
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for TunnelStream {
    fn drop(&mut self) {
        self.session.state().drop_stream(self.id, Instant::now());
    }
}
