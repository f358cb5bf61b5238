//! The matrix of types, tried on whatever cluster it is given.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use svcscope_cluster::ClusterClient;
use svcscope_edit::{
    self as edit, ChangeOutcome, ChangePlan, DesiredServiceState, EditError, MigrationPath,
    PlanError, RequestedChange, ServiceKind, ServiceSnapshot, ServiceWriteError, ServiceWriter,
    WriteMode,
};
use svcscope_model::inventory::{Inventory, ObjectKey, ServiceRecord};

/// What a Service carries beside its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceFeatureSet {
    /// One port without a name.
    Plain,
    /// TCP and UDP on one number, policies, labels, annotations and all that its type may have.
    Rich,
    /// externalIPs, and for a LoadBalancer no nodePorts and a class, where the server knows these.
    Outside,
    /// Both address families, IPv6 first.
    Dual,
    /// IPv6 alone.
    Six,
}

/// What every type is tried with on any cluster.
pub const LOADS: [ServiceFeatureSet; 3] = [
    ServiceFeatureSet::Plain,
    ServiceFeatureSet::Rich,
    ServiceFeatureSet::Outside,
];

/// What a cluster of two address families takes besides.
pub const FAMILY_LOADS: [ServiceFeatureSet; 2] = [ServiceFeatureSet::Dual, ServiceFeatureSet::Six];

const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";

/// A Service to start from.
pub fn start(namespace: &str, name: &str, from: ServiceKind, load: ServiceFeatureSet) -> Value {
    let mut spec = json!({
        "type": from.service_type().as_str(),
        "selector": {"app": "nobody-at-all"},
        "ports": [{"port": 80, "targetPort": 8080}],
    });
    let mut annotations = json!({"mine": "kept"});
    match from {
        ServiceKind::Headless => spec["clusterIP"] = json!("None"),
        ServiceKind::ExternalName => spec["externalName"] = json!("old.example.com"),
        _ => {}
    }
    match load {
        ServiceFeatureSet::Plain => {}
        ServiceFeatureSet::Dual | ServiceFeatureSet::Six if from == ServiceKind::ExternalName => {}
        ServiceFeatureSet::Dual => {
            spec["ipFamilies"] = json!(["IPv6", "IPv4"]);
            spec["ipFamilyPolicy"] = json!("RequireDualStack");
        }
        ServiceFeatureSet::Six => spec["ipFamilies"] = json!(["IPv6"]),
        ServiceFeatureSet::Rich => {
            spec["ports"] = json!([
                {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"},
                {"name": "quic", "port": 80, "targetPort": "quic", "protocol": "UDP"},
            ]);
            spec["sessionAffinity"] = json!("ClientIP");
            spec["publishNotReadyAddresses"] = json!(true);
            if from.has_node_ports() {
                spec["externalTrafficPolicy"] = json!("Local");
            }
            if from == ServiceKind::LoadBalancer {
                spec["loadBalancerSourceRanges"] = json!(["192.0.2.0/24"]);
                annotations[SOURCE_RANGES] = json!("192.0.2.0/24");
            }
        }
        ServiceFeatureSet::Outside => {
            spec["externalIPs"] = json!(["198.51.100.7"]);
            if from == ServiceKind::LoadBalancer {
                spec["allocateLoadBalancerNodePorts"] = json!(false);
                spec["loadBalancerClass"] = json!("example.com/lb");
            }
        }
    }
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": name, "namespace": namespace,
            "labels": {"team": "tests"}, "annotations": annotations,
        },
        "spec": spec,
    })
}

/// How one transition went.
#[derive(Debug)]
pub struct TransitionResult {
    /// The type before.
    pub from: ServiceKind,
    /// The type that was asked for.
    pub to: ServiceKind,
    /// What the Service carried.
    pub load: ServiceFeatureSet,
    /// The path, where there is a choice.
    pub via: Option<MigrationPath>,
    /// The server's words where its dry run refused; nothing was written then.
    pub refused: Option<String>,
}

async fn read(writer: &dyn ServiceWriter, key: &ObjectKey) -> ServiceSnapshot {
    ServiceSnapshot::from(writer.read(key).await.expect("it can be read"))
}

