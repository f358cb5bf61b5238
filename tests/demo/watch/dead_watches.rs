//! Watches that bring nothing, too little or nonsense: the view ends up right, or says since when
//! it is not known.

use std::time::Duration;

use futures::future::join_all;
use svcscope_cluster::{KubeconfigSource, MergedKubeconfig, WatchTiming, connect_at};
use svcscope_demo::{DemoServer, DenyRule, DenyScope, WatchFault};
use svcscope_model::inventory::{Inventory, InventoryChange, ObjectKey, ResourceKind, SyncState};

use crate::{
    connection::{fast_pace, static_demo},
    watched_inventory::{WatchedInventory, state},
};

const MILLI: Duration = Duration::from_millis(1);

/// Silence is noticed sooner than by [`fast_pace`].
fn quicker() -> WatchTiming {
    WatchTiming {
        watch_duration: 1000 * MILLI,
        silence_timeout: 2000 * MILLI,
        answer_timeout: 1000 * MILLI,
        ..fast_pace()
    }
}

async fn view_at(server: &DemoServer, pace: WatchTiming) -> WatchedInventory {
    let source = KubeconfigSource::Inline(server.kubeconfig());
    let kubeconfigs = MergedKubeconfig::load(&source).unwrap();
    let cluster = connect_at(&kubeconfigs, None, pace).await.unwrap();
    WatchedInventory::of(&cluster, &[])
}

fn delete(server: &DemoServer, service: &str) {
    let control = server.control();
    control.delete("Service", "shop", service).unwrap();
}

fn is_gone(inventory: &Inventory, service: &str) -> bool {
    inventory
        .service(&ObjectKey::new("shop", service))
        .is_none()
}

/// Why all kinds are polled, where they are.
fn polled(inventory: &Inventory) -> Option<String> {
    let mut reasons = ResourceKind::ALL.map(|kind| match state(inventory, kind, None) {
        SyncState::Polled { reason, .. } => Some(reason.to_string()),
        _ => None,
    });
    reasons.sort();
    reasons.into_iter().collect::<Option<Vec<_>>>()?.pop()
}

