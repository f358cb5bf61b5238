//! What changed from one scene to another.

use super::*;
use crate::canvas::changes::{ComponentMatching, MapChanges};

fn facts_of(scene: &Scene) -> MapRenderModel {
    let mut facts = MapRenderModel::default();
    facts.update(scene);
    facts
}

/// What changed from one scene to another, by name.
fn changes(old: &Scene, new: &Scene) -> (Vec<String>, Vec<String>) {
    let mut facts = facts_of(old);
    let before = facts.update(new);
    let pairs = ComponentMatching::new(&old.layout, &new.layout);
    let changes = MapChanges::between(&old.layout, &before, &new.layout, &facts, &pairs);
    let name = |id: &NodeId| match id {
        NodeId::Service(key) | NodeId::Pod(key) => key.name.to_string(),
        NodeId::EntryPoint(entry) => format!("door {}", entry.service.name),
        other => format!("{other:?}"),
    };
    let mut changed: Vec<_> = changes.changed.iter().map(|node| name(&node.id)).collect();
    let mut gone: Vec<_> = changes.removed.iter().map(|node| name(&node.id)).collect();
    changed.sort();
    gone.sort();
    (changed, gone)
}

#[test]
fn a_pod_that_stops_being_ready_is_a_change_of_it_and_of_its_services() {
    let before = shop();
    let mut after = before.clone();
    let mut sick = pod("web", 1);
    sick.ready = false;
    let well = pod("web", 2);
    let ports = || vec![slice_port("http", 8080), slice_port("metrics", 9090)];
    put(&mut after, slice("web", 1, ports(), &[&sick, &well]));
    let http = vec![slice_port("http", 8080)];
    put(&mut after, slice("admin", 1, http, &[&sick, &well]));
    put(&mut after, sick);
    let (changed, gone) = changes(&scene(before), &scene(after));
    assert!(changed.contains(&"web-1".to_owned()), "{changed:?}");
    assert!(changed.contains(&"admin".to_owned()), "{changed:?}");
    assert!(!changed.contains(&"web-2".to_owned()), "{changed:?}");
    assert!(!changed.contains(&"legacy".to_owned()), "{changed:?}");
    assert_eq!(gone, Vec::<String>::new());
}

#[test]
fn the_same_scene_has_no_changes() {
    let scene = scene(shop());
    assert_eq!(changes(&scene, &scene.clone()), (Vec::new(), Vec::new()));
}

#[test]
fn what_comes_and_what_goes_is_told() {
    let small = shop();
    let mut large = small.clone();
    put(&mut large, external("zoo", "zoo.example.com"));
    let (small, large) = (scene(small), scene(large));
    assert_eq!(
        changes(&small, &large),
        (vec!["zoo".to_owned()], Vec::new())
    );
    let (changed, gone) = changes(&large, &small);
    assert_eq!(changed, Vec::<String>::new());
    assert_eq!(gone, ["door zoo", "zoo"]);
}

#[test]
fn families_are_found_again_when_others_come_before_them_or_join_them() {
    let old = scene(shop());
    let mut more = shop();
    // The first of all, and one that makes `web` a family of three with another first Service.
    put(&mut more, external("aaa", "aaa.example.com"));
    let (one, two) = (pod("web", 1), pod("web", 2));
    put(
        &mut more,
        ServiceRecord {
            selector: svcscope_testkit::sample::labels(&[("app", "web")]),
            ..service("abc", vec![port("http", 81, "8080")])
        },
    );
    let http = vec![slice_port("http", 8080)];
    put(&mut more, slice("abc", 1, http, &[&one, &two]));
    let new = scene(more);
    let pairs = ComponentMatching::new(&old.layout, &new.layout);
    let family = |scene: &Scene, name: &str| {
        let at = scene.layout.find(&NodeId::Service(key(name)));
        at.expect("it is on the map").component
    };
    for name in ["web", "legacy"] {
        assert_eq!(
            pairs.new_index[family(&old, name)],
            Some(family(&new, name)),
            "{name}"
        );
    }
    assert_eq!(pairs.old_index[family(&new, "aaa")], None);
    assert!(!pairs.is_all_new());
}
