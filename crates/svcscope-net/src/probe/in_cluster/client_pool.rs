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

use super::{InClusterClient, PodError, PodErrorKind, ProbePodFactory, remove_finished};
use crate::probe::ExecTarget;
use svcscope_model::inventory::SharedStr;

/// Finds containers to send requests from. Tests have their own.
pub trait InClusterClientSource: Send + Sync + 'static {
    /// A container that is ready. Who is asked for again while somebody has it is the same.
    fn client<'a>(
        &'a self,
        from: &'a ExecTarget,
    ) -> BoxFuture<'a, Result<Arc<InClusterClient>, PodError>>;
}

/// [`InClusterClientSource`] of a cluster. A probe pod lives while somebody has it, and is removed then.
pub struct InClusterClientPool {
    probe_pods: ProbePodFactory,
    refusal: ExecRefusalCheck,
    /// Those that may be there. Whoever waits for a pod holds this, so that two never make two.
    clients: Mutex<HashMap<ExecTarget, Weak<InClusterClient>>>,
}

/// Says why no pod may be created and no command run in one, where that is so just then.
pub type ExecRefusalCheck = Box<dyn Fn() -> Option<SharedStr> + Send + Sync>;

/// No one to be asked, for those who have no cluster.
pub struct NoInClusterClients;

impl InClusterClientSource for NoInClusterClients {
    fn client<'a>(
        &'a self,
        _from: &'a ExecTarget,
    ) -> BoxFuture<'a, Result<Arc<InClusterClient>, PodError>> {
        Box::pin(async {
            let tried = "send a request from inside the cluster";
            Err(PodError::new(
                PodErrorKind::Other,
                tried,
                "no client inside the cluster is available",
            ))
        })
    }
}

/// Counts the probe pods of a process.
static NEXT_POD_NUMBER: AtomicU64 = AtomicU64::new(1);

impl InClusterClientPool {
    /// While there is a refusal no pod is created, and nobody asked.
    pub fn new(probe_pods: ProbePodFactory, refusal: ExecRefusalCheck) -> Self {
        Self {
            probe_pods,
            refusal,
            clients: Mutex::default(),
        }
    }

    async fn create_client(&self, from: &ExecTarget) -> Result<InClusterClient, PodError> {
        let access = self.probe_pods.access.clone();
        match from {
            ExecTarget::Pod { pod, container } => {
                InClusterClient::in_pod(access, pod.clone(), container.clone()).await
            }
            ExecTarget::ProbePod {
                namespace,
                user_consented: agreed,
            } => {
                let tried = format!("create a probe pod in namespace {namespace}");
                let refused = |why: &str| PodError::new(PodErrorKind::NotConsented, &tried, why);
                if !agreed {
                    return Err(refused("the user has not confirmed it"));
                }
                let number = NEXT_POD_NUMBER.fetch_add(1, Ordering::Relaxed);
                // The objects of pods that the kubelet has ended stay for anybody to remove.
                if let Err(error) = remove_finished(&*access, Some(namespace)).await {
                    tracing::debug!("{error}");
                }
                let probe = self.probe_pods.start(namespace, number).await?;
                InClusterClient::in_probe_pod(access, probe).await
            }
        }
    }
}

impl InClusterClientSource for InClusterClientPool {
    fn client<'a>(
        &'a self,
        from: &'a ExecTarget,
    ) -> BoxFuture<'a, Result<Arc<InClusterClient>, PodError>> {
        Box::pin(async move {
            if let Some(why) = (self.refusal)() {
                let tried = match from {
                    ExecTarget::Pod { pod, .. } => format!("run a command in pod {pod}"),
                    ExecTarget::ProbePod { namespace, .. } => {
                        format!("create a probe pod in namespace {namespace}")
                    }
                };
                return Err(PodError::new(PodErrorKind::NotConsented, &tried, &why));
            }
            let mut known = self.clients.lock().await;
            known.retain(|_, asker| asker.strong_count() > 0);
            if let Some(asker) = known.get(from).and_then(Weak::upgrade) {
                return Ok(asker);
            }
            let asker = Arc::new(self.create_client(from).await?);
            known.insert(from.clone(), Arc::downgrade(&asker));
            Ok(asker)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::in_cluster::{
        PodOutput,
        fixtures::{FakePods, FakeProbePodStore, lock, probe_pod_factory},
    };
    use svcscope_model::inventory::ObjectKey;

    fn curl() -> Arc<FakePods> {
        FakePods::answering(|_| {
            Ok(PodOutput {
                code: Some(0),
                stdout: b"curl 8.17.0 (x)".to_vec(),
                stderr: Vec::new(),
            })
        })
    }

    fn probe(agreed: bool) -> ExecTarget {
        ExecTarget::ProbePod {
            namespace: "shop".into(),
            user_consented: agreed,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_at_once_share_a_pod_which_goes_with_the_last() {
        let access = curl();
        let notebook = Arc::new(FakeProbePodStore::default());
        let probes = probe_pod_factory(access.clone(), notebook);
        let hub = InClusterClientPool::new(probes.clone(), Box::new(|| None));
        let agreed = probe(true);
        let (one, two) = tokio::join!(hub.client(&agreed), hub.client(&agreed));
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
        let probes = probe_pod_factory(access.clone(), Arc::default());
        let hub = InClusterClientPool::new(probes.clone(), Box::new(|| None));
        let error = hub.client(&probe(false)).await.err().unwrap();
        assert_eq!(error.kind, PodErrorKind::NotConsented);
        let read_only = InClusterClientPool::new(probes, Box::new(|| Some("read-only".into())));
        let error = read_only.client(&probe(true)).await.err().unwrap();
        assert_eq!(
            &*error.message,
            "could not create a probe pod in namespace shop: read-only"
        );
        assert!(lock(&access.pods).is_empty());
        // To ask a pod that is there is to run a command in it.
        let there = ExecTarget::Pod {
            pod: ObjectKey::new("shop", "web-0"),
            container: None,
        };
        let error = read_only.client(&there).await.err().unwrap();
        assert_eq!(
            &*error.message,
            "could not run a command in pod shop/web-0: read-only"
        );
    }
}
