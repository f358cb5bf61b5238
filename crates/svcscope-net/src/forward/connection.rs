//! One local connection: choose a pod, reach it, pump, end.

use std::{convert::Infallible, future::pending, net::SocketAddr, sync::Arc, time::Duration};

use kube_tunnel::PodStream;
use tokio::{
    net::TcpStream,
    sync::{Notify, Semaphore, watch},
    time::{Instant, sleep, timeout_at},
};

use super::{
    DialError, DialErrorKind, Dialer, InventoryFeed,
    endpoint_selection::{CandidateEndpoint, candidates},
    open_connections::OpenConnections,
    relay::{RelayError, ReplayBuffer, relay},
    status_board::{SlotLease, StatusBoard},
};
use svcscope_model::inventory::SharedStr;

/// How long a client may wait for a pod, all attempts together.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_secs(15);

/// How long one attempt may take.
pub(crate) const DIAL_LIMIT: Duration = Duration::from_secs(10);

/// How long a pod may think about what a new client said before it is asked whether the way to the
/// cluster is there. A tunnel itself is slow to find out, for a pod may hold it up.
const FIRST_RESPONSE_LIMIT: Duration = Duration::from_secs(5);

/// How long a list may take that is read again because pods were gone.
const RELIST_LIMIT: Duration = Duration::from_secs(2);

/// How often a client that has ended without a word looks whether others wait.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// How many pods one connection tries, unless they are gone: then others have come.
const MAX_ATTEMPTS: usize = 3;

/// What all connections of a forward share.
pub(crate) struct ForwardContext {
    pub(crate) status_board: Arc<StatusBoard>,
    pub(crate) inventory: InventoryFeed,
    pub(crate) dialer: watch::Receiver<Arc<dyn Dialer>>,
    pub(crate) dials: Semaphore,
    /// A place for each local connection, and how many there are.
    pub(crate) connection_permits: Arc<Semaphore>,
    pub(crate) max_connections: usize,
    pub(crate) open_connections: Arc<OpenConnections>,
    /// Told when something happened that a lost way to the cluster would explain.
    pub(crate) link_suspected: Arc<Notify>,
    /// Told when a pod that the inventory holds turned out to be gone.
    pub(crate) inventory_stale: Arc<Notify>,
}

impl ForwardContext {
    /// A pod refused, which may show that the inventory is old.
    fn note_dial_error(&self, error: &DialError) {
        if error.kind == DialErrorKind::PodGone {
            self.inventory_stale.notify_one();
        }
    }
}

