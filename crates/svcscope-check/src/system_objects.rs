//! The objects by which a cluster's own parts are known.

use svcscope_model::inventory::{ObjectKey, PodRecord};

/// The namespace of the cluster's own workloads.
pub(crate) const SYSTEM_NAMESPACE: &str = "kube-system";

/// Whether a pod is kube-proxy's, as kubeadm and most clusters label it.
pub(crate) fn is_kube_proxy(pod: &PodRecord) -> bool {
    &*pod.key.namespace == SYSTEM_NAMESPACE
        && pod.labels.get("k8s-app").map(|app| &**app) == Some("kube-proxy")
}

/// The Service that stands for the API server.
pub(crate) fn api_service() -> ObjectKey {
    ObjectKey::new("default", "kubernetes")
}
