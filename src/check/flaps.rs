//! How often pods turned ready or not ready lately: the one thing that the records don't say.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::inventory::{ObjectKey, Touched};

/// How far back turns count.
pub(super) const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// More turns of a pod than this are not counted.
const KEPT: usize = 32;

/// The turns of each pod within the window.
#[derive(Clone, Debug, Default)]
pub(super) struct Flaps(BTreeMap<ObjectKey, VecDeque<Timestamp>>);

impl Flaps {
    /// Takes in a change that happened at `now`.
    pub fn follow(&mut self, touched: &[Touched], now: Timestamp) {
        for step in touched {
            match step {
                Touched::Pod {
                    before: Some(before),
                    after: Some(after),
                } if before.ready != after.ready && before.uid == after.uid => {
                    let turns = self.0.entry(after.key.clone()).or_default();
                    turns.push_back(now);
                    while turns.len() > KEPT
                        || turns
                            .front()
                            .is_some_and(|first| now.duration_since(*first) >= WINDOW)
                    {
                        turns.pop_front();
                    }
                }
                Touched::Pod {
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
    pub fn turns(&self, pod: &ObjectKey, now: Timestamp) -> usize {
        let turns = self.0.get(pod).into_iter().flatten();
        turns.filter(|at| now.duration_since(**at) < WINDOW).count()
    }
}