fn wanted(to: ServiceKind, via: Option<MigrationPath>) -> DesiredServiceState {
    DesiredServiceState {
        migration_path: via,
        ..if to == ServiceKind::ExternalName {
            DesiredServiceState::alias_of("new.example.com")
        } else {
            DesiredServiceState::of_type(to)
        }
    }
}

async fn carry_out(
    writer: &dyn ServiceWriter,
    plan: ChangePlan,
) -> Result<ChangeOutcome, EditError> {
    let plan = Arc::new(plan);
    edit::dry_run(&plan, writer).await?;
    edit::apply(&plan, writer, &mut Vec::new()).await
}

/// Every type to every other, with every load, on every way; and back.
pub async fn run_transition_matrix(
    cluster: &ClusterClient,
    namespace: &str,
    loads: &[ServiceFeatureSet],
) -> Vec<TransitionResult> {
    let writer = cluster.writer();
    let mut cases = Vec::new();
    for load in loads.iter().copied() {
        for from in ServiceKind::ALL {
            for to in ServiceKind::ALL {
                let ways: &[Option<MigrationPath>] = if from == to {
                    &[]
                } else if from.needs_migration_path(to) {
                    &[
                        Some(MigrationPath::ExternalName),
                        Some(MigrationPath::Recreate),
                    ]
                } else {
                    &[None]
                };
                for via in ways {
                    let name = format!("m-{}", cases.len());
                    let object = start(namespace, &name, from, load);
                    match writer.create(namespace, &object, WriteMode::Apply).await {
                        Ok(_) => {}
                        Err(ServiceWriteError::Invalid { message, .. }) => {
                            cases.push(TransitionResult {
                                from,
                                to,
                                load,
                                via: *via,
                                refused: Some(format!("as a start: {message}")),
                            });
                            continue;
                        }
                        Err(error) => panic!("{from} with {load:?}: {error}"),
                    }
                    let key = ObjectKey::new(namespace, &*name);
                    let refused = there_and_back(&*writer, &key, to, *via).await;
                    cases.push(TransitionResult {
                        from,
                        to,
                        load,
                        via: *via,
                        refused,
                    });
                    let now = read(&*writer, &key).await;
                    writer
                        .delete(&now.record, WriteMode::Apply)
                        .await
                        .expect("it can be deleted");
                }
            }
        }
    }
    cases
}

async fn there_and_back(
    writer: &dyn ServiceWriter,
    key: &ObjectKey,
    to: ServiceKind,
    via: Option<MigrationPath>,
) -> Option<String> {
    let nobody = Inventory::default();
    let before = read(writer, key).await;
    let from = ServiceKind::of(&before.record);
    let case = format!("{from} to {to} via {via:?} of {:#}", before.object);

    if via.is_some() {
        let error = edit::plan_change(&before, wanted(to, None), &nobody);
        assert!(
            matches!(error, Err(PlanError::NeedsMigrationPath { .. })),
            "{case}"
        );
    }
    let plan = edit::plan_change(&before, wanted(to, via), &nobody)
        .unwrap_or_else(|error| panic!("{case}: {error}"));
    let expected = plan.projected_service.clone().expect("a change");
    let outcome = match carry_out(writer, plan).await {
        Ok(outcome) => outcome,
        Err(error @ EditError::Refused { .. }) => {
            let now = read(writer, key).await;
            assert_eq!(
                now.record.resource_version, before.record.resource_version,
                "refused after a write: {case}: {error}"
            );
            return Some(error.to_string());
        }
        Err(error) => panic!("{case}: {error}"),
    };
    let after = read(writer, key).await;
    assert_eq!(ServiceKind::of(&after.record), to, "{case}");
    assert_eq!(
        comparable(&after.record, &expected),
        comparable(&expected, &expected),
        "not as expected: {case}"
    );
    assert_eq!(
        after.record.annotations.get("mine").map(|v| &**v),
        Some("kept")
    );

    let (wish, losses) = edit::undo_request(&outcome, &nobody);
    let RequestedChange::Change(back) = wish else {
        panic!("the opposite of a change is a change");
    };
    let plan = edit::plan_change(&after, *back, &nobody)
        .unwrap_or_else(|error| panic!("back: {case}: {error}"));
    carry_out(writer, plan)
        .await
        .unwrap_or_else(|error| panic!("back: {case}: {error}"));
    let again = read(writer, key).await;
    assert_eq!(
        comparable(&again.record, &before.record),
        comparable(&before.record, &before.record),
        "not as before: {case}, though only {losses:?} was said"
    );
    assert_eq!(
        again.record.cluster_ips, before.record.cluster_ips,
        "{case}"
    );
    None
}

