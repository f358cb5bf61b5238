use jiff::Timestamp;

use super::*;
use crate::{
    edit::{
        SessionAffinity,
        fixtures::{known, port, service, text},
        patch::SOURCE_RANGES_ANNOTATION,
    },
    inventory::{Change, Delta, PodRecord, Protocol, ServicePort, TargetPort, TrafficPolicy},
};

const HOST: &str = "db.example.com";

fn to(to: WantedType) -> Wanted {
    if to == WantedType::ExternalName {
        Wanted::alias_of(HOST)
    } else {
        Wanted::to(to)
    }
}

fn planned(from: ServiceRecord, wanted: Wanted) -> Result<Plan, PlanError> {
    plan_change(&known(from), wanted, &Inventory::default())
}

fn bodies(plan: &Plan) -> Vec<Value> {
    plan.steps
        .iter()
        .map(|step| step.action.body().cloned().unwrap_or(Value::Null))
        .collect()
}

fn says(sentences: &[Text], part: &str) -> bool {
    sentences.iter().any(|sentence| sentence.contains(part))
}

#[track_caller]
fn refused(from: ServiceRecord, wanted: Wanted) -> Vec<(String, String)> {
    match planned(from, wanted) {
        Err(PlanError::Invalid(errors)) => errors
            .iter()
            .map(|error| (error.field.to_string(), error.message.to_string()))
            .collect(),
        other => panic!("not refused by field: {other:?}"),
    }
}

/// What one step from each type to each other sends of `spec`, from a Service that carries all that
/// its type may; none where it takes a way.
fn table() -> [[Option<Value>; 5]; 5] {
    let alias = |more: Value| {
        let mut spec = json!({"type": "ExternalName", "externalName": HOST});
        for (field, value) in more.as_object().into_iter().flatten() {
            spec[field] = value.clone();
        }
        Some(spec)
    };
    let ranges = json!({"loadBalancerSourceRanges": null});
    [
        // To ClusterIP, Headless, NodePort, LoadBalancer, ExternalName; from ClusterIP:
        [
            Some(json!(null)),
            None,
            Some(json!({"type": "NodePort"})),
            Some(json!({"type": "LoadBalancer"})),
            alias(json!({})),
        ],
        // From Headless:
        [None, Some(json!(null)), None, None, alias(json!({}))],
        // From NodePort:
        [
            Some(json!({"type": "ClusterIP"})),
            None,
            Some(json!(null)),
            Some(json!({"type": "LoadBalancer"})),
            alias(json!({})),
        ],
        // From LoadBalancer:
        [
            Some(json!({"type": "ClusterIP", "loadBalancerSourceRanges": null})),
            None,
            Some(json!({"type": "NodePort", "loadBalancerSourceRanges": null})),
            Some(json!(null)),
            alias(ranges),
        ],
        // From ExternalName:
        [
            Some(json!({"type": "ClusterIP", "externalName": null})),
            Some(json!({
                "type": "ClusterIP", "externalName": null, "clusterIP": "None",
                "clusterIPs": ["None"],
            })),
            Some(json!({"type": "NodePort", "externalName": null})),
            Some(json!({"type": "LoadBalancer", "externalName": null})),
            Some(json!({"externalName": HOST})),
        ],
    ]
}

#[test]
fn the_whole_matrix() {
    for (from, row) in WantedType::ALL.into_iter().zip(table()) {
        for (wanted, spec) in WantedType::ALL.into_iter().zip(row) {
            let outcome = planned(service(from), to(wanted));
            let Some(spec) = spec else {
                let error = outcome.unwrap_err();
                let vias: Vec<_> = error.ways().iter().map(|way| way.via).collect();
                assert_eq!(
                    vias,
                    [Via::ExternalName, Via::Recreate],
                    "{from} to {wanted}"
                );
                assert!(error.ways().iter().all(|way| !way.price.is_empty()));
                continue;
            };
            if spec.is_null() {
                let name = text("web");
                assert_eq!(outcome.unwrap_err(), PlanError::NothingToDo { name });
                continue;
            }
            let plan = outcome.unwrap();
            let metadata = if from == WantedType::LoadBalancer {
                json!({"annotations": {SOURCE_RANGES_ANNOTATION: null}})
            } else {
                Value::Null
            };
            let patch = plan.patch().unwrap();
            assert_eq!(patch["spec"], spec, "{from} to {wanted}");
            assert_eq!(
                patch.get("metadata").cloned().unwrap_or_default(),
                metadata,
                "{from} to {wanted}"
            );
            let after = plan.expected.as_ref().unwrap();
            assert_eq!(WantedType::of(after), wanted);
            assert!(!plan.undo.sentence.is_empty());
        }
    }
}

