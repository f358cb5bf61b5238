//! What moves, and what does not, when something changed.

use std::{collections::BTreeMap, sync::Arc};

use super::*;
use crate::inventory::ObjectKey;

/// A map that is kept up to date.
struct TrackedLayout {
    inventory: Inventory,
    topology: Topology,
    options: LayoutOptions,
    layout: MapLayout,
}

impl TrackedLayout {
    fn of(inventory: Inventory) -> Self {
        let topology = Topology::build(&inventory);
        let options = LayoutOptions::default();
        Self {
            layout: arrange(&topology, &options, None),
            inventory,
            topology,
            options,
        }
    }

    /// Follows a change; gives back the layout before.
    fn change(&mut self, change: impl FnOnce(&mut Inventory)) -> MapLayout {
        change(&mut self.inventory);
        let before = self.topology.clone();
        self.topology = Topology::build(&self.inventory);
        let keys = |topology: &Topology| -> Vec<ObjectKey> {
            let all = topology.services();
            all.map(|traffic| traffic.service.key.clone()).collect()
        };
        let mut changed = keys(&before);
        changed.extend(keys(&self.topology));
        let next = update_layout(&self.topology, &self.options, &self.layout, &changed);
        std::mem::replace(&mut self.layout, next)
    }

    fn pin(&mut self, service: &str, x: f32, y: f32) -> MapLayout {
        let mut pins = BTreeMap::clone(&self.options.pins);
        pins.insert(key(service), MapPoint { x, y });
        self.options.pins = Arc::new(pins);
        self.change(|_| {})
    }

    fn card(&self, name: &str) -> MapRect {
        area(&self.layout, &NodeId::Service(key(name)))
    }

    fn pod(&self, name: &str) -> MapRect {
        area(&self.layout, &NodeId::Pod(key(name)))
    }
}

/// Services `a` to `e` with two pods each.
fn five() -> Inventory {
    let mut inventory = live();
    for name in ["a", "b", "c", "d", "e"] {
        with_pods(&mut inventory, name, &[pod(name, 1), pod(name, 2)]);
    }
    inventory
}

fn shared(before: &MapLayout, after: &MapLayout) -> usize {
    let is_there = |placed: &&PlacedComponent| {
        let mut others = after.components.iter();
        others.any(|other| Arc::ptr_eq(&placed.component, &other.component))
    };
    before.components.iter().filter(is_there).count()
}

#[test]
fn a_state_makes_anew_only_the_edges_of_its_family() {
    let mut map = TrackedLayout::of(five());
    let before = map.change(|inventory| {
        let bad = PodRecord {
            ready: false,
            ..pod("b", 1)
        };
        with_pods(inventory, "b", &[bad, pod("b", 2)]);
    });
    assert_eq!(shared(&before, &map.layout), 4);
    assert!(before.nodes().eq(map.layout.nodes()));
    let not_ready = EdgeStyle::Backend(BackendState::NotReady);
    let styles = |layout: &MapLayout| layout.edges().filter(|(_, e)| e.style == not_ready).count();
    assert_eq!((styles(&before), styles(&map.layout)), (0, 1));
}

#[test]
fn pods_come_and_leave_in_place() {
    let mut map = TrackedLayout::of(five());
    let (card, first, second) = (map.card("b"), map.pod("b-1"), map.pod("b-2"));
    let before = map.change(|inventory| {
        with_pods(inventory, "b", &[pod("b", 2), pod("b", 3)]);
    });
    assert_eq!(shared(&before, &map.layout), 4);
    assert_eq!((map.card("b"), map.pod("b-2")), (card, second));
    assert_eq!(map.pod("b-3"), first, "the first gap");
    map.change(|inventory| {
        with_pods(inventory, "b", &[pod("b", 1), pod("b", 2), pod("b", 3)]);
    });
    assert_eq!((map.card("b"), map.pod("b-3")), (card, first));
    assert_eq!(map.pod("b-1").x, first.x);
}

#[test]
fn a_pod_more_finds_room_where_its_family_stands() {
    let mut map = TrackedLayout::of(five());
    for name in ["a", "b", "c", "d", "e"] {
        let card = map.card(name);
        let pods: Vec<_> = (1..=3).map(|n| pod(name, n)).collect();
        map.change(|inventory| with_pods(inventory, name, &pods));
        assert_eq!(map.card(name), card);
    }
}

