//! What is found while kinds are listed again and again (`Sync::Polled`).
//!
//! Each list is of another moment, so that two kinds may contradict each other for as long as it
//! takes to list both again, and what is in neither may only be on its way. What rests on more than
//! one kind counts once it has outlived that.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Place, Rule, Severity, Verdict, report::Found};
use crate::inventory::{Inventory, Kind, ObjectKey, Sync, Text};

/// Since when something is found; none where that was told before, or with the first lists.
type Since = (&'static str, Place, Option<Timestamp>);

/// What is found of each Service while kinds are polled, as far as the time matters.
#[derive(Clone, Debug, Default)]
pub(super) struct Patience {
    /// The first lists were there before: what they brought is as old as it may be.
    pub settled: bool,
    since: BTreeMap<ObjectKey, Vec<Since>>,
}

impl Patience {
    /// Takes out what is known of one Service.
    pub fn take(&mut self, service: &ObjectKey, before: &[Found]) -> Waiting {
        let told = before.iter().filter(|found| !found.waits);
        Waiting {
            settled: self.settled,
            since: self.since.remove(service).unwrap_or_default(),
            told: told
                .map(|found| (found.rule.id, found.finding.place.clone()))
                .collect(),
        }
    }

    /// Puts it back.
    pub fn keep(&mut self, service: &ObjectKey, waiting: Waiting) {
        if !waiting.since.is_empty() {
            self.since.insert(service.clone(), waiting.since);
        }
    }
}

/// The same for one Service while its rules run.
#[derive(Debug)]
pub(super) struct Waiting {
    settled: bool,
    since: Vec<Since>,
    told: Vec<(&'static str, Place)>,
}

impl Waiting {
    /// Marks what a rule found that has to wait; says whether anything has. What it found before
    /// and finds no more begins anew.
    pub fn mark(
        &mut self,
        rule: &'static Rule,
        found: &mut [Found],
        patience: Option<SignedDuration>,
        now: Timestamp,
    ) -> bool {
        let (before, rest) = std::mem::take(&mut self.since)
            .into_iter()
            .partition::<Vec<_>, _>(|(id, ..)| *id == rule.id);
        self.since = rest;
        let Some(patience) = patience else {
            return false;
        };
        for one in &mut *found {
            if one.finding.severity == Severity::Note && rule.means < Verdict::Degraded {
                continue;
            }
            let place = &one.finding.place;
            let known = before.iter().find(|(_, at, _)| at == place);
            let was_told = || {
                self.told
                    .iter()
                    .any(|(id, at)| *id == rule.id && at == place)
            };
            let since = match known {
                Some((.., since)) => *since,
                None if !self.settled || was_told() => None,
                None => Some(now),
            };
            one.waits = since.is_some_and(|since| now.duration_since(since) < patience);
            self.since.push((rule.id, place.clone(), since));
        }
        found.iter().any(|one| one.waits)
    }
}

/// How long something has to be found by a rule until it counts: until each kind that it needs was
/// listed again, and once more. None where nothing of that is polled.
pub(super) fn patience(
    rule: &Rule,
    inventory: &Inventory,
    namespace: &Text,
) -> Option<SignedDuration> {
    if rule.needs.len() < 2 {
        return None;
    }
    let drawn = rule.needs.iter().filter(|kind| Kind::DRAWN.contains(kind));
    let polled = drawn.filter_map(|kind| match inventory.sync(*kind, namespace) {
        Sync::Polled { every, .. } => Some(*every),
        _ => None,
    });
    let twice = polled.max()?.saturating_mul(2);
    Some(SignedDuration::try_from(twice).unwrap_or(SignedDuration::MAX))
}
