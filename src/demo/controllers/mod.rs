//! What makes writes have consequences: the controllers, the scheduler and the kubelets of the
//! demo cluster, in one task.
//!
//! In come the store's changes and the jobs that have come due; out go further changes, through the same
//! store. Several changes are taken together, so that a burst costs each Service one look.

mod balancer;
mod events;
mod garbage;
mod jobs;
mod kubelet;
mod slices;
mod workloads;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::app::App;
use super::json;
use super::life::Life;
use super::resource::Kind;
use super::store::{Event, Key, Object, Verb};

pub(super) use balancer::DELAY as BALANCER_DELAY;
#[cfg(test)]
pub(super) use balancer::grant as grant_balancer;
pub(super) use events::record as record_event;
pub(super) use jobs::{Job, Schedule};
pub(super) use kubelet::ready_pods;

use kubelet::Kubelet;

/// The most changes that are taken together.
const BURST: usize = 512;

/// All controllers and what they remember.
#[derive(Debug)]
pub(super) struct Controllers {
    app: Arc<App>,
    changes: UnboundedReceiver<Arc<Event>>,
    schedule: Schedule,
    kubelet: Kubelet,
    /// The selectors of all Services by namespace: a pod's change must not cost parsing each Service.
    selectors: BTreeMap<String, BTreeMap<Key, BTreeMap<String, String>>>,
    seen: Seen,
    life: Life,
}

/// What a burst of changes made necessary to look at again: by kind and key, the revision of the last change.
#[derive(Debug, Default)]
struct Dirty(BTreeMap<(Kind, Key), u64>);

impl Dirty {
    /// Notes a change; changes come in the order of their revisions.
    fn mark(&mut self, kind: Kind, key: Key, revision: u64) {
        self.0.insert((kind, key), revision);
    }
}

/// Up to which revision each object's look has taken everything into account. Changes up to there, a look's own
/// ones among them, need no other look: without this every pod of a large cluster is parsed a dozen times.
#[derive(Debug, Default)]
struct Seen(BTreeMap<(Kind, Key), u64>);

impl Seen {
    fn covers(&self, what: &(Kind, Key), revision: u64) -> bool {
        self.0.get(what).is_some_and(|seen| *seen >= revision)
    }

    /// Notes what a look covered; `None` when its object is gone.
    fn note(&mut self, what: (Kind, Key), covered: Option<u64>) {
        match covered {
            Some(revision) => self.0.insert(what, revision),
            None => self.0.remove(&what),
        };
    }
}

impl Controllers {
    /// Controllers that follow the app's store from now on.
    pub(super) fn new(app: Arc<App>, life: Life) -> Self {
        let changes = app.registry.store.follow();
        Self {
            app,
            changes,
            schedule: Schedule::default(),
            kubelet: Kubelet::default(),
            selectors: BTreeMap::new(),
            seen: Seen::default(),
            life,
        }
    }

    /// Works off all that is to be done, with pods that start at once: how a cluster that has been running
    /// for days comes to be in a moment.
    pub(super) fn settle(&mut self) {
        self.kubelet.instant = true;
        while let Ok(first) = self.changes.try_recv() {
            self.take(first);
        }
        self.kubelet.instant = false;
    }

    /// Runs until the store is gone.
    pub(super) async fn run(mut self) {
        self.life.begin(&mut self.schedule);
        loop {
            tokio::select! {
                change = self.changes.recv() => match change {
                    Some(first) => self.take(first),
                    None => return,
                },
                job = self.schedule.due() => self.perform(job),
            }
            // One turn for all others: a hot loop of consequences must not starve the answers.
            tokio::task::yield_now().await;
        }
    }

    fn take(&mut self, first: Arc<Event>) {
        let mut dirty = Dirty::default();
        self.observe(&first, &mut dirty);
        for _ in 0..BURST {
            match self.changes.try_recv() {
                Ok(event) => self.observe(&event, &mut dirty),
                Err(_) => break,
            }
        }
        self.look(dirty);
    }

