//! IPv4 and IPv6.

use super::*;
use crate::probe::path_test::{PathTestOptions, access_path_label, plan};
use svcscope_model::inventory::{
    EndpointSliceRecord, Inventory, InventoryChange, IpFamily, KubeProxyConfig, NodeAddress,
    NodeAddressKind, NodePortRules, NodeRecord, RecordDelta, ServicePort, ServiceRecord,
    ServiceType, TargetPort,
};
use svcscope_testkit::sample::{live, pod as sample_pod, put, slice, slice_port};

const FOUR: IpFamily = IpFamily::IPv4;
const SIX: IpFamily = IpFamily::IPv6;

fn dual() -> Case {
    let mut case = Case::new().forwards([OK; 3]);
    case.plan.network.families = vec![FOUR, SIX];
    case
}

/// The pods at their addresses of a family, in their order.
fn at(mut case: Case, family: IpFamily, reaches: [PathTestOutcome; 3]) -> Case {
    for (name, reach) in ["web-a", "web-b", "web-c"].into_iter().zip(reaches) {
        let to = InClusterName::Pod(name.into(), Some(family));
        case = case.cell(inside(to), reach);
    }
    case
}

fn cluster_ip(case: Case, family: IpFamily, reach: PathTestOutcome) -> Case {
    case.cell(inside(InClusterName::ClusterIp(Some(family))), reach)
}

fn on_node(case: Case, address: &str, reach: PathTestOutcome) -> Case {
    let vantage = AccessPath::NodePort {
        node: "node-1".into(),
        address: address.into(),
    };
    case.cell(vantage, reach)
}

#[test]
fn the_family_that_fails_is_named() {
    let case = at(
        at(dual(), FOUR, [OK; 3]),
        SIX,
        [PathTestOutcome::Refused; 3],
    );
    let case = cluster_ip(cluster_ip(case, FOUR, OK), SIX, PathTestOutcome::Refused);
    assert_eq!(case.rule(), "one-family-pods");
    assert_eq!(
        case.text(),
        "IPv4 answers, IPv6 does not (refused at the pods' addresses): the application in the pods \
         listens on IPv4 only, so bind it to [::]"
    );

    let one = at(
        at(dual(), FOUR, [OK; 3]),
        SIX,
        [OK, PathTestOutcome::TimedOut, OK],
    );
    assert!(
        one.text().contains("IPv6 packets to pod web-b are dropped"),
        "{}",
        one.text()
    );

    let proxy = at(at(dual(), FOUR, [OK; 3]), SIX, [OK; 3]);
    let proxy = cluster_ip(cluster_ip(proxy, FOUR, PathTestOutcome::TimedOut), SIX, OK);
    assert_eq!(
        proxy.text(),
        "IPv6 answers, IPv4 does not (timed out at the clusterIP): kube-proxy, a policy or the \
         network is the problem, for IPv4 alone"
    );

    let nodes = cluster_ip(cluster_ip(dual(), FOUR, OK), SIX, OK);
    let nodes = on_node(
        on_node(nodes, "10.0.0.1", OK),
        "fd00::1",
        PathTestOutcome::TimedOut,
    );
    assert_eq!(nodes.rule(), "one-family");
    assert!(
        nodes
            .text()
            .starts_with("IPv4 answers, IPv6 does not (timed out at the NodePort"),
        "{}",
        nodes.text()
    );
}

#[test]
fn what_is_refused_from_outside_may_be_the_applications_fault() {
    let nodes = on_node(
        on_node(dual(), "10.0.0.1", OK),
        "fd00::1",
        PathTestOutcome::Refused,
    );
    assert_eq!(nodes.rule(), "one-family-unproven");
    assert_eq!(
        nodes.text(),
        "IPv4 answers, IPv6 does not (refused at the NodePort from this machine): the application \
         may listen on IPv4 only, or what lies between, kube-proxy with it, is the problem for \
         IPv6 alone; --from POD or --inside NAMESPACE tells which"
    );
    // Inside it listens.
    let known = at(at(nodes, FOUR, [OK; 3]), SIX, [OK; 3]);
    assert_eq!(known.rule(), "one-family");

    let mut six = dual().cell(AccessPath::ServiceProxy, PathTestOutcome::Refused);
    six.plan.network.families = vec![SIX];
    assert_eq!(six.rule(), "one-family-unproven");
    assert!(!six.text().contains("policy"), "{}", six.text());
}

