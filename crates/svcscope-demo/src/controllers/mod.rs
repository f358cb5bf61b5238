//! What makes writes have consequences: the controllers, the scheduler and the kubelets of the
//! demo cluster, in one task.
//!
//! In come the store's changes and the jobs that have come due; out go further changes, through the same
//! store. Several changes are taken together, so that a burst costs each Service one look.

pub(super) mod delayed_tasks;
mod endpoint_slices;
pub(super) mod events;
mod garbage_collector;
mod kubelet;
mod load_balancer;
mod workloads;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::background_activity::BackgroundActivity;
use super::cluster::DemoCluster;
use super::json;
use super::resource::ServedKind;
use super::store::{NamespacedName, StoreEvent, StoredObject, WatchEventType};

pub(super) use delayed_tasks::{DelayedTask, DelayedTaskQueue};
pub(super) use events::record as record_event;
pub(super) use kubelet::ready_pods;
pub(super) use load_balancer::DELAY_ANNOTATION as BALANCER_DELAY;
#[cfg(test)]
pub(super) use load_balancer::assign_address as grant_balancer;

use kubelet::KubeletSimulator;

/// The most changes that are taken together.
const MAX_BATCH: usize = 512;

/// All controllers and what they remember.
#[derive(Debug)]
pub(super) struct ControllerLoop {
    app: Arc<DemoCluster>,
    changes: UnboundedReceiver<Arc<StoreEvent>>,
    tasks: DelayedTaskQueue,
    kubelet: KubeletSimulator,
    /// The selectors of all Services by namespace: a pod's change must not cost parsing each Service.
    selectors: BTreeMap<String, BTreeMap<NamespacedName, BTreeMap<String, String>>>,
    reconciled: ReconciledRevisions,
    activity: BackgroundActivity,
}

/// What a burst of changes made necessary to look at again: by kind and key, the revision of the last change.
#[derive(Debug, Default)]
struct ReconcileQueue(BTreeMap<(ServedKind, NamespacedName), u64>);

impl ReconcileQueue {
    /// Notes a change; changes come in the order of their revisions.
    fn enqueue(&mut self, kind: ServedKind, key: NamespacedName, revision: u64) {
        self.0.insert((kind, key), revision);
    }
}

/// Up to which revision each object's look has taken everything into account. Changes up to there, a look's own
/// ones among them, need no other look: without this every pod of a large cluster is parsed a dozen times.
#[derive(Debug, Default)]
struct ReconciledRevisions(BTreeMap<(ServedKind, NamespacedName), u64>);

impl ReconciledRevisions {
    fn covers(&self, what: &(ServedKind, NamespacedName), revision: u64) -> bool {
        self.0.get(what).is_some_and(|seen| *seen >= revision)
    }

    /// Notes what a look covered; `None` when its object is gone.
    fn record(&mut self, what: (ServedKind, NamespacedName), covered: Option<u64>) {
        match covered {
            Some(revision) => self.0.insert(what, revision),
            None => self.0.remove(&what),
        };
    }
}

impl ControllerLoop {
    /// Controllers that follow the app's store from now on.
    pub(super) fn new(app: Arc<DemoCluster>, activity: BackgroundActivity) -> Self {
        let changes = app.registry.store.subscribe();
        Self {
            app,
            changes,
            tasks: DelayedTaskQueue::default(),
            kubelet: KubeletSimulator::default(),
            selectors: BTreeMap::new(),
            reconciled: ReconciledRevisions::default(),
            activity,
        }
    }

    /// Works off all that is to be done, with pods that start at once: how a cluster that has been running
    /// for days comes to be in a moment.
    pub(super) fn run_until_idle(&mut self) {
        self.kubelet.start_instantly = true;
        while let Ok(first) = self.changes.try_recv() {
            self.process_batch(first);
        }
        self.kubelet.start_instantly = false;
    }

    /// Runs until the store is gone.
    pub(super) async fn run(mut self) {
        self.activity.schedule_first(&mut self.tasks);
        loop {
            tokio::select! {
                change = self.changes.recv() => match change {
                    Some(first) => self.process_batch(first),
                    None => return,
                },
                job = self.tasks.due() => self.run_task(job),
            }
            // One turn for all others: a hot loop of consequences must not starve the answers.
            tokio::task::yield_now().await;
        }
    }

    fn process_batch(&mut self, first: Arc<StoreEvent>) {
        let mut dirty = ReconcileQueue::default();
        self.observe(&first, &mut dirty);
        for _ in 0..MAX_BATCH {
            match self.changes.try_recv() {
                Ok(event) => self.observe(&event, &mut dirty),
                Err(_) => break,
            }
        }
        self.reconcile(dirty);
    }

