//! Watches that bring nothing, too little or nonsense: the view ends up right, or says since when
//! it is not known.

use std::time::Duration;

use futures::future::join_all;
use svcscope::{
    cluster::{KubeconfigSource, Kubeconfigs, Pace, connect_at},
    demo::{Denial, Scope, Server, WatchFault},
    inventory::{Change, Inventory, Kind, ObjectKey, Sync},
};

use super::{
    cluster_support::{quick, still_demo},
    view::{View, state},
};

const MILLI: Duration = Duration::from_millis(1);

/// Silence is noticed sooner than by [`quick`].
fn quicker() -> Pace {
    Pace {
        watch: 1000 * MILLI,
        silence: 2000 * MILLI,
        answer: 1000 * MILLI,
        ..quick()
    }
}

async fn view_at(server: &Server, pace: Pace) -> View {
    let source = KubeconfigSource::Inline(server.kubeconfig());
    let kubeconfigs = Kubeconfigs::load(&source).unwrap();
    let cluster = connect_at(&kubeconfigs, None, pace).await.unwrap();
    View::of(&cluster, &[])
}

fn delete(server: &Server, service: &str) {
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
    let mut reasons = Kind::ALL.map(|kind| match state(inventory, kind, None) {
        Sync::Polled { reason, .. } => Some(reason.to_string()),
        _ => None,
    });
    reasons.sort();
    reasons.into_iter().collect::<Option<Vec<_>>>()?.pop()
}

fn states(log: &[Change]) -> Vec<&Sync> {
    let states = log.iter().filter_map(|change| match change {
        Change::Sync(Kind::Service, _, state) => Some(state),
        _ => None,
    });
    states.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_lost_is_found_by_the_next_list() {
    for watch_list in [true, false] {
        let server = still_demo().await;
        server.control().set_watch_list(watch_list);
        let pace = Pace {
            watch: 200 * MILLI,
            relist: 100 * MILLI,
            ..quick()
        };
        let mut view = view_at(&server, pace).await;
        view.live().await;
        server.control().break_watches(Some(WatchFault::Lossy));
        delete(&server, "web");
        view.until("the Service to go", |inventory| is_gone(inventory, "web"))
            .await;
        let told = states(&view.log);
        assert!(
            told.iter()
                .all(|state| matches!(state, Sync::Syncing | Sync::Live)),
            "{told:?}"
        );
        assert_eq!(told.len(), 2, "each state is told once: {told:?}");
    }
}

/// A fault that no watch survives, and the words for it.
async fn lists_stand_in(fault: WatchFault, from_the_start: bool, words: &str) {
    let server = still_demo().await;
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
            Change::Service(svcscope::inventory::Delta::Replace { .. })
        )
    });
    assert_eq!(lists.count(), 0, "{fault:?}: an event did it");
}

/// What no watch survives, and what is said of it.
const DEADLY: [(WatchFault, &str); 7] = [
    (WatchFault::Ended, "the API server ends each watch at once"),
    (WatchFault::Empty, "the API server ends each watch at once"),
    (
        WatchFault::Page,
        "watches fail: the answer is no event of a watch: <html>",
    ),
    (
        WatchFault::List,
        "watches fail: the answer is no event of a watch: {",
    ),
    (
        WatchFault::Silent,
        "watches fail: nothing was heard from the API server for 2 s",
    ),
    (WatchFault::Unanswered, "watches fail: no answer within 1 s"),
    (
        WatchFault::Backwards,
        "watches fail: the watch went back from version",
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
    let faults = [WatchFault::FirstLine, WatchFault::Short, WatchFault::Zero];
    join_all(faults.map(async |fault| {
        let server = still_demo().await;
        let mut view = view_at(&server, quick()).await;
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
        let now = state(&view.inventory, Kind::Service, None);
        assert!(now.is_current(), "{fault:?}: {now:?}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_fails_where_watches_are_dead_is_stale_since_the_last_one() {
    let server = still_demo().await;
    let control = server.control();
    let mut view = view_at(&server, quicker()).await;
    view.live().await;
    control.break_watches(Some(WatchFault::Ended));
    control.cut_connections();
    view.until("lists instead of watches", |inventory| {
        polled(inventory).is_some()
    })
    .await;
    let before = jiff::Timestamp::now();
    control.fail(Some("GET"), "/api/v1/services", 500, None);
    view.until("the loss to be said", |inventory| {
        matches!(state(inventory, Kind::Service, None), Sync::Stale { .. })
    })
    .await;
    let Sync::Stale { since, reason } = state(&view.inventory, Kind::Service, None) else {
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
        let server = still_demo().await;
        let control = server.control();
        control.set_watch_list(watch_list);
        control.deny(Denial::new("watch", "services", Scope::Everywhere));
        let mut view = view_at(&server, quicker()).await;
        view.until("lists of Services", |inventory| {
            matches!(state(inventory, Kind::Service, None), Sync::Polled { .. })
        })
        .await;
        let Sync::Polled { reason, .. } = state(&view.inventory, Kind::Service, None) else {
            panic!("just seen");
        };
        assert!(reason.starts_with("watches are refused: "), "{reason}");
        delete(&server, "web");
        view.until("the Service to go", |inventory| is_gone(inventory, "web"))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_again_when_that_is_asked_for() {
    let server = still_demo().await;
    let mut view = view_at(&server, Pace::default()).await;
    view.live().await;
    server.control().break_watches(Some(WatchFault::Lossy));
    delete(&server, "web");
    view.watches.relist(&[Kind::Service]);
    view.until("the Service to go", |inventory| is_gone(inventory, "web"))
        .await;
    let told = states(&view.log);
    assert_eq!(told.last(), Some(&&Sync::Live));
    assert_eq!(told.len(), 2, "{told:?}");
}