#[test]
fn every_barred_way_has_two_bypasses() {
    for (from, wanted) in WantedType::ALL
        .into_iter()
        .flat_map(|from| WantedType::ALL.map(|to| (from, to)))
        .filter(|(from, to)| from.needs_a_way(*to))
    {
        let go = |via| {
            let wanted = Wanted {
                via: Some(via),
                ..to(wanted)
            };
            planned(service(from), wanted).unwrap()
        };
        let through = bodies(&go(Via::ExternalName));
        assert_eq!(through[0]["spec"]["type"], "ExternalName");
        assert_eq!(through[0]["spec"]["externalName"], NOWHERE);
        assert_eq!(
            through[0]["spec"].get("loadBalancerSourceRanges").is_some(),
            from == WantedType::LoadBalancer
        );
        let second = &through[1]["spec"];
        assert_eq!(second["type"], wanted.service_type().as_str());
        assert_eq!(second["externalName"], Value::Null);
        assert_eq!(
            second.get("clusterIP"),
            (wanted == WantedType::Headless)
                .then(|| json!("None"))
                .as_ref()
        );

        let plan = go(Via::Recreate);
        assert_eq!(plan.steps[0].action, Action::Delete);
        let fresh = &bodies(&plan)[1];
        assert_eq!(fresh["metadata"].get("uid"), None);
        assert_eq!(fresh["metadata"]["name"], "web");
        assert_eq!(fresh["spec"]["type"], wanted.service_type().as_str());
        assert_eq!(fresh["spec"].get("externalName"), None);
        assert_eq!(
            fresh["spec"].get("clusterIP"),
            (wanted == WantedType::Headless)
                .then(|| json!("None"))
                .as_ref()
        );
        for field in [
            "loadBalancerSourceRanges",
            "loadBalancerClass",
            "allocateLoadBalancerNodePorts",
            "externalTrafficPolicy",
            "healthCheckNodePort",
        ] {
            assert_eq!(
                fresh["spec"].get(field),
                None,
                "{from} to {wanted}: {field}"
            );
        }
        assert!(fresh["spec"]["ports"][0].get("nodePort").is_none());
        assert!(says(&plan.losses, "uid (u1) changes"), "{:?}", plan.losses);
        assert!(says(&plan.undo.losses, "uid u1"));
    }
}

#[test]
fn nobody_is_led_through_unasked() {
    let error = planned(service(WantedType::Headless), to(WantedType::NodePort)).unwrap_err();
    let words = error.to_string();
    assert!(words.contains("--via external-name") && words.contains("--via recreate"));
}

#[test]
fn gains_and_losses_name_what_is_there() {
    use WantedType::{ClusterIP, ExternalName, Headless, LoadBalancer, NodePort};
    let table: [(WantedType, WantedType, &[&str], &[&str]); 11] = [
        (
            ClusterIP,
            NodePort,
            &["a port on every node for http 80", "for quic 80"],
            &[],
        ),
        (
            ClusterIP,
            LoadBalancer,
            &[
                "external address",
                "a port on every node for http 80",
                "a port on every node for quic 80",
            ],
            &[],
        ),
        (
            ClusterIP,
            ExternalName,
            &["becomes an alias of db.example.com"],
            &["clusterIP 10.96.57.1 is released", "pods are no longer"],
        ),
        (
            NodePort,
            ClusterIP,
            &[],
            &[
                "nodePort 30080 (http 80) is released",
                "nodePort 30081 (quic 80) is released",
                "externalTrafficPolicy Local is dropped",
            ],
        ),
        (NodePort, LoadBalancer, &["external address"], &[]),
        (
            LoadBalancer,
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
            LoadBalancer,
            NodePort,
            &[],
            &["203.0.113.7", "192.0.2.0/24", "example.com/lb"],
        ),
        (
            ExternalName,
            ClusterIP,
            &["a clusterIP"],
            &["no longer an alias of old.example.com"],
        ),
        (
            ExternalName,
            Headless,
            &["answers with the addresses of its ready pods"],
            &["no longer an alias of old.example.com"],
        ),
        (
            ExternalName,
            ExternalName,
            &["becomes an alias of db.example.com"],
            &["no longer an alias of old.example.com"],
        ),
        (
            Headless,
            ExternalName,
            &["becomes an alias"],
            &[
                "no longer answers with the pods' addresses",
                "pods are no longer",
            ],
        ),
    ];
    for (from, wanted, gains, losses) in table {
        let plan = planned(service(from), to(wanted)).unwrap();
        for (held, parts) in [(&plan.gains, gains), (&plan.losses, losses)] {
            assert_eq!(held.len(), parts.len(), "{from} to {wanted}: {held:?}");
            for part in parts {
                assert!(says(held, part), "{from} to {wanted}: {part} in {held:?}");
            }
        }
    }
}