#[test]
fn a_family_that_answers_anywhere_is_listened_on() {
    let case = at(
        at(dual(), FOUR, [OK; 3]),
        SIX,
        [PathTestOutcome::Refused; 3],
    );
    assert!(case.text().contains("listens on IPv4 only"));
    let case = cluster_ip(cluster_ip(case, FOUR, OK), SIX, OK);
    assert_eq!(case.rule(), "one-family-pods");
    assert!(
        case.text()
            .contains("IPv6 answers by another path, so the application listens on it"),
        "{}",
        case.text()
    );
}

#[test]
fn a_family_without_endpoints_is_told_as_such() {
    let mut case = cluster_ip(cluster_ip(dual(), FOUR, OK), SIX, PathTestOutcome::Refused);
    case.plan.network.without_endpoints = vec![SIX];
    assert_eq!(case.rule(), "one-family-no-endpoints");
    assert!(case.text().contains("no ready endpoint of IPv6"));
}

#[test]
fn a_family_that_was_not_tried_is_no_evidence() {
    let why = "not testable from here: this machine has no IPv6 route to [fd00::1]:30080";
    let untested = PathTestResult::not_tried(PathTestOutcome::NotTestable, why);
    let vantage = AccessPath::NodePort {
        node: "node-1".into(),
        address: "fd00::1".into(),
    };
    let case = on_node(dual(), "10.0.0.1", OK).with(vantage, untested);
    assert_eq!(case.rule(), "reached", "{}", case.text());
}

#[test]
fn a_pod_of_an_ipv6_service_that_listens_on_ipv4_only_is_no_fault_of_kube_proxy() {
    let mut case = Case::new().forwards([OK; 3]);
    case.plan.network.families = vec![SIX];
    let case = case.cell(AccessPath::PodProxy("web-a".into()), OK);
    let case = at(case, SIX, [PathTestOutcome::Refused; 3]);
    let case = cluster_ip(case, SIX, PathTestOutcome::Refused);
    assert_eq!(case.rule(), "one-family-pods");
    assert!(
        case.text().contains("IPv4, or on loopback, only"),
        "{}",
        case.text()
    );
}

#[test]
fn an_address_that_kube_proxy_does_not_serve_is_no_firewall() {
    let mut case = on_node(
        Case::new().forwards([OK; 3]),
        "192.168.0.7",
        PathTestOutcome::Refused,
    );
    assert_eq!(case.rule(), "node-ports");
    assert!(!case.text().contains("primary"), "{}", case.text());
    case.plan.network.unserved_addresses = vec![("192.168.0.7".into(), None)];
    assert!(
        case.text()
            .ends_with("the node's primary one, as in nftables mode"),
        "{}",
        case.text()
    );
    let why = "in nftables mode kube-proxy serves the node's primary address 10.0.0.7 only";
    case.plan.network.unserved_addresses = vec![("192.168.0.7".into(), Some(why.into()))];
    assert_eq!(case.rule(), "node-address-not-served");
    assert_eq!(
        case.text(),
        format!("the NodePort does not answer at node-1 (refused): {why}")
    );
}

fn node(addresses: &[&str]) -> NodeRecord {
    NodeRecord {
        name: "node-1".into(),
        addresses: addresses
            .iter()
            .map(|address| NodeAddress {
                kind: NodeAddressKind::InternalIP,
                address: SharedStr::from(*address),
            })
            .collect(),
        ready: true,
        unschedulable: false,
        zone: None,
    }
}

/// A NodePort Service with these clusterIPs, one pod of both families, one node.
fn cluster(ips: &[&str]) -> (Inventory, ServiceRecord) {
    let mut inventory = live();
    let node = node(&["10.0.0.7", "192.168.0.7", "fd00::7"]);
    inventory.apply(InventoryChange::Node(RecordDelta::Upsert(node)));
    let service = ServiceRecord {
        service_type: ServiceType::NodePort,
        cluster_ips: ips.iter().copied().map(SharedStr::from).collect(),
        external_ips: vec!["198.51.100.1".into(), "2001:db8::1".into()],
        ports: vec![ServicePort {
            name: None,
            protocol: Protocol::Tcp,
            port: 80,
            target_port: TargetPort::Number(8080),
            node_port: Some(30080),
            app_protocol: None,
        }],
        ..ServiceRecord::new(ObjectKey::new("shop", "web"))
    };
    let mut pod = sample_pod("web", 1);
    pod.ips = vec!["10.244.0.1".into(), "fd01::1".into()];
    put(&mut inventory, pod.clone());
    let ports = vec![slice_port("", 8080)];
    put(&mut inventory, slice("web", 1, ports, &[&pod]));
    put(&mut inventory, service.clone());
    (inventory, service)
}

