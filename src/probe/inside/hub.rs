//! Who may be asked for somebody inside the cluster.

use std::{
    collections::HashMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::future::BoxFuture;
use tokio::sync::Mutex;

use super::{Asker, PodError, PodErrorKind, ProbePods, remove_ended};
use crate::{inventory::Text, probe::Insider};

/// Finds containers to send requests from. Tests have their own.
pub trait Insiders: Send + Sync + 'static {
    /// A container that is ready. Who is asked for again while somebody has it is the same.
    fn asker<'a>(&'a self, from: &'a Insider) -> BoxFuture<'a, Result<Arc<Asker>, PodError>>;
}

/// [`Insiders`] of a cluster. A probe pod lives while somebody has it, and is removed then.
pub struct Hub {
    probes: ProbePods,
    refusal: Refusal,
    /// Those that may be there. Whoever waits for a pod holds this, so that two never make two.
    known: Mutex<HashMap<Insider, Weak<Asker>>>,
}

/// Says why no pod may be created and no command run in one, where that is so just then.
pub type Refusal = Box<dyn Fn() -> Option<Text> + Send + Sync>;

/// No one to be asked, for those who have no cluster.
pub struct Nobody;

impl Insiders for Nobody {
    fn asker<'a>(&'a self, _from: &'a Insider) -> BoxFuture<'a, Result<Arc<Asker>, PodError>> {
        Box::pin(async {
            let tried = "send a request from inside the cluster";
            Err(PodError::new(
                PodErrorKind::Other,
                tried,
                "there is nobody to ask",
            ))
        })
    }
}

/// Counts the probe pods of a process.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

impl Hub {
    /// While there is a refusal no pod is created, and nobody asked.
    pub fn new(probes: ProbePods, refusal: Refusal) -> Self {
        Self {
            probes,
            refusal,
            known: Mutex::default(),
        }
    }

    async fn find(&self, from: &Insider) -> Result<Asker, PodError> {
        let access = self.probes.access.clone();
        match from {
            Insider::Pod { pod, container } => {
                Asker::in_pod(access, pod.clone(), container.clone()).await
            }
            Insider::ProbePod { namespace, agreed } => {
                let tried = format!("create a probe pod in namespace {namespace}");
                let refused = |why: &str| PodError::new(PodErrorKind::NotAgreed, &tried, why);
                if !agreed {
                    return Err(refused("nobody has agreed to that"));
                }
                let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
                // The objects of pods that the kubelet has ended stay for anybody to remove.
                if let Err(error) = remove_ended(&*access, Some(namespace)).await {
                    tracing::debug!("{error}");
                }
                let probe = self.probes.start(namespace, number).await?;
                Asker::in_probe(access, probe).await
            }
        }
    }
}

impl Insiders for Hub {
    fn asker<'a>(&'a self, from: &'a Insider) -> BoxFuture<'a, Result<Arc<Asker>, PodError>> {
        Box::pin(async move {
            if let Some(why) = (self.refusal)() {
                let tried = match from {
                    Insider::Pod { pod, .. } => format!("run a command in pod {pod}"),
                    Insider::ProbePod { namespace, .. } => {
                        format!("create a probe pod in namespace {namespace}")
                    }
                };
                return Err(PodError::new(PodErrorKind::NotAgreed, &tried, &why));
            }
            let mut known = self.known.lock().await;
            known.retain(|_, asker| asker.strong_count() > 0);
            if let Some(asker) = known.get(from).and_then(Weak::upgrade) {
                return Ok(asker);
            }
            let asker = Arc::new(self.find(from).await?);
            known.insert(from.clone(), Arc::downgrade(&asker));
            Ok(asker)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inventory::ObjectKey,
        probe::inside::{
            PodOutput,
            fixtures::{FakeNotebook, FakePods, lock, probe_pods},
        },
    };

    fn curl() -> Arc<FakePods> {
        FakePods::answering(|_| {
            Ok(PodOutput {
                code: Some(0),
                stdout: b"curl 8.17.0 (x)".to_vec(),
                stderr: Vec::new(),
            })
        })
    }

    fn probe(agreed: bool) -> Insider {
        Insider::ProbePod {
            namespace: "shop".into(),
            agreed,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_at_once_share_a_pod_which_goes_with_the_last() {
        let access = curl();
        let notebook = Arc::new(FakeNotebook::default());
        let probes = probe_pods(access.clone(), notebook);
        let hub = Hub::new(probes.clone(), Box::new(|| None));
        let agreed = probe(true);
        let (one, two) = tokio::join!(hub.asker(&agreed), hub.asker(&agreed));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(Arc::ptr_eq(&one, &two));
        assert_eq!(lock(&access.pods).len(), 1);
        drop((one, two));
        probes.tracker.close();
        probes.tracker.wait().await;
        assert!(lock(&access.pods).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_makes_a_pod_unasked() {
        let access = curl();
        let probes = probe_pods(access.clone(), Arc::default());
        let hub = Hub::new(probes.clone(), Box::new(|| None));
        let error = hub.asker(&probe(false)).await.err().unwrap();
        assert_eq!(error.kind, PodErrorKind::NotAgreed);
        let read_only = Hub::new(probes, Box::new(|| Some("read-only".into())));
        let error = read_only.asker(&probe(true)).await.err().unwrap();
        assert_eq!(
            &*error.message,
            "could not create a probe pod in namespace shop: read-only"
        );
        assert!(lock(&access.pods).is_empty());
        // To ask a pod that is there is to run a command in it.
        let there = Insider::Pod {
            pod: ObjectKey::new("shop", "web-0"),
            container: None,
        };
        let error = read_only.asker(&there).await.err().unwrap();
        assert_eq!(
            &*error.message,
            "could not run a command in pod shop/web-0: read-only"
        );
    }
}