#[test]
fn what_is_not_there_is_not_removed() {
    let mut plain = service(WantedType::LoadBalancer);
    plain.source_ranges.clear();
    plain.annotations.clear();
    let plan = planned(plain, to(WantedType::ClusterIP)).unwrap();
    assert_eq!(plan.patch(), Some(&json!({"spec": {"type": "ClusterIP"}})));
}

#[test]
fn ports_are_sent_whole_and_keep_what_nobody_changes() {
    let mut start = service(WantedType::NodePort);
    start.ports[0].app_protocol = Some(text("http"));
    let mut object = super::super::fixtures::object(&start);
    // A field of a server newer than this program.
    object["spec"]["ports"][1]["future"] = json!("kept");
    let known = Known {
        record: Arc::new(start.clone()),
        object: Arc::new(object),
    };
    let mut ports = start.ports.clone();
    // Renamed, without its nodePort said again; and another target.
    ports[0].name = Some(text("web"));
    ports[0].node_port = None;
    ports[1].target_port = TargetPort::Number(8443);
    let wanted = Wanted {
        ports: Some(ports),
        ..Wanted::default()
    };
    let plan = plan_change(&known, wanted, &Inventory::default()).unwrap();
    assert_eq!(
        plan.patch().unwrap()["spec"],
        json!({"ports": [
            {
                "name": "web", "protocol": "TCP", "port": 80, "targetPort": "http",
                "nodePort": 30080, "appProtocol": "http",
            },
            {
                "name": "quic", "protocol": "UDP", "port": 80, "targetPort": 8443,
                "nodePort": 30081, "future": "kept",
            },
        ]})
    );
    assert!(says(&plan.notes, "has name `web` instead of name `http`"));
    assert!(says(
        &plan.notes,
        "leads to 8443 in the pods instead of quic"
    ));
    assert!(plan.losses.is_empty(), "{:?}", plan.losses);
}

#[test]
fn a_removed_port_releases_its_node_port() {
    let start = service(WantedType::NodePort);
    let wanted = Wanted {
        ports: Some(vec![start.ports[0].clone(), port("dns", Protocol::Udp, 53)]),
        ..Wanted::default()
    };
    let plan = planned(start, wanted).unwrap();
    assert!(says(&plan.losses, "quic 80 is removed"));
    assert!(says(&plan.losses, "nodePort 30081 (quic 80) is released"));
    assert!(says(&plan.gains, "dns 53/UDP"));
    assert!(says(&plan.gains, "a port on every node for dns 53"));
}

#[test]
fn wanted_node_ports_come_with_the_type() {
    let start = service(WantedType::ClusterIP);
    let mut ports = start.ports.clone();
    ports[1].node_port = Some(31000);
    let wanted = Wanted {
        ports: Some(ports),
        ..to(WantedType::NodePort)
    };
    let plan = planned(start, wanted).unwrap();
    let sent = &plan.patch().unwrap()["spec"];
    assert_eq!(sent["type"], "NodePort");
    assert_eq!(sent["ports"][0].get("nodePort"), None);
    assert_eq!(sent["ports"][1]["nodePort"], 31000);
    assert!(says(
        &plan.gains,
        "nodePort 31000 on every node for quic 80"
    ));
}

fn holding(name: &str, node_port: u16) -> Inventory {
    let mut other = service(WantedType::NodePort);
    other.key = ObjectKey::new("shop", name);
    other.ports.truncate(1);
    other.ports[0].node_port = Some(node_port);
    let mut inventory = Inventory::default();
    inventory.apply(Change::Service(Delta::Upsert(other)));
    inventory
}

