use jiff::Timestamp;

use super::*;
use crate::{
    SessionAffinity,
    fixtures::{port, service, snapshot, text},
    projection::SOURCE_RANGES_ANNOTATION,
};
use svcscope_model::inventory::{
    InventoryChange, PodRecord, Protocol, RecordDelta, ResourceKind, ServicePort, SyncState,
    TargetPort, TrafficPolicy, WatchScope,
};

mod families;
mod fields;

const HOST: &str = "db.example.com";

fn to(to: ServiceKind) -> DesiredServiceState {
    if to == ServiceKind::ExternalName {
        DesiredServiceState::alias_of(HOST)
    } else {
        DesiredServiceState::of_type(to)
    }
}

fn planned(from: ServiceRecord, wanted: DesiredServiceState) -> Result<ChangePlan, PlanError> {
    plan_change(&snapshot(from), wanted, &Inventory::default())
}

fn bodies(plan: &ChangePlan) -> Vec<Value> {
    plan.steps
        .iter()
        .map(|step| step.action.body().cloned().unwrap_or(Value::Null))
        .collect()
}

fn says(sentences: &[SharedStr], part: &str) -> bool {
    sentences.iter().any(|sentence| sentence.contains(part))
}

#[track_caller]
fn refused(from: ServiceRecord, wanted: DesiredServiceState) -> Vec<(String, String)> {
    match planned(from, wanted) {
        Err(PlanError::Invalid(errors)) => errors
            .iter()
            .map(|error| (error.field.to_string(), error.message.to_string()))
            .collect(),
        other => panic!("not refused by field: {other:?}"),
    }
}

