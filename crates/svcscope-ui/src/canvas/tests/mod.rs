//! What the canvas makes of a small map before it draws it.

mod changes;
mod facts;

use std::sync::Arc;

use super::{
    highlight::HighlightSet,
    keyboard_navigation::{self, ArrowDirection},
    render_model::MapRenderModel,
    search_filter,
};
use svcscope_engine::Scene;
use svcscope_model::{
    inventory::{Inventory, Protocol, ServiceRecord, ServiceType},
    layout::{LayoutOptions, arrange},
    topology::{NodeId, PortId, Topology},
};
use svcscope_testkit::sample::{
    external, key, live, node, pod, port, put, service, slice, slice_port,
};

/// `web` with two ports and two entry points, `admin` that shares its pods, and `legacy` elsewhere.
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
            selector: svcscope_testkit::sample::labels(&[("app", "web")]),
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
        reports: svcscope_check::check_all(&topology, &inventory, now),
        layout: Arc::new(arrange(&topology, &LayoutOptions::default(), None)),
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

fn entry_point(scene: &Scene, node_port: u16) -> NodeId {
    scene
        .layout
        .nodes()
        .map(|(_, node)| &node.id)
        .find(|id| matches!(id, NodeId::EntryPoint(entry) if entry.node_port == Some(node_port)))
        .expect("the door is on the map")
        .clone()
}

/// The names of what is lit, sorted.
fn lit(scene: &Scene, id: &NodeId) -> Vec<String> {
    let lit = HighlightSet::path(&scene.layout, id).expect("the node is on the map");
    let mut names: Vec<String> = scene
        .layout
        .nodes()
        .filter(|(at, _)| lit.node(*at))
        .map(|(_, node)| match &node.id {
            NodeId::EntryPoint(entry) => match entry.node_port {
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
    let entry_point = entry_point(&scene, 30090);
    assert_eq!(
        lit(&scene, &entry_point),
        ["door 30090", "web", "web-1", "web-2"]
    );
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
        HighlightSet::path(&scene.layout, &NodeId::Service(key("gone"))),
        None
    );
}

#[test]
fn arrows_go_along_edges_and_through_the_rows_of_a_card() {
    let scene = scene(shop());
    let step = |from: &NodeId, direction| keyboard_navigation::next(&scene.layout, from, direction);
    let web = NodeId::Service(key("web"));
    assert_eq!(step(&web, ArrowDirection::Down), Some(port_id("web", 80)));
    assert_eq!(
        step(&port_id("web", 80), ArrowDirection::Down),
        Some(port_id("web", 9090))
    );
    assert_eq!(
        step(&port_id("web", 80), ArrowDirection::Up),
        Some(web.clone())
    );
    assert!(matches!(
        step(&port_id("web", 80), ArrowDirection::Right),
        Some(NodeId::Pod(_))
    ));
    assert!(matches!(
        step(&web, ArrowDirection::Left),
        Some(NodeId::EntryPoint(_))
    ));
    let entry_point = entry_point(&scene, 30080);
    assert_eq!(step(&entry_point, ArrowDirection::Right), Some(web));
    assert_eq!(step(&entry_point, ArrowDirection::Left), None);
}

#[test]
fn a_search_keeps_the_pods_of_what_it_means() {
    let scene = scene(shop());
    let layout = &scene.layout;
    let at = |id: &NodeId| layout.find(id).expect("it is on the map");
    let family = |id: &NodeId| &layout.components[at(id).component].component;
    let web = NodeId::Service(key("web"));
    let out = search_filter::search_misses(family(&web), &|service| *service == key("admin"))
        .expect("web is in it and not meant");
    let is_out = |id: &NodeId| out[at(id).node];
    assert!(!is_out(&NodeId::Service(key("admin"))));
    assert!(!is_out(&NodeId::Pod(key("web-1"))), "it is admin's pod too");
    assert!(is_out(&web));
    assert!(is_out(&entry_point(&scene, 30080)));
    assert_eq!(search_filter::search_misses(family(&web), &|_| true), None);
}