#[test]
fn node_ports_are_checked_before_the_server_is_asked() {
    let with = |number: u16| {
        let start = service(WantedType::ClusterIP);
        let mut ports = start.ports.clone();
        ports[0].node_port = Some(number);
        let wanted = Wanted {
            ports: Some(ports),
            ..to(WantedType::NodePort)
        };
        plan_change(&known(start), wanted, &holding("api", 31000))
    };
    assert!(with(31001).is_ok());
    let taken = with(31000).unwrap_err();
    assert_eq!(&*taken.fields()[0].field, "spec.ports[0].nodePort");
    let words = taken.to_string();
    assert!(
        words.contains("held by Service shop/api; free are 31001, 31002, 31003"),
        "{words}"
    );
    let outside = with(29999).unwrap_err().to_string();
    assert!(outside.contains("outside 30000-32767"), "{outside}");
}

#[test]
fn what_the_server_would_refuse_is_said_by_field() {
    let ports = |ports: Vec<ServicePort>| Wanted {
        ports: Some(ports),
        ..Wanted::default()
    };
    let unnamed = ServicePort {
        name: None,
        ..port("x", Protocol::Tcp, 81)
    };
    let numbered = |number| ServicePort {
        node_port: Some(number),
        ..port("http", Protocol::Tcp, 80)
    };
    let http = || port("http", Protocol::Tcp, 80);
    let cluster_ip = || service(WantedType::ClusterIP);
    let cases = [
        (ports(vec![http(), unnamed]), "spec.ports[1].name"),
        (ports(vec![http(), http()]), "spec.ports[1].name"),
        (ports(Vec::new()), "spec.ports"),
        (ports(vec![numbered(30080)]), "spec.ports[0].nodePort"),
        (
            Wanted {
                external_name: Some(text(HOST)),
                ..Wanted::default()
            },
            "spec.externalName",
        ),
        (to(WantedType::ExternalName), ""),
        (
            Wanted {
                source_ranges: Some(vec![text("10.0.0.0/8")]),
                ..Wanted::default()
            },
            "spec.loadBalancerSourceRanges",
        ),
        (
            Wanted {
                source_ranges: Some(vec![text("10.0.0.0")]),
                ..to(WantedType::LoadBalancer)
            },
            "spec.loadBalancerSourceRanges[0]",
        ),
        (
            Wanted {
                external_traffic_policy: Some(TrafficPolicy::Local),
                ..Wanted::default()
            },
            "spec.externalTrafficPolicy",
        ),
        (
            Wanted {
                session_affinity: Some(SessionAffinity::ClientIP {
                    timeout_secs: Some(86_401),
                }),
                ..Wanted::default()
            },
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
        ),
    ];
    for (wanted, field) in cases {
        if field.is_empty() {
            assert!(planned(cluster_ip(), wanted).is_ok());
            continue;
        }
        let said = refused(cluster_ip(), wanted);
        assert_eq!(said[0].0, field, "{said:?}");
    }
    let class = Wanted {
        load_balancer_class: Some(text("example.com/other")),
        ..Wanted::default()
    };
    let said = refused(service(WantedType::LoadBalancer), class);
    assert_eq!(said[0].0, "spec.loadBalancerClass");
    let nameless = refused(cluster_ip(), Wanted::to(WantedType::ExternalName));
    assert!(nameless[0].1.contains("needs the DNS name"), "{nameless:?}");
    let mut portless = service(WantedType::ExternalName);
    portless.ports.clear();
    let said = refused(portless.clone(), to(WantedType::NodePort));
    assert_eq!(said[0].1, "a NodePort needs at least one port");
    assert!(planned(portless, to(WantedType::Headless)).is_ok());
}

#[test]
fn a_load_balancer_without_node_ports_gets_them_as_node_port() {
    let mut direct = service(WantedType::LoadBalancer);
    direct.allocate_load_balancer_node_ports = Some(false);
    for port in &mut direct.ports {
        port.node_port = None;
    }
    direct.load_balancer.clear();
    let plan = planned(direct.clone(), to(WantedType::NodePort)).unwrap();
    assert!(says(&plan.gains, "a port on every node for http 80"));
    assert!(says(&plan.losses, "no address yet"));
    let other = Wanted {
        external_traffic_policy: Some(TrafficPolicy::Local),
        ..Wanted::default()
    };
    let plan = planned(direct, other).unwrap();
    assert!(
        !says(&plan.gains, "a port on every node"),
        "{:?}",
        plan.gains
    );
}

