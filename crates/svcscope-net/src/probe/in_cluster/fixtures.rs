//! A cluster's pods in memory, for the tests of this folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use super::{
    PodAccess, PodCommand, PodError, PodErrorKind, PodOutput, ProbeImage, ProbePodFactory,
    ProbePodStore,
};
use svcscope_model::inventory::ObjectKey;

type CommandHandler = dyn Fn(&PodCommand) -> Result<PodOutput, PodError> + Send + Sync;

/// Pods that run as soon as they are looked at twice, unless told otherwise.
#[derive(Default)]
pub(crate) struct FakePods {
    pub(crate) pods: Mutex<BTreeMap<ObjectKey, Value>>,
    /// The status that pods get; none means that they run.
    pub(crate) status: Mutex<Option<Value>>,
    /// Why no pod can be created.
    pub(crate) refusal: Mutex<Option<PodError>>,
    pub(crate) commands: Mutex<Vec<PodCommand>>,
    pub(crate) answer: Mutex<Option<Arc<CommandHandler>>>,
}

/// What was noted and not struck.
#[derive(Default)]
pub(crate) struct FakeProbePodStore(pub(crate) Mutex<BTreeSet<ObjectKey>>);

impl ProbePodStore for FakeProbePodStore {
    fn add(&self, pod: &ObjectKey) {
        lock(&self.0).insert(pod.clone());
    }

    fn remove(&self, pod: &ObjectKey) {
        lock(&self.0).remove(pod);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

impl FakePods {
    pub(crate) fn answering(
        answer: impl Fn(&PodCommand) -> Result<PodOutput, PodError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let pods = Self::default();
        *lock(&pods.answer) = Some(Arc::new(answer));
        Arc::new(pods)
    }
}

impl PodAccess for FakePods {
    fn run<'a>(&'a self, command: &'a PodCommand) -> BoxFuture<'a, Result<PodOutput, PodError>> {
        lock(&self.commands).push(command.clone());
        let answer = lock(&self.answer).clone();
        Box::pin(async move {
            match answer {
                Some(answer) => answer(command),
                None => Err(PodError::new(PodErrorKind::NoProgram, "run it", "none")),
            }
        })
    }

    fn create<'a>(
        &'a self,
        namespace: &'a str,
        pod: &'a Value,
    ) -> BoxFuture<'a, Result<Value, PodError>> {
        Box::pin(async move {
            if let Some(refusal) = lock(&self.refusal).clone() {
                return Err(refusal);
            }
            let mut pod = pod.clone();
            let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
            pod["metadata"]["namespace"] = json!(namespace);
            pod["metadata"]["uid"] = json!(format!("uid of {name}"));
            pod["status"] = json!({"phase": "Pending"});
            lock(&self.pods).insert(ObjectKey::new(namespace, &*name), pod.clone());
            Ok(pod)
        })
    }

    fn read<'a>(&'a self, pod: &'a ObjectKey) -> BoxFuture<'a, Result<Value, PodError>> {
        Box::pin(async move {
            let status = lock(&self.status).clone();
            let mut pods = lock(&self.pods);
            let gone = || PodError::new(PodErrorKind::Gone, "read it", "not found");
            let found = pods.get_mut(pod).ok_or_else(gone)?;
            let before = found.clone();
            found["spec"]["nodeName"] = json!("node-a");
            found["status"] = status.unwrap_or_else(
                || json!({"phase": "Running", "containerStatuses": [{"state": {"running": {}}}]}),
            );
            Ok(before)
        })
    }

    fn delete<'a>(
        &'a self,
        pod: &'a ObjectKey,
        uid: &'a str,
    ) -> BoxFuture<'a, Result<(), PodError>> {
        Box::pin(async move {
            let mut pods = lock(&self.pods);
            if pods
                .get(pod)
                .is_some_and(|found| found["metadata"]["uid"] == uid)
            {
                pods.remove(pod);
            }
            Ok(())
        })
    }

    fn list<'a>(
        &'a self,
        namespace: Option<&'a str>,
        _selector: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Value>, PodError>> {
        Box::pin(async move {
            let pods = lock(&self.pods);
            let here = |key: &ObjectKey| namespace.is_none_or(|name| *key.namespace == *name);
            Ok(pods
                .iter()
                .filter(|(key, _)| here(key))
                .map(|(_, pod)| pod.clone())
                .collect())
        })
    }
}

pub(crate) fn probe_pod_factory(
    access: Arc<FakePods>,
    notebook: Arc<FakeProbePodStore>,
) -> ProbePodFactory {
    ProbePodFactory {
        access,
        image: ProbeImage::default(),
        session: "s1".into(),
        store: notebook,
        tracker: TaskTracker::new(),
    }
}
