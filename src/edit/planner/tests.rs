use jiff::Timestamp;

use super::*;
use crate::inventory::{LoadBalancerPoint, ObjectKey, Protocol, TargetPort, Text, TrafficPolicy};

const HOST: &str = "db.example.com";

/// Where a change may start.
#[derive(Clone, Copy, Debug, PartialEq)]
enum From {
    ClusterIP,
    NodePort,
    LoadBalancer,
    ExternalName,
    Headless,
}

/// A Service of each kind as a server would hold it: two ports (TCP and UDP on one number), and
/// all that its type may carry.
fn service(from: From) -> ServiceRecord {
    let text = |word: &str| Text::from(word);
    let port = |name: &str, protocol, number, node_port| ServicePort {
        name: Some(text(name)),
        protocol,
        port: number,
        target_port: TargetPort::Name(text(name)),
        node_port,
        app_protocol: None,
    };
    let published = matches!(from, From::NodePort | From::LoadBalancer);
    let mut service = ServiceRecord {
        resource_version: text("41"),
        selector: [(text("app"), text("web"))].into(),
        ports: vec![
            port("http", Protocol::Tcp, 80, published.then_some(30080)),
            port("quic", Protocol::Udp, 80, published.then_some(30081)),
        ],
        cluster_ips: vec![text("10.96.57.1")],
        ..ServiceRecord::new(ObjectKey::new("shop", "web"))
    };
    match from {
        From::ClusterIP => {}
        From::NodePort => {
            service.service_type = ServiceType::NodePort;
            service.external_traffic_policy = Some(TrafficPolicy::Local);
        }
        From::LoadBalancer => {
            service.service_type = ServiceType::LoadBalancer;
            service.external_traffic_policy = Some(TrafficPolicy::Cluster);
            service.source_ranges = vec![text("192.0.2.0/24")];
            service
                .annotations
                .insert(text(SOURCE_RANGES_ANNOTATION), text("192.0.2.0/24"));
            service.load_balancer_class = Some(text("example.com/lb"));
            service.load_balancer = vec![LoadBalancerPoint {
                ip: Some(text("203.0.113.7")),
                hostname: None,
            }];
        }
        From::ExternalName => {
            service.service_type = ServiceType::ExternalName;
            service.cluster_ips = Vec::new();
            service.external_name = Some(text("old.example.com"));
        }
        From::Headless => service.cluster_ips = vec![text("None")],
    }
    service
}

fn to(to: ServiceType) -> TypeChange {
    TypeChange {
        to,
        external_name: (to == ServiceType::ExternalName).then(|| HOST.to_owned()),
        node_ports: Vec::new(),
    }
}

fn planned(from: From, change: TypeChange) -> Result<Plan, PlanError> {
    plan(Arc::new(service(from)), change)
}

/// The patch of a plan: the precondition is in each of them, the rest is minimal.
#[track_caller]
fn assert_patch(from: From, change: ServiceType, spec: Value) {
    let plan = planned(from, to(change)).unwrap();
    assert_eq!(plan.patch["spec"], spec, "{from:?} to {change}");
    assert_eq!(plan.patch["metadata"]["resourceVersion"], "41");
    let annotations = plan.patch["metadata"].get("annotations");
    if from == From::LoadBalancer {
        assert_eq!(
            annotations,
            Some(&json!({ SOURCE_RANGES_ANNOTATION: null }))
        );
    } else {
        assert_eq!(annotations, None);
    }
}

#[test]
fn the_whole_matrix() {
    use ServiceType::{ClusterIP, ExternalName, LoadBalancer, NodePort};
    let table = [
        (From::ClusterIP, NodePort, json!({"type": "NodePort"})),
        (
            From::ClusterIP,
            LoadBalancer,
            json!({"type": "LoadBalancer"}),
        ),
        (
            From::ClusterIP,
            ExternalName,
            json!({"type": "ExternalName", "externalName": HOST}),
        ),
        (From::NodePort, ClusterIP, json!({"type": "ClusterIP"})),
        (
            From::NodePort,
            LoadBalancer,
            json!({"type": "LoadBalancer"}),
        ),
        (
            From::NodePort,
            ExternalName,
            json!({"type": "ExternalName", "externalName": HOST}),
        ),
        (
            From::LoadBalancer,
            ClusterIP,
            json!({"type": "ClusterIP", "loadBalancerSourceRanges": null}),
        ),
        (
            From::LoadBalancer,
            NodePort,
            json!({"type": "NodePort", "loadBalancerSourceRanges": null}),
        ),
        (
            From::LoadBalancer,
            ExternalName,
            json!({
                "type": "ExternalName", "externalName": HOST, "loadBalancerSourceRanges": null
            }),
        ),
        (
            From::ExternalName,
            ClusterIP,
            json!({"type": "ClusterIP", "externalName": null}),
        ),
        (
            From::ExternalName,
            NodePort,
            json!({"type": "NodePort", "externalName": null}),
        ),
        (
            From::ExternalName,
            LoadBalancer,
            json!({"type": "LoadBalancer", "externalName": null}),
        ),
        (
            From::ExternalName,
            ExternalName,
            json!({"externalName": HOST}),
        ),
        (
            From::Headless,
            ExternalName,
            json!({"type": "ExternalName", "externalName": HOST}),
        ),
    ];
    for (from, change, spec) in table {
        assert_patch(from, change, spec);
    }

    for change in [ClusterIP, NodePort, LoadBalancer] {
        let refused = planned(From::Headless, to(change)).unwrap_err();
        let name = "web".to_owned();
        assert_eq!(refused, PlanError::Headless { name, to: change });
        let words = refused.to_string();
        assert!(words.contains("ExternalName first") && words.contains("delete it"));
    }
    for (from, change) in [
        (From::ClusterIP, ClusterIP),
        (From::NodePort, NodePort),
        (From::LoadBalancer, LoadBalancer),
    ] {
        let name = "web".to_owned();
        assert_eq!(
            planned(from, to(change)).unwrap_err(),
            PlanError::NothingToDo { name, to: change }
        );
    }
}

