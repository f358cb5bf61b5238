//! What a change touches and what the indices find after it.

use super::*;
use crate::sample::{key, labels, pod, put, service, slice};

fn of_pods(delta: RecordDelta<PodRecord>) -> InventoryChange {
    InventoryChange::Pod(delta)
}

fn names<'a>(pods: impl IntoIterator<Item = &'a Arc<PodRecord>>) -> Vec<String> {
    pods.into_iter().map(|pod| pod.key.to_string()).collect()
}

fn elsewhere(mut pod: PodRecord) -> PodRecord {
    pod.key.namespace = SharedStr::from("infra");
    pod
}

#[test]
fn an_equal_record_touches_nothing() {
    let mut inventory = Inventory::default();
    assert_eq!(put(&mut inventory, pod("web", 1)).len(), 1);
    assert_eq!(put(&mut inventory, pod("web", 1)), []);
    let mut changed = pod("web", 1);
    changed.ready = false;
    let touched = put(&mut inventory, changed.clone());
    assert_eq!(
        touched,
        [ChangedRecord::Pod {
            before: Some(Arc::new(pod("web", 1))),
            after: Some(Arc::new(changed)),
        }]
    );
}

#[test]
fn removing_what_is_not_there_touches_nothing() {
    let mut inventory = Inventory::default();
    assert_eq!(
        inventory.apply(of_pods(RecordDelta::Remove(key("web-1")))),
        []
    );
}

#[test]
fn a_list_swaps_its_scope_only() {
    let mut inventory = Inventory::default();
    put(&mut inventory, pod("web", 1));
    put(&mut inventory, pod("web", 2));
    put(&mut inventory, elsewhere(pod("web", 9)));
    let touched = inventory.apply(of_pods(RecordDelta::Replace {
        scope: WatchScope::Namespace(SharedStr::from("shop")),
        records: vec![pod("web", 2), pod("web", 3)],
    }));
    assert_eq!(touched.len(), 2, "one came, one went, one stayed");
    assert_eq!(
        names(inventory.pods()),
        ["infra/web-9", "shop/web-2", "shop/web-3"]
    );

    inventory.apply(of_pods(RecordDelta::Replace {
        scope: WatchScope::Cluster,
        records: vec![pod("web", 3)],
    }));
    assert_eq!(names(inventory.pods()), ["shop/web-3"]);
}

#[test]
fn a_slice_is_found_under_the_service_that_it_names_now() {
    let mut inventory = Inventory::default();
    put(&mut inventory, slice("web", 1, Vec::new(), &[]));
    put(&mut inventory, slice("web", 2, Vec::new(), &[]));
    assert_eq!(inventory.slices_of(&key("web")).count(), 2);

    let mut moved = slice("web", 2, Vec::new(), &[]);
    moved.service = Some(SharedStr::from("api"));
    put(&mut inventory, moved);
    assert_eq!(inventory.slices_of(&key("web")).count(), 1);
    assert_eq!(inventory.slices_of(&key("api")).count(), 1);

    inventory.apply(InventoryChange::EndpointSlice(RecordDelta::Remove(key(
        "web-2",
    ))));
    assert_eq!(inventory.slices_of(&key("api")).count(), 0);
}

#[test]
fn a_selector_finds_the_pods_of_its_namespace() {
    let mut inventory = Inventory::default();
    put(&mut inventory, pod("web", 2));
    put(&mut inventory, pod("web", 1));
    put(&mut inventory, pod("api", 1));
    put(&mut inventory, elsewhere(pod("web", 9)));
    let mut web = service("web", Vec::new());
    assert_eq!(
        names(inventory.pods_selected_by(&web)),
        ["shop/web-1", "shop/web-2"]
    );

    web.selector = labels(&[("app", "web"), ("pod-template-hash", "7f9c")]);
    assert_eq!(inventory.pods_selected_by(&web).len(), 2);
    web.selector = labels(&[("app", "web"), ("tier", "front")]);
    assert_eq!(inventory.pods_selected_by(&web).len(), 0);
    web.selector = labels(&[]);
    assert_eq!(inventory.pods_selected_by(&web).len(), 0);
}

#[test]
fn a_label_that_moves_away_is_not_found_any_more() {
    let mut inventory = Inventory::default();
    put(&mut inventory, pod("web", 1));
    let mut taken_out = pod("web", 1);
    taken_out.labels = labels(&[("app", "quarantine")]);
    put(&mut inventory, taken_out);
    let found =
        |inventory: &Inventory, app| inventory.pods_selected_by(&service(app, Vec::new())).len();
    assert_eq!(found(&inventory, "web"), 0);
    assert_eq!(found(&inventory, "quarantine"), 1);
    inventory.apply(of_pods(RecordDelta::Remove(key("web-1"))));
    assert_eq!(found(&inventory, "quarantine"), 0);
    assert_eq!(inventory, Inventory::default(), "nothing is left behind");
}

#[test]
fn a_namespace_is_known_as_its_own_watch_says() {
    let mut inventory = Inventory::default();
    let shop = SharedStr::from("shop");
    assert_eq!(
        inventory.sync(ResourceKind::Pod, &shop),
        &SyncState::Syncing
    );
    let live = InventoryChange::Sync(ResourceKind::Pod, WatchScope::Cluster, SyncState::Live);
    assert_eq!(inventory.apply(live.clone()).len(), 1);
    assert_eq!(inventory.apply(live), []);
    let refused = SyncState::Forbidden {
        message: SharedStr::from("no"),
    };
    inventory.apply(InventoryChange::Sync(
        ResourceKind::Pod,
        WatchScope::Namespace(shop.clone()),
        refused.clone(),
    ));
    assert_eq!(inventory.sync(ResourceKind::Pod, &shop), &refused);
    assert_eq!(
        inventory.sync(ResourceKind::Pod, &SharedStr::from("infra")),
        &SyncState::Live
    );
}
