//! What earlier runs left behind.

use serde_json::Value;

use super::{
    MANAGED_BY_LABEL, MANAGER, PodAccess, PodError,
    manifest::is_probe_pod,
    probe_pod::{find, uid},
};
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// A pod that a run of svcscope noted which has ended since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanedProbePod {
    /// The pod.
    pub pod: ObjectKey,
    /// The run that made it.
    pub session: SharedStr,
}

/// Removes what a run left that has ended, if it is there and bears that run's label. Tells whether
/// there was something to remove.
pub async fn remove_orphan(
    access: &dyn PodAccess,
    orphan: &OrphanedProbePod,
) -> Result<bool, PodError> {
    match find(access, &orphan.pod, &orphan.session).await? {
        Some(uid) => {
            access.delete(&orphan.pod, &uid).await?;
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Removes the probe pods of a namespace (none: of all) that have run to their end: the kubelet
/// ends each of them in time, whoever made it, and then the object stays. Returns what was removed.
pub async fn remove_finished(
    access: &dyn PodAccess,
    namespace: Option<&str>,
) -> Result<Vec<ObjectKey>, PodError> {
    let mut removed = Vec::new();
    let selector = format!("{MANAGED_BY_LABEL}={MANAGER}");
    for pod in access.list(namespace, &selector).await? {
        let text = |path: &str| {
            pod.pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        if is_probe_pod(&pod) && matches!(text("/status/phase"), "Succeeded" | "Failed") {
            let key = ObjectKey::new(text("/metadata/namespace"), text("/metadata/name"));
            access.delete(&key, uid(&pod)).await?;
            removed.push(key);
        }
    }
    Ok(removed)
}
