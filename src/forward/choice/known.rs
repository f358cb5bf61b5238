//! How much the inventory can be trusted about an object.

use super::NoPod;
use crate::inventory::{Completeness, Inventory, Kind, ObjectKey, PodRecord, Sync, Text};

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
    if is_readable(inventory, kind, &key.namespace)
        && inventory.sync(kind, &key.namespace).is_current()
    {
        NoPod::refused(format!("{word} {key} does not exist"))
    } else {
        unseen(inventory, &[kind], &key.namespace)
    }
}

/// Why nothing is known of the objects of these kinds, of which one would do. Where all are refused no
/// waiting helps.
pub(super) fn unseen(inventory: &Inventory, kinds: &[Kind], namespace: &Text) -> NoPod {
    let is_refused =
        |kind: &Kind| matches!(inventory.sync(*kind, namespace), Sync::Forbidden { .. });
    let is_open = |kind: &&Kind| !is_refused(kind);
    let told = kinds.iter().find(is_open).or_else(|| kinds.first());
    let words = told.map(|kind| unknown(inventory, *kind, namespace));
    let words = words.unwrap_or_default();
    if kinds.iter().all(is_refused) {
        NoPod::refused(words)
    } else {
        NoPod::waiting(words)
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
