//! Deployments, ReplicaSets, StatefulSets and DaemonSets, simply: the wanted number of pods, rolled over
//! when the template changes.
//!
//! Each look returns the revision up to which it took everything into account, `None` when its object is gone:
//! that of its beginning when it changed anything but its status, since the consequences are still to come.

use serde_json::{Value, json};

use super::super::json;
use super::super::pod_status;
use super::super::random::{self, SeededRandom};
use super::super::registry::{ObjectDeleteOptions, ObjectRegistry};
use super::super::resource::ServedKind;
use super::super::store::{NamespacedName, StoreState, labels};
use super::super::time;
use super::endpoint_slices::matches;
use super::record_event;

const TEMPLATE_HASH: &str = "pod-template-hash";
/// How many old ReplicaSets are kept: the sample rolls out for ever.
const OLD_REPLICA_SET_LIMIT: usize = 2;

/// The pods that a workload owns.
fn owned_objects(state: &StoreState, kind: ServedKind, owner: &Value) -> Vec<Value> {
    let uid = json::text(owner, "metadata/uid");
    let selector = labels(owner, "spec/selector/matchLabels");
    state
        .list(kind, Some(json::text(owner, "metadata/namespace")))
        .iter()
        .filter(|object| matches(&selector, &object.labels))
        .map(|object| object.to_value())
        .filter(|object| {
            json::list(object, "metadata/ownerReferences")
                .iter()
                .any(|reference| json::text(reference, "uid") == uid)
        })
        .collect()
}

fn active_pods(pods: Vec<Value>) -> Vec<Value> {
    pods.into_iter()
        .filter(|one| !pod_status::is_terminating(one) && !pod_status::is_finished(one))
        .collect()
}

fn count_ready(pods: &[Value]) -> (i64, i64) {
    let ready = pods.iter().filter(|one| pod_status::is_ready(one)).count();
    (
        i64::try_from(pods.len()).unwrap_or(0),
        i64::try_from(ready).unwrap_or(0),
    )
}

fn owner_reference(owner: &Value) -> Value {
    json!([{
        "apiVersion": json::text(owner, "apiVersion"),
        "kind": json::text(owner, "kind"),
        "name": json::text(owner, "metadata/name"),
        "uid": json::text(owner, "metadata/uid"),
        "controller": true,
        "blockOwnerDeletion": true,
    }])
}

/// The pods of one owner, but for what distinguishes them. Made once for many.
struct PodPrototype {
    pod: Value,
}

impl PodPrototype {
    fn of(owner: &Value) -> Option<Self> {
        let mut pod = json!({"metadata": {
            "name": json::text(owner, "metadata/name"),
            "namespace": json::text(owner, "metadata/namespace"),
        }});
        for part in ["labels", "annotations"] {
            if let Some(value) = json::at(owner, &format!("spec/template/metadata/{part}")) {
                json::set(&mut pod, &format!("metadata/{part}"), value.clone());
            }
        }
        json::set(&mut pod, "metadata/ownerReferences", owner_reference(owner));
        json::set(&mut pod, "metadata/managedFields", pod_manager(owner));
        let spec = json::at(owner, "spec/template/spec")
            .cloned()
            .unwrap_or_default();
        json::set(&mut pod, "spec", spec);
        match super::super::admission::create(ServedKind::Pod, &mut pod) {
            Ok(()) => Some(Self { pod }),
            Err(status) => {
                tracing::debug!(?status, "no pod can be created from this template");
                None
            }
        }
    }

    fn create_pod(
        &self,
        registry: &ObjectRegistry,
        state: &mut StoreState,
        name: &str,
        extra: &[(&str, &str)],
    ) {
        let mut pod = self.pod.clone();
        json::set(&mut pod, "metadata/name", name);
        json::set(&mut pod, "metadata/uid", registry.draw(SeededRandom::uid));
        json::set(
            &mut pod,
            "metadata/creationTimestamp",
            registry.creation_timestamp(),
        );
        for (key, value) in extra {
            json::object_mut(&mut pod, "metadata/labels")
                .insert((*key).to_owned(), (*value).into());
        }
        state.put(ServedKind::Pod, pod);
    }
}

/// What the API server notes of a pod that a controller made.
fn pod_manager(owner: &Value) -> Value {
    let template = json::at(owner, "spec/template")
        .cloned()
        .unwrap_or_default();
    let mut made = json!({"spec": json::at(&template, "spec").cloned().unwrap_or_default()});
    if let Some(labels) = json::at(&template, "metadata/labels") {
        json::set(&mut made, "metadata/labels", labels.clone());
    }
    let writer = super::super::managed_fields::ManagedFieldWriter {
        manager: "kube-controller-manager",
        operation: "Update",
        subresource: None,
    };
    super::super::managed_fields::record_write(&mut made, None, None, writer, &time::now());
    json::remove(&mut made, "metadata/managedFields").unwrap_or_default()
}

