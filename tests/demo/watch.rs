//! Watches against the demo cluster: what is listed, what changes, and how both survive.

mod dead_watches;

use serde_json::json;
use std::time::Duration;
use svcscope_cluster::{KubeconfigSource, MergedKubeconfig, WatchTiming, connect_at};
use svcscope_model::inventory::{
    EndpointSource, Inventory, InventoryChange, ObjectKey, RecordDelta, ReferenceGrantRecord,
    ResourceKind, SyncState, WatchScope,
};

use crate::{
    connection::{connect, static_demo},
    watched_inventory::{WatchedInventory, state},
};

fn names(inventory: &Inventory) -> (Vec<String>, Vec<String>) {
    (
        inventory
            .services()
            .map(|service| service.key.to_string())
            .collect(),
        inventory.pods().map(|pod| pod.key.to_string()).collect(),
    )
}

fn listed(server: &svcscope_demo::DemoServer, kind: &str) -> Vec<String> {
    let mut names: Vec<_> = server
        .control()
        .list(kind, None)
        .iter()
        .map(|object| {
            let text = |field: &str| object["metadata"][field].as_str().unwrap().to_owned();
            format!("{}/{}", text("namespace"), text("name"))
        })
        .collect();
    names.sort();
    names
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

fn replaces(log: &[InventoryChange]) -> usize {
    log.iter()
        .filter(|change| {
            matches!(
                change,
                InventoryChange::Service(RecordDelta::Replace { .. })
            )
        })
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_is_what_the_cluster_holds() {
    for watch_list in [true, false] {
        let server = static_demo().await;
        server.control().set_watch_list(watch_list);
        let cluster = connect(&server).await;
        let mut view = WatchedInventory::of(&cluster, &[]);
        view.live().await;
        let (services, pods) = names(&view.inventory);
        assert_eq!(
            sorted(services),
            listed(&server, "Service"),
            "watch list: {watch_list}"
        );
        assert_eq!(
            sorted(pods),
            listed(&server, "Pod"),
            "watch list: {watch_list}"
        );
        assert!(view.inventory.nodes().count() > 0 && view.inventory.namespaces().count() > 0);
        assert_eq!(replaces(&view.log), 1, "each list is swapped in once");
        let stale = |change: &&InventoryChange| {
            matches!(change, InventoryChange::Sync(_, _, SyncState::Stale { .. }))
        };
        assert_eq!(
            view.log.iter().find(stale),
            None,
            "watch list: {watch_list}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_longer_than_a_page_is_complete() {
    let options = svcscope_demo::DemoOptions {
        services: Some(600),
        pods: Some(1300),
        watch_list: false,
        ..Default::default()
    };
    let server = svcscope_demo::DemoServer::start(options).await.unwrap();
    let cluster = connect(&server).await;
    let mut view = WatchedInventory::of(&cluster, &[]);
    view.live().await;
    assert_eq!(view.inventory.pods().count(), listed(&server, "Pod").len());
    assert_eq!(view.inventory.services().count(), 600);
    assert_eq!(replaces(&view.log), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_arrive_after_the_list() {
    let server = static_demo().await;
    let cluster = connect(&server).await;
    let mut view = WatchedInventory::of(&cluster, &[]);
    view.live().await;
    let made = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "fresh", "namespace": "shop"},
        "spec": {"selector": {"app": "fresh"}, "ports": [{"name": "http", "port": 80, "targetPort": "web"}]},
    });
    server.control().apply(made).unwrap();
    let key = ObjectKey::new("shop", "fresh");
    view.until("the new Service", |inventory| {
        inventory.service(&key).is_some()
    })
    .await;
    let pod = view
        .inventory
        .pods()
        .find(|pod| pod.ready)
        .unwrap()
        .key
        .clone();
    server
        .control()
        .set_pod_ready(&pod.namespace, &pod.name, false)
        .unwrap();
    view.until("a pod that is no longer ready", |inventory| {
        inventory.pod(&pod).is_some_and(|pod| !pod.ready)
    })
    .await;
    server.control().delete("Service", "shop", "fresh").unwrap();
    view.until("the Service to go", |inventory| {
        inventory.service(&key).is_none()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_resumes_without_a_new_list() {
    let server = static_demo().await;
    let cluster = connect(&server).await;
    let mut view = WatchedInventory::of(&cluster, &[]);
    view.live().await;
    server.control().cut_connections();
    server.control().delete("Service", "shop", "web").unwrap();
    let key = ObjectKey::new("shop", "web");
    view.until("what happened meanwhile", |inventory| {
        inventory.service(&key).is_none()
    })
    .await;
    assert_eq!(replaces(&view.log), 1, "no second list was needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_forgot_the_history_is_listed_again_and_swapped() {
    let server = static_demo().await;
    let cluster = connect(&server).await;
    let mut view = WatchedInventory::of(&cluster, &[]);
    view.live().await;
    let before = view.inventory.services().count();
    server.control().close_port();
    view.until("the loss to be said", |inventory| {
        matches!(
            state(inventory, ResourceKind::Service, None),
            SyncState::Stale { .. }
        )
    })
    .await;
    assert_eq!(
        view.inventory.services().count(),
        before,
        "what was known stays"
    );
    server.control().delete("Service", "shop", "web").unwrap();
    server.control().compact();
    server.control().reopen_port();
    let key = ObjectKey::new("shop", "web");
    view.until("the new list", |inventory| {
        inventory.service(&key).is_none() && state(inventory, ResourceKind::Service, None).is_live()
    })
    .await;
    assert_eq!(view.inventory.services().count(), before - 1);
    assert!(replaces(&view.log) >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_410_in_the_stream_lists_again() {
    let server = static_demo().await;
    let cluster = connect(&server).await;
    let mut view = WatchedInventory::of(&cluster, &[]);
    view.live().await;
    server.control().restart();
    view.until("the loss to be said", |inventory| {
        matches!(
            state(inventory, ResourceKind::Service, None),
            SyncState::Stale { .. }
        )
    })
    .await;
    view.live().await;
    assert!(replaces(&view.log) >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_410_as_http_status_lists_again() {
    let server = static_demo().await;
    let cluster = connect(&server).await;
    let mut view = WatchedInventory::of(&cluster, &[]);
    view.live().await;
    server
        .control()
        .fail(Some("GET"), "/api/v1/services", 410, Some(1));
    view.watches.restart();
    view.until("the loss to be said", |inventory| {
        matches!(
            state(inventory, ResourceKind::Service, None),
            SyncState::Stale { .. }
        )
    })
    .await;
    view.live().await;
    assert_eq!(replaces(&view.log), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_server_is_waited_for() {
    let server = static_demo().await;
    let cluster = connect(&server).await;
    server
        .control()
        .fail(Some("GET"), "/api/v1/pods", 429, Some(3));
    let mut view = WatchedInventory::of(&cluster, &[]);
    view.live().await;
    assert_eq!(view.inventory.pods().count(), listed(&server, "Pod").len());
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_noticed_and_what_is_known_stays() {
    let server = static_demo().await;
    let cluster = connect(&server).await;
    let mut view = WatchedInventory::of(&cluster, &[]);
    view.live().await;
    let before = names(&view.inventory);
    server.control().set_unresponsive(true);
    view.until("the silence to be said", |inventory| {
        ResourceKind::ALL
            .into_iter()
            .all(|kind| matches!(state(inventory, kind, None), SyncState::Stale { .. }))
    })
    .await;
    assert_eq!(names(&view.inventory), before);
    server.control().set_unresponsive(false);
    view.live().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_server_gives_endpoints_and_that_is_reported() {
    let server = static_demo().await;
    server.control().serve_endpoint_slices(false);
    let cluster = connect(&server).await;
    let mut view = WatchedInventory::of(&cluster, &[]);
    view.live().await;
    let key = ObjectKey::new("shop", "web");
    let slices: Vec<_> = view.inventory.slices_of(&key).cloned().collect();
    assert!(!slices.is_empty());
    for slice in &slices {
        assert_eq!(slice.source, EndpointSource::Endpoints);
        assert!(slice.key.name.starts_with("web#"), "{}", slice.key);
        assert!(
            slice
                .endpoints
                .iter()
                .all(|endpoint| endpoint.pod.is_some())
        );
    }
    let note = view.watches.notes.recv().await.unwrap();
    assert!(note.contains("reading Endpoints instead"), "{note}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_namespaces_that_are_wanted_are_watched() {
    let server = static_demo().await;
    let cluster = connect(&server).await;
    let mut view = WatchedInventory::of(&cluster, &["shop"]);
    view.until("the namespace", |inventory| {
        state(inventory, ResourceKind::Service, Some("shop")).is_live()
            && state(inventory, ResourceKind::Pod, Some("shop")).is_live()
    })
    .await;
    assert!(view.inventory.services().count() > 0);
    assert!(
        view.inventory
            .services()
            .all(|service| &*service.key.namespace == "shop")
    );
    let SyncState::Absent { reason } = state(&view.inventory, ResourceKind::Pod, None) else {
        panic!("other namespaces are not known");
    };
    assert_eq!(&*reason, "only namespace shop is watched");
    let whole = |change: &InventoryChange| {
        matches!(
            change,
            InventoryChange::Pod(RecordDelta::Replace {
                scope: WatchScope::Cluster,
                ..
            })
        )
    };
    assert!(!view.log.iter().any(whole));
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_watches_ends_them() {
    let server = static_demo().await;
    let cluster = connect(&server).await;
    let (sender, mut changes) = tokio::sync::mpsc::channel(1024);
    let watches = cluster.watch(Vec::new(), &ResourceKind::ALL.into(), sender);
    assert!(changes.recv().await.is_some());
    drop(watches);
    while changes.recv().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_410_after_a_failure_lists_again_at_once() {
    let server = static_demo().await;
    let kubeconfigs =
        MergedKubeconfig::load(&KubeconfigSource::Inline(server.kubeconfig())).unwrap();
    let never = Duration::from_secs(3600);
    let patient = WatchTiming {
        first_delay: never,
        max_delay: never,
        ..WatchTiming::default()
    };
    let cluster = connect_at(&kubeconfigs, None, patient).await.unwrap();
    let mut view = WatchedInventory::of(&cluster, &[]);
    view.live().await;
    for code in [503, 410] {
        let control = server.control();
        control.fail(Some("GET"), "/api/v1/services", code, Some(1));
    }
    view.watches.restart();
    view.until("the loss to be said", |inventory| {
        matches!(
            state(inventory, ResourceKind::Service, None),
            SyncState::Stale { .. }
        )
    })
    .await;
    view.live().await;
    assert_eq!(replaces(&view.log), 2);
}

/// A kind is read in the newest version that the server has. With Gateway API 1.5 ReferenceGrant is
/// at v1 and v1beta1; older releases have the one, later ones may have only the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_kind_is_read_in_the_newest_version_that_is_served() {
    let path = |version: &str| format!("/apis/gateway.networking.k8s.io/{version}/referencegrants");
    let grant = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "ReferenceGrant",
        "metadata": {"name": "from-front", "namespace": "shop"},
        "spec": {
            "from": [{"group": "gateway.networking.k8s.io", "kind": "TCPRoute", "namespace": "front"}],
            "to": [{"group": "", "kind": "Service"}],
        },
    });
    for (gone, served) in [("v1", true), ("v1beta1", true), ("both", false)] {
        let server = static_demo().await;
        server.control().apply(grant.clone()).unwrap();
        for version in ["v1", "v1beta1"] {
            if gone == "both" || gone == version {
                server.control().serve(&path(version), false);
            }
        }
        let cluster = connect(&server).await;
        let mut view = WatchedInventory::of(&cluster, &[]);
        view.watches
            .ensure_watched(&[ResourceKind::ReferenceGrant].into());
        view.until("the grants to be settled", |inventory| {
            state(inventory, ResourceKind::ReferenceGrant, None).is_settled()
        })
        .await;
        let grants = view
            .inventory
            .related::<ReferenceGrantRecord>(ResourceKind::ReferenceGrant);
        let names: Vec<_> = grants.map(|grant| grant.key.to_string()).collect();
        let known = state(&view.inventory, ResourceKind::ReferenceGrant, None).is_live();
        assert_eq!(
            (known, names.contains(&"shop/from-front".to_owned())),
            (served, served),
            "{gone}"
        );
    }
}

/// The server that had only the old version gets the new one: no answer of before stands for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_served_later_is_found() {
    let path = "/apis/gateway.networking.k8s.io/v1/tcproutes";
    let server = static_demo().await;
    server.control().serve(path, false);
    let cluster = connect(&server).await;
    let mut view = WatchedInventory::of(&cluster, &[]);
    view.watches
        .ensure_watched(&[ResourceKind::TcpRoute].into());
    view.until("TCPRoutes to be absent", |inventory| {
        matches!(
            state(inventory, ResourceKind::TcpRoute, None),
            SyncState::Absent { .. }
        )
    })
    .await;
    server.control().serve(path, true);
    view.until("TCPRoutes to be live", |inventory| {
        state(inventory, ResourceKind::TcpRoute, None).is_live()
    })
    .await;
}