#[test]
fn external_ips_keep_the_traffic_policy() {
    let mut start = service(WantedType::NodePort);
    start.external_ips = vec![text("198.51.100.1")];
    let plan = planned(start, to(WantedType::ClusterIP)).unwrap();
    assert!(!says(&plan.losses, "externalTrafficPolicy"));
    let after = plan.expected.unwrap();
    assert_eq!(after.external_traffic_policy, Some(TrafficPolicy::Local));
}

#[test]
fn both_address_families_come_back_on_either_way() {
    let mut dual = service(WantedType::ClusterIP);
    dual.cluster_ips = vec![text("10.96.57.1"), text("fd00::1")];
    dual.ip_families = vec![text("IPv4"), text("IPv6")];
    dual.ip_family_policy = Some(text("RequireDualStack"));
    for via in [Via::ExternalName, Via::Recreate] {
        let wanted = Wanted {
            via: Some(via),
            ..to(WantedType::Headless)
        };
        let plan = planned(dual.clone(), wanted).unwrap();
        let last = &bodies(&plan)[1]["spec"];
        assert_eq!(last["ipFamilyPolicy"], "RequireDualStack", "{via}");
        assert_eq!(last["ipFamilies"], json!(["IPv4", "IPv6"]), "{via}");
        assert!(says(&plan.losses, "10.96.57.1, fd00::1 is released"));
    }
}

#[test]
fn a_new_selector_says_how_many_pods_it_finds() {
    let mut inventory = Inventory::default();
    for (name, app) in [("a", "web"), ("b", "web"), ("c", "api")] {
        let mut pod = PodRecord::new(ObjectKey::new("shop", name));
        pod.labels = [(text("app"), text(app))].into();
        inventory.apply(Change::Pod(Delta::Upsert(pod)));
    }
    let select = |app: &str| {
        let wanted = Wanted {
            selector: Some([(text("app"), text(app)), (text("tier"), text("x"))].into()),
            ..Wanted::default()
        };
        plan_change(&known(service(WantedType::ClusterIP)), wanted, &inventory).unwrap()
    };
    let plan = select("api");
    assert!(says(&plan.losses, "finds 0 of 3 pods"), "{:?}", plan.losses);
    assert_eq!(
        plan.patch().unwrap()["spec"]["selector"],
        json!({"app": "api", "tier": "x"})
    );
    let wanted = Wanted {
        selector: Some([(text("tier"), text("x"))].into()),
        ..Wanted::default()
    };
    let plan = plan_change(&known(service(WantedType::ClusterIP)), wanted, &inventory).unwrap();
    assert_eq!(
        plan.patch().unwrap()["spec"]["selector"],
        json!({"app": null, "tier": "x"}),
        "a merge patch removes only what it names"
    );
}

#[test]
fn the_simple_fields_are_sent_as_they_are_spelled() {
    let wanted = Wanted {
        session_affinity: Some(SessionAffinity::ClientIP {
            timeout_secs: Some(600),
        }),
        internal_traffic_policy: Some(TrafficPolicy::Local),
        external_traffic_policy: Some(TrafficPolicy::Cluster),
        publish_not_ready_addresses: Some(true),
        labels: [(text("tier"), Some(text("web"))), (text("gone"), None)].into(),
        annotations: [(text("note"), Some(text("x")))].into(),
        ..Wanted::default()
    };
    let plan = planned(service(WantedType::NodePort), wanted).unwrap();
    assert_eq!(
        plan.patch(),
        Some(&json!({
            "metadata": {"labels": {"tier": "web"}, "annotations": {"note": "x"}},
            "spec": {
                "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 600}},
                "externalTrafficPolicy": "Cluster",
                "internalTrafficPolicy": "Local",
                "publishNotReadyAddresses": true,
            },
        }))
    );
    let mut start = service(WantedType::ClusterIP);
    start.session_affinity_client_ip = true;
    let wanted = Wanted {
        session_affinity: Some(SessionAffinity::None),
        ..Wanted::default()
    };
    let plan = planned(start, wanted).unwrap();
    assert_eq!(
        plan.patch().unwrap()["spec"],
        json!({"sessionAffinity": "None", "sessionAffinityConfig": null})
    );
}