/// Brings a ReplicaSet to its number of pods.
pub(super) fn reconcile_replica_set(
    registry: &ObjectRegistry,
    key: &NamespacedName,
) -> Option<u64> {
    let mut state = registry.store.lock();
    let set = state
        .get(ServedKind::ReplicaSet, key)
        .map(|set| set.to_value())?;
    let seen = state.revision();
    let mut pods = active_pods(owned_objects(&state, ServedKind::Pod, &set));
    let wanted = usize::try_from(json::number(&set, "spec/replicas")).unwrap_or(0);
    let mould = (pods.len() < wanted)
        .then(|| PodPrototype::of(&set))
        .flatten();
    for mould in mould.iter().cycle().take(wanted.saturating_sub(pods.len())) {
        let name = format!("{}-{}", key.name, registry.draw(|random| random.suffix(5)));
        mould.create_pod(registry, &mut state, &name, &[]);
        if !registry.is_backdating() {
            let message = format!("Created pod: {name}");
            let event_fields = ("Normal", "SuccessfulCreate", message.as_str());
            record_event(&mut state, &set, event_fields, "replicaset-controller");
        }
    }
    // What is not ready goes first, then what is youngest.
    pods.sort_by_key(|one| {
        let age = json::text(one, "metadata/creationTimestamp").to_owned();
        (
            !pod_status::is_ready(one),
            age,
            json::text(one, "metadata/name").to_owned(),
        )
    });
    let doomed = pods.split_off(wanted.min(pods.len()));
    let (replicas, ready) = count_ready(&pods);
    let replicas = replicas.max(i64::try_from(wanted).unwrap_or(0));
    let status = json!({
        "replicas": replicas,
        "fullyLabeledReplicas": replicas,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "observedGeneration": json::number(&set, "metadata/generation"),
    });
    let covered = put_status(&mut state, seen, ServedKind::ReplicaSet, set, status);
    drop(state);
    delete_pods(registry, &doomed);
    Some(if doomed.is_empty() { covered } else { seen })
}

fn delete_pods(registry: &ObjectRegistry, surplus: &[Value]) {
    for one in surplus {
        let resource = ServedKind::Pod.resource();
        if let Err(status) = registry.delete(
            resource,
            &NamespacedName::of(one),
            &ObjectDeleteOptions::default(),
        ) {
            tracing::debug!(?status, "a pod was gone before it was scaled away");
        }
    }
}

/// Writes a status if it differs; the revision that the look covers by that.
fn put_status(
    state: &mut StoreState,
    start_revision: u64,
    kind: ServedKind,
    mut object: Value,
    status: Value,
) -> u64 {
    let is_all = state.revision() == start_revision;
    if object.get("status") != Some(&status) {
        json::set(&mut object, "status", status);
        state.put(kind, object);
    }
    if is_all {
        state.revision()
    } else {
        start_revision
    }
}

/// Rolls a Deployment towards its template: one pod more than wanted, none fewer.
pub(super) fn reconcile_deployment(registry: &ObjectRegistry, key: &NamespacedName) -> Option<u64> {
    let mut state = registry.store.lock();
    let deployment = state
        .get(ServedKind::Deployment, key)
        .map(|object| object.to_value())?;
    let seen = state.revision();
    let template = json::at(&deployment, "spec/template")
        .cloned()
        .unwrap_or_default();
    let hash = random::hash(&template.to_string());
    let wanted = json::number(&deployment, "spec/replicas");
    let sets = owned_objects(&state, ServedKind::ReplicaSet, &deployment);
    let is_new = |set: &Value| json::text(set, "metadata/labels/pod-template-hash") == hash;
    let (new, old) = sets.into_iter().partition::<Vec<_>, _>(is_new);
    let replicas = |set: &Value| json::number(set, "spec/replicas");
    // A set that was just scaled down still says how many were ready before.
    let ready = |set: &Value| json::number(set, "status/readyReplicas").min(replicas(set));
    let old_total = old.iter().map(replicas).sum::<i64>();
    let Some(new) = new.into_iter().next() else {
        let first = if old_total == 0 {
            wanted
        } else {
            wanted.min(1)
        };
        make_replica_set(registry, &mut state, &deployment, &hash, first);
        return Some(seen);
    };
    let room = (wanted + i64::from(old_total > 0) - old_total).clamp(0, wanted);
    let scaled = if replicas(&new) > wanted {
        wanted
    } else {
        room.max(replicas(&new))
    };
    if scaled != replicas(&new) {
        scale_replica_set(&mut state, &deployment, &new, scaled);
    }
    // An old pod may go for each new one that is ready.
    let available = ready(&new) + old.iter().map(ready).sum::<i64>();
    let mut surplus = (available - wanted).max(0);
    for set in &old {
        let unready = replicas(set) - ready(set);
        let step = (surplus + unready.max(0)).min(replicas(set));
        if step > 0 {
            surplus = (surplus - step).max(0);
            scale_replica_set(&mut state, &deployment, set, replicas(set) - step);
        }
    }
    prune_old_replica_sets(&mut state, old);
    let all_ready = available.min(wanted + 1);
    let done = ready(&new) >= wanted && old_total == 0;
    let status = deployment_status(
        &deployment,
        wanted,
        scaled + old_total,
        scaled,
        all_ready,
        done,
    );
    let covered = put_status(&mut state, seen, ServedKind::Deployment, deployment, status);
    Some(covered)
}