/// Serves a local connection to its end. It is not read before a pod is reached, and what was read
/// before a pod turned out to refuse is said again to the next one, so that nothing the client
/// sends is lost to a failed attempt.
pub(crate) async fn serve(mut local: TcpStream, client: SocketAddr, context: Arc<ForwardContext>) {
    context.status_board.connection_accepted();
    // Small writes (a prompt, a keystroke) must not wait for an answer to earlier ones.
    local.set_nodelay(true).ok();
    let mut tries = DialAttempts::new();
    let mut early = ReplayBuffer::default();
    loop {
        let reached = tokio::select! {
            reached = connect_to_pod(&context, &mut tries) => reached,
            () = until_evicted(&local, &context), if early.is_empty() => return close_with_reset(local),
        };
        let (mut seat, stream) = match reached {
            Ok(reached) => reached,
            Err(unreached) => {
                let cut = unreached.is_link_down();
                let pod = tries.tried.last().map(|last| &*last.pod.name);
                tracing::debug!(%client, pod, reason = %unreached.reason, "no pod was reached");
                context
                    .status_board
                    .connection_failed(unreached.reason, cut);
                if cut {
                    context.link_suspected.notify_one();
                }
                return close_with_reset(local);
            }
        };
        let to = seat.endpoint().clone();
        let session = context.open_connections.register(to.clone());
        seat.mark_open();
        // The pod may have been deleted between the choice and the entry in the table.
        context
            .open_connections
            .end_deleted(&context.inventory.borrow());

        let flowed = (
            context.status_board.byte_counters.up(),
            context.status_board.byte_counters.down(),
        );
        let ended = tokio::select! {
            ended = relay(&mut local, stream, &context.status_board.byte_counters, &mut early, until_permit_needed(&context)) => ended,
            never = suspect_link_on_silence(&context, flowed) => match never {},
            () = session.pod_deleted() => {
                let reason = format!("pod {} was deleted; its connections have ended", to.pod.name);
                tracing::debug!(%client, pod = %to.pod.name, %reason, "a connection was dropped");
                context.status_board.connection_lost(reason.into());
                return close_with_reset(local);
            }
        };
        match ended {
            Ok(()) => {}
            Err(RelayError::Local(error)) => {
                tracing::debug!(%client, pod = %to.pod.name, %error, "a local application hung up");
            }
            Err(RelayError::Evicted) => close_with_reset(local),
            Err(RelayError::Pod(error)) => {
                if let Some(refused) = DialError::from_io_error(&error)
                    && early.is_complete()
                    && tries.may_retry()
                {
                    context.note_dial_error(refused);
                    tries.failed(to, refused.clone());
                    continue;
                }
                // One broken connection says nothing about the next one, but it may be the first
                // sign of a lost way.
                let error = RelayError::Pod(error);
                tracing::debug!(%client, pod = %to.pod.name, %error, "a connection was dropped");
                context
                    .status_board
                    .connection_lost(format!("pod {}: {error}", to.pod.name).into());
                context.link_suspected.notify_one();
                close_with_reset(local);
            }
        }
        return;
    }
}

/// Ends when the client has ended without a word and its place is needed.
async fn until_evicted(local: &TcpStream, context: &ForwardContext) {
    match local.peek(&mut [0]).await {
        Ok(0) => until_permit_needed(context).await,
        Ok(_) => pending().await,
        Err(_reset) => {}
    }
}

/// Ends when further connections wait for a place.
async fn until_permit_needed(context: &ForwardContext) {
    while !context.status_board.is_at_capacity() {
        sleep(POLL_INTERVAL).await;
    }
}

/// Has the way checked once if something was said to pods of this forward since so much had flowed
/// up and down, and none of them says anything for a while. Never ends.
async fn suspect_link_on_silence(context: &ForwardContext, (up, down): (u64, u64)) -> Infallible {
    let meter = &context.status_board.byte_counters;
    sleep(FIRST_RESPONSE_LIMIT).await;
    if meter.up() > up && meter.down() == down {
        context.link_suspected.notify_one();
    }
    pending().await
}

/// The attempts of one connection.
struct DialAttempts {
    deadline: Instant,
    tried: Vec<CandidateEndpoint>,
    /// How many of those count.
    attempts: usize,
    failure: Option<DialError>,
}

impl DialAttempts {
    fn new() -> Self {
        Self {
            deadline: Instant::now() + CONNECT_LIMIT,
            tried: Vec::new(),
            attempts: 0,
            failure: None,
        }
    }

    fn failed(&mut self, at: CandidateEndpoint, error: DialError) {
        self.tried.push(at);
        self.attempts += 1;
        self.failure = Some(error);
    }

    /// Other pods will come, which may be tried as those before were.
    fn reset_attempts(&mut self) {
        self.attempts = 0;
    }

    fn may_retry(&self) -> bool {
        self.attempts < MAX_ATTEMPTS && Instant::now() < self.deadline
    }
}

/// Closes with a reset: an end of file would tell the client that it got everything.
fn close_with_reset(local: TcpStream) {
    // Where that fails the client sees an end of file, which is all that is left to do.
    local.set_zero_linger().ok();
}

/// Why no pod took a connection.
struct PodConnectError {
    /// What the last dial met, where there was one.
    kind: Option<DialErrorKind>,
    reason: SharedStr,
}

