//! A probe pod, from its creation to its end.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use super::{
    PodAccess, PodError, PodErrorKind, ProbeImage,
    manifest::{CONTAINER, is_probe_pod, manifest},
    pod_start_state::{PodStartState, start_state},
};
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// The kubelet ends a probe pod after so long.
pub const PROBE_POD_LIFETIME: Duration = Duration::from_secs(300);
/// How long a pod may take to run: a node may have to pull the image.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long the scheduler may find no node.
const SCHEDULING_LIMIT: Duration = Duration::from_secs(8);
/// How often the pod is looked at meanwhile.
const POLL_INTERVAL: Duration = Duration::from_millis(150);
/// How long its removal may take.
const REMOVAL_LIMIT: Duration = Duration::from_secs(10);

/// Remembers which pods were made, so that what a crash leaves behind can be found. The engine
/// implements it.
pub trait ProbePodStore: Send + Sync + 'static {
    /// A pod is about to be created.
    fn add(&self, pod: &ObjectKey);
    /// It is gone.
    fn remove(&self, pod: &ObjectKey);
}

/// What probe pods are made with.
#[derive(Clone)]
pub struct ProbePodFactory {
    /// The way to the API server.
    pub access: Arc<dyn PodAccess>,
    /// Which image they run.
    pub image: ProbeImage,
    /// This run of svcscope, as a label's value.
    pub session: SharedStr,
    /// Where they are noted.
    pub store: Arc<dyn ProbePodStore>,
    /// What waits until all of them are gone.
    pub tracker: TaskTracker,
}

/// A probe pod that runs. Dropping it removes it in the background; [`ProbePodFactory::tracker`] waits
/// for that.
pub struct ProbePod {
    key: ObjectKey,
    uid: SharedStr,
    factory: ProbePodFactory,
    is_removed: bool,
    _token: TaskTrackerToken,
}

impl ProbePodFactory {
    /// Creates a pod in a namespace and waits until it runs. What does not come to run is removed
    /// again.
    ///
    /// Only for the user who agreed to it.
    pub async fn start(&self, namespace: &str, number: u64) -> Result<ProbePod, PodError> {
        let name = format!("svcscope-probe-{}-{number}", self.session);
        let key = ObjectKey::new(namespace, &*name);
        let mut pod = ProbePod {
            key,
            uid: SharedStr::from(""),
            factory: self.clone(),
            is_removed: false,
            _token: self.tracker.token(),
        };
        self.store.add(&pod.key);
        let object = manifest(&name, &self.session, &self.image, PROBE_POD_LIFETIME);
        match self.access.create(namespace, &object).await {
            Ok(made) => pod.uid = uid(&made).into(),
            Err(error) => {
                // After a timeout it is unknown whether the pod was created.
                if error.kind != PodErrorKind::Unreachable {
                    pod.is_removed = true;
                    self.store.remove(&pod.key);
                }
                return Err(error);
            }
        }
        match self.until_running(&pod.key).await {
            Ok(()) => Ok(pod),
            Err(error) => {
                if let Err(left) = pod.remove().await {
                    tracing::warn!("{left}");
                }
                Err(error)
            }
        }
    }

    async fn until_running(&self, key: &ObjectKey) -> Result<(), PodError> {
        let started = Instant::now();
        let tried = format!("start probe pod {key}");
        loop {
            let pod = self.access.read(key).await?;
            match start_state(&pod) {
                PodStartState::Running => return Ok(()),
                PodStartState::Failed(kind, why) => return Err(PodError::new(kind, &tried, &why)),
                PodStartState::Waiting(why) => {
                    let is_bound = pod.pointer("/spec/nodeName").is_some();
                    let patience = if is_bound {
                        START_LIMIT
                    } else {
                        SCHEDULING_LIMIT
                    };
                    if started.elapsed() >= patience {
                        let said = format!("{why} (waited {} s)", patience.as_secs());
                        return Err(PodError::new(PodErrorKind::NotRunning, &tried, &said));
                    }
                }
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

impl ProbePod {
    /// Its namespace and name.
    pub fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// The container that commands run in.
    pub fn container(&self) -> SharedStr {
        CONTAINER.into()
    }

    /// Removes it.
    pub async fn remove(mut self) -> Result<(), PodError> {
        // A future that is dropped in here leaves the rest to `drop`.
        let removed = remove(&self.factory, &self.key, &self.uid).await;
        self.is_removed = true;
        removed
    }
}

impl Drop for ProbePod {
    fn drop(&mut self) {
        if self.is_removed {
            return;
        }
        let (with, key, uid) = (self.factory.clone(), self.key.clone(), self.uid.clone());
        // Where no runtime is left the notebook has it, and the next start removes it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let tracker = self.factory.tracker.clone();
            tracker.spawn_on(
                async move {
                    if let Err(error) = remove(&with, &key, &uid).await {
                        tracing::warn!("{error}");
                    }
                },
                &runtime,
            );
        }
    }
}

async fn remove(with: &ProbePodFactory, key: &ObjectKey, uid: &str) -> Result<(), PodError> {
    let removing = async {
        let known = match uid {
            "" => match find(&*with.access, key, &with.session).await? {
                Some(found) => found,
                None => return Ok(()),
            },
            known => known.to_owned(),
        };
        with.access.delete(key, &known).await
    };
    let removed = match timeout(REMOVAL_LIMIT, removing).await {
        Ok(removed) => removed,
        Err(_elapsed) => Err(PodError::new(
            PodErrorKind::Unreachable,
            &format!("remove probe pod {key}"),
            &format!("no answer within {} s", REMOVAL_LIMIT.as_secs()),
        )),
    };
    if removed.is_ok() {
        with.store.remove(key);
    }
    removed
}

/// The uid of a pod that this session made, if it is there.
pub(super) async fn find(
    access: &dyn PodAccess,
    key: &ObjectKey,
    session: &str,
) -> Result<Option<String>, PodError> {
    match access.read(key).await {
        Ok(pod)
            if is_probe_pod(&pod)
                && super::manifest::label(&pod, super::SESSION_LABEL) == Some(session) =>
        {
            Ok(Some(uid(&pod).to_owned()))
        }
        Ok(_somebody_elses) => Ok(None),
        Err(error) if error.kind == PodErrorKind::Gone => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn uid(pod: &Value) -> &str {
    let uid = pod.pointer("/metadata/uid").and_then(Value::as_str);
    uid.unwrap_or_default()
}

#[cfg(test)]
mod tests;
