//! Ports and the other fields.

use super::*;

#[test]
fn ports_are_sent_whole_and_keep_what_nobody_changes() {
    let mut start = service(ServiceKind::NodePort);
    start.ports[0].app_protocol = Some(text("http"));
    let mut object = crate::fixtures::object(&start);
    // A field of a server newer than this program.
    object["spec"]["ports"][1]["future"] = json!("kept");
    let known = ServiceSnapshot {
        record: Arc::new(start.clone()),
        object: Arc::new(object),
    };
    let mut ports = start.ports.clone();
    // Renamed, without its nodePort said again; and another target.
    ports[0].name = Some(text("web"));
    ports[0].node_port = None;
    ports[1].target_port = TargetPort::Number(8443);
    let wanted = DesiredServiceState {
        ports: Some(ports),
        ..DesiredServiceState::default()
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
    let start = service(ServiceKind::NodePort);
    let wanted = DesiredServiceState {
        ports: Some(vec![start.ports[0].clone(), port("dns", Protocol::Udp, 53)]),
        ..DesiredServiceState::default()
    };
    let plan = planned(start, wanted).unwrap();
    assert!(says(&plan.losses, "quic 80 is removed"));
    assert!(says(&plan.losses, "nodePort 30081 (quic 80) is released"));
    assert!(says(&plan.gains, "dns 53/UDP"));
    assert!(says(&plan.gains, "a port on every node for dns 53"));
}

#[test]
fn wanted_node_ports_come_with_the_type() {
    let start = service(ServiceKind::ClusterIP);
    let mut ports = start.ports.clone();
    ports[1].node_port = Some(31000);
    let wanted = DesiredServiceState {
        ports: Some(ports),
        ..to(ServiceKind::NodePort)
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

#[test]
fn node_ports_are_checked_before_the_server_is_asked() {
    let with = |number: u16| {
        let start = service(ServiceKind::ClusterIP);
        let mut ports = start.ports.clone();
        ports[0].node_port = Some(number);
        let wanted = DesiredServiceState {
            ports: Some(ports),
            ..to(ServiceKind::NodePort)
        };
        plan_change(&snapshot(start), wanted, &holding("api", 31000))
    };
    assert!(with(31001).is_ok());
    let taken = with(31000).unwrap_err();
    assert_eq!(&*taken.fields()[0].field, "spec.ports[0].nodePort");
    let words = taken.to_string();
    assert!(
        words.contains("held by Service shop/api; free are 31001, 31002, 31003"),
        "{words}"
    );
    let outside = with(29999).unwrap();
    assert!(
        says(
            &outside.notes,
            "29999 lies outside the usual 30000-32767; the server decides"
        ),
        "{:?}",
        outside.notes
    );
}

#[test]
fn a_node_port_that_not_every_address_serves_is_told() {
    let plan = |inventory: &Inventory| {
        let start = snapshot(service(ServiceKind::ClusterIP));
        plan_change(&start, to(ServiceKind::NodePort), inventory).unwrap()
    };
    let mut inventory = Inventory::default();
    let served = "kube-proxy serves nodePorts at each node's primary address only";
    assert!(!says(&plan(&inventory).notes, served));
    inventory.apply(InventoryChange::NodePorts(
        svcscope_model::inventory::NodePortRules {
            range: None,
            proxy: Some(svcscope_model::inventory::KubeProxyConfig {
                mode: text("nftables"),
                ..Default::default()
            }),
        },
    ));
    assert!(says(&plan(&inventory).notes, served));
    // Nothing is gained there.
    let start = snapshot(service(ServiceKind::NodePort));
    let alias = plan_change(&start, to(ServiceKind::ExternalName), &inventory).unwrap();
    assert!(!says(&alias.notes, served));
}

#[test]
fn what_the_server_would_refuse_is_said_by_field() {
    let ports = |ports: Vec<ServicePort>| DesiredServiceState {
        ports: Some(ports),
        ..DesiredServiceState::default()
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
    let cluster_ip = || service(ServiceKind::ClusterIP);
    let cases = [
        (ports(vec![http(), unnamed]), "spec.ports[1].name"),
        (ports(vec![http(), http()]), "spec.ports[1].name"),
        (ports(Vec::new()), "spec.ports"),
        (
            ports(vec![port("http", Protocol::Tcp, 0)]),
            "spec.ports[0].port",
        ),
        (ports(vec![numbered(30080)]), "spec.ports[0].nodePort"),
        (
            DesiredServiceState {
                external_name: Some(text(HOST)),
                ..DesiredServiceState::default()
            },
            "spec.externalName",
        ),
        (to(ServiceKind::ExternalName), ""),
        (
            DesiredServiceState {
                source_ranges: Some(vec![text("10.0.0.0/8")]),
                ..DesiredServiceState::default()
            },
            "spec.loadBalancerSourceRanges",
        ),
        (
            DesiredServiceState {
                source_ranges: Some(vec![text("10.0.0.0")]),
                ..to(ServiceKind::LoadBalancer)
            },
            "spec.loadBalancerSourceRanges[0]",
        ),
        (
            DesiredServiceState {
                external_traffic_policy: Some(TrafficPolicy::Local),
                ..DesiredServiceState::default()
            },
            "spec.externalTrafficPolicy",
        ),
        (
            DesiredServiceState {
                session_affinity: Some(SessionAffinity::ClientIP {
                    timeout_secs: Some(86_401),
                }),
                ..DesiredServiceState::default()
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
    let class = DesiredServiceState {
        load_balancer_class: Some(text("example.com/other")),
        ..DesiredServiceState::default()
    };
    let said = refused(service(ServiceKind::LoadBalancer), class);
    assert_eq!(said[0].0, "spec.loadBalancerClass");
    let nameless = refused(
        cluster_ip(),
        DesiredServiceState::of_type(ServiceKind::ExternalName),
    );
    assert!(nameless[0].1.contains("needs the DNS name"), "{nameless:?}");
    let mut portless = service(ServiceKind::ExternalName);
    portless.ports.clear();
    let said = refused(portless.clone(), to(ServiceKind::NodePort));
    assert_eq!(said[0].1, "a NodePort needs at least one port");
    assert!(planned(portless, to(ServiceKind::Headless)).is_ok());
}

#[test]
fn a_load_balancer_without_node_ports_gets_them_as_node_port() {
    let mut direct = service(ServiceKind::LoadBalancer);
    direct.allocate_load_balancer_node_ports = Some(false);
    for port in &mut direct.ports {
        port.node_port = None;
    }
    direct.load_balancer.clear();
    let plan = planned(direct.clone(), to(ServiceKind::NodePort)).unwrap();
    assert!(says(&plan.gains, "a port on every node for http 80"));
    assert!(says(&plan.losses, "no address yet"));
    let other = DesiredServiceState {
        external_traffic_policy: Some(TrafficPolicy::Local),
        ..DesiredServiceState::default()
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
    let mut start = service(ServiceKind::NodePort);
    start.external_ips = vec![text("198.51.100.1")];
    let plan = planned(start, to(ServiceKind::ClusterIP)).unwrap();
    assert!(!says(&plan.losses, "externalTrafficPolicy"));
    let after = plan.projected_service.unwrap();
    assert_eq!(after.external_traffic_policy, Some(TrafficPolicy::Local));
}

#[test]
fn both_address_families_come_back_on_either_way() {
    let mut dual = service(ServiceKind::ClusterIP);
    dual.cluster_ips = vec![text("10.96.57.1"), text("fd00::1")];
    dual.ip_families = vec![text("IPv4"), text("IPv6")];
    dual.ip_family_policy = Some(text("RequireDualStack"));
    for via in [MigrationPath::ExternalName, MigrationPath::Recreate] {
        let wanted = DesiredServiceState {
            migration_path: Some(via),
            ..to(ServiceKind::Headless)
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
        inventory.apply(InventoryChange::Pod(RecordDelta::Upsert(pod)));
    }
    let select = |app: &str, inventory: &Inventory| {
        let wanted = DesiredServiceState {
            selector: Some([(text("app"), text(app)), (text("tier"), text("x"))].into()),
            ..DesiredServiceState::default()
        };
        plan_change(
            &snapshot(service(ServiceKind::ClusterIP)),
            wanted,
            inventory,
        )
        .unwrap()
    };
    let unlisted = select("api", &inventory);
    assert!(says(
        &unlisted.notes,
        "pods of namespace shop are not listed yet"
    ));
    assert!(unlisted.losses.is_empty(), "{:?}", unlisted.losses);
    inventory.apply(InventoryChange::Sync(
        ResourceKind::Pod,
        WatchScope::Cluster,
        SyncState::Live,
    ));
    let plan = select("api", &inventory);
    assert!(says(&plan.losses, "finds 0 of 3 pods"), "{:?}", plan.losses);
    assert_eq!(
        plan.patch().unwrap()["spec"]["selector"],
        json!({"app": "api", "tier": "x"})
    );
    let wanted = DesiredServiceState {
        selector: Some([(text("tier"), text("x"))].into()),
        ..DesiredServiceState::default()
    };
    let plan = plan_change(
        &snapshot(service(ServiceKind::ClusterIP)),
        wanted,
        &inventory,
    )
    .unwrap();
    assert_eq!(
        plan.patch().unwrap()["spec"]["selector"],
        json!({"app": null, "tier": "x"}),
        "a merge patch removes only what it names"
    );
}

#[test]
fn the_simple_fields_are_sent_as_they_are_spelled() {
    let wanted = DesiredServiceState {
        session_affinity: Some(SessionAffinity::ClientIP {
            timeout_secs: Some(600),
        }),
        internal_traffic_policy: Some(TrafficPolicy::Local),
        external_traffic_policy: Some(TrafficPolicy::Cluster),
        publish_not_ready_addresses: Some(true),
        labels: [(text("tier"), Some(text("web"))), (text("gone"), None)].into(),
        annotations: [(text("note"), Some(text("x")))].into(),
        ..DesiredServiceState::default()
    };
    let plan = planned(service(ServiceKind::NodePort), wanted).unwrap();
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
    let mut start = service(ServiceKind::ClusterIP);
    start.session_affinity_client_ip = true;
    let wanted = DesiredServiceState {
        session_affinity: Some(SessionAffinity::None),
        ..DesiredServiceState::default()
    };
    let plan = planned(start, wanted).unwrap();
    assert_eq!(
        plan.patch().unwrap()["spec"],
        json!({"sessionAffinity": "None", "sessionAffinityConfig": null})
    );
}

#[test]
fn new_external_ips_are_noted() {
    let patch = |patch: Value| DesiredServiceState {
        merge_patch: Some(patch),
        ..DesiredServiceState::default()
    };
    let start = service(ServiceKind::ClusterIP);
    let wanted = patch(json!({"spec": {"externalIPs": ["198.51.100.1"]}}));
    let plan = planned(start, wanted).unwrap();
    assert!(
        says(&plan.notes, "AllowServiceExternalIPs"),
        "{:?}",
        plan.notes
    );
    let mut held = service(ServiceKind::ClusterIP);
    held.external_ips = vec![text("198.51.100.1")];
    let wanted = patch(json!({"metadata": {"labels": {"a": "b"}}}));
    let plan = planned(held, wanted).unwrap();
    assert!(!says(&plan.notes, "externalIPs"), "{:?}", plan.notes);
}

/// KEP-4858: a server of 1.36 refuses these forms of new values, and keeps those that are there.
#[test]
fn an_old_form_of_an_address_is_left_alone() {
    let mut start = service(ServiceKind::ClusterIP);
    let mut object = crate::fixtures::object(&start);
    object["spec"]["clusterIP"] = json!("010.96.57.1");
    object["spec"]["clusterIPs"] = json!(["010.96.57.1"]);
    object["spec"]["externalIPs"] = json!(["::ffff:198.51.100.1"]);
    start.external_ips = vec![text("198.51.100.1")];
    let known = ServiceSnapshot {
        record: Arc::new(start.clone()),
        object: Arc::new(object),
    };
    let wanted = DesiredServiceState {
        merge_patch: Some(json!({"metadata": {"labels": {"a": "b"}}})),
        seen_record: Some(Arc::new(start)),
        ..DesiredServiceState::default()
    };
    let plan = plan_change(&known, wanted, &Inventory::default()).unwrap();
    assert_eq!(
        plan.patch().unwrap(),
        &json!({"metadata": {"labels": {"a": "b"}}})
    );
    assert!(plan.losses.is_empty(), "{:?}", plan.losses);
}