    fn observe(&mut self, event: &Event, dirty: &mut Dirty) {
        let key = event.object.key.clone();
        match event.kind {
            Kind::Service => {
                let service = event.object.read();
                balancer::observe(&mut self.schedule, event, &service);
                self.note_selector(event, &service);
                dirty.mark(Kind::Service, key, event.revision);
            }
            Kind::Pod => {
                let pod = event.object.read();
                self.services_of(event, dirty);
                mark_owner(&pod, event, dirty);
                self.kubelet
                    .observe(&self.app, &mut self.schedule, event, pod);
            }
            // Endpoints and slices belong to their controller: what a client does to them is put right.
            Kind::Endpoints => dirty.mark(Kind::Service, key, event.revision),
            Kind::EndpointSlice => {
                if let Some(service) = event.object.labels.get(slices::SERVICE_NAME) {
                    let key = Key::new(&key.namespace, service);
                    dirty.mark(Kind::Service, key, event.revision);
                }
            }
            Kind::ReplicaSet => {
                mark_owner(&event.object.read(), event, dirty);
                dirty.mark(Kind::ReplicaSet, key, event.revision);
            }
            kind @ (Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet) => {
                dirty.mark(kind, key, event.revision);
            }
            _ => {}
        }
        if event.verb == Verb::Deleted && garbage::can_own(event.kind) {
            garbage::collect(&self.app.registry, &event.object);
        }
    }

    fn note_selector(&mut self, event: &Event, service: &Value) {
        let key = event.object.key.clone();
        let space = self.selectors.entry(key.namespace.clone()).or_default();
        if event.verb == Verb::Deleted {
            space.remove(&key);
        } else {
            space.insert(key, super::store::labels(service, "spec/selector"));
        }
    }

    /// The Services whose selectors match a pod, as it is or as it was.
    fn services_of(&self, event: &Event, dirty: &mut Dirty) {
        let services = self.selectors.get(&event.object.key.namespace);
        for (key, selector) in services.into_iter().flatten() {
            let matches = |pod: &Object| slices::matches(selector, &pod.labels);
            if matches(&event.object) || event.before.as_deref().is_some_and(matches) {
                dirty.mark(Kind::Service, key.clone(), event.revision);
            }
        }
    }

    /// Looks at what changed: first who makes pods, then who counts them.
    fn look(&mut self, dirty: Dirty) {
        let registry = &self.app.registry;
        for looked_at in [
            Kind::Deployment,
            Kind::ReplicaSet,
            Kind::StatefulSet,
            Kind::DaemonSet,
            Kind::Service,
        ] {
            for (what, revision) in &dirty.0 {
                let (kind, key) = what;
                if *kind != looked_at || self.seen.covers(what, *revision) {
                    continue;
                }
                let covered = match kind {
                    Kind::Deployment => workloads::deployment(registry, key),
                    Kind::ReplicaSet => workloads::replica_set(registry, key),
                    Kind::StatefulSet => workloads::stateful_set(registry, key),
                    Kind::DaemonSet => workloads::daemon_set(registry, key),
                    _ => slices::sync(registry, key),
                };
                self.seen.note(what.clone(), covered);
            }
        }
    }

    fn perform(&mut self, job: Job) {
        let Self {
            app,
            schedule,
            kubelet,
            life,
            ..
        } = self;
        match job {
            Job::StartContainers(pod) => kubelet.start(app, schedule, &pod),
            Job::BecomeReady(pod) => kubelet.become_ready(app, &pod),
            Job::EndPod(pod) => kubelet.end(app, &pod),
            Job::CrashAgain(pod) => kubelet.crash_again(app, schedule, &pod),
            Job::EnsureBalancer(service) => balancer::ensure(app, schedule, &service),
            Job::GrantAddress(service) => balancer::grant(app, &service),
            Job::Rollout | Job::Flip | Job::Churn => life.act(app, schedule, job),
        }
    }
}

/// The workload that owns an object must look after it.
fn mark_owner(object: &Value, event: &Event, dirty: &mut Dirty) {
    for owner in json::list(object, "metadata/ownerReferences") {
        let kind = match json::text(owner, "kind") {
            "Deployment" => Kind::Deployment,
            "ReplicaSet" => Kind::ReplicaSet,
            "StatefulSet" => Kind::StatefulSet,
            "DaemonSet" => Kind::DaemonSet,
            _ => continue,
        };
        let key = Key::new(
            json::text(object, "metadata/namespace"),
            json::text(owner, "name"),
        );
        dirty.mark(kind, key, event.revision);
    }
}

/// Seconds as a duration, for the scripts.
pub(super) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
