//! The task of one forward: accepts until it is stopped.

use std::{future::poll_fn, io, net::SocketAddr, sync::Arc, task::Poll, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    connection::{ForwardContext, serve},
    endpoint_selection::{NoEndpointReason, candidates, stale},
    file_descriptors::{is_out_of_files, out_of_files},
};
use svcscope_model::inventory::SharedStr;

/// How often flowing bytes are told.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(250);

/// The pause after a failed accept (too many open files), and how far it grows.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Accepts and serves until stopped. Stopping closes the listeners and every connection.
pub(crate) async fn run(
    listeners: Vec<TcpListener>,
    context: Arc<ForwardContext>,
    stop: CancellationToken,
) {
    let mut inventory = context.inventory.clone();
    let mut connections = JoinSet::new();
    let mut pause = FIRST_PAUSE;
    let mut accept_at = None;
    let mut tell_at = None;
    let mut place = None;
    loop {
        if place.is_none() {
            place = context.connection_permits.clone().try_acquire_owned().ok();
            context
                .status_board
                .set_at_capacity(place.is_none().then(|| capacity_message(&context)));
        }
        tokio::select! {
            () = stop.cancelled() => break,
            freed = context.connection_permits.clone().acquire_owned(), if place.is_none() => {
                // It is never closed.
                place = freed.ok();
                context.status_board.set_at_capacity(None);
            }
            accepted = accept(&listeners, accept_at), if place.is_some() => {
                match accepted {
                    Ok((local, client)) => {
                        (pause, accept_at) = (FIRST_PAUSE, None);
                        let (place, way) = (place.take(), context.clone());
                        connections.spawn(async move {
                            serve(local, client, way).await;
                            drop(place);
                        });
                    }
                    Err(error) => {
                        let said = if is_out_of_files(&error) {
                            out_of_files()
                        } else {
                            error.to_string()
                        };
                        let said = SharedStr::from(format!("could not accept a connection: {said}"));
                        context.status_board.connection_lost(said.clone());
                        context.status_board.set_at_capacity(Some(said));
                        accept_at = Some(Instant::now() + pause);
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            }
            Some(_ended) = connections.join_next(), if !connections.is_empty() => {}
            Ok(()) = inventory.changed() => {
                inventory.mark_unchanged();
                apply_inventory(&context).ok();
            }
            () = context.status_board.byte_counters.activity(), if tell_at.is_none() => {
                tell_at = Some(Instant::now() + PUBLISH_INTERVAL);
            }
            () = sleep_until(tell_at.unwrap_or_else(Instant::now)), if tell_at.is_some() => {
                tell_at = None;
                context.status_board.publish_bytes();
            }
        }
    }
    drop(listeners);
    connections.shutdown().await;
}

fn capacity_message(context: &ForwardContext) -> SharedStr {
    let most = context.max_connections;
    SharedStr::from(format!(
        "{most} connections are open, and the open-file limit (ulimit -n) allows no more; further ones \
         wait until one ends"
    ))
}

async fn accept(
    listeners: &[TcpListener],
    not_before: Option<Instant>,
) -> io::Result<(TcpStream, SocketAddr)> {
    if let Some(instant) = not_before {
        sleep_until(instant).await;
    }
    poll_fn(|context| {
        let mut ready = listeners
            .iter()
            .map(|listener| listener.poll_accept(context))
            .filter(Poll::is_ready);
        ready.next().unwrap_or(Poll::Pending)
    })
    .await
}

/// Takes in what the inventory says now: ends connections to deleted pods and says whether the
/// next connection would find a pod.
pub(crate) fn apply_inventory(context: &ForwardContext) -> Result<(), NoEndpointReason> {
    let now = context.inventory.borrow().clone();
    context.open_connections.end_deleted(&now);
    let choice = candidates(&now, context.status_board.spec()).map(|_found| ());
    let old = stale(&now, context.status_board.spec());
    context
        .status_board
        .availability(choice.clone().map_err(NoEndpointReason::reason), old);
    choice
}
