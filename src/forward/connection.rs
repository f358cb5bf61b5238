//! One local connection: choose a pod, reach it, pump, end.

use std::{sync::Arc, time::Duration};

use tokio::{
    net::TcpStream,
    sync::{Semaphore, watch},
    time::{Instant, timeout_at},
};

use super::{
    DialError, DialErrorKind, Dialer, InventoryFeed, PodStream,
    choice::{Candidate, candidates},
    ledger::Ledger,
    pump::{PumpError, pump},
    sessions::Sessions,
};
use crate::inventory::Text;

/// How long a client may wait for a pod, all attempts together.
pub(crate) const REACH_LIMIT: Duration = Duration::from_secs(15);

/// How long one attempt may take.
pub(crate) const DIAL_LIMIT: Duration = Duration::from_secs(10);

/// How many pods one connection tries.
const MAX_ATTEMPTS: usize = 3;

/// What all connections of a forward share.
pub(crate) struct Way {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) inventory: InventoryFeed,
    pub(crate) dialer: watch::Receiver<Arc<dyn Dialer>>,
    pub(crate) dials: Semaphore,
    pub(crate) sessions: Arc<Sessions>,
}

/// Serves a local connection to its end. It is not read before a pod is reached, so that nothing
/// the client sends can be lost to a failed attempt.
pub(crate) async fn serve(mut local: TcpStream, way: Arc<Way>) {
    way.ledger.accepted();
    let (candidate, stream) = match reach(&way).await {
        Ok(reached) => reached,
        Err(reason) => {
            way.ledger.failing(reason);
            return drop_hard(local);
        }
    };
    // Small writes (a prompt, a keystroke) must not wait for an answer to earlier ones.
    local.set_nodelay(true).ok();
    let pod = candidate.pod.name.clone();
    let session = way.sessions.enter(candidate.clone());
    let _open = way.ledger.connected(candidate);
    // The pod may have been deleted between the choice and the entry in the table.
    way.sessions.end_deleted(&way.inventory.borrow());

    let ended = tokio::select! {
        ended = pump(&mut local, stream, &way.ledger.meter) => ended,
        () = session.pod_deleted() => {
            let reason = format!("pod {pod} was deleted; its connections have ended");
            way.ledger.lost(reason.into());
            return drop_hard(local);
        }
    };
    match ended {
        Ok(()) => {}
        Err(PumpError::Local(error)) => tracing::debug!(%error, "a local application hung up"),
        Err(error @ PumpError::Pod(_)) => {
            way.ledger.failing(format!("pod {pod}: {error}").into());
            drop_hard(local);
        }
    }
}

/// Closes with a reset: an end of file would tell the client that it got everything.
fn drop_hard(local: TcpStream) {
    // Where that fails the client sees an end of file, which is all that is left to do.
    local.set_zero_linger().ok();
}

/// Finds a pod that takes the connection. While none is ready it waits for one, within the limit.
async fn reach(way: &Way) -> Result<(Candidate, Box<dyn PodStream>), Text> {
    let deadline = Instant::now() + REACH_LIMIT;
    let mut inventory = way.inventory.clone();
    let mut tried: Vec<Candidate> = Vec::new();
    let mut failure: Option<DialError> = None;
    loop {
        let now = inventory.borrow_and_update().clone();
        let choice = candidates(&now, way.ledger.spec());
        let reason = match next(choice.as_deref().unwrap_or_default(), way, &tried) {
            Some(candidate) => {
                match dial(way, &candidate, deadline).await {
                    Ok(stream) => return Ok((candidate, stream)),
                    Err(error) => failure = Some(error),
                }
                tried.push(candidate);
                if tried.len() < MAX_ATTEMPTS && Instant::now() < deadline {
                    match failure.as_ref().map(|error| error.kind) {
                        // No other pod would help.
                        Some(DialErrorKind::Forbidden | DialErrorKind::Unauthorized) => {}
                        _ => continue,
                    }
                }
                return Err(in_words(failure, &tried));
            }
            None => match (&failure, choice) {
                // The inventory will soon know of the replacement.
                (Some(error), _) if error.kind == DialErrorKind::PodGone => error.message.clone(),
                (Some(_), _) => return Err(in_words(failure, &tried)),
                (None, Err(no_pod)) => no_pod.reason(),
                (None, Ok(_)) => Text::from("no pod is left to try"),
            },
        };
        match timeout_at(deadline, inventory.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_closed)) => return Err(reason),
            Err(_elapsed) => {
                let waited = REACH_LIMIT.as_secs();
                return Err(format!("{reason} (waited {waited} s)").into());
            }
        }
    }
}

/// The pod of the last connection if none is better now, else the best that was not tried: a pod
/// that terminates is left as soon as another is ready.
fn next(candidates: &[Candidate], way: &Way, tried: &[Candidate]) -> Option<Candidate> {
    let untried = || candidates.iter().filter(|one| !tried.contains(one));
    let best = untried().next()?;
    let last = way.ledger.last();
    untried()
        .take_while(|one| one.fitness == best.fitness)
        .find(|one| Some(*one) == last.as_ref())
        .or(Some(best))
        .cloned()
}

async fn dial(
    way: &Way,
    to: &Candidate,
    deadline: Instant,
) -> Result<Box<dyn PodStream>, DialError> {
    let limit = deadline.min(Instant::now() + DIAL_LIMIT);
    let dialing = async {
        // Closed never; without a permit the dial would only be less polite.
        let _permit = way.dials.acquire().await.ok();
        let dialer = way.dialer.borrow().clone();
        dialer.dial(&to.pod, to.port).await
    };
    timeout_at(limit, dialing).await.unwrap_or_else(|_elapsed| {
        Err(DialError {
            kind: DialErrorKind::Unreachable,
            message: format!("{to}: no connection within {} s", DIAL_LIMIT.as_secs()).into(),
        })
    })
}

fn in_words(failure: Option<DialError>, tried: &[Candidate]) -> Text {
    let Some(failure) = failure else {
        return Text::from("no pod was tried");
    };
    match tried.len() {
        0 | 1 => failure.message,
        pods => format!("{} ({pods} pods tried)", failure.message).into(),
    }
}