#[test]
fn what_is_not_there_is_not_removed() {
    let mut plain = service(From::LoadBalancer);
    plain.source_ranges.clear();
    plain.annotations.clear();
    let plan = plan(Arc::new(plain), to(ServiceType::ClusterIP)).unwrap();
    assert_eq!(
        plan.patch,
        json!({"metadata": {"resourceVersion": "41"}, "spec": {"type": "ClusterIP"}})
    );
}

#[test]
fn wanted_node_ports_send_every_port_whole() {
    let mut start = service(From::ClusterIP);
    start.ports[0].app_protocol = Some(Text::from("http"));
    start.ports[1].name = None;
    start.ports[1].target_port = TargetPort::Number(8443);
    let change = TypeChange {
        node_ports: vec![None, Some(31000)],
        ..to(ServiceType::NodePort)
    };
    let plan = plan(Arc::new(start), change).unwrap();
    assert_eq!(
        plan.patch["spec"],
        json!({
            "type": "NodePort",
            "ports": [
                {
                    "name": "http", "protocol": "TCP", "port": 80, "targetPort": "http",
                    "appProtocol": "http"
                },
                {"protocol": "UDP", "port": 80, "targetPort": 8443, "nodePort": 31000},
            ]
        })
    );
    assert_eq!(
        plan.gains.iter().map(|gain| &**gain).collect::<Vec<_>>(),
        [
            "a port on every node for http 80, allocated when the change is applied",
            "nodePort 31000 on every node for port 80",
        ]
    );
}

#[test]
fn another_node_port_keeps_the_others() {
    let change = TypeChange {
        node_ports: vec![Some(31000)],
        ..to(ServiceType::NodePort)
    };
    let plan = planned(From::NodePort, change).unwrap();
    let spec = &plan.patch["spec"];
    assert_eq!(spec.get("type"), None);
    assert_eq!(spec["ports"][0]["nodePort"], 31000);
    assert_eq!(spec["ports"][1]["nodePort"], 30081);
    assert!(says(&plan.losses, "nodePort 30080 (http 80) is released"));
    // The one that it has is no change.
    let same = TypeChange {
        node_ports: vec![Some(30080)],
        ..to(ServiceType::NodePort)
    };
    assert!(matches!(
        planned(From::NodePort, same),
        Err(PlanError::NothingToDo { .. })
    ));
}

#[test]
fn impossible_node_ports_are_refused() {
    let with = |node_ports: &[Option<u16>], kind| {
        planned(
            From::ClusterIP,
            TypeChange {
                node_ports: node_ports.to_vec(),
                ..to(kind)
            },
        )
    };
    for (node_ports, kind) in [
        (vec![None, None, Some(30000)], ServiceType::NodePort),
        (vec![Some(0)], ServiceType::NodePort),
    ] {
        assert!(matches!(
            with(&node_ports, kind),
            Err(PlanError::NodePorts(_))
        ));
    }
    assert!(matches!(
        with(&[Some(30000)], ServiceType::ExternalName),
        Err(PlanError::UnwantedNodePort { .. })
    ));
    // One number for TCP and for UDP is allowed; twice for TCP is not.
    assert!(with(&[Some(30000), Some(30000)], ServiceType::NodePort).is_ok());
    let mut tcp = service(From::ClusterIP);
    tcp.ports[1].protocol = Protocol::Tcp;
    let change = TypeChange {
        node_ports: vec![Some(30000), Some(30000)],
        ..to(ServiceType::NodePort)
    };
    assert!(matches!(
        plan(Arc::new(tcp), change),
        Err(PlanError::NodePorts(_))
    ));
}

#[test]
fn a_node_port_outside_the_usual_range_is_noted_not_refused() {
    let change = TypeChange {
        node_ports: vec![Some(29999)],
        ..to(ServiceType::NodePort)
    };
    let plan = planned(From::ClusterIP, change).unwrap();
    assert!(says(&plan.notes, "outside 30000-32767"));
    assert!(says(&plan.notes, "dry run does not check the range"));
}

