//! One local connection: choose a pod, reach it, pump, end.

use std::{convert::Infallible, future::pending, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpStream,
    sync::{Notify, Semaphore, watch},
    time::{Instant, sleep, timeout_at},
};

use super::{
    DialError, DialErrorKind, Dialer, InventoryFeed, PodStream,
    choice::{Candidate, candidates},
    ledger::{Ledger, Seated},
    pump::{Early, PumpError, pump},
    sessions::Sessions,
};
use crate::inventory::Text;

/// How long a client may wait for a pod, all attempts together.
pub(crate) const REACH_LIMIT: Duration = Duration::from_secs(15);

/// How long one attempt may take.
pub(crate) const DIAL_LIMIT: Duration = Duration::from_secs(10);

/// How long a pod may think about what a new client said before it is asked whether the way to the
/// cluster is there. A tunnel itself is slow to find out, for a pod may hold it up.
const FIRST_ANSWER: Duration = Duration::from_secs(5);

/// How long a list may take that is read again because pods were gone.
const RELIST_LIMIT: Duration = Duration::from_secs(2);

/// How often a client that has ended without a word looks whether others wait.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How many pods one connection tries, unless they are gone: then others have come.
const MAX_ATTEMPTS: usize = 3;

/// What all connections of a forward share.
pub(crate) struct Way {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) inventory: InventoryFeed,
    pub(crate) dialer: watch::Receiver<Arc<dyn Dialer>>,
    pub(crate) dials: Semaphore,
    /// A place for each local connection, and how many there are.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) most: usize,
    pub(crate) sessions: Arc<Sessions>,
    /// Told when something happened that a lost way to the cluster would explain.
    pub(crate) doubt: Arc<Notify>,
    /// Told when a pod that the inventory holds turned out to be gone.
    pub(crate) outdated: Arc<Notify>,
}

impl Way {
    /// A pod refused, which may show that the inventory is old.
    fn heed(&self, error: &DialError) {
        if error.kind == DialErrorKind::PodGone {
            self.outdated.notify_one();
        }
    }
}

/// Serves a local connection to its end. It is not read before a pod is reached, and what was read
/// before a pod turned out to refuse is said again to the next one, so that nothing the client
/// sends is lost to a failed attempt.
pub(crate) async fn serve(mut local: TcpStream, client: SocketAddr, way: Arc<Way>) {
    way.ledger.accepted();
    // Small writes (a prompt, a keystroke) must not wait for an answer to earlier ones.
    local.set_nodelay(true).ok();
    let mut tries = Tries::new();
    let mut early = Early::default();
    loop {
        let reached = tokio::select! {
            reached = reach(&way, &mut tries) => reached,
            () = left(&local, &way), if early.is_silent() => return drop_hard(local),
        };
        let (mut seat, stream) = match reached {
            Ok(reached) => reached,
            Err(unreached) => {
                let cut = unreached.is_cut();
                let pod = tries.tried.last().map(|last| &*last.pod.name);
                tracing::debug!(%client, pod, reason = %unreached.reason, "no pod was reached");
                way.ledger.failing(unreached.reason, cut);
                if cut {
                    way.doubt.notify_one();
                }
                return drop_hard(local);
            }
        };
        let to = seat.to().clone();
        let session = way.sessions.enter(to.clone());
        seat.open();
        // The pod may have been deleted between the choice and the entry in the table.
        way.sessions.end_deleted(&way.inventory.borrow());

        let flowed = (way.ledger.meter.up(), way.ledger.meter.down());
        let ended = tokio::select! {
            ended = pump(&mut local, stream, &way.ledger.meter, &mut early, needed(&way)) => ended,
            never = doubt_silence(&way, flowed) => match never {},
            () = session.pod_deleted() => {
                let reason = format!("pod {} was deleted; its connections have ended", to.pod.name);
                tracing::debug!(%client, pod = %to.pod.name, %reason, "a connection was dropped");
                way.ledger.lost(reason.into());
                return drop_hard(local);
            }
        };
        match ended {
            Ok(()) => {}
            Err(PumpError::Local(error)) => {
                tracing::debug!(%client, pod = %to.pod.name, %error, "a local application hung up");
            }
            Err(PumpError::Left) => drop_hard(local),
            Err(PumpError::Pod(error)) => {
                if let Some(refused) = DialError::within(&error)
                    && early.is_whole()
                    && tries.may_go_on()
                {
                    way.heed(refused);
                    tries.failed(to, refused.clone());
                    continue;
                }
                // One broken connection says nothing about the next one, but it may be the first
                // sign of a lost way.
                let error = PumpError::Pod(error);
                tracing::debug!(%client, pod = %to.pod.name, %error, "a connection was dropped");
                way.ledger
                    .lost(format!("pod {}: {error}", to.pod.name).into());
                way.doubt.notify_one();
                drop_hard(local);
            }
        }
        return;
    }
}

/// Ends when the client has ended without a word and its place is needed.
async fn left(local: &TcpStream, way: &Way) {
    match local.peek(&mut [0]).await {
        Ok(0) => needed(way).await,
        Ok(_) => pending().await,
        Err(_reset) => {}
    }
}

/// Ends when further connections wait for a place.
async fn needed(way: &Way) {
    while !way.ledger.is_full() {
        sleep(LOOK_EVERY).await;
    }
}

