//! What the graph says of single Services.

use super::*;
use crate::{
    inventory::{
        Inventory, InventoryChange, LoadBalancerIngress, Protocol, RecordDelta, ServiceRecord,
        ServiceType, SharedStr,
    },
    sample::{external, key, labels, live, node, pod, port, put, service, slice, slice_port},
};

fn traffic(inventory: &Inventory, name: &str) -> ServiceTraffic {
    let topology = Topology::build(inventory);
    ServiceTraffic::clone(topology.service(&key(name)).expect("the Service is there"))
}

fn entries(traffic: &ServiceTraffic) -> Vec<(EntryPointKind, String, Option<u16>, Vec<String>)> {
    traffic
        .entry_points
        .iter()
        .map(|entry| {
            (
                entry.id.kind,
                entry.id.address.to_string(),
                entry.id.node_port,
                entry.addresses.iter().map(ToString::to_string).collect(),
            )
        })
        .collect()
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[test]
fn several_slices_make_one_service_and_an_endpoint_counts_once() {
    let mut inventory = live();
    let (one, two) = (pod("web", 1), pod("web", 2));
    put(
        &mut inventory,
        service("web", vec![port("http", 80, "http")]),
    );
    put(
        &mut inventory,
        slice("web", 1, vec![slice_port("http", 8080)], &[&one]),
    );
    let mut late = slice("web", 2, vec![slice_port("http", 8080)], &[&one, &two]);
    late.endpoints[0].ready = false;
    put(&mut inventory, late);
    put(&mut inventory, one);
    put(&mut inventory, two);

    let web = traffic(&inventory, "web");
    let backends = &web.ports[0].backends;
    assert_eq!(backends.len(), 2);
    assert!(backends[0].ready, "the better of two slices counts");
    assert_eq!(backends[1].target, BackendTarget::Pod(key("web-2")));
    assert_eq!(backends[1].port, Some(8080));
    assert_eq!(
        backends[1].workload.as_ref().map(ToString::to_string),
        Some("deployment/web".to_owned())
    );
    assert_eq!(web.ports[0].ready(), 2);
}

#[test]
fn each_address_family_is_a_backend_of_its_own() {
    let mut inventory = live();
    let one = pod("web", 1);
    put(&mut inventory, service("web", vec![port("", 80, "8080")]));
    put(
        &mut inventory,
        slice("web", 1, vec![slice_port("", 8080)], &[&one]),
    );
    let mut v6 = slice("web", 2, vec![slice_port("", 8080)], &[&one]);
    v6.address_type = SharedStr::from("IPv6");
    v6.endpoints[0].address = SharedStr::from("fd00::1");
    put(&mut inventory, v6.clone());
    let web = &traffic(&inventory, "web").ports[0];
    assert_eq!(web.backends.len(), 2);
    assert_eq!((web.ready(), web.all()), (1, 1), "it is one pod");

    v6.address_type = SharedStr::from("FQDN");
    put(&mut inventory, v6);
    assert_eq!(
        traffic(&inventory, "web").ports[0].backends.len(),
        1,
        "kube-proxy ignores FQDN slices"
    );
}

#[test]
fn slice_ports_serve_by_name_and_protocol() {
    let mut inventory = live();
    let mut udp = port("dns", 53, "53");
    udp.protocol = Protocol::Udp;
    put(
        &mut inventory,
        service(
            "web",
            vec![port("http", 80, "http"), port("admin", 81, "81"), udp],
        ),
    );
    put(
        &mut inventory,
        slice(
            "web",
            1,
            vec![slice_port("http", 8080), slice_port("dns", 53)],
            &[&pod("web", 1)],
        ),
    );
    let web = traffic(&inventory, "web");
    let counts: Vec<_> = web.ports.iter().map(|port| port.backends.len()).collect();
    assert_eq!(counts, [1, 0, 0]);
}

#[test]
fn an_address_without_a_pod_is_a_backend() {
    let mut inventory = live();
    put(&mut inventory, service("db", vec![port("", 5432, "5432")]));
    let mut manual = slice("db", 1, vec![slice_port("", 5432)], &[&pod("x", 9)]);
    manual.endpoints[0].pod = None;
    put(&mut inventory, manual);
    assert_eq!(
        traffic(&inventory, "db").ports[0].backends[0].target,
        BackendTarget::Address(SharedStr::from("10.244.0.9"))
    );
}

#[test]
fn doors_are_of_the_service_s_families() {
    let mut inventory = live();
    let mut both = node("node-a", "10.0.0.1");
    both.addresses.push(crate::inventory::NodeAddress {
        kind: crate::inventory::NodeAddressKind::InternalIP,
        address: SharedStr::from("fd00::1"),
    });
    put(&mut inventory, both);
    put(&mut inventory, node("node-b", "10.0.0.2"));
    let mut at = |ips: &[&str]| {
        let mut http = port("http", 80, "8080");
        http.node_port = Some(30080);
        let web = ServiceRecord {
            service_type: ServiceType::NodePort,
            cluster_ips: ips.iter().copied().map(SharedStr::from).collect(),
            external_ips: vec![SharedStr::from("192.0.2.1"), SharedStr::from("2001:db8::1")],
            ..service("web", vec![http])
        };
        put(&mut inventory, web);
        let web = traffic(&inventory, "web");
        let entry_points = entries(&web).into_iter();
        let entry_points = entry_points.filter(|(kind, ..)| *kind != EntryPointKind::ClusterDns);
        let addresses: Vec<_> = entry_points.flat_map(|(.., addresses)| addresses).collect();
        let mut bytes = Vec::new();
        text::write_text(&Topology::build(&inventory), true, &mut bytes).expect("memory takes it");
        let text = String::from_utf8(bytes).expect("it is text");
        let nodes = text.lines().find(|line| line.contains("any node"));
        let nodes = nodes.expect("a line").trim().replace("any node       ", "");
        (addresses, nodes)
    };
    let (four, six) = ("10.0.0.1:30080, +1 node", "[fd00::1]:30080");
    assert_eq!(
        at(&["10.96.0.1"]),
        (
            strings(&["10.0.0.1", "10.0.0.2", "192.0.2.1"]),
            four.to_owned()
        )
    );
    assert_eq!(
        at(&["fd01::1"]),
        (strings(&["fd00::1", "2001:db8::1"]), six.to_owned())
    );
    assert_eq!(
        at(&["fd01::1", "10.96.0.1"]),
        (
            strings(&[
                "10.0.0.1",
                "10.0.0.2",
                "fd00::1",
                "192.0.2.1",
                "2001:db8::1"
            ]),
            "10.0.0.1:30080, [fd00::1]:30080, +1 node".to_owned()
        )
    );
}

#[test]
fn a_node_port_is_a_door_at_every_node() {
    let mut inventory = live();
    put(&mut inventory, node("node-b", "10.0.0.2"));
    put(&mut inventory, node("node-a", "10.0.0.1"));
    let mut https = port("https", 443, "8443");
    https.node_port = Some(30443);
    put(
        &mut inventory,
        ServiceRecord {
            service_type: ServiceType::NodePort,
            external_ips: vec![SharedStr::from("192.0.2.1")],
            ..service("web", vec![https, port("http", 80, "8080")])
        },
    );
    assert_eq!(
        entries(&traffic(&inventory, "web")),
        [
            (
                EntryPointKind::NodePort,
                String::new(),
                Some(30443),
                strings(&["10.0.0.1", "10.0.0.2"])
            ),
            (
                EntryPointKind::ExternalIp,
                "192.0.2.1".to_owned(),
                None,
                strings(&["192.0.2.1"])
            ),
            (
                EntryPointKind::ClusterDns,
                "web.shop.svc.cluster.local".to_owned(),
                None,
                strings(&["10.96.0.1"])
            ),
        ]
    );
}

#[test]
fn a_load_balancer_is_pending_until_it_has_an_address() {
    let mut inventory = live();
    let mut web = ServiceRecord {
        service_type: ServiceType::LoadBalancer,
        ..service("web", vec![port("", 80, "8080")])
    };
    put(&mut inventory, web.clone());
    assert!(traffic(&inventory, "web").entry_points[0].is_pending());

    web.load_balancer = vec![LoadBalancerIngress {
        ip: Some(SharedStr::from("203.0.113.7")),
        hostname: None,
        proxied: false,
        errors: Vec::new(),
    }];
    put(&mut inventory, web);
    let web = traffic(&inventory, "web");
    assert!(!web.entry_points[0].is_pending());
    assert_eq!(&*web.entry_points[0].id.address, "203.0.113.7");
    assert_eq!(web.entry_points[0].ports, [(Protocol::Tcp, 80)]);
}

#[test]
fn what_is_unusual_of_an_entry_point_is_said() {
    let mut inventory = live();
    let point = |ip: &str, proxied| LoadBalancerIngress {
        ip: Some(SharedStr::from(ip)),
        hostname: None,
        proxied,
        errors: Vec::new(),
    };
    let web = ServiceRecord {
        service_type: ServiceType::LoadBalancer,
        load_balancer: vec![point("203.0.113.7", true), point("203.0.113.8", false)],
        external_ips: vec![SharedStr::from("192.0.2.1")],
        ..service("web", vec![port("", 80, "8080")])
    };
    assert!(!web.load_balancer[0].is_virtual() && web.load_balancer[1].is_virtual());
    put(&mut inventory, web);
    let web = traffic(&inventory, "web");
    let notes = |address: &str| {
        let mut entries = web.entry_points.iter();
        let entry = entries.find(|entry| &*entry.id.address == address);
        entry.expect("it is there").notes.clone()
    };
    assert!(notes("203.0.113.7")[0].contains("ipMode Proxy"));
    assert!(notes("203.0.113.8").is_empty());
    assert!(notes("192.0.2.1")[0].contains("AllowServiceExternalIPs"));
}

#[test]
fn an_external_name_has_a_name_here_and_a_far_end() {
    let mut inventory = live();
    put(&mut inventory, external("legacy", "legacy.example.com"));
    let kinds: Vec<_> = traffic(&inventory, "legacy")
        .entry_points
        .iter()
        .map(|entry| (entry.id.kind, entry.id.address.to_string()))
        .collect();
    assert_eq!(
        kinds,
        [
            (
                EntryPointKind::ClusterDns,
                "legacy.shop.svc.cluster.local".to_owned()
            ),
            (
                EntryPointKind::ExternalName,
                "legacy.example.com".to_owned()
            ),
        ]
    );
}

#[test]
fn the_old_endpoints_of_an_external_name_lead_nowhere() {
    let mut inventory = live();
    let mut alias = external("web", "legacy.example.com");
    alias.ports = vec![port("http", 80, "http")];
    alias.selector = labels(&[("app", "web")]);
    put(&mut inventory, alias);
    put(&mut inventory, pod("web", 1));
    put(
        &mut inventory,
        slice("web", 1, vec![slice_port("http", 8080)], &[&pod("web", 1)]),
    );
    assert!(traffic(&inventory, "web").ports[0].backends.is_empty());
}

#[test]
fn a_headless_service_has_no_virtual_address_and_may_have_no_ports() {
    let mut inventory = live();
    let mut db = service("db", Vec::new());
    db.cluster_ips = vec![SharedStr::from("None")];
    db.external_ips = vec![SharedStr::from("192.0.2.1")];
    put(&mut inventory, db);
    let db = traffic(&inventory, "db");
    assert_eq!(
        entries(&db),
        [(
            EntryPointKind::ClusterDns,
            "db.shop.svc.cluster.local".to_owned(),
            None,
            Vec::new()
        )]
    );
    assert!(db.ports.is_empty());
}

#[test]
fn an_update_tells_which_services_it_concerns() {
    let mut inventory = live();
    put(&mut inventory, service("web", vec![port("", 80, "8080")]));
    put(&mut inventory, service("api", vec![port("", 80, "8080")]));
    put(&mut inventory, pod("api", 1));
    put(
        &mut inventory,
        slice("web", 1, vec![slice_port("", 8080)], &[&pod("web", 1)]),
    );
    let mut topology = Topology::build(&inventory);

    let touched = put(&mut inventory, pod("web", 1));
    assert_eq!(topology.update(&inventory, &touched), [key("web")]);
    assert_eq!(topology, Topology::build(&inventory));

    let touched = inventory.apply(InventoryChange::Service(RecordDelta::Remove(key("web"))));
    assert_eq!(topology.update(&inventory, &touched), [key("web")]);
    assert!(topology.service(&key("web")).is_none());
    assert_eq!(topology.services_of_pod(&key("web-1")).count(), 0);
}

#[test]
fn a_pod_of_two_services_counts_until_neither_has_it() {
    let mut inventory = live();
    for name in ["web", "api"] {
        put(&mut inventory, service(name, vec![port("", 80, "8080")]));
        let endpoints = slice(name, 1, vec![slice_port("", 8080)], &[&pod("web", 1)]);
        put(&mut inventory, endpoints);
    }
    let mut topology = Topology::build(&inventory);
    assert_eq!(topology.pod_count(), 1);
    for (name, left) in [("web", 1), ("api", 0)] {
        let touched = inventory.apply(InventoryChange::Service(RecordDelta::Remove(key(name))));
        topology.update(&inventory, &touched);
        assert_eq!(topology.pod_count(), left, "without {name}");
        assert_eq!(topology, Topology::build(&inventory));
    }
}
