//! A session: many connections to one pod over one transport.
//!
//! One task owns the transport ([`Driver`]); streams reach it by the session's book.

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
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::cluster::link::Witness;

use super::{
    book::{Book, Opening},
    frame::{Decoder, FrameError},
    stream::TunnelStream,
    transport::Transport,
};

/// How long a node may take to accept a stream. It does so at once, before it dials; if it does
/// not, another connection's pod holds it up.
const ACCEPT: Duration = Duration::from_secs(3);

/// How long a node is given to say that nothing listens. It says so within milliseconds.
const REFUSAL: Duration = Duration::from_millis(10);

/// Silence that a witness may call death. Somebody who was heard meanwhile lives.
const DOUBTFUL: Duration = Duration::from_secs(10);

/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Chunks each way before other tasks get a turn.
const TURN: usize = 32;

/// An open session. It lives while it has streams, and for a minute more.
pub(in super::super) struct Session {
    book: Mutex<Book>,
    pub(super) opened: Instant,
}

/// Why a session gave no stream.
#[derive(Debug)]
pub(super) enum OpenError {
    /// It takes none, or not any more: open another session.
    Closed(Arc<str>),
    /// The node does not answer on this session.
    Silent,
    /// The node could not reach the port, in its words.
    Refused(Arc<str>),
}

impl Session {
    /// Starts to drive a transport. The witness is asked whether the API server lives when the
    /// node's silence says nothing.
    pub(super) fn start(transport: impl Transport, witness: Witness) -> Arc<Self> {
        let now = Instant::now();
        let session = Arc::new(Self {
            book: Mutex::new(Book::new(now)),
            opened: now,
        });
        let driver = Driver {
            session: session.clone(),
            transport,
            witness,
            testimony: None,
            decoder: Decoder::default(),
            timer: Box::pin(sleep_until(now)),
        };
        tokio::spawn(driver.run());
        session
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes no more streams, and ends when it carries none.
    pub(in super::super) fn retire(&self) {
        self.book().retire();
    }

    /// Opens a stream to a port of the pod. Where the port has not shown lately that it listens,
    /// it waits until the node has accepted the stream, and for a moment more, for a refusal.
    ///
    /// Else it waits for nothing: a node deals with the frames of a stream in their order, so that
    /// data may follow the opening at once (moby/spdystream, connection.go: the frames of a
    /// stream go to one worker, which accepts it before it looks at the data).
    pub(super) async fn open(self: &Arc<Self>, port: u16) -> Result<TunnelStream, OpenError> {
        let (id, trusted) = {
            let mut book = self.book();
            (book.open(port), book.is_trusted(port))
        };
        let Some(id) = id else {
            return Err(OpenError::Closed("the session takes no more".into()));
        };
        // From here on, giving up ends the stream.
        let stream = TunnelStream::new(self.clone(), id);
        if trusted {
            return Ok(stream);
        }
        let accepted = poll_fn(|cx| self.book().poll_opening(id, cx));
        let mut known = timeout(ACCEPT, accepted)
            .await
            .map_err(|_elapsed| OpenError::Silent)?;
        if known == Opening::Accepted {
            let answer = poll_fn(|cx| self.book().poll_answer(id, cx));
            known = timeout(REFUSAL, answer).await.unwrap_or(known);
        }
        match known {
            Opening::Accepted | Opening::Answered => Ok(stream),
            Opening::Refused(words) => Err(OpenError::Refused(words)),
            Opening::Ended(why) => Err(OpenError::Closed(why)),
        }
    }
}

/// The task of a session.
struct Driver<T> {
    session: Arc<Session>,
    transport: T,
    witness: Witness,
    /// What the witness was asked and has not answered yet.
    testimony: Option<BoxFuture<'static, bool>>,
    decoder: Decoder,
    timer: Pin<Box<Sleep>>,
}

impl<T> Drop for Driver<T> {
    /// A runtime that ends drops it: nobody may wait for it any more.
    fn drop(&mut self) {
        let why = "the connection to the node has ended".into();
        self.session.book().end(&why);
    }
}

impl<T: Transport> Driver<T> {
    async fn run(mut self) {
        let ended = poll_fn(|cx| self.poll(cx)).await;
        let goodbye = match ended {
            Ok(()) => {
                let mut book = self.session.book();
                book.say_goodbye();
                let goodbye = book.next_chunk();
                book.end(&"the session was not used any more".into());
                goodbye
            }
            Err(why) => {
                tracing::debug!(%why, "a port-forward session ended");
                self.session.book().end(&why);
                None
            }
        };
        if let Some(goodbye) = goodbye
            && let Err(error) = self.transport.send(goodbye)
        {
            tracing::trace!(%error, "no farewell");
        }
        let close = poll_fn(|cx| self.transport.poll_close(cx));
        if !matches!(timeout(FAREWELL, close).await, Ok(Ok(()))) {
            tracing::trace!("a port-forward session ended without a farewell");
        }
    }

    /// Drives the session until it is at its end.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Arc<str>>> {
        self.session.book().set_driver(cx.waker());
        for _ in 0..TURN {
            let now = Instant::now();
            let next_look = {
                let mut book = self.session.book();
                book.look(now)?;
                if book.is_over(now) {
                    return Poll::Ready(Ok(()));
                }
                if book.pulse.doubt(now) {
                    self.testimony = Some((self.witness)());
                }
                book.next_look(now)
            };
            self.poll_testimony(cx, now)?;
            let sent = self.poll_send(cx).map_err(broken)?;
            let received = self.poll_receive(cx, now)?;
            if sent || received {
                continue;
            }
            if let Poll::Ready(Err(error)) = self.transport.poll_flush(cx) {
                return Poll::Ready(Err(broken(error)));
            }
            if self.timer.deadline() != next_look {
                self.timer.as_mut().reset(next_look);
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
    fn poll_testimony(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<(), Arc<str>> {
        let Some(testimony) = &mut self.testimony else {
            return Ok(());
        };
        let Poll::Ready(lives) = testimony.as_mut().poll(cx) else {
            return Ok(());
        };
        self.testimony = None;
        let silence = self.session.book().pulse.silence(now);
        if lives || silence < DOUBTFUL {
            return Ok(());
        }
        let silence = silence.as_secs();
        Err(format!(
            "the connection to the node is dead: nothing was heard for {silence} s, and the API server does not answer either"
        )
        .into())
    }

    /// Hands over what waits, as long as the transport takes it.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        for turn in 0..TURN {
            if self.transport.poll_ready(cx)?.is_pending() {
                return Ok(turn > 0);
            }
            let Some(chunk) = self.session.book().next_chunk() else {
                return Ok(turn > 0);
            };
            self.transport.send(chunk)?;
        }
        Ok(true)
    }

    /// Takes in a chunk, unless the session is held.
    fn poll_receive(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, Arc<str>> {
        if self.session.book().is_held() {
            return Ok(false);
        }
        let Poll::Ready(received) = self.transport.poll_receive(cx) else {
            return Ok(false);
        };
        let Some(chunk) = received.map_err(broken)? else {
            return Err("the connection to the node was closed".into());
        };
        self.take(chunk, now)
            .map_err(|error| error.to_string().into())
            .map(|()| true)
    }

    fn take(&mut self, mut chunk: Bytes, now: Instant) -> Result<(), FrameError> {
        let mut book = self.session.book();
        book.pulse.heard(now);
        while let Some(frame) = self.decoder.next(&mut chunk)? {
            book.receive(frame, now);
        }
        Ok(())
    }
}

fn broken(error: io::Error) -> Arc<str> {
    format!("the connection to the node broke: {error}").into()
}
