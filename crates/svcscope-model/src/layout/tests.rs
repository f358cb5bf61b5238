//! Places of small maps.

mod following;
mod shapes;

use super::*;
use crate::topology::{BackendState, NodeId, Topology};
use crate::{
    inventory::{
        IngressBackend, IngressPath, IngressPort, IngressRecord, IngressRule, Inventory, PodRecord,
        ServiceRecord, ServiceType, SharedStr,
    },
    sample::{external, key, live, pod, port, put, service, slice, slice_port},
};

fn with_pods(inventory: &mut Inventory, name: &str, pods: &[PodRecord]) {
    let selected: Vec<_> = pods.iter().collect();
    put(inventory, service(name, vec![port("http", 80, "8080")]));
    put(
        inventory,
        slice(name, 1, vec![slice_port("http", 8080)], &selected),
    );
    for pod in pods {
        put(inventory, pod.clone());
    }
}

fn shop() -> Inventory {
    let mut inventory = live();
    with_pods(&mut inventory, "web", &[pod("web", 1), pod("web", 2)]);
    with_pods(&mut inventory, "cache", &[pod("cache", 3)]);
    put(&mut inventory, external("legacy", "legacy.example.com"));
    put(
        &mut inventory,
        ServiceRecord {
            service_type: ServiceType::LoadBalancer,
            ..service("pay", vec![port("a", 80, "1"), port("b", 81, "2")])
        },
    );
    inventory
}

fn lay(inventory: &Inventory) -> MapLayout {
    arrange(&Topology::build(inventory), &LayoutOptions::default(), None)
}

fn area(layout: &MapLayout, id: &NodeId) -> MapRect {
    let at = layout.find(id).expect("it is on the map");
    layout.area(at).expect("found nodes have an area")
}

fn node<'a>(layout: &'a MapLayout, id: &NodeId) -> &'a PlacedNode {
    let at = layout.find(id).expect("it is on the map");
    layout.node(at).expect("found nodes are there")
}

/// An Ingress with so many hosts, all for `web`.
fn ingress(hosts: usize) -> IngressRecord {
    let backend = IngressBackend {
        service: "web".into(),
        port: Some(IngressPort::Number(80)),
    };
    let rule = |n| IngressRule {
        host: format!("{n:02}.example.com").into(),
        paths: vec![IngressPath {
            path: "/".into(),
            exact: false,
            backend: Some(backend.clone()),
        }],
    };
    IngressRecord {
        rules: (0..hosts).map(rule).collect(),
        ..IngressRecord::new(key("front"))
    }
}

#[test]
fn sixty_hosts_of_a_service_fold() {
    let mut inventory = shop();
    put(&mut inventory, ingress(60));
    let topology = Topology::build(&inventory);
    let web = topology.service(&key("web")).expect("it is there");
    let hosts: Vec<NodeId> = web
        .entry_points
        .iter()
        .filter(|entry| entry.ingress.is_some())
        .map(|entry| NodeId::EntryPoint(entry.id.clone()))
        .collect();
    assert_eq!(hosts.len(), 60);
    let layout = lay(&inventory);
    let places: std::collections::BTreeSet<_> = hosts
        .iter()
        .map(|id| layout.find(id).expect("each is found"))
        .collect();
    assert_eq!(places.len(), 4);
    let PlacedNodeKind::IngressHosts { entry_points } = &node(&layout, &hosts[59]).kind else {
        panic!("the last one is folded");
    };
    assert_eq!(entry_points.len(), 57);
    assert_eq!(node(&layout, &hosts[0]).kind, PlacedNodeKind::EntryPoint);
    let tall = area(&layout, &hosts[59]).bottom() - area(&layout, &hosts[0]).y;
    assert!(tall < 200.0, "{tall}");
}

#[test]
fn four_hosts_stand_for_themselves() {
    let mut inventory = shop();
    put(&mut inventory, ingress(4));
    let layout = lay(&inventory);
    let folded = |node: &PlacedNode| matches!(node.kind, PlacedNodeKind::IngressHosts { .. });
    assert!(!layout.nodes().any(|(_, node)| folded(node)));
}