#[test]
fn a_written_patch_is_planned_with_like_any_wish() {
    let patch = |patch: Value| Wanted {
        other: Some(patch),
        ..Wanted::default()
    };
    let start = || service(WantedType::LoadBalancer);
    let plan = planned(
        start(),
        patch(json!({"spec": {"type": "ClusterIP", "trafficDistribution": "PreferClose"}})),
    )
    .unwrap();
    assert_eq!(
        plan.patch().unwrap()["spec"],
        json!({
            "type": "ClusterIP", "loadBalancerSourceRanges": null,
            "trafficDistribution": "PreferClose",
        })
    );
    assert!(says(&plan.losses, "203.0.113.7"));

    let named = refused(start(), patch(json!({"metadata": {"name": "x"}})));
    assert_eq!(named[0].0, "metadata.name");
    let wrong = refused(start(), patch(json!({"spec": {"ports": [{"port": "80"}]}})));
    assert_eq!(wrong[0].0, "spec.ports[0].port");
    let same = planned(start(), patch(json!({"spec": {"type": "LoadBalancer"}})));
    assert!(
        matches!(same, Err(PlanError::NothingToDo { .. })),
        "{same:?}"
    );
    let headless = planned(
        service(WantedType::Headless),
        patch(json!({"spec": {"clusterIP": ""}})),
    );
    assert!(
        matches!(headless, Err(PlanError::NeedsWay { .. })),
        "{headless:?}"
    );
}

#[test]
fn what_somebody_changed_since_it_was_seen_is_not_overwritten() {
    let seen = Arc::new(service(WantedType::NodePort));
    let mut now = (*seen).clone();
    now.resource_version = text("42");
    now.ports[0].target_port = TargetPort::Number(9000);
    now.labels.insert(text("new"), text("label"));
    let with_ports = Wanted {
        ports: Some(vec![seen.ports[0].clone()]),
        seen: Some(seen.clone()),
        ..Wanted::default()
    };
    let error = planned(now.clone(), with_ports).unwrap_err();
    let PlanError::Changed { fields, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(fields, [text("ports")]);
    // What the wish is not about may change.
    let other = Wanted {
        seen: Some(seen),
        ..to(WantedType::ClusterIP)
    };
    assert!(planned(now, other).is_ok());
}

#[test]
fn a_service_on_its_way_out_is_left_alone() {
    let mut going = service(WantedType::ClusterIP);
    going.deleting = Some(Timestamp::UNIX_EPOCH);
    assert!(matches!(
        planned(going.clone(), to(WantedType::NodePort)),
        Err(PlanError::Deleting { .. })
    ));
    let error = plan_deletion(&known(going), &Inventory::default());
    assert!(matches!(error, Err(PlanError::Deleting { .. })));
}

#[test]
fn creations_and_deletions_say_what_they_do() {
    let object = super::super::fixtures::object(&service(WantedType::NodePort));
    let mut fresh = object.clone();
    fresh["metadata"]["name"] = json!("web-2");
    fresh["spec"]["ports"] = json!([{"port": 80, "nodePort": 31000}]);
    let plan = plan_creation(fresh.clone(), &Inventory::default()).unwrap();
    assert_eq!(plan.service, ObjectKey::new("shop", "web-2"));
    assert_eq!(plan.verbs(), ["create"]);
    assert!(says(&plan.gains, "nodePort 31000"), "{:?}", plan.gains);
    let taken = plan_creation(fresh.clone(), &holding("api", 31000)).unwrap_err();
    assert!(taken.to_string().contains("held by Service shop/api"));
    fresh["metadata"]["name"] = json!("api");
    let exists = plan_creation(fresh, &holding("api", 30000)).unwrap_err();
    assert!(matches!(exists, PlanError::Exists { .. }));

    let known = known(service(WantedType::LoadBalancer));
    let plan = plan_deletion(&known, &Inventory::default()).unwrap();
    assert_eq!(plan.verbs(), ["delete"]);
    assert_eq!(plan.expected, None);
    assert!(says(&plan.losses, "203.0.113.7") && says(&plan.losses, "30080"));
}
