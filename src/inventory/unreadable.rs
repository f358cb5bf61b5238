//! Objects that the API server sent and that can't be read, whole or in part. They cost themselves and
//! not their kind; but what is not known of them is no absence.

use super::{Inventory, Kind, ObjectKey, Text};

/// What of an object can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Why, in words.
    pub reason: Text,
    /// Nothing of it is held, so that it is missing wherever it is looked for.
    pub is_missing: bool,
}

/// So many are told of each kind.
const TOLD: usize = 3;

impl Inventory {
    /// The objects of a kind that can't be read, of the scopes that are watched.
    pub fn unreadable(&self, kind: Kind) -> impl Iterator<Item = (&ObjectKey, &Unreadable)> {
        let watched = self.watched(kind).map(|(scope, _)| scope);
        watched.flat_map(move |scope| self.unreadable_in(kind, scope))
    }

    /// Which objects of these kinds can't be read, in sentences.
    pub fn unreadable_in_words(&self, kinds: impl IntoIterator<Item = Kind>) -> Vec<String> {
        let mut said = Vec::new();
        for kind in kinds {
            let all: Vec<_> = self.unreadable(kind).collect();
            for (key, found) in all.iter().take(TOLD) {
                let Unreadable { reason, is_missing } = found;
                said.push(if *is_missing {
                    format!("{key} of the {kind} can't be read and is missing: {reason}")
                } else {
                    format!("{key} of the {kind} can't be read whole: {reason}")
                });
            }
            if let Some(more) = all.len().checked_sub(TOLD).filter(|more| *more > 0) {
                said.push(format!("{more} more of the {kind} can't be read"));
            }
        }
        said
    }

    /// Whether an object of a kind is missing in a namespace, because it can't be read.
    pub(super) fn lacks_in(&self, kind: Kind, namespace: &Text) -> bool {
        let mut all = self.unreadable(kind);
        all.any(|(key, found)| found.is_missing && key.namespace == *namespace)
    }
}
