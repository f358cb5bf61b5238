//! What the canvas makes of a small map before it draws it.

use std::sync::Arc;

use super::{
    changes::{Changes, Pairs},
    facts::{Facts, Summary, rect_of},
    lit::Lit,
    search,
    walk::{self, Direction},
};
use crate::{
    check::{Report, Verdict},
    engine::Scene,
    inventory::{
        Inventory, ObjectKey, Protocol, ServiceRecord, ServiceType,
        sample::{external, key, live, node, pod, port, put, service, slice, slice_port},
    },
    layout::{Layout, Options, PlacedWhat, arrange},
    topology::{NodeId, PortId, Topology},
    ui::theme::State,
};

/// `web` with two ports and two doors, `admin` that shares its pods, and `legacy` elsewhere.
fn shop() -> Inventory {
    let mut inventory = live();
    put(&mut inventory, node("node-a", "10.88.0.1"));
    let pods = [pod("web", 1), pod("web", 2)];
    let mut http = port("http", 80, "8080");
    http.node_port = Some(30080);
    let mut metrics = port("metrics", 9090, "9090");
    metrics.node_port = Some(30090);
    put(
        &mut inventory,
        ServiceRecord {
            service_type: ServiceType::NodePort,
            ..service("web", vec![http, metrics])
        },
    );
    let ports = || vec![slice_port("http", 8080), slice_port("metrics", 9090)];
    put(
        &mut inventory,
        slice("web", 1, ports(), &[&pods[0], &pods[1]]),
    );
    put(
        &mut inventory,
        ServiceRecord {
            selector: crate::inventory::sample::labels(&[("app", "web")]),
            ..service("admin", vec![port("http", 81, "8080")])
        },
    );
    put(
        &mut inventory,
        slice(
            "admin",
            1,
            vec![slice_port("http", 8080)],
            &[&pods[0], &pods[1]],
        ),
    );
    for pod in pods {
        put(&mut inventory, pod);
    }
    put(&mut inventory, external("legacy", "legacy.example.com"));
    inventory
}

fn scene(inventory: Inventory) -> Scene {
    let topology = Topology::build(&inventory);
    let now = "2026-06-01T12:00:00Z".parse().expect("a time");
    Scene {
        reports: crate::check::all(&topology, &inventory, now),
        layout: Arc::new(arrange(&topology, &Options::default(), None)),
        topology,
        inventory,
        ..Scene::default()
    }
}

fn port_id(service: &str, port: u16) -> NodeId {
    NodeId::Port(PortId {
        service: key(service),
        protocol: Protocol::Tcp,
        port,
    })
}

fn door(scene: &Scene, node_port: u16) -> NodeId {
    scene
        .layout
        .nodes()
        .map(|(_, node)| &node.id)
        .find(|id| matches!(id, NodeId::Entry(entry) if entry.node_port == Some(node_port)))
        .expect("the door is on the map")
        .clone()
}

