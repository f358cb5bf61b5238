//! The pod that requests from inside the cluster are sent from.

use std::time::Duration;

use serde_json::{Value, json};

use svcscope_model::inventory::SharedStr;

/// Which image the pod runs, unless settings or a flag say otherwise: curl on Alpine, for every
/// architecture that Kubernetes runs on.
pub const DEFAULT_IMAGE: &str = "docker.io/curlimages/curl:8.17.0";

/// Says which pods are ours; with the value [`MANAGER`].
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// See [`MANAGED_BY_LABEL`].
pub const MANAGER: &str = "svcscope";
/// Says which run of svcscope made the pod.
pub const SESSION_LABEL: &str = "svcscope.dev/session";

/// The container's name.
pub(super) const CONTAINER: &str = "probe";

/// Nobody, and no user of an image: files of the image that only root may read stay closed.
const USER: u32 = 65_534;

/// When an image is pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ImagePullPolicy {
    /// Where the node does not have it.
    #[default]
    IfNotPresent,
    /// Each time.
    Always,
    /// Not at all.
    Never,
}

impl ImagePullPolicy {
    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IfNotPresent => "IfNotPresent",
            Self::Always => "Always",
            Self::Never => "Never",
        }
    }
}

/// How probe pods are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeImage {
    /// An image with `sleep` and curl (or wget).
    pub image: SharedStr,
    /// When it is pulled.
    pub pull: ImagePullPolicy,
}

impl Default for ProbeImage {
    fn default() -> Self {
        Self {
            image: DEFAULT_IMAGE.into(),
            pull: ImagePullPolicy::default(),
        }
    }
}

/// The pod. It passes Pod Security's level `restricted`, carries no credentials, matches no
/// selector but one that looks for svcscope's own labels, and is ended by the kubelet after
/// `lifetime` whatever becomes of who made it.
pub fn manifest(name: &str, session: &str, image: &ProbeImage, lifetime: Duration) -> Value {
    let seconds = lifetime.as_secs().max(1);
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {
                MANAGED_BY_LABEL: MANAGER,
                SESSION_LABEL: session,
                "app.kubernetes.io/name": "svcscope-probe",
            },
            "annotations": {
                "svcscope.dev/purpose":
                    "Sends requests that the user asked svcscope for. It can be deleted at any time.",
            },
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": seconds,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": USER,
                "runAsGroup": USER,
                "seccompProfile": { "type": "RuntimeDefault" },
            },
            "containers": [{
                "name": CONTAINER,
                "image": image.image,
                "imagePullPolicy": image.pull.as_str(),
                "command": ["sleep", seconds.to_string()],
                "resources": {
                    "requests": { "cpu": "10m", "memory": "16Mi" },
                    "limits": { "cpu": "500m", "memory": "128Mi" },
                },
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true,
                    "capabilities": { "drop": ["ALL"] },
                },
            }],
        },
    })
}

/// Whether a pod is one of ours.
pub fn is_probe_pod(pod: &Value) -> bool {
    label(pod, MANAGED_BY_LABEL) == Some(MANAGER) && label(pod, SESSION_LABEL).is_some()
}

/// A label of a pod.
pub(super) fn label<'a>(pod: &'a Value, name: &str) -> Option<&'a str> {
    pod.get("metadata")?.get("labels")?.get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pod_is_as_harmless_as_pod_security_wants() {
        let pod = manifest(
            "svcscope-probe-x",
            "x",
            &ProbeImage::default(),
            Duration::from_secs(300),
        );
        let at = |path: &str| pod.pointer(path).cloned().unwrap_or_default();
        // https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
        assert_eq!(at("/spec/securityContext/runAsNonRoot"), true);
        assert_eq!(
            at("/spec/securityContext/seccompProfile/type"),
            "RuntimeDefault"
        );
        let container = "/spec/containers/0/securityContext";
        assert_eq!(at(&format!("{container}/allowPrivilegeEscalation")), false);
        assert_eq!(at(&format!("{container}/capabilities/drop/0")), "ALL");
        assert_eq!(at("/spec/automountServiceAccountToken"), false);
        assert_eq!(at("/spec/activeDeadlineSeconds"), 300);
        assert!(is_probe_pod(&pod));
        assert!(!is_probe_pod(
            &json!({"metadata": {"labels": {MANAGED_BY_LABEL: "helm", SESSION_LABEL: "x"}}})
        ));
        assert!(!is_probe_pod(
            &json!({"metadata": {"labels": {MANAGED_BY_LABEL: MANAGER}}})
        ));
    }
}