impl PodConnectError {
    fn is_link_down(&self) -> bool {
        matches!(
            self.kind,
            Some(DialErrorKind::Unreachable | DialErrorKind::Unauthorized)
        )
    }
}

/// Finds a pod that takes the connection. While none is ready it waits for one, within the limit.
async fn connect_to_pod(
    context: &ForwardContext,
    tries: &mut DialAttempts,
) -> Result<(SlotLease, Box<dyn PodStream>), PodConnectError> {
    let deadline = tries.deadline;
    let mut inventory = context.inventory.clone();
    loop {
        let now = inventory.borrow_and_update().clone();
        let choice = candidates(&now, context.status_board.spec());
        let seat = context
            .status_board
            .lease_slot(choice.as_deref().unwrap_or_default(), &tries.tried);
        let reason = match seat {
            Some(seat) => {
                let error = match dial(context, seat.endpoint(), deadline).await {
                    Ok(stream) => return Ok((seat, stream)),
                    Err(error) => error,
                };
                context.note_dial_error(&error);
                let kind = error.kind;
                tries.failed(seat.endpoint().clone(), error);
                match kind {
                    // No other pod would help.
                    DialErrorKind::Forbidden | DialErrorKind::Unauthorized => {
                        return Err(to_connect_error(tries));
                    }
                    _ if tries.may_retry() => {}
                    // What is held of the pods is old, and is being read again.
                    DialErrorKind::PodGone if Instant::now() < deadline => {
                        tries.reset_attempts();
                        let patience = deadline.min(Instant::now() + RELIST_LIMIT);
                        // Where nothing has changed, pods may be left that were not tried.
                        timeout_at(patience, inventory.changed()).await.ok();
                    }
                    _ => return Err(to_connect_error(tries)),
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
                (Some(_), _) => return Err(to_connect_error(tries)),
                (None, Err(no_pod)) => no_pod.reason(),
                (None, Ok(_)) => SharedStr::from("no pod is left to try"),
            },
        };
        let reason = match timeout_at(deadline, inventory.changed()).await {
            Ok(Ok(())) => continue,
            Ok(Err(_closed)) => reason,
            Err(_elapsed) => {
                let waited = CONNECT_LIMIT.as_secs();
                format!("{reason} (waited {waited} s)").into()
            }
        };
        return Err(PodConnectError {
            kind: tries.failure.as_ref().map(|error| error.kind),
            reason,
        });
    }
}

async fn dial(
    context: &ForwardContext,
    to: &CandidateEndpoint,
    deadline: Instant,
) -> Result<Box<dyn PodStream>, DialError> {
    let unreachable = |message: String| DialError {
        kind: DialErrorKind::Unreachable,
        message: message.into(),
    };
    // A dial that only waits for its turn has not failed at this pod.
    let _permit = match timeout_at(deadline, context.dials.acquire()).await {
        Ok(permit) => permit.ok(),
        Err(_elapsed) => {
            return Err(unreachable(format!(
                "{to}: too many connections were being opened at once, and none succeeded in time"
            )));
        }
    };
    let limit = deadline.min(Instant::now() + DIAL_LIMIT);
    let dialer = context.dialer.borrow().clone();
    timeout_at(limit, dialer.dial(&to.pod, to.port))
        .await
        .unwrap_or_else(|_elapsed| {
            let waited = DIAL_LIMIT.as_secs();
            Err(unreachable(format!(
                "{to}: no connection within {waited} s"
            )))
        })
}

fn to_connect_error(tries: &DialAttempts) -> PodConnectError {
    let Some(failure) = &tries.failure else {
        return PodConnectError {
            kind: None,
            reason: SharedStr::from("no pod was tried"),
        };
    };
    PodConnectError {
        kind: Some(failure.kind),
        reason: match tries.tried.len() {
            0 | 1 => failure.message.clone(),
            pods => format!("{} ({pods} pods tried)", failure.message).into(),
        },
    }
}
