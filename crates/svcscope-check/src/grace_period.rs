//! What is found while kinds are listed again and again (`SyncState::Polled`).
//!
//! Each list is of another moment, so that two kinds may contradict each other for as long as it
//! takes to list both again, and what is in neither may only be on its way. What rests on more than
//! one kind counts once it has outlived that.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{CheckRule, FindingLocation, Health, Severity, report::RuleFinding};
use svcscope_model::inventory::{Inventory, ObjectKey, ResourceKind, SharedStr, SyncState};

/// Since when something is found; none where that was told before, or with the first lists.
type FindingFirstSeen = (&'static str, FindingLocation, Option<Timestamp>);

/// What is found of each Service while kinds are polled, as far as the time matters.
#[derive(Clone, Debug, Default)]
pub(super) struct PollingGracePeriods {
    /// The first lists were there before: what they brought is as old as it may be.
    pub settled: bool,
    first_seen: BTreeMap<ObjectKey, Vec<FindingFirstSeen>>,
}

impl PollingGracePeriods {
    /// Takes out what is known of one Service.
    pub fn take(&mut self, service: &ObjectKey, before: &[RuleFinding]) -> ServiceGracePeriods {
        let told = before.iter().filter(|found| !found.in_grace_period);
        ServiceGracePeriods {
            settled: self.settled,
            first_seen: self.first_seen.remove(service).unwrap_or_default(),
            reported: told
                .map(|found| (found.rule.id, found.finding.location.clone()))
                .collect(),
        }
    }

    /// Puts it back.
    pub fn put_back(&mut self, service: &ObjectKey, waiting: ServiceGracePeriods) {
        if !waiting.first_seen.is_empty() {
            self.first_seen.insert(service.clone(), waiting.first_seen);
        }
    }
}

/// The same for one Service while its rules run.
#[derive(Debug)]
pub(super) struct ServiceGracePeriods {
    settled: bool,
    first_seen: Vec<FindingFirstSeen>,
    reported: Vec<(&'static str, FindingLocation)>,
}

impl ServiceGracePeriods {
    /// Marks what a rule found that has to wait; says whether anything has. What it found before
    /// and finds no more begins anew.
    pub fn apply(
        &mut self,
        rule: &'static CheckRule,
        found: &mut [RuleFinding],
        patience: Option<SignedDuration>,
        now: Timestamp,
    ) -> bool {
        let (before, rest) = std::mem::take(&mut self.first_seen)
            .into_iter()
            .partition::<Vec<_>, _>(|(id, ..)| *id == rule.id);
        self.first_seen = rest;
        let Some(patience) = patience else {
            return false;
        };
        for one in &mut *found {
            if one.finding.severity == Severity::Note && rule.implied_health < Health::Degraded {
                continue;
            }
            let place = &one.finding.location;
            let known = before.iter().find(|(_, at, _)| at == place);
            let was_told = || {
                self.reported
                    .iter()
                    .any(|(id, at)| *id == rule.id && at == place)
            };
            let since = match known {
                Some((.., since)) => *since,
                None if !self.settled || was_told() => None,
                None => Some(now),
            };
            one.in_grace_period = since.is_some_and(|since| now.duration_since(since) < patience);
            self.first_seen.push((rule.id, place.clone(), since));
        }
        found.iter().any(|one| one.in_grace_period)
    }
}

/// How long something has to be found by a rule until it counts: until each kind that it needs was
/// listed again, and once more. None where nothing of that is polled.
pub(super) fn grace_period(
    rule: &CheckRule,
    inventory: &Inventory,
    namespace: &SharedStr,
) -> Option<SignedDuration> {
    if rule.required_kinds.len() < 2 {
        return None;
    }
    let drawn = rule
        .required_kinds
        .iter()
        .filter(|kind| ResourceKind::MAP_KINDS.contains(kind));
    let polled = drawn.filter_map(|kind| match inventory.sync(*kind, namespace) {
        SyncState::Polled { every, .. } => Some(*every),
        _ => None,
    });
    let twice = polled.max()?.saturating_mul(2);
    Some(SignedDuration::try_from(twice).unwrap_or(SignedDuration::MAX))
}
