//! Probe pods of this run: noted before they are made, waited for at the end, and what an earlier
//! run left removed.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::Timestamp;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::task::TaskTracker;

use super::event::WorkerEvent;
use crate::settings::{OrphanedPodList, ProbePodRegistry, RegisteredProbePod};
use svcscope_cluster::ClusterClient;
use svcscope_model::inventory::{ObjectKey, SharedStr};
use svcscope_net::probe::in_cluster::{
    ExecRefusalCheck, InClusterClientPool, OrphanedProbePod, ProbeImage, ProbePodFactory,
    ProbePodStore, remove_orphan,
};

/// How long the end of the engine waits for pods to be removed.
const POD_REMOVAL_TIMEOUT: Duration = Duration::from_secs(3);

/// What makes probe pods, for as long as the engine lives.
pub(super) struct ProbePodLifecycle {
    run_id: SharedStr,
    image: ProbeImage,
    folder: Option<PathBuf>,
    registry: Option<Arc<Mutex<ProbePodRegistry>>>,
    tasks: TaskTracker,
}

impl ProbePodLifecycle {
    pub(super) fn new(image: ProbeImage, folder: Option<PathBuf>) -> Self {
        let run_id = new_run_id();
        let registry = folder
            .as_ref()
            .map(|folder| Arc::new(Mutex::new(ProbePodRegistry::new(folder, &run_id))));
        Self {
            run_id,
            image,
            folder,
            registry,
            tasks: TaskTracker::new(),
        }
    }

    /// Who can be asked inside a cluster; while there is a refusal no pod is created there and no
    /// command run.
    pub(super) fn in_cluster_clients(
        &self,
        cluster: &ClusterClient,
        refusal: ExecRefusalCheck,
    ) -> Arc<InClusterClientPool> {
        let probes = ProbePodFactory {
            access: cluster.pods(),
            image: self.image.clone(),
            session: self.run_id.clone(),
            store: Arc::new(ServerPodRegistry {
                server: cluster.server_url().into(),
                registry: self.registry.clone(),
            }),
            tracker: self.tasks.clone(),
        };
        Arc::new(InClusterClientPool::new(probes, refusal))
    }

    /// Removes what runs that have ended left at this cluster, and tells of it.
    pub(super) fn remove_orphaned_pods(
        &self,
        cluster: &ClusterClient,
        events: mpsc::UnboundedSender<WorkerEvent>,
    ) {
        let Some(folder) = self.folder.clone() else {
            return;
        };
        let cluster = cluster.clone();
        self.tasks.spawn(async move {
            let found =
                tokio::task::spawn_blocking(move || OrphanedPodList::of_ended_runs(&folder)).await;
            let access = cluster.pods();
            for mut left in found.unwrap_or_default() {
                for pod in left.pods_at(&cluster.server_url()) {
                    let leftover = OrphanedProbePod {
                        session: left.run_id.clone(),
                        pod: pod.clone(),
                    };
                    let said = match remove_orphan(&*access, &leftover).await {
                        Err(error) => Some(Err(error.to_string())),
                        Ok(was_there) => {
                            if let Err(error) = left.remove(&cluster.server_url(), &pod) {
                                tracing::warn!("could not note that {pod} is gone: {error}");
                            }
                            was_there.then(|| {
                                Ok(format!(
                                    "Removed probe pod {pod}, which an earlier run had left"
                                ))
                            })
                        }
                    };
                    if let Some(said) = said {
                        events.send(WorkerEvent::BackgroundJobFinished(said)).ok();
                    }
                }
            }
        });
    }

    /// Waits until all pods are removed, within reason: the next start removes the rest.
    pub(super) async fn close(self) {
        self.tasks.close();
        timeout(POD_REMOVAL_TIMEOUT, self.tasks.wait()).await.ok();
    }
}

/// Another one for each run, also on another machine: part of the names of its pods.
fn new_run_id() -> SharedStr {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos());
    let process = u128::from(std::process::id());
    format!("{:x}", (nanos << 22) | (process & 0x003f_ffff)).into()
}

/// The book, for pods of one API server.
struct ServerPodRegistry {
    server: SharedStr,
    registry: Option<Arc<Mutex<ProbePodRegistry>>>,
}

impl ServerPodRegistry {
    fn update_registry(&self, what: impl FnOnce(&mut ProbePodRegistry) -> std::io::Result<()>) {
        let Some(book) = &self.registry else { return };
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = what(&mut book) {
            tracing::warn!("could not record the probe pods: {error}");
        }
    }
}

impl ProbePodStore for ServerPodRegistry {
    fn add(&self, pod: &ObjectKey) {
        self.update_registry(|book| {
            book.add(RegisteredProbePod {
                server: self.server.clone(),
                namespace: pod.namespace.clone(),
                name: pod.name.clone(),
                created: Timestamp::now(),
            })
        });
    }

    fn remove(&self, pod: &ObjectKey) {
        self.update_registry(|book| book.remove(&self.server, pod));
    }
}
