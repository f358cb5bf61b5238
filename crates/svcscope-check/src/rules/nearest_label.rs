//! The label that a selector which matches nothing probably means.

use std::{cmp::Reverse, collections::BTreeMap, fmt};

use super::{RuleContext, words::pods};
use svcscope_model::inventory::SharedStr;

/// Values less alike than this (Jaro-Winkler, 1 is equal) are different words, not misspelled ones.
const MIN_SIMILARITY: f64 = 0.75;

/// A label that pods do have, and how many.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NearestLabel<'a> {
    /// The key of the selector's pair that pods don't have.
    pub missed: &'a SharedStr,
    pub key: &'a SharedStr,
    pub value: &'a SharedStr,
    pods: usize,
}

/// `app=orphan-worker (2 pods)`.
impl fmt::Display for NearestLabel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={} ({})", self.key, self.value, pods(self.pods))
    }
}

/// The nearest label: the same value under another key (`run` for `app`), else another value of the
/// same key on pods that match all the rest of the selector. With no rest to match, the value must
/// be alike.
pub(super) fn find<'a>(case: &RuleContext<'a>) -> Option<NearestLabel<'a>> {
    let service = case.service();
    let mut counts: BTreeMap<(&SharedStr, &SharedStr, &SharedStr), (f64, usize)> = BTreeMap::new();
    for pod in case.inventory.pods_in(&service.key.namespace) {
        if !pod.is_active() {
            continue;
        }
        let mut missed = service
            .selector
            .iter()
            .filter(|(key, value)| pod.labels.get(*key) != Some(*value));
        // Only pods that all but one pair of the selector match are near.
        let (Some((key, value)), None) = (missed.next(), missed.next()) else {
            continue;
        };
        for (other_key, other_value) in &pod.labels {
            let likeness = if other_key == key {
                let alike = likeness(value, other_value);
                (alike >= MIN_SIMILARITY || service.selector.len() > 1).then_some(alike)
            } else {
                (other_value == value && !service.selector.contains_key(other_key)).then_some(1.0)
            };
            if let Some(likeness) = likeness {
                counts
                    .entry((other_key, other_value, key))
                    .or_insert((likeness, 0))
                    .1 += 1;
            }
        }
    }
    counts
        .into_iter()
        .min_by(|(a, (alike_a, count_a)), (b, (alike_b, count_b))| {
            alike_b
                .total_cmp(alike_a)
                .then(Reverse(count_a).cmp(&Reverse(count_b)))
                .then(a.cmp(b))
        })
        .map(|((key, value, missed), (_, pods))| NearestLabel {
            missed,
            key,
            value,
            pods,
        })
}

/// How alike two values are, 1 is equal. One letter more, less, other or swapped is a slip in words
/// of any length that Jaro-Winkler has no measure for.
fn likeness(value: &str, other: &str) -> f64 {
    let alike = strsim::jaro_winkler(value, other);
    let is_slip = value.len() > 2 && strsim::osa_distance(value, other) == 1;
    if is_slip { alike.max(0.9) } else { alike }
}
