//! The pure part of the engine: records in, graph, reports and layout out.

use std::{collections::BTreeSet, sync::Arc};

use imbl::OrdMap;
use jiff::Timestamp;

use crate::{
    check::{self, Report},
    inventory::{Change, Inventory, ObjectKey, Touched},
    layout::{self, Layout},
    topology::Topology,
};

/// Everything that is derived from what the cluster says.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) inventory: Inventory,
    pub(super) topology: Topology,
    pub(super) reports: OrdMap<ObjectKey, Arc<Report>>,
    pub(super) layout: Arc<Layout>,
    layout_is_old: bool,
    /// Services whose report says how long something lasts.
    timed: BTreeSet<ObjectKey>,
}

impl Model {
    /// Takes in a batch of changes at the cost of what they touch; says what they touched.
    pub(super) fn apply(
        &mut self,
        changes: impl IntoIterator<Item = Change>,
        now: Timestamp,
    ) -> Vec<Touched> {
        let mut touched = Vec::new();
        for change in changes {
            touched.append(&mut self.inventory.apply(change));
        }
        if touched.is_empty() {
            return touched;
        }
        let redrawn = self.topology.update(&self.inventory, &touched);
        self.layout_is_old |= !redrawn.is_empty();
        self.renew_reports(&redrawn, now);
        touched
    }

    /// Renews the reports that tell a duration; says whether one of them reads differently now.
    pub(super) fn renew_timed(&mut self, now: Timestamp) -> bool {
        let timed: Vec<_> = self.timed.iter().cloned().collect();
        let before = self.reports.clone();
        self.renew_reports(&timed, now);
        timed
            .iter()
            .any(|key| before.get(key) != self.reports.get(key))
    }

    /// Whether a report will read differently after a while although nothing changes.
    pub(super) fn is_timed(&self) -> bool {
        !self.timed.is_empty()
    }

    fn renew_reports(&mut self, services: &[ObjectKey], now: Timestamp) {
        check::update(
            &mut self.reports,
            &self.topology,
            &self.inventory,
            services,
            now,
        );
        for key in services {
            let timed = self
                .reports
                .get(key)
                .is_some_and(|report| check::changes_with_time(report));
            if timed {
                self.timed.insert(key.clone());
            } else {
                self.timed.remove(key);
            }
        }
    }

    /// Forgets everything: another cluster comes.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Brings the layout up to date; says whether it had to.
    pub(super) fn arrange(&mut self, options: &layout::Options) -> bool {
        if !std::mem::take(&mut self.layout_is_old) {
            return false;
        }
        let next = layout::arrange(&self.topology, options, Some(&self.layout));
        self.layout = Arc::new(next);
        true
    }
}