fn states(log: &[InventoryChange]) -> Vec<&SyncState> {
    let states = log.iter().filter_map(|change| match change {
        InventoryChange::Sync(ResourceKind::Service, _, state) => Some(state),
        _ => None,
    });
    states.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_lost_is_found_by_the_next_list() {
    for watch_list in [true, false] {
        let server = static_demo().await;
        server.control().set_watch_list(watch_list);
        let pace = WatchTiming {
            watch_duration: 200 * MILLI,
            relist_interval: 100 * MILLI,
            ..fast_pace()
        };
        let mut view = view_at(&server, pace).await;
        view.live().await;
        server
            .control()
            .break_watches(Some(WatchFault::DropsEvents));
        delete(&server, "web");
        view.until("the Service to go", |inventory| is_gone(inventory, "web"))
            .await;
        let told = states(&view.log);
        assert!(
            told.iter()
                .all(|state| matches!(state, SyncState::Syncing | SyncState::Live)),
            "{told:?}"
        );
        assert_eq!(told.len(), 2, "each state is told once: {told:?}");
    }
}

/// A fault that no watch survives, and the words for it.
async fn lists_stand_in(fault: WatchFault, from_the_start: bool, words: &str) {
    let server = static_demo().await;
    if from_the_start {
        server.control().break_watches(Some(fault));
    }
    let mut view = view_at(&server, quicker()).await;
    if !from_the_start {
        view.live().await;
        server.control().break_watches(Some(fault));
        server.control().cut_connections();
    }
    view.until(
        &format!("lists instead of watches: {fault:?}"),
        |inventory| polled(inventory).is_some(),
    )
    .await;
    let reason = polled(&view.inventory).unwrap();
    assert!(reason.contains(words), "{fault:?}: {reason}");
    delete(&server, "web");
    view.until(&format!("the Service to go: {fault:?}"), |inventory| {
        is_gone(inventory, "web")
    })
    .await;
    view.until(&format!("lists to go on: {fault:?}"), |inventory| {
        polled(inventory).is_some_and(|reason| reason.contains(words))
    })
    .await;
    // It heals by itself.
    server.control().break_watches(None);
    view.live().await;
    let log = view.log.len();
    delete(&server, "cache");
    view.until(&format!("events again: {fault:?}"), |inventory| {
        is_gone(inventory, "cache")
    })
    .await;
    let lists = view.log[log..].iter().filter(|change| {
        matches!(
            change,
            InventoryChange::Service(svcscope_model::inventory::RecordDelta::Replace { .. })
        )
    });
    assert_eq!(lists.count(), 0, "{fault:?}: an event did it");
}

/// What no watch survives, and what is said of it.
const DEADLY: [(WatchFault, &str); 7] = [
    (
        WatchFault::EndsAtOnce,
        "the API server closes each watch immediately",
    ),
    (
        WatchFault::EmptyBody,
        "the API server closes each watch immediately",
    ),
    (
        WatchFault::HtmlPage,
        "watches fail: the response is not a watch event: <html>",
    ),
    (
        WatchFault::ListBody,
        "watches fail: the response is not a watch event: {",
    ),
    (
        WatchFault::NoEvents,
        "watches fail: no data from the API server for 2 s",
    ),
    (WatchFault::NoResponse, "watches fail: no answer within 1 s"),
    (
        WatchFault::OldRevision,
        "watches fail: the watch's resourceVersion went back from",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn where_watches_die_lists_stand_in_until_they_live_again() {
    join_all(DEADLY.map(|(fault, words)| lists_stand_in(fault, false, words))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_watches_are_dead_from_the_start_lists_stand_in() {
    join_all(DEADLY.map(|(fault, words)| lists_stand_in(fault, true, words))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_that_end_early_and_odd_versions_lose_nothing() {
    let faults = [
        WatchFault::EndsAfterFirstLine,
        WatchFault::OneSecond,
        WatchFault::ZeroRevision,
    ];
    join_all(faults.map(async |fault| {
        let server = static_demo().await;
        let mut view = view_at(&server, fast_pace()).await;
        view.live().await;
        server.control().break_watches(Some(fault));
        server.control().cut_connections();
        for service in ["web", "cache", "api"] {
            delete(&server, service);
            view.until(&format!("{service} to go: {fault:?}"), |inventory| {
                is_gone(inventory, service)
            })
            .await;
        }
        let now = state(&view.inventory, ResourceKind::Service, None);
        assert!(now.is_current(), "{fault:?}: {now:?}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_fails_where_watches_are_dead_is_stale_since_the_last_one() {
    let server = static_demo().await;
    let control = server.control();
    let mut view = view_at(&server, quicker()).await;
    view.live().await;
    control.break_watches(Some(WatchFault::EndsAtOnce));
    control.cut_connections();
    view.until("lists instead of watches", |inventory| {
        polled(inventory).is_some()
    })
    .await;
    let before = jiff::Timestamp::now();
    control.fail(Some("GET"), "/api/v1/services", 500, None);
    view.until("the loss to be said", |inventory| {
        matches!(
            state(inventory, ResourceKind::Service, None),
            SyncState::Stale { .. }
        )
    })
    .await;
    let SyncState::Stale { since, reason } = state(&view.inventory, ResourceKind::Service, None)
    else {
        panic!("just seen");
    };
    assert!(
        before.duration_since(since).as_secs() < 3,
        "{since} and {before}"
    );
    assert!(reason.contains("could not list services"), "{reason}");
    control.clear_faults();
    view.until("lists again", |inventory| polled(inventory).is_some())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_list_and_not_watch_reads_again_and_again() {
    for watch_list in [true, false] {
        let server = static_demo().await;
        let control = server.control();
        control.set_watch_list(watch_list);
        control.deny(DenyRule::new("watch", "services", DenyScope::Everywhere));
        let mut view = view_at(&server, quicker()).await;
        view.until("lists of Services", |inventory| {
            matches!(
                state(inventory, ResourceKind::Service, None),
                SyncState::Polled { .. }
            )
        })
        .await;
        let SyncState::Polled { reason, .. } = state(&view.inventory, ResourceKind::Service, None)
        else {
            panic!("just seen");
        };
        assert!(reason.starts_with("watching is forbidden: "), "{reason}");
        delete(&server, "web");
        view.until("the Service to go", |inventory| is_gone(inventory, "web"))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_again_when_that_is_asked_for() {
    let server = static_demo().await;
    let mut view = view_at(&server, WatchTiming::default()).await;
    view.live().await;
    server
        .control()
        .break_watches(Some(WatchFault::DropsEvents));
    delete(&server, "web");
    view.watches.relist(&[ResourceKind::Service]);
    view.until("the Service to go", |inventory| is_gone(inventory, "web"))
        .await;
    let told = states(&view.log);
    assert_eq!(told.last(), Some(&&SyncState::Live));
    assert_eq!(told.len(), 2, "{told:?}");
}
