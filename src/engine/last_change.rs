//! The last change of the map, in words for the status bar.

use crate::inventory::{Inventory, Kind, Text, Touched};

/// Tells the last of these changes that a person would care for.
///
/// What a first list brings is not a change: only kinds that were known before count.
pub(super) fn describe(touched: &[Touched], before: &Inventory) -> Option<Text> {
    touched
        .iter()
        .rev()
        .find_map(|step| describe_one(step, before))
        .map(Text::from)
}

fn describe_one(step: &Touched, before: &Inventory) -> Option<String> {
    let was_known = |kind, namespace: &Text| before.sync(kind, namespace).is_current();
    match step {
        Touched::Pod { before: old, after } => {
            let pod = after.as_ref().or(old.as_ref())?;
            if !was_known(Kind::Pod, &pod.key.namespace) {
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
        Touched::Service(key) => {
            was_known(Kind::Service, &key.namespace).then(|| match before.service(key) {
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
    use crate::inventory::{Change, Delta, ObjectKey, PodRecord, Scope, Sync};

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
        let touched = inventory.apply(Change::Pod(Delta::Upsert(pod(true))));
        assert_eq!(describe(&touched, &before), None);
    }

    #[test]
    fn a_readiness_flip_is_told() {
        let mut inventory = Inventory::default();
        inventory.apply(Change::Pod(Delta::Upsert(pod(true))));
        inventory.apply(Change::Sync(Kind::Pod, Scope::Cluster, Sync::Live));
        let before = inventory.clone();
        let touched = inventory.apply(Change::Pod(Delta::Upsert(pod(false))));
        assert_eq!(
            describe(&touched, &before).as_deref(),
            Some("pod shop/web-0 is not ready")
        );
    }
}
