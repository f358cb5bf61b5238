//! The pods that carry a label, so that a selector costs what it matches and not what the
//! namespace holds.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use imbl::OrdSet;

use super::{ObjectKey, PodRecord, SharedStr};

/// Pods by the fingerprint of namespace, label key and label value.
///
/// Two pairs may share a fingerprint: whoever asks compares the labels themselves after. One flat
/// set, because a set for each label would cost a kilobyte each and many labels are unique to a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LabelIndex(OrdSet<(u64, ObjectKey)>);

impl LabelIndex {
    /// Follows a pod from what it was to what it is.
    pub(super) fn follow(&mut self, before: Option<&PodRecord>, after: Option<&PodRecord>) {
        if let (Some(before), Some(after)) = (before, after)
            && before.labels == after.labels
        {
            return;
        }
        for entry in before.into_iter().flat_map(entries) {
            self.0.remove(&entry);
        }
        for entry in after.into_iter().flat_map(entries) {
            self.0.insert(entry);
        }
    }

    /// A superset of the pods that have all these labels: those that have the rarest of them.
    pub(super) fn candidates(
        &self,
        namespace: &str,
        labels: &BTreeMap<SharedStr, SharedStr>,
    ) -> Vec<&ObjectKey> {
        let mut lists: Vec<_> = labels
            .iter()
            .map(|(key, value)| {
                let wanted = fingerprint(namespace, key, value);
                let from = (wanted, ObjectKey::new("", ""));
                let pods = self
                    .0
                    .range(from..)
                    .take_while(move |(found, _)| *found == wanted);
                (pods, Vec::new())
            })
            .collect();
        // All lists are read in step, so that the shortest decides what it costs.
        loop {
            for (pods, seen) in &mut lists {
                match pods.next() {
                    Some((_, pod)) => seen.push(pod),
                    None => return std::mem::take(seen),
                }
            }
            if lists.is_empty() {
                return Vec::new();
            }
        }
    }
}

fn entries(pod: &PodRecord) -> impl Iterator<Item = (u64, ObjectKey)> {
    pod.labels
        .iter()
        .map(|(key, value)| (fingerprint(&pod.key.namespace, key, value), pod.key.clone()))
}

fn fingerprint(namespace: &str, key: &str, value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (namespace, key, value).hash(&mut hasher);
    hasher.finish()
}
