//! The last change of the map, in words for the status bar.

use svcscope_model::inventory::{ChangedRecord, Inventory, ResourceKind, SharedStr};

/// Tells the last of these changes that the user would care for.
///
/// What a first list brings is not a change: only kinds that were known before count.
pub(super) fn describe_last_change(
    touched: &[ChangedRecord],
    before: &Inventory,
) -> Option<SharedStr> {
    touched
        .iter()
        .rev()
        .find_map(|step| describe_one(step, before))
        .map(SharedStr::from)
}

fn describe_one(step: &ChangedRecord, before: &Inventory) -> Option<String> {
    let was_known = |kind, namespace: &SharedStr| before.sync(kind, namespace).is_current();
    match step {
        ChangedRecord::Pod { before: old, after } => {
            let pod = after.as_ref().or(old.as_ref())?;
            if !was_known(ResourceKind::Pod, &pod.key.namespace) {
                return None;
            }
            let what = match (old, after) {
                (None, _) => "appeared",
                (_, None) => "is gone",
                (Some(old), Some(new)) if old.deleting.is_none() && new.deleting.is_some() => {
                    "is terminating"
                }
                (Some(old), Some(new)) if old.ready != new.ready => {
                    if new.ready {
                        "is ready"
                    } else {
                        "is not ready"
                    }
                }
                _ => "changed",
            };
            Some(format!("pod {} {what}", pod.key))
        }
        ChangedRecord::Service(key) => {
            was_known(ResourceKind::Service, &key.namespace).then(|| match before.service(key) {
                None => format!("Service {key} appeared"),
                Some(_) => format!("Service {key} changed"),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_model::inventory::{
        InventoryChange, ObjectKey, PodRecord, RecordDelta, SyncState, WatchScope,
    };

    fn pod(ready: bool) -> PodRecord {
        PodRecord {
            ready,
            ..PodRecord::new(ObjectKey::new("shop", "web-0"))
        }
    }

    #[test]
    fn a_first_list_is_no_change() {
        let mut inventory = Inventory::default();
        let before = inventory.clone();
        let touched = inventory.apply(InventoryChange::Pod(RecordDelta::Upsert(pod(true))));
        assert_eq!(describe_last_change(&touched, &before), None);
    }

    #[test]
    fn a_readiness_flip_is_told() {
        let mut inventory = Inventory::default();
        inventory.apply(InventoryChange::Pod(RecordDelta::Upsert(pod(true))));
        inventory.apply(InventoryChange::Sync(
            ResourceKind::Pod,
            WatchScope::Cluster,
            SyncState::Live,
        ));
        let before = inventory.clone();
        let touched = inventory.apply(InventoryChange::Pod(RecordDelta::Upsert(pod(false))));
        assert_eq!(
            describe_last_change(&touched, &before).as_deref(),
            Some("pod shop/web-0 is not ready")
        );
    }
}