    fn observe(&mut self, event: &StoreEvent, queue: &mut ReconcileQueue) {
        let key = event.object.key.clone();
        match event.kind {
            ServedKind::Service => {
                let service = event.object.to_value();
                load_balancer::observe(&mut self.tasks, event, &service);
                self.record_selector(event, &service);
                queue.enqueue(ServedKind::Service, key, event.revision);
            }
            ServedKind::Pod => {
                let pod = event.object.to_value();
                self.mark_selecting_services(event, queue);
                enqueue_owner(&pod, event, queue);
                self.kubelet.observe(&self.app, &mut self.tasks, event, pod);
            }
            // Endpoints and slices belong to their controller: what a client does to them is put right.
            ServedKind::Endpoints => queue.enqueue(ServedKind::Service, key, event.revision),
            ServedKind::EndpointSlice => {
                if let Some(service) = event.object.labels.get(endpoint_slices::SERVICE_NAME_LABEL)
                {
                    let key = NamespacedName::new(&key.namespace, service);
                    queue.enqueue(ServedKind::Service, key, event.revision);
                }
            }
            ServedKind::ReplicaSet => {
                enqueue_owner(&event.object.to_value(), event, queue);
                queue.enqueue(ServedKind::ReplicaSet, key, event.revision);
            }
            kind @ (ServedKind::Deployment | ServedKind::StatefulSet | ServedKind::DaemonSet) => {
                queue.enqueue(kind, key, event.revision);
            }
            _ => {}
        }
        if event.event_type == WatchEventType::Deleted && garbage_collector::can_own(event.kind) {
            garbage_collector::delete_dependents(&self.app.registry, &event.object);
        }
    }

    fn record_selector(&mut self, event: &StoreEvent, service: &Value) {
        let key = event.object.key.clone();
        let space = self.selectors.entry(key.namespace.clone()).or_default();
        if event.event_type == WatchEventType::Deleted {
            space.remove(&key);
        } else {
            space.insert(key, super::store::labels(service, "spec/selector"));
        }
    }

    /// The Services whose selectors match a pod, as it is or as it was.
    fn mark_selecting_services(&self, event: &StoreEvent, queue: &mut ReconcileQueue) {
        let services = self.selectors.get(&event.object.key.namespace);
        for (key, selector) in services.into_iter().flatten() {
            let matches = |pod: &StoredObject| endpoint_slices::matches(selector, &pod.labels);
            if matches(&event.object) || event.before.as_deref().is_some_and(matches) {
                queue.enqueue(ServedKind::Service, key.clone(), event.revision);
            }
        }
    }

    /// Looks at what changed: first who makes pods, then who counts them.
    fn reconcile(&mut self, queue: ReconcileQueue) {
        let registry = &self.app.registry;
        for looked_at in [
            ServedKind::Deployment,
            ServedKind::ReplicaSet,
            ServedKind::StatefulSet,
            ServedKind::DaemonSet,
            ServedKind::Service,
        ] {
            for (what, revision) in &queue.0 {
                let (kind, key) = what;
                if *kind != looked_at || self.reconciled.covers(what, *revision) {
                    continue;
                }
                let covered = match kind {
                    ServedKind::Deployment => workloads::reconcile_deployment(registry, key),
                    ServedKind::ReplicaSet => workloads::reconcile_replica_set(registry, key),
                    ServedKind::StatefulSet => workloads::reconcile_stateful_set(registry, key),
                    ServedKind::DaemonSet => workloads::reconcile_daemon_set(registry, key),
                    _ => endpoint_slices::reconcile_service(registry, key),
                };
                self.reconciled.record(what.clone(), covered);
            }
        }
    }

    fn run_task(&mut self, job: DelayedTask) {
        let Self {
            app,
            tasks: schedule,
            kubelet,
            activity: life,
            ..
        } = self;
        match job {
            DelayedTask::StartContainers(pod) => kubelet.start_containers(app, schedule, &pod),
            DelayedTask::BecomeReady(pod) => kubelet.become_ready(app, &pod),
            DelayedTask::RemovePod(pod) => kubelet.remove_pod(app, &pod),
            DelayedTask::RestartCrashingPod(pod) => kubelet.record_crash(app, schedule, &pod),
            DelayedTask::EnsureLoadBalancer(service) => {
                load_balancer::ensure_load_balancer(app, schedule, &service)
            }
            DelayedTask::AssignLoadBalancerAddress(service) => {
                load_balancer::assign_address(app, &service)
            }
            DelayedTask::Rollout | DelayedTask::ToggleReadiness | DelayedTask::Churn => {
                life.run_task(app, schedule, job)
            }
        }
    }
}

/// The workload that owns an object must look after it.
fn enqueue_owner(object: &Value, event: &StoreEvent, queue: &mut ReconcileQueue) {
    for owner in json::list(object, "metadata/ownerReferences") {
        let kind = match json::text(owner, "kind") {
            "Deployment" => ServedKind::Deployment,
            "ReplicaSet" => ServedKind::ReplicaSet,
            "StatefulSet" => ServedKind::StatefulSet,
            "DaemonSet" => ServedKind::DaemonSet,
            _ => continue,
        };
        let key = NamespacedName::new(
            json::text(object, "metadata/namespace"),
            json::text(owner, "name"),
        );
        queue.enqueue(kind, key, event.revision);
    }
}
