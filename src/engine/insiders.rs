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

use super::event::Event;
use crate::{
    cluster::Cluster,
    inventory::{ObjectKey, Text},
    probe::inside::{Hub, Leftover, Notebook, ProbeImage, ProbePods, Refusal, remove_leftover},
    session::{LeftBook, NotedPod, ProbeBook},
};

/// How long the end of the engine waits for pods to be removed.
const LEAVE: Duration = Duration::from_secs(3);

/// What makes probe pods, for as long as the engine lives.
pub(super) struct ProbePodsOfRun {
    session: Text,
    image: ProbeImage,
    folder: Option<PathBuf>,
    book: Option<Arc<Mutex<ProbeBook>>>,
    tracker: TaskTracker,
}

impl ProbePodsOfRun {
    pub(super) fn new(image: ProbeImage, folder: Option<PathBuf>) -> Self {
        let session = session_name();
        let book = folder
            .as_ref()
            .map(|folder| Arc::new(Mutex::new(ProbeBook::new(folder, &session))));
        Self {
            session,
            image,
            folder,
            book,
            tracker: TaskTracker::new(),
        }
    }

    /// Who can be asked inside a cluster; while there is a refusal no pod is created there and no
    /// command run.
    pub(super) fn hub(&self, cluster: &Cluster, refusal: Refusal) -> Arc<Hub> {
        let probes = ProbePods {
            access: cluster.pods(),
            image: self.image.clone(),
            session: self.session.clone(),
            notebook: Arc::new(NotedAt {
                server: cluster.server_url().into(),
                book: self.book.clone(),
            }),
            tracker: self.tracker.clone(),
        };
        Arc::new(Hub::new(probes, refusal))
    }

    /// Removes what runs that have ended left at this cluster, and tells of it.
    pub(super) fn sweep(&self, cluster: &Cluster, events: mpsc::UnboundedSender<Event>) {
        let Some(folder) = self.folder.clone() else {
            return;
        };
        let cluster = cluster.clone();
        self.tracker.spawn(async move {
            let found = tokio::task::spawn_blocking(move || LeftBook::all(&folder)).await;
            let access = cluster.pods();
            for mut left in found.unwrap_or_default() {
                for pod in left.pods_at(&cluster.server_url()) {
                    let leftover = Leftover {
                        session: left.session.clone(),
                        pod: pod.clone(),
                    };
                    let said = match remove_leftover(&*access, &leftover).await {
                        Err(error) => Some(Err(error.to_string())),
                        Ok(was_there) => {
                            if let Err(error) = left.strike(&cluster.server_url(), &pod) {
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
                        events.send(Event::Said(said)).ok();
                    }
                }
            }
        });
    }

    /// Waits until all pods are removed, within reason: the next start removes the rest.
    pub(super) async fn close(self) {
        self.tracker.close();
        timeout(LEAVE, self.tracker.wait()).await.ok();
    }
}

/// Another one for each run, also on another machine: part of the names of its pods.
fn session_name() -> Text {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos());
    let process = u128::from(std::process::id());
    format!("{:x}", (nanos << 22) | (process & 0x003f_ffff)).into()
}

/// The book, for pods of one API server.
struct NotedAt {
    server: Text,
    book: Option<Arc<Mutex<ProbeBook>>>,
}

impl NotedAt {
    fn write(&self, what: impl FnOnce(&mut ProbeBook) -> std::io::Result<()>) {
        let Some(book) = &self.book else { return };
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = what(&mut book) {
            tracing::warn!("probe pods could not be noted: {error}");
        }
    }
}

impl Notebook for NotedAt {
    fn note(&self, pod: &ObjectKey) {
        self.write(|book| {
            book.note(NotedPod {
                server: self.server.clone(),
                namespace: pod.namespace.clone(),
                name: pod.name.clone(),
                created: Timestamp::now(),
            })
        });
    }

    fn strike(&self, pod: &ObjectKey) {
        self.write(|book| book.strike(&self.server, pod));
    }
}
