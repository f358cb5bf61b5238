//! The sessions of every pod, and which of them takes the next connection.
//!
//! A session is opened when a connection needs one, never before: that alone opens nothing in the
//! pod, for the kubelet dials when a stream is opened. Under load a second one is opened in the
//! background while the first serves. A session that is not used for a minute ends by itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::time::{Instant, timeout};

use super::{open_stream::StreamOpenError, session::TunnelSession, stream::TunnelStream};

/// With so many connections on the least used session, another one is opened beside it.
const FULL_SESSION: usize = 16;

/// The most sessions of one pod.
const MAX_SESSIONS: usize = 8;

/// How long a connection waits for a session of its own where it could share a busy one.
const SESSION_WAIT: Duration = Duration::from_secs(2);

/// So often a connection is tried on a session that turns out to be useless.
const ATTEMPTS: usize = 3;

/// Opens sessions.
pub trait SessionOpener: Send + Sync + 'static {
    /// What names a pod.
    type Pod: Clone + Ord + Send + 'static;
    /// Why a session could not be opened.
    type Error: Clone + Send + Sync + 'static;

    /// Opens a session to a pod.
    fn open(&self, pod: &Self::Pod) -> OpeningSession<Self::Error>;

    /// Whether these words of a node mean that nothing in the pod listens on the port; else the pod
    /// itself may be gone.
    fn is_port_refusal(&self, message: &str) -> bool;
}

/// A session that is being opened.
pub type OpeningSession<E> = BoxFuture<'static, Result<Arc<TunnelSession>, TunnelDialError<E>>>;

/// Why there is no connection.
#[derive(Clone, Debug)]
pub enum TunnelDialError<E> {
    /// The server speaks none of the protocols that carry many connections: for certain, or
    /// perhaps it is in trouble just now.
    Unsupported {
        /// For certain.
        certain: bool,
    },
    /// No session could be opened.
    SessionFailed(E),
    /// The session ended, or the node does not answer.
    SessionLost(Arc<str>),
    /// The node could not reach the port, in its words.
    Refused(Arc<str>),
}

type PendingSession<E> = Shared<OpeningSession<E>>;
type PodSessionMap<P, E> = BTreeMap<P, PodSessions<E>>;

/// All sessions.
pub struct SessionPool<O: SessionOpener> {
    opener: O,
    pods: Arc<Mutex<PodSessionMap<O::Pod, O::Error>>>,
}

/// The sessions of one pod.
struct PodSessions<E> {
    sessions: Vec<Arc<TunnelSession>>,
    /// The session that is being opened; all connections that need one wait for the same.
    opening: Option<PendingSession<E>>,
}

impl<E> Default for PodSessions<E> {
    fn default() -> Self {
        Self {
            sessions: Vec::new(),
            opening: None,
        }
    }
}

impl<O: SessionOpener> SessionPool<O> {
    /// A pool without sessions.
    pub fn new(opener: O) -> Self {
        Self {
            opener,
            pods: Arc::default(),
        }
    }

    /// Connects to a port of a pod.
    pub async fn dial(
        &self,
        pod: &O::Pod,
        port: u16,
    ) -> Result<TunnelStream, TunnelDialError<O::Error>> {
        let started = Instant::now();
        let mut lost = Arc::from("no port-forward session accepted the connection");
        for _ in 0..ATTEMPTS {
            let session = self.session(pod).await?;
            let is_new = session.opened_at >= started;
            lost = match session.open(port).await {
                Ok(stream) => return Ok(stream),
                Err(StreamOpenError::Closed(why)) => why,
                Err(StreamOpenError::Silent) => {
                    session.state().drain();
                    "the node does not answer".into()
                }
                Err(StreamOpenError::Refused(words)) => {
                    if is_new || self.opener.is_port_refusal(&words) {
                        return Err(TunnelDialError::Refused(words));
                    }
                    // The pod may have been replaced by another one of its name, while the
                    // session still leads to the old one.
                    session.state().drain();
                    words
                }
            };
        }
        Err(TunnelDialError::SessionLost(lost))
    }