/// What the user would compare; what `model` leaves to the server is left out.
fn comparable(record: &ServiceRecord, model: &ServiceRecord) -> BTreeMap<&'static str, String> {
    let ports: Vec<_> = record
        .ports
        .iter()
        .zip(&model.ports)
        .map(|(port, model)| {
            let mut port = port.clone();
            if model.node_port.is_none() && ServiceKind::of(record).has_node_ports() {
                port.node_port = None;
            }
            port
        })
        .collect();
    let mut annotations = record.annotations.clone();
    // A controller of the cluster may leave a note.
    annotations
        .retain(|key, _| model.annotations.contains_key(key) || key.contains("source-ranges"));
    BTreeMap::from([
        ("type", ServiceKind::of(record).to_string()),
        ("ports", format!("{ports:?}")),
        ("selector", format!("{:?}", record.selector)),
        (
            "families",
            // An ExternalName has none, and what comes of it the server chooses.
            match model.ip_families.is_empty() {
                true => String::new(),
                false => format!("{:?} {:?}", record.ip_families, record.ip_family_policy),
            },
        ),
        ("externalName", format!("{:?}", record.external_name)),
        ("externalIPs", format!("{:?}", record.external_ips)),
        ("ranges", format!("{:?}", record.source_ranges)),
        ("class", format!("{:?}", record.load_balancer_class)),
        (
            "allocate",
            // The server writes its default out.
            format!(
                "{:?}",
                record
                    .allocate_load_balancer_node_ports
                    .filter(|_| model.allocate_load_balancer_node_ports.is_some())
            ),
        ),
        (
            "affinity",
            format!("{:?}", record.session_affinity_client_ip),
        ),
        (
            "external",
            // Whether externalIPs keep it depends on the server's version: 1.20 drops it.
            format!(
                "{:?}",
                record
                    .external_traffic_policy
                    .filter(|_| ServiceKind::of(record).has_node_ports())
            ),
        ),
        (
            "not ready",
            format!("{:?}", record.publish_not_ready_addresses),
        ),
        ("labels", format!("{:?}", record.labels)),
        ("annotations", format!("{annotations:?}")),
    ])
}

/// Numbers that look random and are the same in every run.
pub struct TestRandom(u64);

