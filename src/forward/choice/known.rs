//! How much the inventory can be trusted about an object.

use super::NoPod;
use crate::inventory::{Inventory, Kind, ObjectKey, PodRecord, Sync, Text};

/// Whether objects of a kind were listed whole, if not a moment ago.
pub(super) fn is_readable(inventory: &Inventory, kind: Kind, namespace: &Text) -> bool {
    matches!(
        inventory.sync(kind, namespace),
        Sync::Live | Sync::Polled { .. } | Sync::Stale { .. }
    )
}

/// What the inventory says of a pod that something else names.
pub(super) enum Known<'a> {
    Is(&'a PodRecord),
    Gone,
    Unreadable,
}

pub(super) fn known_pod<'a>(inventory: &'a Inventory, key: &ObjectKey) -> Known<'a> {
    match (
        inventory.pod(key),
        inventory.sync(Kind::Pod, &key.namespace),
    ) {
        (Some(pod), _) => Known::Is(pod),
        (None, Sync::Forbidden { .. } | Sync::Absent { .. }) => Known::Unreadable,
        (None, _) => Known::Gone,
    }
}

/// Why an object is not held: it does not exist, or nobody can know yet.
pub(super) fn absent(inventory: &Inventory, kind: Kind, key: &ObjectKey) -> NoPod {
    let word = if kind == Kind::Pod { "pod" } else { "Service" };
    if inventory.sync(kind, &key.namespace).is_current() {
        NoPod::refused(format!("{word} {key} does not exist"))
    } else {
        NoPod::waiting(unknown(inventory, kind, &key.namespace))
    }
}

pub(super) fn unknown(inventory: &Inventory, kind: Kind, namespace: &Text) -> String {
    let of = format!("the {kind} of namespace {namespace}");
    match inventory.sync(kind, namespace) {
        Sync::Syncing | Sync::Live | Sync::Polled { .. } => format!("{of} are not known yet"),
        Sync::Stale { reason, .. } => format!("{of} can't be read now: {reason}"),
        Sync::Forbidden { message } => format!("{of} may not be read: {message}"),
        Sync::Absent { reason } => format!("{of} are not watched: {reason}"),
    }
}
