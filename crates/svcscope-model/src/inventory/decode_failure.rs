//! Objects that the API server sent and that can't be read, whole or in part. They cost themselves and
//! not their kind; but what is not known of them is no absence.

use super::{Inventory, ObjectKey, ResourceKind, SharedStr};

/// What of an object can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeFailure {
    /// Why, in words.
    pub reason: SharedStr,
    /// Nothing of it is held, so that it is missing wherever it is looked for.
    pub is_missing: bool,
}

/// So many are told of each kind.
const MAX_LISTED: usize = 3;

impl Inventory {
    /// The objects of a kind that can't be read, of the scopes that are watched.
    pub fn unreadable(
        &self,
        kind: ResourceKind,
    ) -> impl Iterator<Item = (&ObjectKey, &DecodeFailure)> {
        let watched = self.watched_scopes(kind).map(|(scope, _)| scope);
        watched.flat_map(move |scope| self.unreadable_in(kind, scope))
    }

    /// Which objects of these kinds can't be read, in sentences.
    pub fn unreadable_messages(
        &self,
        kinds: impl IntoIterator<Item = ResourceKind>,
    ) -> Vec<String> {
        let mut said = Vec::new();
        for kind in kinds {
            let all: Vec<_> = self.unreadable(kind).collect();
            for (key, found) in all.iter().take(MAX_LISTED) {
                let DecodeFailure { reason, is_missing } = found;
                said.push(if *is_missing {
                    format!("{key} of the {kind} can't be read and is missing: {reason}")
                } else {
                    format!("{key} of the {kind} can't be read whole: {reason}")
                });
            }
            if let Some(more) = all.len().checked_sub(MAX_LISTED).filter(|more| *more > 0) {
                said.push(format!("{more} more of the {kind} can't be read"));
            }
        }
        said
    }

    /// Whether an object of a kind is missing in a namespace, because it can't be read.
    pub(super) fn has_missing_in(&self, kind: ResourceKind, namespace: &SharedStr) -> bool {
        let mut all = self.unreadable(kind);
        all.any(|(key, found)| found.is_missing && key.namespace == *namespace)
    }
}