fn words(ips: &[&str], change: Option<NodePortRules>) -> Vec<String> {
    let (mut inventory, service) = cluster(ips);
    if let Some(rules) = change {
        inventory.apply(InventoryChange::NodePorts(rules));
    }
    let from = ExecTarget::ProbePod {
        namespace: "shop".into(),
        user_consented: true,
    };
    let options = PathTestOptions {
        exec_targets: vec![from],
        ..PathTestOptions::default()
    };
    let plan = plan(&service, &inventory, &options);
    let cells = plan.cells.iter();
    let words = cells.map(|cell| access_path_label(&cell.access_path));
    words
        .filter(|words| !words.contains("name") && !words.contains("API server"))
        .filter(|words| !words.contains("forward"))
        .collect()
}

#[test]
fn each_family_that_the_service_has_is_tried_and_no_other() {
    assert_eq!(
        words(&["10.96.0.1"], None),
        [
            "nodePort on node-1 10.0.0.7",
            "external IP 198.51.100.1",
            "in shop: cluster IP",
            "in shop: address of web-1",
        ]
    );
    assert_eq!(
        words(&["fd02::1"], None),
        [
            "nodePort on node-1 fd00::7",
            "external IP 2001:db8::1",
            "in shop: IPv6 cluster IP",
            "in shop: IPv6 address of web-1",
        ]
    );
    assert_eq!(
        words(&["10.96.0.1", "fd02::1"], None),
        [
            "nodePort on node-1 10.0.0.7",
            "nodePort on node-1 fd00::7",
            "external IP 198.51.100.1",
            "external IP 2001:db8::1",
            "in shop: IPv4 cluster IP",
            "in shop: IPv6 cluster IP",
            "in shop: IPv4 address of web-1",
            "in shop: IPv6 address of web-1",
        ]
    );
}

#[test]
fn an_address_that_is_not_served_is_not_asked() {
    let proxy = KubeProxyConfig {
        mode: "iptables".into(),
        node_port_addresses: vec!["192.168.0.0/16".into()],
        localhost_node_ports: None,
    };
    let rules = NodePortRules {
        range: None,
        proxy: Some(proxy),
    };
    assert_eq!(
        words(&["10.96.0.1"], Some(rules))[0],
        "nodePort on node-1 192.168.0.7"
    );
}

#[test]
fn a_family_without_ready_endpoints_is_known_from_the_slices() {
    let (mut inventory, service) = cluster(&["10.96.0.1", "fd02::1"]);
    let network = |inventory: &Inventory| {
        let options = PathTestOptions::default();
        plan(&service, inventory, &options).network
    };
    assert_eq!(network(&inventory).without_endpoints, [SIX]);
    let slices: Vec<_> = inventory.slices_of(&service.key).cloned().collect();
    let mut six = EndpointSliceRecord::clone(&slices[0]);
    six.key = ObjectKey::new("shop", "web-six");
    six.address_type = "IPv6".into();
    put(&mut inventory, six);
    assert_eq!(network(&inventory).without_endpoints, []);
}

#[test]
fn a_pod_without_an_ipv6_address_can_not_ask_over_ipv6() {
    let (mut inventory, service) = cluster(&["10.96.0.1", "fd02::1"]);
    put(&mut inventory, sample_pod("client", 1));
    let from = ExecTarget::Pod {
        pod: ObjectKey::new("shop", "client-1"),
        container: None,
    };
    let options = PathTestOptions {
        exec_targets: vec![from],
        ..PathTestOptions::default()
    };
    let plan = plan(&service, &inventory, &options);
    let skipped = plan.cells.iter().filter_map(|cell| {
        let skipped = cell.request.as_ref().err()?;
        Some((
            access_path_label(&cell.access_path),
            skipped.note.to_string(),
        ))
    });
    let why = "pod client-1 has no IPv6 address to ask from";
    let skipped: Vec<_> = skipped.filter(|(_, note)| note == why).collect();
    let words: Vec<_> = skipped.iter().map(|(words, _)| &**words).collect();
    assert_eq!(
        words,
        [
            "in client-1: IPv6 cluster IP",
            "in client-1: IPv6 address of web-1"
        ]
    );
}