#[test]
fn a_service_more_moves_nothing() {
    let mut map = TrackedLayout::of(five());
    let district = map.layout.groups[0].area;
    let before = map.change(|inventory| {
        put(inventory, service("bb", vec![port("http", 80, "8080")]));
    });
    assert_eq!(shared(&before, &map.layout), 5);
    assert_eq!(map.layout.groups[0].area, district, "there was room");
    for name in ["a", "b", "c", "d", "e"] {
        let id = NodeId::Service(key(name));
        assert_eq!(area(&before, &id), area(&map.layout, &id));
    }
}

#[test]
fn what_is_put_back_stands_where_it_stood() {
    let mut map = TrackedLayout::of(five());
    let corner = map.card("c");
    let record = service("c", vec![port("http", 80, "8080")]);
    map.change(|inventory| {
        let gone = crate::inventory::RecordDelta::Remove(record.key.clone());
        inventory.apply(crate::inventory::InventoryChange::Service(gone));
    });
    assert!(map.layout.find(&NodeId::Service(key("c"))).is_none());
    map.change(|inventory| {
        put(inventory, record);
    });
    assert_eq!(map.card("c"), corner, "beside its neighbour by name");
}

#[test]
fn a_district_that_loses_everything_goes_and_others_stay() {
    let mut inventory = five();
    let mut other = service("web", vec![port("http", 80, "8080")]);
    other.key = ObjectKey::new("infra", "web");
    put(&mut inventory, other.clone());
    let mut map = TrackedLayout::of(inventory);
    assert_eq!(map.layout.groups.len(), 2);
    let card = map.card("a");
    map.change(|inventory| {
        let gone = crate::inventory::RecordDelta::Remove(other.key.clone());
        inventory.apply(crate::inventory::InventoryChange::Service(gone));
    });
    assert_eq!(map.layout.groups.len(), 1);
    assert_eq!(map.card("a"), card);
    map.change(|inventory| {
        put(inventory, other);
    });
    assert_eq!(map.layout.groups.len(), 2);
    assert_eq!(map.card("a"), card);
}

#[test]
fn a_service_that_comes_to_share_pods_joins_the_family() {
    let mut map = TrackedLayout::of(five());
    let before = map.change(|inventory| {
        put(inventory, service("zz", vec![port("http", 80, "8080")]));
        let (one, mut two) = (pod("b", 1), pod("d", 1));
        two.ips = vec!["10.244.1.1".into()];
        put(
            inventory,
            slice("zz", 1, vec![slice_port("http", 8080)], &[&one, &two]),
        );
    });
    assert_eq!(shared(&before, &map.layout), 3);
    let family = |name: &str| {
        map.layout
            .find(&NodeId::Service(key(name)))
            .map(|at| at.component)
    };
    assert_eq!(family("b"), family("zz"));
    assert_eq!(family("b"), family("d"));
    assert_ne!(family("b"), family("c"));
}

#[test]
fn a_family_stands_where_a_person_put_it_and_others_make_room() {
    let mut map = TrackedLayout::of(five());
    let corner = map.layout.groups[0].area.corner();
    let place = |map: &TrackedLayout, name: &str| {
        let at = map.layout.find(&NodeId::Service(key(name))).expect("there");
        map.layout.component(at).expect("there").area()
    };
    let of_a = place(&map, "a");
    map.pin("d", of_a.x - corner.x, of_a.y - corner.y + 8.0);
    let of_d = place(&map, "d");
    assert_eq!((of_d.x, of_d.y), (of_a.x, of_a.y + 8.0));
    assert!(!place(&map, "a").overlaps(&of_d));
    map.change(|inventory| with_pods(inventory, "d", &[pod("d", 1)]));
    assert_eq!((place(&map, "d").x, place(&map, "d").y), (of_d.x, of_d.y));
    map.layout = arrange(&map.topology, &map.options, None);
    assert_eq!(place(&map, "d").corner(), of_d.corner(), "afresh as well");
}

#[test]
fn another_grouping_puts_families_into_other_districts() {
    let mut inventory = five();
    for (name, label) in [("a", "part-of"), ("b", "instance")] {
        let mut record = service(name, vec![port("http", 80, "8080")]);
        let label = format!("app.kubernetes.io/{label}");
        record.labels.insert(label.into(), "web".into());
        put(&mut inventory, record);
    }
    let mut map = TrackedLayout::of(inventory);
    map.options.grouping = ServiceGrouping::App;
    map.change(|_| {});
    let names: Vec<_> = map
        .layout
        .groups
        .iter()
        .map(|d| (&*d.name, d.services))
        .collect();
    assert_eq!(names, [("No app label", 3), ("web", 2)]);
    map.options.grouping = ServiceGrouping::None;
    map.change(|_| {});
    assert_eq!(map.layout.groups.len(), 1);
    assert_eq!(map.layout.groups[0].grouping, ServiceGrouping::None);
}