/// Has the way checked once if something was said to pods of this forward since so much had flowed
/// up and down, and none of them says anything for a while. Never ends.
async fn doubt_silence(way: &Way, (up, down): (u64, u64)) -> Infallible {
    let meter = &way.ledger.meter;
    sleep(FIRST_ANSWER).await;
    if meter.up() > up && meter.down() == down {
        way.doubt.notify_one();
    }
    pending().await
}

/// The attempts of one connection.
struct Tries {
    deadline: Instant,
    tried: Vec<Candidate>,
    /// How many of those count.
    attempts: usize,
    failure: Option<DialError>,
}

impl Tries {
    fn new() -> Self {
        Self {
            deadline: Instant::now() + REACH_LIMIT,
            tried: Vec::new(),
            attempts: 0,
            failure: None,
        }
    }

    fn failed(&mut self, at: Candidate, error: DialError) {
        self.tried.push(at);
        self.attempts += 1;
        self.failure = Some(error);
    }

    /// Other pods will come, which may be tried as those before were.
    fn begin_anew(&mut self) {
        self.attempts = 0;
    }

    fn may_go_on(&self) -> bool {
        self.attempts < MAX_ATTEMPTS && Instant::now() < self.deadline
    }
}

/// Closes with a reset: an end of file would tell the client that it got everything.
fn drop_hard(local: TcpStream) {
    // Where that fails the client sees an end of file, which is all that is left to do.
    local.set_zero_linger().ok();
}

/// Why no pod took a connection.
struct Unreached {
    /// What the last dial met, where there was one.
    kind: Option<DialErrorKind>,
    reason: Text,
}

impl Unreached {
    fn is_cut(&self) -> bool {
        matches!(
            self.kind,
            Some(DialErrorKind::Unreachable | DialErrorKind::Unauthorized)
        )
    }
}

/// Finds a pod that takes the connection. While none is ready it waits for one, within the limit.
async fn reach(way: &Way, tries: &mut Tries) -> Result<(Seated, Box<dyn PodStream>), Unreached> {
    let deadline = tries.deadline;
    let mut inventory = way.inventory.clone();
    loop {
        let now = inventory.borrow_and_update().clone();
        let choice = candidates(&now, way.ledger.spec());
        let seat = way
            .ledger
            .seat(choice.as_deref().unwrap_or_default(), &tries.tried);
        let reason = match seat {
            Some(seat) => {
                let error = match dial(way, seat.to(), deadline).await {
                    Ok(stream) => return Ok((seat, stream)),
                    Err(error) => error,
                };
                way.heed(&error);
                let kind = error.kind;
                tries.failed(seat.to().clone(), error);
                match kind {
                    // No other pod would help.
                    DialErrorKind::Forbidden | DialErrorKind::Unauthorized => {
                        return Err(in_words(tries));
                    }
                    _ if tries.may_go_on() => {}
                    // What is held of the pods is old, and is being read again.
                    DialErrorKind::PodGone if Instant::now() < deadline => {
                        tries.begin_anew();
                        let patience = deadline.min(Instant::now() + RELIST_LIMIT);
                        // Where nothing has changed, pods may be left that were not tried.
                        timeout_at(patience, inventory.changed()).await.ok();
                    }
                    _ => return Err(in_words(tries)),
                }
                continue;
            }
            None => match (&tries.failure, choice) {
                // The inventory will soon know of the replacement.
                (Some(error), _)
                    if error.kind == DialErrorKind::PodGone
                        || tries.tried.iter().any(|tried| tried.is_leaving(&now)) =>
                {
                    error.message.clone()
                }
                (Some(_), _) => return Err(in_words(tries)),
                (None, Err(no_pod)) => no_pod.reason(),
                (None, Ok(_)) => Text::from("no pod is left to try"),
            },
        };
        let reason = match timeout_at(deadline, inventory.changed()).await {
            Ok(Ok(())) => continue,
            Ok(Err(_closed)) => reason,
            Err(_elapsed) => {
                let waited = REACH_LIMIT.as_secs();
                format!("{reason} (waited {waited} s)").into()
            }
        };
        return Err(Unreached {
            kind: tries.failure.as_ref().map(|error| error.kind),
            reason,
        });
    }
}

async fn dial(
    way: &Way,
    to: &Candidate,
    deadline: Instant,
) -> Result<Box<dyn PodStream>, DialError> {
    let unreachable = |message: String| DialError {
        kind: DialErrorKind::Unreachable,
        message: message.into(),
    };
    // A dial that only waits for its turn has not failed at this pod.
    let _permit = match timeout_at(deadline, way.dials.acquire()).await {
        Ok(permit) => permit.ok(),
        Err(_elapsed) => {
            return Err(unreachable(format!(
                "{to}: too many connections were being made, and none of them got through"
            )));
        }
    };
    let limit = deadline.min(Instant::now() + DIAL_LIMIT);
    let dialer = way.dialer.borrow().clone();
    timeout_at(limit, dialer.dial(&to.pod, to.port))
        .await
        .unwrap_or_else(|_elapsed| {
            let waited = DIAL_LIMIT.as_secs();
            Err(unreachable(format!(
                "{to}: no connection within {waited} s"
            )))
        })
}

fn in_words(tries: &Tries) -> Unreached {
    let Some(failure) = &tries.failure else {
        return Unreached {
            kind: None,
            reason: Text::from("no pod was tried"),
        };
    };
    Unreached {
        kind: Some(failure.kind),
        reason: match tries.tried.len() {
            0 | 1 => failure.message.clone(),
            pods => format!("{} ({pods} pods tried)", failure.message).into(),
        },
    }
}
