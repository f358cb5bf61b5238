//! How much the inventory can be trusted about an object.

use super::NoEndpointReason;
use svcscope_model::inventory::{
    Inventory, ListCompleteness, ObjectKey, PodRecord, ResourceKind, SharedStr, SyncState,
};

/// Whether objects of a kind were listed whole, if not a moment ago.
pub(super) fn is_readable(
    inventory: &Inventory,
    kind: ResourceKind,
    namespace: &SharedStr,
) -> bool {
    inventory.why_unknown(kind, namespace).is_none()
}

/// What the inventory says of a pod that something else names.
pub(super) enum PodLookup<'a> {
    Present(&'a PodRecord),
    Absent,
    /// It may be there: pods are not listed yet.
    Unlisted,
    /// Pods can't be read at all.
    Unreadable,
}

pub(super) fn look_up_pod<'a>(inventory: &'a Inventory, key: &ObjectKey) -> PodLookup<'a> {
    match (
        inventory.pod(key),
        inventory.completeness_in(ResourceKind::Pod, &key.namespace),
    ) {
        (Some(pod), _) => PodLookup::Present(pod),
        (None, ListCompleteness::Live | ListCompleteness::Polled | ListCompleteness::Stale) => {
            PodLookup::Absent
        }
        (None, ListCompleteness::Unlisted) => PodLookup::Unlisted,
        (None, ListCompleteness::Partial) => PodLookup::Unreadable,
    }
}

/// Why an object is not held: it does not exist, or nobody can know yet.
pub(super) fn absent(
    inventory: &Inventory,
    kind: ResourceKind,
    key: &ObjectKey,
) -> NoEndpointReason {
    let word = if kind == ResourceKind::Pod {
        "pod"
    } else {
        "Service"
    };
    if is_readable(inventory, kind, &key.namespace)
        && inventory.sync(kind, &key.namespace).is_current()
    {
        NoEndpointReason::refused(format!("{word} {key} does not exist"))
    } else {
        not_visible(inventory, &[kind], &key.namespace)
    }
}

/// Why nothing is known of the objects of these kinds, of which one would do. Where all are refused no
/// waiting helps.
pub(super) fn not_visible(
    inventory: &Inventory,
    kinds: &[ResourceKind],
    namespace: &SharedStr,
) -> NoEndpointReason {
    let is_refused = |kind: &ResourceKind| {
        matches!(
            inventory.sync(*kind, namespace),
            SyncState::Forbidden { .. }
        )
    };
    let is_open = |kind: &&ResourceKind| !is_refused(kind);
    let told = kinds.iter().find(is_open).or_else(|| kinds.first());
    let words = told.map(|kind| not_visible_reason(inventory, *kind, namespace));
    let words = words.unwrap_or_default();
    if kinds.iter().all(is_refused) {
        NoEndpointReason::refused(words)
    } else {
        NoEndpointReason::waiting(words)
    }
}

pub(super) fn not_visible_reason(
    inventory: &Inventory,
    kind: ResourceKind,
    namespace: &SharedStr,
) -> String {
    inventory.why_unknown(kind, namespace).unwrap_or_else(|| {
        let of = format!("the {kind} of namespace {namespace}");
        match inventory.sync(kind, namespace).reason() {
            Some(reason) => format!("{of} can't be read now: {reason}"),
            None => format!("{of} are not listed yet"),
        }
    })
}