#[test]
fn an_empty_map_is_empty() {
    assert_eq!(lay(&live()), MapLayout::default());
    assert!(lay(&live()).is_empty());
}

#[test]
fn a_service_stands_between_its_doors_and_its_pods() {
    let layout = lay(&shop());
    let card = area(&layout, &NodeId::Service(key("pay")));
    let (entry_point, _) = layout
        .nodes()
        .find(|(_, node)| node.kind == PlacedNodeKind::EntryPoint)
        .expect("a load balancer");
    assert!(layout.area(entry_point).expect("an entry point").right() < card.x);
    let card = area(&layout, &NodeId::Service(key("web")));
    let web = area(&layout, &NodeId::Pod(key("web-1")));
    assert!(card.right() + 100.0 < web.x);
    assert!(layout.groups[0].area.right() > web.right());
    assert_eq!((layout.groups[0].services, layout.groups[0].pods), (4, 3));
}

#[test]
fn edges_leave_from_the_row_of_their_port() {
    let layout = lay(&shop());
    let card = node(&layout, &NodeId::Service(key("web")));
    let PlacedNodeKind::Service { rows } = &card.kind else {
        panic!("a card");
    };
    let edges: Vec<_> = layout
        .edges()
        .map(|(_, edge)| edge)
        .filter(|edge| edge.port.as_ref() == Some(&rows[0].port))
        .collect();
    assert_eq!(edges.len(), 2);
    for edge in edges {
        assert_eq!(edge.start.y, rows[0].area.center().y);
        assert_eq!(edge.style, EdgeStyle::Backend(BackendState::Ready));
    }
    assert!(
        layout
            .edges()
            .any(|(_, edge)| edge.style == EdgeStyle::Alias)
    );
    assert!(layout.edges().any(
        |(_, edge)| edge.style == EdgeStyle::EntryPoint { pending: true } && edge.port.is_none()
    ));
}

#[test]
fn many_pods_of_a_workload_become_one_group() {
    let mut inventory = live();
    let pods: Vec<_> = (1..=9).map(|n| pod("web", n)).collect();
    with_pods(&mut inventory, "web", &pods);
    let layout = lay(&inventory);
    let group = node(&layout, &NodeId::Pod(key("web-4")));
    let PlacedNodeKind::PodGroup { pods } = &group.kind else {
        panic!("a group, not {:?}", group.kind);
    };
    assert_eq!(pods.len(), 9);
    assert_eq!(layout.edges().count(), 1, "one edge for all of them");
}

#[test]
fn services_that_share_pods_share_their_places() {
    let mut inventory = shop();
    let mut headless = service("zz-web", vec![port("http", 80, "8080")]);
    headless.cluster_ips = vec![SharedStr::from("None")];
    put(&mut inventory, headless);
    let (one, two) = (pod("web", 1), pod("web", 2));
    put(
        &mut inventory,
        slice("zz-web", 1, vec![slice_port("http", 8080)], &[&one, &two]),
    );
    let layout = lay(&inventory);
    let web = area(&layout, &NodeId::Service(key("web")));
    let twin = area(&layout, &NodeId::Service(key("zz-web")));
    assert!(twin.y - web.bottom() < 40.0, "side by side");
    let to_first = layout.find(&NodeId::Pod(key("web-1"))).expect("web-1");
    let into = layout
        .edges()
        .filter(|(at, edge)| (at.component, edge.to) == (to_first.component, to_first.node));
    assert_eq!(into.count(), 2);
}

#[test]
fn a_state_moves_nothing() {
    let mut inventory = shop();
    let before = lay(&inventory);
    let mut gone_bad = pod("web", 1);
    gone_bad.ready = false;
    let two = pod("web", 2);
    put(
        &mut inventory,
        slice("web", 1, vec![slice_port("http", 8080)], &[&two, &gone_bad]),
    );
    put(&mut inventory, gone_bad);
    let after = lay(&inventory);
    assert!(before.nodes().eq(after.nodes()));
    assert!(before.edges().ne(after.edges()));
}
