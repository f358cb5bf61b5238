//! How much the inventory can be trusted about an object.

use super::NoPod;
use crate::inventory::{Completeness, Inventory, Kind, ObjectKey, PodRecord, Text};

/// Whether objects of a kind were listed whole, if not a moment ago.
pub(super) fn is_readable(inventory: &Inventory, kind: Kind, namespace: &Text) -> bool {
    inventory.unseen(kind, namespace).is_none()
}

/// What the inventory says of a pod that something else names.
pub(super) enum Known<'a> {
    Is(&'a PodRecord),
    Gone,
    /// It may be there: pods are not listed yet.
    Unlisted,
    /// Pods can't be read at all.
    Unreadable,
}

pub(super) fn known_pod<'a>(inventory: &'a Inventory, key: &ObjectKey) -> Known<'a> {
    match (
        inventory.pod(key),
        inventory.completeness_in(Kind::Pod, &key.namespace),
    ) {
        (Some(pod), _) => Known::Is(pod),
        (None, Completeness::Live | Completeness::Polled | Completeness::Stale) => Known::Gone,
        (None, Completeness::Unlisted) => Known::Unlisted,
        (None, Completeness::Partial) => Known::Unreadable,
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
    inventory.unseen(kind, namespace).unwrap_or_else(|| {
        let of = format!("the {kind} of namespace {namespace}");
        match inventory.sync(kind, namespace).reason() {
            Some(reason) => format!("{of} can't be read now: {reason}"),
            None => format!("{of} are not listed yet"),
        }
    })
}