/// Old ReplicaSets without pods, but for the last ones, go.
fn prune_old_replica_sets(state: &mut StoreState, mut old: Vec<Value>) {
    old.retain(|set| {
        json::number(set, "status/replicas") == 0 && json::number(set, "spec/replicas") == 0
    });
    old.sort_by_key(|set| {
        std::cmp::Reverse(json::text(set, "metadata/creationTimestamp").to_owned())
    });
    for set in old.iter().skip(OLD_REPLICA_SET_LIMIT) {
        state.delete(ServedKind::ReplicaSet, &NamespacedName::of(set));
    }
}

fn deployment_status(
    deployment: &Value,
    wanted: i64,
    total: i64,
    updated: i64,
    ready: i64,
    done: bool,
) -> Value {
    let name = json::text(deployment, "metadata/name");
    let condition = |kind: &str, met: bool, reason: &str, message: String| {
        let status = if met { "True" } else { "False" };
        let previous = json::list(deployment, "status/conditions")
            .iter()
            .find(|previous| {
                json::text(previous, "type") == kind && json::text(previous, "status") == status
            });
        let since = previous.map_or_else(time::now, |previous| {
            json::text(previous, "lastTransitionTime").to_owned()
        });
        json!({"type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": since, "lastUpdateTime": since})
    };
    let available = ready >= wanted;
    let (reason, message) = if available {
        (
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
        )
    } else {
        (
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    };
    let (progress, progress_message) = if done {
        (
            "NewReplicaSetAvailable",
            format!("Deployment {name:?} has successfully progressed."),
        )
    } else {
        (
            "ReplicaSetUpdated",
            format!("Deployment {name:?} is progressing."),
        )
    };
    json!({
        "observedGeneration": json::number(deployment, "metadata/generation"),
        "replicas": total,
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": (wanted - ready).max(0),
        "conditions": [
            condition("Available", available, reason, message.to_owned()),
            condition("Progressing", true, progress, progress_message),
        ],
    })
}

fn make_replica_set(
    registry: &ObjectRegistry,
    state: &mut StoreState,
    deployment: &Value,
    hash: &str,
    replicas: i64,
) {
    let name = format!("{}-{hash}", json::text(deployment, "metadata/name"));
    let mut template = json::at(deployment, "spec/template")
        .cloned()
        .unwrap_or_default();
    json::object_mut(&mut template, "metadata/labels")
        .insert(TEMPLATE_HASH.to_owned(), hash.into());
    let mut selector = json!(labels(deployment, "spec/selector/matchLabels"));
    json::ensure_object(&mut selector).insert(TEMPLATE_HASH.to_owned(), hash.into());
    let own = labels(&template, "metadata/labels");
    state.put(
        ServedKind::ReplicaSet,
        json!({
            "metadata": {
                "name": name,
                "namespace": json::text(deployment, "metadata/namespace"),
                "uid": registry.draw(SeededRandom::uid),
                "creationTimestamp": registry.creation_timestamp(),
                "generation": 1,
                "labels": own,
                "annotations": {"deployment.kubernetes.io/desired-replicas": replicas.to_string()},
                "ownerReferences": owner_reference(deployment),
            },
            "spec": {"replicas": replicas, "selector": {"matchLabels": selector}, "template": template},
            "status": {"replicas": 0},
        }),
    );
    if registry.is_backdating() {
        return;
    }
    let message = format!("Scaled up replica set {name} from 0 to {replicas}");
    record_event(
        state,
        deployment,
        ("Normal", "ScalingReplicaSet", &message),
        "deployment-controller",
    );
}

fn scale_replica_set(state: &mut StoreState, deployment: &Value, set: &Value, replicas: i64) {
    let name = json::text(set, "metadata/name");
    let before = json::number(set, "spec/replicas");
    let way = if replicas > before { "up" } else { "down" };
    let message = format!("Scaled {way} replica set {name} from {before} to {replicas}");
    let mut set = set.clone();
    json::set(&mut set, "spec/replicas", replicas);
    let generation = json::number(&set, "metadata/generation") + 1;
    json::set(&mut set, "metadata/generation", generation);
    state.put(ServedKind::ReplicaSet, set);
    record_event(
        state,
        deployment,
        ("Normal", "ScalingReplicaSet", &message),
        "deployment-controller",
    );
}

/// Brings a StatefulSet to its number of pods, all at once (`podManagementPolicy: Parallel`).
pub(super) fn reconcile_stateful_set(
    registry: &ObjectRegistry,
    key: &NamespacedName,
) -> Option<u64> {
    let mut state = registry.store.lock();
    let set = state
        .get(ServedKind::StatefulSet, key)
        .map(|set| set.to_value())?;
    let seen = state.revision();
    let wanted = json::number(&set, "spec/replicas");
    let pods = owned_objects(&state, ServedKind::Pod, &set);
    for ordinal in 0..wanted {
        let name = format!("{}-{ordinal}", key.name);
        // A terminating pod holds its name: the next one must wait until it is gone.
        if state
            .get(ServedKind::Pod, &NamespacedName::new(&key.namespace, &name))
            .is_none()
        {
            let index = ordinal.to_string();
            let extra = [
                ("statefulset.kubernetes.io/pod-name", name.as_str()),
                ("apps.kubernetes.io/pod-index", index.as_str()),
            ];
            let mut owner = set.clone();
            json::set(&mut owner, "spec/template/spec/hostname", name.as_str());
            let governing = json::text(&set, "spec/serviceName").to_owned();
            json::set(&mut owner, "spec/template/spec/subdomain", governing);
            if let Some(mould) = PodPrototype::of(&owner) {
                mould.create_pod(registry, &mut state, &name, &extra);
            }
        }
    }
    let pods = active_pods(pods);
    let ordinal = |one: &Value| {
        let name = json::text(one, "metadata/name");
        name.rsplit('-')
            .next()
            .and_then(|last| last.parse::<i64>().ok())
            .unwrap_or(i64::MAX)
    };
    let (kept, doomed) = pods
        .into_iter()
        .partition::<Vec<_>, _>(|one| ordinal(one) < wanted);
    let (_, ready) = count_ready(&kept);
    let status = json!({
        "observedGeneration": json::number(&set, "metadata/generation"),
        "replicas": wanted,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "currentReplicas": wanted,
        "updatedReplicas": wanted,
    });
    let covered = put_status(&mut state, seen, ServedKind::StatefulSet, set, status);
    drop(state);
    delete_pods(registry, &doomed);
    Some(if doomed.is_empty() { covered } else { seen })
}

/// One pod on each node.
pub(super) fn reconcile_daemon_set(registry: &ObjectRegistry, key: &NamespacedName) -> Option<u64> {
    let mut state = registry.store.lock();
    let set = state
        .get(ServedKind::DaemonSet, key)
        .map(|set| set.to_value())?;
    let seen = state.revision();
    let pods = active_pods(owned_objects(&state, ServedKind::Pod, &set));
    let nodes = state.list(ServedKind::Node, None);
    for node in &nodes {
        let there = pods
            .iter()
            .any(|one| json::text(one, "spec/nodeName") == node.key.name);
        if !there {
            let name = format!("{}-{}", key.name, registry.draw(|random| random.suffix(5)));
            let mut owner = set.clone();
            json::set(
                &mut owner,
                "spec/template/spec/nodeName",
                node.key.name.as_str(),
            );
            if let Some(mould) = PodPrototype::of(&owner) {
                mould.create_pod(registry, &mut state, &name, &[]);
            }
        }
    }
    let (_, ready) = count_ready(&pods);
    let status = json!({
        "observedGeneration": json::number(&set, "metadata/generation"),
        "desiredNumberScheduled": nodes.len(),
        "currentNumberScheduled": nodes.len(),
        "updatedNumberScheduled": nodes.len(),
        "numberReady": ready,
        "numberAvailable": ready,
        "numberMisscheduled": 0,
    });
    let covered = put_status(&mut state, seen, ServedKind::DaemonSet, set, status);
    Some(covered)
}
