//! How often pods turned ready or not ready lately: the one thing that the records don't say.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use svcscope_model::inventory::{ChangedRecord, ObjectKey};

/// How far back turns count.
pub(super) const FLAP_WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// More turns of a pod than this are not counted.
const MAX_FLAPS: usize = 32;

/// The turns of each pod within the window.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadinessFlaps(BTreeMap<ObjectKey, VecDeque<Timestamp>>);

impl ReadinessFlaps {
    /// Takes in a change that happened at `now`.
    pub fn apply_changes(&mut self, touched: &[ChangedRecord], now: Timestamp) {
        for step in touched {
            match step {
                ChangedRecord::Pod {
                    before: Some(before),
                    after: Some(after),
                } if before.ready != after.ready && before.uid == after.uid => {
                    let turns = self.0.entry(after.key.clone()).or_default();
                    turns.push_back(now);
                    while turns.len() > MAX_FLAPS
                        || turns
                            .front()
                            .is_some_and(|first| now.duration_since(*first) >= FLAP_WINDOW)
                    {
                        turns.pop_front();
                    }
                }
                ChangedRecord::Pod {
                    before: Some(before),
                    after: None,
                } => {
                    self.0.remove(&before.key);
                }
                _ => {}
            }
        }
    }

    /// How often a pod turned in the window before `now`.
    pub fn flap_count(&self, pod: &ObjectKey, now: Timestamp) -> usize {
        let turns = self.0.get(pod).into_iter().flatten();
        turns
            .filter(|at| now.duration_since(**at) < FLAP_WINDOW)
            .count()
    }
}
