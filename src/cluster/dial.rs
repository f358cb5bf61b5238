//! [`Dialer`] by the API server: many connections over a session where the server speaks SPDY, else
//! a WebSocket to `pods/portforward` for each.

mod alone;
mod doubtful;
mod sessions;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::time::Instant;

use self::{doubtful::Doubtful, sessions::Sessions};
use super::{
    CallError, CallErrorKind,
    link::Link,
    tunnel::{Failure, Pool, Protocol},
};
use crate::{
    forward::{DialError, DialErrorKind, Dialer, PodStream},
    inventory::ObjectKey,
};

/// Opens port-forwards.
pub(super) struct KubeDialer {
    link: Arc<Link>,
    sessions: Pool<Sessions>,
    /// Until when the server is taken to speak no SPDY: learned, and kept for a day where it is
    /// certain.
    one_by_one: Mutex<Option<Instant>>,
}

const CERTAIN: Duration = Duration::from_secs(24 * 60 * 60);
const UNCERTAIN: Duration = Duration::from_secs(30);

impl KubeDialer {
    pub fn new(link: Arc<Link>) -> Self {
        Self {
            sessions: Pool::new(Sessions::new(link.clone())),
            link,
            one_by_one: Mutex::default(),
        }
    }

    async fn connect(&self, pod: &ObjectKey, port: u16) -> Result<Box<dyn PodStream>, DialError> {
        let tried = format!("forward to port {port} of pod {pod}");
        if self.is_one_by_one() {
            match alone::connect(&self.link, pod, port, &tried).await {
                // It needs another right than SPDY, which may be there for this pod.
                Err(error) if error.kind == DialErrorKind::Forbidden => {}
                settled => return settled,
            }
        }
        match self.sessions.dial(pod, port).await {
            Ok(stream) => Ok(Box::new(Doubtful { stream, tried })),
            Err(Failure::Unsupported { certain }) => {
                let stream = alone::connect(&self.link, pod, port, &tried).await?;
                self.learn(if certain { CERTAIN } else { UNCERTAIN });
                Ok(stream)
            }
            Err(Failure::Session(error)) => Err(error),
            Err(Failure::Refused(words)) => Err(refusal(&tried, &words)),
            Err(Failure::Lost(why)) => Err(DialError {
                kind: DialErrorKind::Unreachable,
                message: format!("could not {tried}: {why}").into(),
            }),
        }
    }

    /// The protocol by which a forward to this pod would be carried, found by upgrading to it. Only
    /// where each connection has a WebSocket of its own does the port hear of it.
    pub async fn protocol(&self, pod: &ObjectKey, port: u16) -> Result<&'static str, DialError> {
        match Sessions::new(self.link.clone()).protocol(pod).await {
            Ok(Protocol::Tunnel) => Ok("SPDY over WebSocket"),
            Ok(Protocol::Spdy) => Ok("SPDY"),
            Err(Failure::Unsupported { .. }) => {
                let tried = format!("forward to port {port} of pod {pod}");
                let stream = alone::connect(&self.link, pod, port, &tried).await;
                stream.map(|_closed| "a WebSocket for each connection")
            }
            Err(Failure::Session(error)) => Err(error),
            Err(Failure::Refused(why) | Failure::Lost(why)) => Err(DialError {
                kind: DialErrorKind::Unreachable,
                message: format!("could not forward to pod {pod}: {why}").into(),
            }),
        }
    }

    fn is_one_by_one(&self) -> bool {
        let until = self
            .one_by_one
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn learn(&self, time: Duration) {
        let mut until = self
            .one_by_one
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *until = Some(Instant::now() + time);
    }
}

impl Dialer for KubeDialer {
    fn dial<'a>(
        &'a self,
        pod: &'a ObjectKey,
        port: u16,
    ) -> BoxFuture<'a, Result<Box<dyn PodStream>, DialError>> {
        Box::pin(self.connect(pod, port))
    }

    fn recheck(&self) {
        self.sessions.retire();
    }
}

fn to_dial_error(error: &CallError) -> DialError {
    let kind = match error.kind {
        CallErrorKind::NotFound | CallErrorKind::Expired => DialErrorKind::PodGone,
        CallErrorKind::Forbidden => DialErrorKind::Forbidden,
        CallErrorKind::Unauthorized | CallErrorKind::Credentials => DialErrorKind::Unauthorized,
        CallErrorKind::Unreachable | CallErrorKind::Untrusted => DialErrorKind::Unreachable,
        _ => DialErrorKind::Other,
    };
    DialError {
        kind,
        message: error.message.clone(),
    }
}

/// What a node's words mean: it could not reach the port, or found no pod; it has no code for it.
fn kind_of(words: &str) -> DialErrorKind {
    let gone = [
        "not found",
        "no such",
        "does not exist",
        "not running",
        "failed to find sandbox",
        "is closed",
    ];
    if words.contains("refused") {
        DialErrorKind::Refused
    } else if gone.iter().any(|word| words.contains(word)) {
        DialErrorKind::PodGone
    } else {
        DialErrorKind::Other
    }
}

fn refusal(tried: &str, words: &str) -> DialError {
    let kind = kind_of(words);
    let next = match kind {
        DialErrorKind::Refused => "; nothing listens on that port in the pod",
        _ => "",
    };
    DialError {
        kind,
        message: format!("could not {tried}: {words}{next}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_words_decide_what_to_do_next() {
        let refused = refusal(
            "forward",
            "dial tcp4 127.0.0.1:81: connect: connection refused",
        );
        assert_eq!(refused.kind, DialErrorKind::Refused);
        assert!(refused.message.contains("dial tcp4 127.0.0.1:81"));
        let gone = refusal("forward", "container \"x\" not found");
        assert_eq!(gone.kind, DialErrorKind::PodGone);
        let else_ = refusal("forward", "out of file descriptors");
        assert_eq!(else_.kind, DialErrorKind::Other);
    }
}
