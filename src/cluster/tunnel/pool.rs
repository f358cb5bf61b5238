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

use super::{
    session::{OpenError, Session},
    stream::TunnelStream,
};
use crate::{
    forward::{DialError, DialErrorKind},
    inventory::ObjectKey,
};

/// With so many connections on the least used session, another one is opened beside it.
const FULL: usize = 16;

/// The most sessions of one pod.
const MOST: usize = 8;

/// How long a connection waits for a session of its own where it could share a busy one.
const WAIT: Duration = Duration::from_secs(2);

/// So often a connection is tried on a session that turns out to be useless.
const ATTEMPTS: usize = 3;

/// Opens sessions.
pub(in super::super) trait Opener: Send + Sync + 'static {
    /// Opens a session to a pod.
    fn open(&self, pod: &ObjectKey) -> BoxFuture<'static, Result<Arc<Session>, Failure>>;

    /// What the words of a node mean.
    fn kind_of(&self, words: &str) -> DialErrorKind;
}

/// Why there is no connection.
#[derive(Clone, Debug)]
pub(in super::super) enum Failure {
    /// The server speaks none of the protocols that carry many connections: for certain, or
    /// perhaps it is in trouble just now.
    Unsupported {
        /// For certain.
        certain: bool,
    },
    /// No session could be opened.
    Session(DialError),
    /// The session ended, or the node does not answer.
    Lost(Arc<str>),
    /// The node could not reach the port, in its words.
    Refused(Arc<str>),
}

type Opening = Shared<BoxFuture<'static, Result<Arc<Session>, Failure>>>;
type Pods = Mutex<BTreeMap<ObjectKey, Pod>>;

/// All sessions.
pub(in super::super) struct Pool<O> {
    opener: O,
    pods: Arc<Pods>,
}

/// The sessions of one pod.
#[derive(Default)]
struct Pod {
    sessions: Vec<Arc<Session>>,
    /// The session that is being opened; everybody who needs one waits for the same.
    opening: Option<Opening>,
}

impl<O: Opener> Pool<O> {
    pub fn new(opener: O) -> Self {
        Self {
            opener,
            pods: Arc::default(),
        }
    }

    /// Connects to a port of a pod.
    pub async fn dial(&self, pod: &ObjectKey, port: u16) -> Result<TunnelStream, Failure> {
        let started = Instant::now();
        let mut lost = Arc::from("no session takes the connection");
        for _ in 0..ATTEMPTS {
            let session = self.session(pod).await?;
            let is_new = session.opened >= started;
            lost = match session.open(port).await {
                Ok(stream) => return Ok(stream),
                Err(OpenError::Closed(why)) => why,
                Err(OpenError::Silent) => {
                    session.book().retire();
                    "the node does not answer".into()
                }
                Err(OpenError::Refused(words)) => {
                    let kind = self.opener.kind_of(&words);
                    if is_new || kind == DialErrorKind::Refused {
                        return Err(Failure::Refused(words));
                    }
                    // The pod may have been replaced by another one of its name, while the
                    // session still leads to the old one.
                    session.book().retire();
                    words
                }
            };
        }
        Err(Failure::Lost(lost))
    }

    /// A session for the next connection.
    async fn session(&self, key: &ObjectKey) -> Result<Arc<Session>, Failure> {
        let (choice, opening) = {
            let mut pods = lock(&self.pods);
            pods.retain(|_, pod| pod.is_used());
            let pod = pods.entry(key.clone()).or_default();
            let choice = pod.choose(Instant::now());
            if choice.wants_more() {
                self.start_opening(key, pod);
            }
            (choice, pod.opening.clone())
        };
        match (choice, opening) {
            (Choice::Good(session) | Choice::Full(session), _) => Ok(session),
            (Choice::Busy(session), None) => Ok(session),
            // Better in turn than not at all.
            (Choice::Busy(session), Some(opening)) => match timeout(WAIT, opening).await {
                Ok(Ok(opened)) => Ok(opened),
                Ok(Err(_)) | Err(_) => Ok(session),
            },
            (Choice::None, Some(opening)) => opening.await,
            (Choice::None, None) => Err(Failure::Lost("no session is being opened".into())),
        }
    }

    fn start_opening(&self, key: &ObjectKey, pod: &mut Pod) {
        if pod.opening.is_some() {
            return;
        }
        let opened = self.opener.open(key);
        let opening = keep(Arc::downgrade(&self.pods), key.clone(), opened)
            .boxed()
            .shared();
        // Whoever waits for it may give up: it goes on for those who come next.
        tokio::spawn(opening.clone());
        pod.opening = Some(opening);
    }
}

impl<O> Pool<O> {
    /// Has no session take another connection: what is open goes on, and what comes next shows
    /// whether the way is still there.
    pub fn retire(&self) {
        for session in lock(&self.pods).values().flat_map(|pod| &pod.sessions) {
            session.book().retire();
        }
    }
}

impl<O> Drop for Pool<O> {
    fn drop(&mut self) {
        self.retire();
    }
}

/// Puts the session into the pool when it is open.
async fn keep(
    pods: Weak<Pods>,
    key: ObjectKey,
    opened: BoxFuture<'static, Result<Arc<Session>, Failure>>,
) -> Result<Arc<Session>, Failure> {
    let opened = opened.await;
    match (pods.upgrade(), &opened) {
        (Some(pods), opened) => {
            let mut pods = lock(&pods);
            let pod = pods.entry(key).or_default();
            pod.opening = None;
            pod.sessions.extend(opened.iter().cloned());
        }
        (None, Ok(session)) => session.book().retire(),
        (None, Err(_)) => {}
    }
    opened
}

fn lock(pods: &Pods) -> MutexGuard<'_, BTreeMap<ObjectKey, Pod>> {
    pods.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pod {
    fn is_used(&self) -> bool {
        let lives = |session: &Arc<Session>| session.book().takes_streams();
        self.opening.is_some() || self.sessions.iter().any(lives)
    }

    /// The best session for the next connection.
    fn choose(&mut self, now: Instant) -> Choice {
        self.sessions
            .retain(|session| session.book().takes_streams());
        let best = self
            .sessions
            .iter()
            .map(|session| {
                let book = session.book();
                ((book.is_busy(now), book.load()), session)
            })
            .min_by_key(|(cost, _)| *cost);
        let may_grow = self.sessions.len() < MOST;
        match best {
            None => Choice::None,
            Some(((true, _), best)) if may_grow => Choice::Busy(best.clone()),
            Some(((_, load), best)) if load >= FULL && may_grow => Choice::Full(best.clone()),
            Some((_, best)) => Choice::Good(best.clone()),
        }
    }
}

/// What a pod's sessions have to offer.
enum Choice {
    None,
    /// On this one a connection would wait for another's data.
    Busy(Arc<Session>),
    /// This one will do, and there should be more.
    Full(Arc<Session>),
    Good(Arc<Session>),
}

impl Choice {
    fn wants_more(&self) -> bool {
        !matches!(self, Self::Good(_))
    }
}