#[test]
fn external_names_are_checked() {
    let with = |name: Option<&str>| {
        planned(
            From::ClusterIP,
            TypeChange {
                external_name: name.map(str::to_owned),
                ..to(ServiceType::ExternalName)
            },
        )
    };
    assert_eq!(
        with(None).unwrap_err(),
        PlanError::ExternalName(ExternalNameError::Missing)
    );
    assert!(matches!(
        with(Some("http://x")).unwrap_err(),
        PlanError::ExternalName(ExternalNameError::Malformed(_))
    ));
    let literal = with(Some("10.1.2.3")).unwrap();
    assert!(says(&literal.notes, "DNS never answers it"));
    assert!(matches!(
        planned(
            From::ClusterIP,
            TypeChange {
                external_name: Some(HOST.to_owned()),
                ..to(ServiceType::NodePort)
            }
        ),
        Err(PlanError::UnwantedExternalName { .. })
    ));
}

#[test]
fn an_external_name_without_ports_needs_some_first() {
    let mut portless = service(From::ExternalName);
    portless.ports.clear();
    assert!(matches!(
        plan(Arc::new(portless), to(ServiceType::ClusterIP)),
        Err(PlanError::NoPorts { .. })
    ));
}

#[test]
fn a_service_that_is_being_deleted_is_left_alone() {
    let mut leaving = service(From::ClusterIP);
    leaving.deleting = Some(Timestamp::UNIX_EPOCH);
    assert!(matches!(
        plan(Arc::new(leaving), to(ServiceType::NodePort)),
        Err(PlanError::Deleting { .. })
    ));
}

fn says(sentences: &[Text], part: &str) -> bool {
    sentences.iter().any(|sentence| sentence.contains(part))
}

#[test]
fn losses_and_gains_carry_the_actual_values() {
    use ServiceType::{ClusterIP, ExternalName, LoadBalancer, NodePort};
    let table: [(From, ServiceType, &[&str], &[&str]); 9] = [
        (
            From::ClusterIP,
            NodePort,
            &["a port on every node for http 80", "for quic 80"],
            &[],
        ),
        (
            From::ClusterIP,
            LoadBalancer,
            &[
                "external address",
                "a port on every node for http 80",
                "a port on every node for quic 80",
            ],
            &[],
        ),
        (
            From::ClusterIP,
            ExternalName,
            &["becomes an alias of db.example.com"],
            &["clusterIP 10.96.57.1 is released", "pods are no longer"],
        ),
        (
            From::NodePort,
            ClusterIP,
            &[],
            &[
                "nodePort 30080 (http 80) is released",
                "nodePort 30081 (quic 80) is released",
                "externalTrafficPolicy Local is dropped",
            ],
        ),
        (From::NodePort, LoadBalancer, &["external address"], &[]),
        (
            From::LoadBalancer,
            ClusterIP,
            &[],
            &[
                "external address 203.0.113.7 is gone",
                "nodePort 30080",
                "nodePort 30081",
                "loadBalancerSourceRanges (192.0.2.0/24)",
                "loadBalancerClass example.com/lb",
            ],
        ),
        (
            From::LoadBalancer,
            NodePort,
            &[],
            &["203.0.113.7", "192.0.2.0/24", "example.com/lb"],
        ),
        (
            From::ExternalName,
            ClusterIP,
            &["a clusterIP"],
            &["no longer an alias of old.example.com"],
        ),
        (
            From::Headless,
            ExternalName,
            &["becomes an alias"],
            &[
                "no longer answers with the pods' addresses",
                "pods are no longer",
            ],
        ),
    ];
    for (from, change, gains, losses) in table {
        let plan = planned(from, to(change)).unwrap();
        for (held, wanted) in [(&plan.gains, gains), (&plan.losses, losses)] {
            assert_eq!(held.len(), wanted.len(), "{from:?} to {change}: {held:?}");
            for part in wanted {
                assert!(says(held, part), "{from:?} to {change}: {part} in {held:?}");
            }
        }
    }
}

#[test]
fn external_ips_keep_the_traffic_policy() {
    let mut kept = service(From::NodePort);
    kept.external_ips = vec![Text::from("198.51.100.1")];
    let plan = plan(Arc::new(kept), to(ServiceType::ClusterIP)).unwrap();
    assert!(!says(&plan.losses, "externalTrafficPolicy"));
}

#[test]
fn a_load_balancer_without_node_ports_gets_them_as_node_port() {
    let mut direct = service(From::LoadBalancer);
    direct.allocate_load_balancer_node_ports = Some(false);
    for port in &mut direct.ports {
        port.node_port = None;
    }
    direct.load_balancer.clear();
    let plan = plan(Arc::new(direct), to(ServiceType::NodePort)).unwrap();
    assert!(says(&plan.gains, "a port on every node for http 80"));
    assert!(says(&plan.losses, "no address yet"));
}