/// The names of what is lit, sorted.
fn lit(scene: &Scene, id: &NodeId) -> Vec<String> {
    let lit = Lit::path(&scene.layout, id).expect("the node is on the map");
    let mut names: Vec<String> = scene
        .layout
        .nodes()
        .filter(|(at, _)| lit.node(*at))
        .map(|(_, node)| match &node.id {
            NodeId::Entry(entry) => match entry.node_port {
                Some(port) => format!("door {port}"),
                None => format!("end {}", entry.address),
            },
            NodeId::Service(key) | NodeId::Pod(key) => key.name.to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_service_lights_its_doors_and_pods_but_not_who_shares_them() {
    let scene = scene(shop());
    assert_eq!(
        lit(&scene, &NodeId::Service(key("web"))),
        ["door 30080", "door 30090", "web", "web-1", "web-2"]
    );
    assert_eq!(
        lit(&scene, &NodeId::Service(key("legacy"))),
        ["end legacy.example.com", "legacy"]
    );
}

#[test]
fn a_port_lights_only_its_own_door() {
    let scene = scene(shop());
    assert_eq!(
        lit(&scene, &port_id("web", 80)),
        ["door 30080", "web", "web-1", "web-2"]
    );
}

#[test]
fn a_door_lights_what_stands_behind_it() {
    let scene = scene(shop());
    let door = door(&scene, 30090);
    assert_eq!(lit(&scene, &door), ["door 30090", "web", "web-1", "web-2"]);
}

#[test]
fn a_pod_lights_every_way_to_it() {
    let scene = scene(shop());
    assert_eq!(
        lit(&scene, &NodeId::Pod(key("web-1"))),
        ["admin", "door 30080", "door 30090", "web", "web-1"]
    );
}

#[test]
fn what_is_not_on_the_map_lights_nothing() {
    let scene = scene(shop());
    assert_eq!(
        Lit::path(&scene.layout, &NodeId::Service(key("gone"))),
        None
    );
}

#[test]
fn arrows_go_along_edges_and_through_the_rows_of_a_card() {
    let scene = scene(shop());
    let step = |from: &NodeId, direction| walk::next(&scene.layout, from, direction);
    let web = NodeId::Service(key("web"));
    assert_eq!(step(&web, Direction::Down), Some(port_id("web", 80)));
    assert_eq!(
        step(&port_id("web", 80), Direction::Down),
        Some(port_id("web", 9090))
    );
    assert_eq!(step(&port_id("web", 80), Direction::Up), Some(web.clone()));
    assert!(matches!(
        step(&port_id("web", 80), Direction::Right),
        Some(NodeId::Pod(_))
    ));
    assert!(matches!(
        step(&web, Direction::Left),
        Some(NodeId::Entry(_))
    ));
    let door = door(&scene, 30080);
    assert_eq!(step(&door, Direction::Right), Some(web));
    assert_eq!(step(&door, Direction::Left), None);
}

#[test]
fn a_search_keeps_the_pods_of_what_it_means() {
    let scene = scene(shop());
    let layout = &scene.layout;
    let at = |id: &NodeId| layout.find(id).expect("it is on the map");
    let family = |id: &NodeId| &layout.families[at(id).family].family;
    let web = NodeId::Service(key("web"));
    let out = search::left_out(family(&web), &|service| *service == key("admin"))
        .expect("web is in it and not meant");
    let is_out = |id: &NodeId| out[at(id).node];
    assert!(!is_out(&NodeId::Service(key("admin"))));
    assert!(!is_out(&NodeId::Pod(key("web-1"))), "it is admin's pod too");
    assert!(is_out(&web));
    assert!(is_out(&door(&scene, 30080)));
    assert_eq!(search::left_out(family(&web), &|_| true), None);
}

#[test]
fn rows_hold_their_cards_and_never_meet() {
    let scene = scene(shop());
    let mut facts = Facts::default();
    facts.update(&scene);
    let mut count = 0;
    for (at, placed) in scene.layout.families.iter().enumerate() {
        let facts = facts.family(at).expect("facts of every family");
        let rows: Vec<_> = placed
            .family
            .nodes
            .iter()
            .zip(&facts.rows)
            .filter_map(|(node, row)| row.map(|row| (node, row)))
            .collect();
        count += rows.len();
        for (at, (node, row)) in rows.iter().enumerate() {
            assert!(matches!(node.what, PlacedWhat::Service { .. }));
            assert!(row.contains_rect(rect_of(&node.area)), "{:?}", node.id);
            assert_eq!(row.width(), placed.family.size.width);
            for (other, other_row) in &rows[at + 1..] {
                let meet = row.intersect(*other_row);
                assert!(
                    !meet.is_positive(),
                    "{:?} and {:?}: {meet}",
                    node.id,
                    other.id
                );
            }
        }
    }
    assert_eq!(count, 3, "one for each Service");
}

#[test]
fn what_was_not_checked_is_unknown_and_never_healthy() {
    let checked = scene(shop());
    let unchecked = Scene {
        reports: imbl::OrdMap::new(),
        ..checked.clone()
    };
    let mut facts = Facts::default();
    facts.update(&checked);
    facts.update(&unchecked);
    let at = checked
        .layout
        .find(&NodeId::Service(key("web")))
        .expect("it is on the map");
    let states = &facts.family(at.family).expect("its facts").states;
    assert_eq!(states[at.node], State::Unknown);
    let district = facts.district(0).expect("one district");
    assert_eq!(district.worst(), State::Unknown);
}

#[test]
fn facts_of_what_did_not_change_are_kept() {
    let before = scene(shop());
    let mut facts = Facts::default();
    facts.update(&before);
    let first: Vec<_> = (0..2)
        .map(|at| Arc::clone(facts.family(at).expect("two families")))
        .collect();
    facts.update(&before.clone());
    for (at, first) in first.iter().enumerate() {
        let now = facts.family(at).expect("still there");
        assert!(Arc::ptr_eq(now, first), "nothing changed");
    }
    // A family goes and another report comes.
    let mut layout = Layout::clone(&before.layout);
    layout.families.remove(0);
    layout.districts[0].families = 0..1;
    let after = Scene {
        layout: Arc::new(layout),
        ..before.clone()
    };
    facts.update(&after);
    let kept = facts.family(0).expect("one family");
    assert!(Arc::ptr_eq(kept, &first[1]), "it only moved up");
    assert_eq!(facts.district(0), Some(first[1].summary));
}

#[test]
fn another_report_makes_the_facts_of_its_family_anew() {
    let before = scene(shop());
    let mut facts = Facts::default();
    facts.update(&before);
    let family = |key: ObjectKey| {
        let at = before.layout.find(&NodeId::Service(key));
        at.expect("it is on the map").family
    };
    let (web, legacy) = (family(key("web")), family(key("legacy")));
    let of = |facts: &Facts, at: usize| Arc::clone(facts.family(at).expect("its facts"));
    let first = (of(&facts, web), of(&facts, legacy));
    let mut report = Report::clone(&before.reports[&key("web")]);
    report.verdict = Verdict::Broken;
    let mut after = before.clone();
    after.reports.insert(key("web"), Arc::new(report));
    facts.update(&after);
    assert!(!Arc::ptr_eq(&of(&facts, web), &first.0));
    assert!(Arc::ptr_eq(&of(&facts, legacy), &first.1));
    assert_eq!(of(&facts, web).summary.broken, 1);
}

#[test]
fn a_district_is_as_bad_as_its_worst_service() {
    let good = Summary {
        healthy: 3,
        unknown: 1,
        ..Summary::default()
    };
    assert_eq!(good.worst(), State::Healthy);
    assert_eq!(
        Summary {
            degraded: 1,
            ..good
        }
        .worst(),
        State::Degraded
    );
    let bad = Summary {
        degraded: 1,
        broken: 1,
        ..good
    };
    assert_eq!(bad.worst(), State::Broken);
    assert_eq!(Summary::default().worst(), State::Unknown);
}

fn facts_of(scene: &Scene) -> Facts {
    let mut facts = Facts::default();
    facts.update(scene);
    facts
}

/// What changed from one scene to another, by name.
fn changes(old: &Scene, new: &Scene) -> (Vec<String>, Vec<String>) {
    let mut facts = facts_of(old);
    let before = facts.update(new);
    let pairs = Pairs::new(&old.layout, &new.layout);
    let changes = Changes::between(&old.layout, &before, &new.layout, &facts, &pairs);
    let name = |id: &NodeId| match id {
        NodeId::Service(key) | NodeId::Pod(key) => key.name.to_string(),
        NodeId::Entry(entry) => format!("door {}", entry.service.name),
        other => format!("{other:?}"),
    };
    let mut changed: Vec<_> = changes.changed.iter().map(|node| name(&node.id)).collect();
    let mut gone: Vec<_> = changes.gone.iter().map(|node| name(&node.id)).collect();
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
            selector: crate::inventory::sample::labels(&[("app", "web")]),
            ..service("abc", vec![port("http", 81, "8080")])
        },
    );
    let http = vec![slice_port("http", 8080)];
    put(&mut more, slice("abc", 1, http, &[&one, &two]));
    let new = scene(more);
    let pairs = Pairs::new(&old.layout, &new.layout);
    let family = |scene: &Scene, name: &str| {
        let at = scene.layout.find(&NodeId::Service(key(name)));
        at.expect("it is on the map").family
    };
    for name in ["web", "legacy"] {
        assert_eq!(
            pairs.new_of[family(&old, name)],
            Some(family(&new, name)),
            "{name}"
        );
    }
    assert_eq!(pairs.old_of[family(&new, "aaa")], None);
    assert!(!pairs.is_all_new());
}