impl TestRandom {
    /// The same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        // Knuth's MMIX.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// What the race came to.
#[derive(Debug)]
pub struct EditRaceResult {
    /// Plans that were applied.
    pub applied: usize,
    /// Plans that were refused because the Service had changed.
    pub conflicts: usize,
    /// Changes by the other side.
    pub foreign: usize,
}

/// Applies `plans` plans to a few Services while somebody else changes the same ones at random, and
/// looks after that no change of anybody is lost.
pub async fn run_edit_race(
    ours: &ClusterClient,
    theirs: &ClusterClient,
    namespace: &str,
    plans: usize,
) -> EditRaceResult {
    const SERVICES: u64 = 5;
    let writer = ours.writer();
    let keys: Vec<_> = (0..SERVICES)
        .map(|n| ObjectKey::new(namespace, format!("race-{n}")))
        .collect();
    for key in &keys {
        let object = start(
            namespace,
            &key.name,
            ServiceKind::ClusterIP,
            ServiceFeatureSet::Plain,
        );
        writer
            .create(namespace, &object, WriteMode::Apply)
            .await
            .expect("created");
    }

    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let rival = tokio::spawn({
        let (writer, keys) = (theirs.writer(), keys.clone());
        async move {
            let mut dice = TestRandom::new(7);
            let mut done: Vec<(ObjectKey, String)> = Vec::new();
            while stopped.try_recv().is_err() {
                let key = &keys[usize::try_from(dice.below(SERVICES)).expect("small")];
                let name = format!("rival-{}", done.len());
                let affinity = ["None", "ClientIP"][usize::try_from(dice.below(2)).expect("small")];
                let patch = json!({
                    "metadata": {"annotations": {&name: "there"}},
                    "spec": {"sessionAffinity": affinity},
                });
                match writer.patch(key, &patch, WriteMode::Apply).await {
                    Ok(_) => done.push((key.clone(), name)),
                    // Between the deletion and the creation of one that is recreated, and where the
                    // server gave up merging it with a change of ours.
                    Err(
                        ServiceWriteError::NotFound { .. } | ServiceWriteError::Conflict { .. },
                    ) => {}
                    Err(error) => panic!("the rival: {error}"),
                }
                // Some time for the other side, so that not every plan meets a change.
                for _ in 0..dice.below(3) {
                    writer.read(key).await.ok();
                }
            }
            done
        }
    });

    let mut dice = TestRandom::new(11);
    let mut journal = edit::AuditLog::default();
    let mut conflicts = 0;
    for number in 0..plans {
        let key = &keys[usize::try_from(dice.below(SERVICES)).expect("small")];
        let known = read(&*writer, key).await;
        let now = ServiceKind::of(&known.record);
        let others: Vec<_> = ServiceKind::ALL
            .into_iter()
            .filter(|to| *to != now)
            .collect();
        let to = others[usize::try_from(dice.below(4)).expect("small")];
        let via = [MigrationPath::ExternalName, MigrationPath::Recreate]
            [usize::try_from(dice.below(2)).expect("small")];
        let mut wish = wanted(to, Some(via));
        let label = format!("plan-{number}");
        wish.labels
            .insert(label.as_str().into(), Some("there".into()));
        let plan = edit::plan_change(&known, wish, &Inventory::default()).expect("a plan");
        let plan = Arc::new(plan);
        let mut log = Vec::new();
        let result = edit::apply(&plan, &*writer, &mut log).await.map(Arc::new);
        match &result {
            Ok(_) => {}
            Err(error) => {
                let conflict = error.conflict().unwrap_or_else(|| panic!("{error}"));
                // Who changed what is told.
                assert!(!conflict.changes.is_empty(), "{conflict:?}");
                assert!(!conflict.writers.is_empty(), "{conflict:?}");
                conflicts += 1;
            }
        }
        journal.record(
            jiff::Timestamp::now(),
            "race".into(),
            &plan,
            log,
            result.as_ref().map(Arc::clone),
        );
    }
    stop.send(()).ok();
    let foreign = rival.await.expect("the rival ends");

    let mut last = BTreeMap::new();
    for key in &keys {
        last.insert(key.clone(), read(&*writer, key).await);
    }
    for (key, name) in &foreign {
        let kept = last[key].record.annotations.contains_key(name.as_str());
        assert!(kept, "{name} of {key} is lost");
    }
    let mut applied = 0;
    for (number, entry) in journal.entries().iter().enumerate() {
        let labels = &last[&entry.service].record.labels;
        let is_there = labels.contains_key(format!("plan-{number}").as_str());
        let was_applied = entry.applied.is_some();
        // Of two steps the first may be done: it carries no label.
        assert_eq!(is_there, was_applied, "{entry:#?}");
        applied += usize::from(was_applied);
    }
    let newest: BTreeMap<_, _> = journal
        .entries()
        .iter()
        .filter(|entry| entry.applied.is_some())
        .map(|entry| (entry.service.clone(), entry))
        .collect();
    let disturbed: Vec<_> = journal
        .entries()
        .iter()
        .filter(|entry| entry.applied.is_none() && entry.steps.len() > 1)
        .map(|entry| &entry.service)
        .collect();
    for (key, entry) in newest.iter().filter(|(key, _)| !disturbed.contains(key)) {
        let plan = &entry.applied.as_ref().expect("applied").plan;
        let to = ServiceKind::of(plan.projected_service.as_ref().expect("a change"));
        assert_eq!(ServiceKind::of(&last[key].record), to, "{key}");
    }
    for known in last.values() {
        writer
            .delete(&known.record, WriteMode::Apply)
            .await
            .expect("deleted");
    }
    EditRaceResult {
        applied,
        conflicts,
        foreign: foreign.len(),
    }
}
