//! The garbage collector: what an object owns goes with it.

use super::super::json;
use super::super::registry::{ObjectDeleteOptions, ObjectRegistry};
use super::super::resource::ServedKind;
use super::super::store::StoredObject;

/// Whether objects of this kind own others here.
pub(super) fn can_own(kind: ServedKind) -> bool {
    matches!(
        kind,
        ServedKind::Service
            | ServedKind::Deployment
            | ServedKind::ReplicaSet
            | ServedKind::StatefulSet
            | ServedKind::DaemonSet
    )
}

/// Deletes the dependents of an object that is gone.
pub(super) fn delete_dependents(registry: &ObjectRegistry, deleted: &StoredObject) {
    let uid = json::text(&deleted.to_value(), "metadata/uid").to_owned();
    if uid.is_empty() {
        return;
    }
    for kind in [
        ServedKind::ReplicaSet,
        ServedKind::Pod,
        ServedKind::EndpointSlice,
    ] {
        let candidates = registry
            .store
            .lock()
            .list(kind, Some(&deleted.key.namespace));
        for object in candidates {
            // Parsing only what can name the owner keeps this cheap in large namespaces.
            let names_it =
                std::str::from_utf8(object.bytes()).is_ok_and(|text| text.contains(&uid));
            let owned = names_it
                && json::list(&object.to_value(), "metadata/ownerReferences")
                    .iter()
                    .any(|owner| json::text(owner, "uid") == uid);
            if owned
                && let Err(status) = registry.delete(
                    kind.resource(),
                    &object.key,
                    &ObjectDeleteOptions::default(),
                )
            {
                tracing::debug!(?status, "a dependent was gone before its owner");
            }
        }
    }
}