fn holding(name: &str, node_port: u16) -> Inventory {
    let mut other = service(ServiceKind::NodePort);
    other.key = ObjectKey::new("shop", name);
    other.ports.truncate(1);
    other.ports[0].node_port = Some(node_port);
    let mut inventory = Inventory::default();
    inventory.apply(InventoryChange::Service(RecordDelta::Upsert(other)));
    inventory
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
    for (from, row) in ServiceKind::ALL.into_iter().zip(table()) {
        for (wanted, spec) in ServiceKind::ALL.into_iter().zip(row) {
            let outcome = planned(service(from), to(wanted));
            let Some(spec) = spec else {
                let error = outcome.unwrap_err();
                let vias: Vec<_> = error
                    .migration_options()
                    .iter()
                    .map(|way| way.path)
                    .collect();
                assert_eq!(
                    vias,
                    [MigrationPath::ExternalName, MigrationPath::Recreate],
                    "{from} to {wanted}"
                );
                assert!(
                    error
                        .migration_options()
                        .iter()
                        .all(|way| !way.costs.is_empty())
                );
                continue;
            };
            if spec.is_null() {
                let name = text("web");
                assert_eq!(outcome.unwrap_err(), PlanError::NothingToDo { name });
                continue;
            }
            let plan = outcome.unwrap();
            let metadata = if from == ServiceKind::LoadBalancer {
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
            let after = plan.projected_service.as_ref().unwrap();
            assert_eq!(ServiceKind::of(after), wanted);
            assert!(!plan.undo_assessment.sentence.is_empty());
        }
    }
}

#[test]
fn every_barred_way_has_two_bypasses() {
    for (from, wanted) in ServiceKind::ALL
        .into_iter()
        .flat_map(|from| ServiceKind::ALL.map(|to| (from, to)))
        .filter(|(from, to)| from.needs_migration_path(*to))
    {
        let go = |via| {
            let wanted = DesiredServiceState {
                migration_path: Some(via),
                ..to(wanted)
            };
            planned(service(from), wanted).unwrap()
        };
        let through = bodies(&go(MigrationPath::ExternalName));
        assert_eq!(through[0]["spec"]["type"], "ExternalName");
        assert_eq!(
            through[0]["spec"]["externalName"],
            PLACEHOLDER_EXTERNAL_NAME
        );
        assert_eq!(
            through[0]["spec"].get("loadBalancerSourceRanges").is_some(),
            from == ServiceKind::LoadBalancer
        );
        let second = &through[1]["spec"];
        assert_eq!(second["type"], wanted.service_type().as_str());
        assert_eq!(second["externalName"], Value::Null);
        assert_eq!(
            second.get("clusterIP"),
            (wanted == ServiceKind::Headless)
                .then(|| json!("None"))
                .as_ref()
        );

        let plan = go(MigrationPath::Recreate);
        assert_eq!(plan.steps[0].action, WriteAction::Delete);
        let fresh = &bodies(&plan)[1];
        assert_eq!(fresh["metadata"].get("uid"), None);
        assert_eq!(fresh["metadata"]["name"], "web");
        assert_eq!(fresh["spec"]["type"], wanted.service_type().as_str());
        assert_eq!(fresh["spec"].get("externalName"), None);
        assert_eq!(
            fresh["spec"].get("clusterIP"),
            (wanted == ServiceKind::Headless)
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
        assert!(says(&plan.undo_assessment.losses, "uid u1"));
    }
}

#[test]
fn nobody_is_led_through_unasked() {
    let error = planned(service(ServiceKind::Headless), to(ServiceKind::NodePort)).unwrap_err();
    let words = error.to_string();
    assert!(words.contains("--via external-name") && words.contains("--via recreate"));
}

#[test]
fn gains_and_losses_name_what_is_there() {
    use ServiceKind::{ClusterIP, ExternalName, Headless, LoadBalancer, NodePort};
    let table: [(ServiceKind, ServiceKind, &[&str], &[&str]); 11] = [
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
    let mut plain = service(ServiceKind::LoadBalancer);
    plain.source_ranges.clear();
    plain.annotations.clear();
    let plan = planned(plain, to(ServiceKind::ClusterIP)).unwrap();
    assert_eq!(plan.patch(), Some(&json!({"spec": {"type": "ClusterIP"}})));
}

#[test]
fn a_written_patch_is_planned_with_like_any_wish() {
    let patch = |patch: Value| DesiredServiceState {
        merge_patch: Some(patch),
        ..DesiredServiceState::default()
    };
    let start = || service(ServiceKind::LoadBalancer);
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
        service(ServiceKind::Headless),
        patch(json!({"spec": {"clusterIP": ""}})),
    );
    assert!(
        matches!(headless, Err(PlanError::NeedsMigrationPath { .. })),
        "{headless:?}"
    );
}

#[test]
fn what_somebody_changed_since_it_was_seen_is_not_overwritten() {
    let seen = Arc::new(service(ServiceKind::NodePort));
    let mut now = (*seen).clone();
    now.resource_version = text("42");
    now.ports[0].target_port = TargetPort::Number(9000);
    now.labels.insert(text("new"), text("label"));
    let with_ports = DesiredServiceState {
        ports: Some(vec![seen.ports[0].clone()]),
        seen_record: Some(seen.clone()),
        ..DesiredServiceState::default()
    };
    let error = planned(now.clone(), with_ports).unwrap_err();
    let PlanError::ChangedSinceSeen { fields, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(fields, [text("ports")]);
    // What the request is not about may change.
    let other = DesiredServiceState {
        seen_record: Some(seen),
        ..to(ServiceKind::ClusterIP)
    };
    assert!(planned(now, other).is_ok());
}

#[test]
fn a_service_on_its_way_out_is_left_alone() {
    let mut going = service(ServiceKind::ClusterIP);
    going.deleting = Some(Timestamp::UNIX_EPOCH);
    assert!(matches!(
        planned(going.clone(), to(ServiceKind::NodePort)),
        Err(PlanError::BeingDeleted { .. })
    ));
    let error = plan_deletion(&snapshot(going), &Inventory::default());
    assert!(matches!(error, Err(PlanError::BeingDeleted { .. })));
}

#[test]
fn creations_and_deletions_say_what_they_do() {
    let object = super::super::fixtures::object(&service(ServiceKind::NodePort));
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

    let known = snapshot(service(ServiceKind::LoadBalancer));
    let plan = plan_deletion(&known, &Inventory::default()).unwrap();
    assert_eq!(plan.verbs(), ["delete"]);
    assert_eq!(plan.projected_service, None);
    assert!(says(&plan.losses, "203.0.113.7") && says(&plan.losses, "30080"));
}
