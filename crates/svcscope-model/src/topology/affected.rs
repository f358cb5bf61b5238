//! Which Services a change concerns.

mod related;

use std::{collections::BTreeSet, sync::Arc};

use super::{EntryPointKind, Topology};
use crate::inventory::{ChangedRecord, Inventory, ObjectKey, PodRecord, WatchScope, selector};

/// The Services whose traffic, or what the checks say of it, may be different after a change.
pub(super) fn affected(
    topology: &Topology,
    inventory: &Inventory,
    touched: &[ChangedRecord],
) -> BTreeSet<ObjectKey> {
    let mut found = BTreeSet::new();
    let mut nodes = false;
    for touched in touched {
        match touched {
            ChangedRecord::Service(key) | ChangedRecord::Event(key) => {
                found.insert(key.clone());
            }
            ChangedRecord::EndpointSlice { before, after } => found.extend(
                [before, after]
                    .into_iter()
                    .flatten()
                    .filter_map(|slice| slice.service_key()),
            ),
            ChangedRecord::Pod { before, after } => {
                of_pod(
                    topology,
                    inventory,
                    before.as_ref(),
                    after.as_ref(),
                    &mut found,
                );
            }
            ChangedRecord::Node(_) | ChangedRecord::NodePorts => nodes = true,
            ChangedRecord::Related { before, after } => {
                for object in [before, after].into_iter().flatten() {
                    related::of_object(object, inventory, &mut found);
                }
            }
            ChangedRecord::Sync(kind, scope) => match related::of_sync(*kind, inventory) {
                Some(concerned) => found.extend(concerned),
                None => found.extend(in_scope(topology, scope)),
            },
            // Gateways choose by its labels whose routes they take.
            ChangedRecord::Namespace(_) => found.extend(inventory.referenced_services().cloned()),
        }
    }
    if nodes {
        found.extend(at_nodes(topology));
    }
    found
}

fn of_pod(
    topology: &Topology,
    inventory: &Inventory,
    before: Option<&Arc<PodRecord>>,
    after: Option<&Arc<PodRecord>>,
    found: &mut BTreeSet<ObjectKey>,
) {
    let Some(key) = before.or(after).map(|pod| &pod.key) else {
        return;
    };
    found.extend(topology.services_of_pod(key).cloned());
    for service in inventory.services_in(&key.namespace) {
        let selects = |pod: &Arc<PodRecord>| selector::matches(&service.selector, &pod.labels);
        if before.is_some_and(selects) || after.is_some_and(selects) {
            found.insert(service.key.clone());
        }
    }
    // A selector that matches nothing is compared with every pod's labels to find the nearest.
    let seen_by_others = |pod: &'_ Arc<PodRecord>| (pod.labels.clone(), pod.is_active());
    if before.map(seen_by_others) != after.map(seen_by_others) {
        found.extend(topology.unmatched_in(&key.namespace).cloned());
    }
}

fn at_nodes(topology: &Topology) -> impl Iterator<Item = ObjectKey> {
    topology
        .services()
        .filter(|traffic| {
            traffic
                .entry_points
                .iter()
                .any(|entry| entry.id.kind == EntryPointKind::NodePort)
        })
        .map(|traffic| traffic.service.key.clone())
}

fn in_scope<'a>(
    topology: &'a Topology,
    scope: &'a WatchScope,
) -> impl Iterator<Item = ObjectKey> + 'a {
    topology
        .services()
        .map(|traffic| &traffic.service.key)
        .filter(|key| scope.holds(&key.namespace))
        .cloned()
}
