//! Opening a stream on a session.

use std::{future::poll_fn, io, sync::Arc, time::Duration};

use tokio::time::timeout;

use crate::{
    session::TunnelSession,
    state::StreamOpenStatus,
    stream::{NodeRefusal, TunnelStream},
};

/// How long a node may take to accept a stream. It does so at once, before it dials; if it does
/// not, another connection's pod holds it up.
const ACCEPT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a node is given to say that nothing listens. It says so within milliseconds.
const REFUSAL_WAIT: Duration = Duration::from_millis(10);

/// Why a session gave no stream.
#[derive(Debug)]
pub(super) enum StreamOpenError {
    /// It takes none, or not any more: open another session.
    Closed(Arc<str>),
    /// The node does not answer on this session.
    Silent,
    /// The node could not reach the port, in its words.
    Refused(Arc<str>),
}

impl TunnelSession {
    /// Opens a stream to a port of the pod. A node that refuses, is silent or has closed the session
    /// is an error, in its words.
    pub async fn connect(self: &Arc<Self>, port: u16) -> io::Result<TunnelStream> {
        self.open(port).await.map_err(|error| match error {
            StreamOpenError::Closed(why) => io::Error::new(io::ErrorKind::NotConnected, &*why),
            StreamOpenError::Silent => {
                io::Error::new(io::ErrorKind::TimedOut, "the node does not answer")
            }
            StreamOpenError::Refused(message) => {
                io::Error::new(io::ErrorKind::ConnectionRefused, NodeRefusal(message))
            }
        })
    }

    /// Opens a stream to a port of the pod. Where the port has not shown lately that it listens,
    /// it waits until the node has accepted the stream, and for a moment more, for a refusal.
    ///
    /// Else it waits for nothing: a node deals with the frames of a stream in their order, so that
    /// data may follow the opening at once (moby/spdystream, connection.go: the frames of a
    /// stream go to one worker, which accepts it before it looks at the data).
    pub(super) async fn open(self: &Arc<Self>, port: u16) -> Result<TunnelStream, StreamOpenError> {
        let (id, known_to_listen) = {
            let mut state = self.state();
            (state.open(port), state.is_known_to_listen(port))
        };
        let Some(id) = id else {
            return Err(StreamOpenError::Closed(
                "the port-forward session accepts no more connections".into(),
            ));
        };
        // From here on, giving up ends the stream.
        let stream = TunnelStream::new(self.clone(), id);
        if known_to_listen {
            return Ok(stream);
        }
        let accepted = poll_fn(|cx| self.state().poll_opening(id, cx));
        let mut status = timeout(ACCEPT_TIMEOUT, accepted)
            .await
            .map_err(|_elapsed| StreamOpenError::Silent)?;
        if status == StreamOpenStatus::Accepted {
            let answer = poll_fn(|cx| self.state().poll_answer(id, cx));
            status = timeout(REFUSAL_WAIT, answer).await.unwrap_or(status);
        }
        match status {
            StreamOpenStatus::Accepted | StreamOpenStatus::Answered => Ok(stream),
            StreamOpenStatus::Refused(words) => Err(StreamOpenError::Refused(words)),
            StreamOpenStatus::Ended(why) => Err(StreamOpenError::Closed(why)),
        }
    }
}
