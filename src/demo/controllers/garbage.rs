//! The garbage collector: what an object owns goes with it.

use super::super::json;
use super::super::registry::{Deletion, Registry};
use super::super::resource::Kind;
use super::super::store::Object;

/// Whether objects of this kind own others here.
pub(super) fn can_own(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Service | Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet
    )
}

/// Deletes the dependents of an object that is gone.
pub(super) fn collect(registry: &Registry, gone: &Object) {
    let uid = json::text(&gone.read(), "metadata/uid").to_owned();
    if uid.is_empty() {
        return;
    }
    for kind in [Kind::ReplicaSet, Kind::Pod, Kind::EndpointSlice] {
        let candidates = registry.store.lock().list(kind, Some(&gone.key.namespace));
        for object in candidates {
            // Parsing only what can name the owner keeps this cheap in large namespaces.
            let names_it =
                std::str::from_utf8(object.bytes()).is_ok_and(|text| text.contains(&uid));
            let owned = names_it
                && json::list(&object.read(), "metadata/ownerReferences")
                    .iter()
                    .any(|owner| json::text(owner, "uid") == uid);
            if owned
                && let Err(status) =
                    registry.delete(kind.resource(), &object.key, &Deletion::default())
            {
                tracing::debug!(?status, "a dependent was gone before its owner");
            }
        }
    }
}
