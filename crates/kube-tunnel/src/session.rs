//! A session: many connections to one pod over one transport.
//!
//! One task owns the transport ([`SessionDriver`]); streams reach it by the session's state.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, Sleep, sleep_until, timeout},
};
use tokio_tungstenite::WebSocketStream;

use crate::{
    LivenessCheck,
    frame::{FrameDecoder, FrameError},
    state::TunnelSessionState,
    transport::{RawStreamTransport, SessionTransport, WebSocketTransport},
};

/// Silence that a witness may call death. Somebody who was heard meanwhile lives.
const DEAD_SILENCE: Duration = Duration::from_secs(10);

/// How long the farewell may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Chunks each way before other tasks get a turn.
const CHUNKS_PER_POLL: usize = 32;

/// An open session. It lives while it has streams, and for a minute more.
pub struct TunnelSession {
    state: Mutex<TunnelSessionState>,
    pub(super) opened_at: Instant,
}

impl TunnelSession {
    /// A session over a connection that was upgraded to SPDY.
    pub fn over_stream(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        liveness_check: LivenessCheck,
    ) -> Arc<Self> {
        Self::start(RawStreamTransport::new(stream), liveness_check)
    }

    /// A session over a connection that was upgraded to SPDY in a WebSocket.
    pub fn over_websocket(
        socket: WebSocketStream<impl AsyncRead + AsyncWrite + Send + Unpin + 'static>,
        liveness_check: LivenessCheck,
    ) -> Arc<Self> {
        Self::start(WebSocketTransport::new(socket), liveness_check)
    }

    /// Starts to drive a transport. The liveness check is asked whether the API server lives when the
    /// node's silence says nothing.
    pub(super) fn start(
        transport: impl SessionTransport,
        liveness_check: LivenessCheck,
    ) -> Arc<Self> {
        let now = Instant::now();
        let session = Arc::new(Self {
            state: Mutex::new(TunnelSessionState::new(now)),
            opened_at: now,
        });
        let driver = SessionDriver {
            session: session.clone(),
            transport,
            liveness_check,
            liveness_answer: None,
            decoder: FrameDecoder::default(),
            timer: Box::pin(sleep_until(now)),
        };
        tokio::spawn(driver.run());
        session
    }

    pub(super) fn state(&self) -> MutexGuard<'_, TunnelSessionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes no more streams, and ends when it carries none.
    pub fn drain(&self) {
        self.state().drain();
    }
}

/// The task of a session.
struct SessionDriver<T> {
    session: Arc<TunnelSession>,
    transport: T,
    liveness_check: LivenessCheck,
    /// What the witness was asked and has not answered yet.
    liveness_answer: Option<BoxFuture<'static, bool>>,
    decoder: FrameDecoder,
    timer: Pin<Box<Sleep>>,
}

impl<T> Drop for SessionDriver<T> {
    /// A runtime that ends drops it: nobody may wait for it any more.
    fn drop(&mut self) {
        let why = "the connection to the node has ended".into();
        self.session.state().end(&why);
    }
}

impl<T: SessionTransport> SessionDriver<T> {
    async fn run(mut self) {
        let ended = poll_fn(|cx| self.poll(cx)).await;
        let go_away = match ended {
            Ok(()) => {
                let mut state = self.session.state();
                state.send_go_away();
                let goodbye = state.next_chunk();
                state.end(&"the port-forward session was closed because it was idle".into());
                goodbye
            }
            Err(why) => {
                tracing::debug!(%why, "a port-forward session ended");
                self.session.state().end(&why);
                None
            }
        };
        if let Some(goodbye) = go_away
            && let Err(error) = self.transport.send(goodbye)
        {
            tracing::trace!(%error, "no farewell");
        }
        let close = poll_fn(|cx| self.transport.poll_close(cx));
        if !matches!(timeout(CLOSE_TIMEOUT, close).await, Ok(Ok(()))) {
            tracing::trace!("a port-forward session ended without a farewell");
        }
    }

    /// Drives the session until it is at its end.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Arc<str>>> {
        self.session.state().set_driver(cx.waker());
        for _ in 0..CHUNKS_PER_POLL {
            let now = Instant::now();
            let next_tick = {
                let mut state = self.session.state();
                state.tick(now)?;
                if state.is_finished(now) {
                    return Poll::Ready(Ok(()));
                }
                if state.keepalive.needs_liveness_check(now) {
                    self.liveness_answer = Some((self.liveness_check)());
                }
                state.next_tick(now)
            };
            self.poll_liveness_answer(cx, now)?;
            let sent = self.poll_send(cx).map_err(broken)?;
            let received = self.poll_receive(cx, now)?;
            if sent || received {
                continue;
            }
            if let Poll::Ready(Err(error)) = self.transport.poll_flush(cx) {
                return Poll::Ready(Err(broken(error)));
            }
            if self.timer.deadline() != next_tick {
                self.timer.as_mut().reset(next_tick);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Hears what the witness says. Where the API server does not answer either, the silence is
    /// death.
    fn poll_liveness_answer(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<(), Arc<str>> {
        let Some(liveness_answer) = &mut self.liveness_answer else {
            return Ok(());
        };
        let Poll::Ready(lives) = liveness_answer.as_mut().poll(cx) else {
            return Ok(());
        };
        self.liveness_answer = None;
        let silence = self.session.state().keepalive.silence(now);
        if lives || silence < DEAD_SILENCE {
            return Ok(());
        }
        let silence = silence.as_secs();
        Err(format!(
            "the connection to the node timed out: nothing was received for {silence} s, and the API server does not answer either"
        )
        .into())
    }

    /// Hands over what waits, as long as the transport takes it.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        for turn in 0..CHUNKS_PER_POLL {
            if self.transport.poll_ready(cx)?.is_pending() {
                return Ok(turn > 0);
            }
            let Some(chunk) = self.session.state().next_chunk() else {
                return Ok(turn > 0);
            };
            self.transport.send(chunk)?;
        }
        Ok(true)
    }

    /// Takes in a chunk, unless the session is held.
    fn poll_receive(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, Arc<str>> {
        if self.session.state().is_read_paused() {
            return Ok(false);
        }
        let Poll::Ready(received) = self.transport.poll_receive(cx) else {
            return Ok(false);
        };
        let Some(chunk) = received.map_err(broken)? else {
            return Err("the connection to the node was closed".into());
        };
        self.receive_chunk(chunk, now)
            .map_err(|error| error.to_string().into())
            .map(|()| true)
    }

    fn receive_chunk(&mut self, mut chunk: Bytes, now: Instant) -> Result<(), FrameError> {
        let mut state = self.session.state();
        state.keepalive.on_receive(now);
        while let Some(frame) = self.decoder.next(&mut chunk)? {
            state.receive(frame, now);
        }
        Ok(())
    }
}

fn broken(error: io::Error) -> Arc<str> {
    format!("the connection to the node broke: {error}").into()
}