    /// A session for the next connection.
    async fn session(&self, key: &O::Pod) -> Result<Arc<TunnelSession>, TunnelDialError<O::Error>> {
        let (choice, opening) = {
            let mut pods = lock(&self.pods);
            pods.retain(|_, pod| pod.is_used());
            let pod = pods.entry(key.clone()).or_default();
            let choice = pod.choose(Instant::now());
            if choice.needs_another_session() {
                self.start_opening(key, pod);
            }
            (choice, pod.opening.clone())
        };
        match (choice, opening) {
            (SessionChoice::Good(session) | SessionChoice::Full(session), _) => Ok(session),
            (SessionChoice::Busy(session), None) => Ok(session),
            // Better in turn than not at all.
            (SessionChoice::Busy(session), Some(opening)) => {
                match timeout(SESSION_WAIT, opening).await {
                    Ok(Ok(opened)) => Ok(opened),
                    Ok(Err(_)) | Err(_) => Ok(session),
                }
            }
            (SessionChoice::None, Some(opening)) => opening.await,
            (SessionChoice::None, None) => Err(TunnelDialError::SessionLost(
                "no session is being opened".into(),
            )),
        }
    }

    fn start_opening(&self, key: &O::Pod, pod: &mut PodSessions<O::Error>) {
        if pod.opening.is_some() {
            return;
        }
        let opened = self.opener.open(key);
        let opening = add_opened_session(Arc::downgrade(&self.pods), key.clone(), opened)
            .boxed()
            .shared();
        // Those that wait for it may give up: it goes on for the next connections.
        tokio::spawn(opening.clone());
        pod.opening = Some(opening);
    }
}

impl<O: SessionOpener> SessionPool<O> {
    /// Has no session take another connection: what is open goes on, and what comes next shows
    /// whether the connection still works.
    pub fn drain(&self) {
        for session in lock(&self.pods).values().flat_map(|pod| &pod.sessions) {
            session.state().drain();
        }
    }
}

impl<O: SessionOpener> Drop for SessionPool<O> {
    fn drop(&mut self) {
        self.drain();
    }
}

/// Puts the session into the pool when it is open.
async fn add_opened_session<P: Ord, E>(
    pods: Weak<Mutex<PodSessionMap<P, E>>>,
    key: P,
    opened: OpeningSession<E>,
) -> Result<Arc<TunnelSession>, TunnelDialError<E>> {
    let opened = opened.await;
    match (pods.upgrade(), &opened) {
        (Some(pods), opened) => {
            let mut pods = lock(&pods);
            let pod = pods.entry(key).or_default();
            pod.opening = None;
            pod.sessions.extend(opened.iter().cloned());
        }
        (None, Ok(session)) => session.state().drain(),
        (None, Err(_)) => {}
    }
    opened
}

fn lock<P, E>(pods: &Mutex<PodSessionMap<P, E>>) -> MutexGuard<'_, PodSessionMap<P, E>> {
    pods.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<E> PodSessions<E> {
    fn is_used(&self) -> bool {
        let lives = |session: &Arc<TunnelSession>| session.state().accepts_streams();
        self.opening.is_some() || self.sessions.iter().any(lives)
    }

    /// The best session for the next connection.
    fn choose(&mut self, now: Instant) -> SessionChoice {
        self.sessions
            .retain(|session| session.state().accepts_streams());
        let best = self
            .sessions
            .iter()
            .map(|session| {
                let state = session.state();
                ((state.is_busy(now), state.active_streams()), session)
            })
            .min_by_key(|(cost, _)| *cost);
        let may_grow = self.sessions.len() < MAX_SESSIONS;
        match best {
            None => SessionChoice::None,
            Some(((true, _), best)) if may_grow => SessionChoice::Busy(best.clone()),
            Some(((_, load), best)) if load >= FULL_SESSION && may_grow => {
                SessionChoice::Full(best.clone())
            }
            Some((_, best)) => SessionChoice::Good(best.clone()),
        }
    }
}

/// What a pod's sessions have to offer.
enum SessionChoice {
    None,
    /// On this one a connection would wait for another's data.
    Busy(Arc<TunnelSession>),
    /// This one will do, and there should be more.
    Full(Arc<TunnelSession>),
    Good(Arc<TunnelSession>),
}

impl SessionChoice {
    fn needs_another_session(&self) -> bool {
        !matches!(self, Self::Good(_))
    }
}
