//! The pure part of the engine: records in; graph, reports and layout out.

use std::{sync::Arc, time::Instant};

use imbl::OrdMap;
use jiff::Timestamp;

use super::{
    MapView, ReachStatus, Scene,
    drawn::{Drawn, Pins},
};
use crate::{
    check::{Checks, History, Report, Suppressions, TestResult},
    inventory::{self, Change, Inventory, Kind, ObjectKey, Text, Touched},
    layout::Point,
    topology::Topology,
};

/// Everything that is derived from what the cluster says, without I/O: the engine feeds it, and so
/// can a test or a benchmark.
#[derive(Debug, Default)]
pub struct Model {
    inventory: Inventory,
    topology: Topology,
    checks: Checks,
    drawn: Drawn,
    /// The last test of paths of each Service that has not changed since.
    tested: OrdMap<ObjectKey, Arc<ReachStatus>>,
    history: History,
    /// Whether all first lists are there that the checks ask for: what is found until then was
    /// there before.
    settled: bool,
    changes: u64,
}

impl Model {
    /// All records.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// What the checks say, by Service.
    pub fn reports(&self) -> &OrdMap<ObjectKey, Arc<Report>> {
        self.checks.reports()
    }

    /// Takes in a batch of changes at the cost of what they touch; says what they touched.
    pub fn apply(
        &mut self,
        changes: impl IntoIterator<Item = Change>,
        now: Timestamp,
    ) -> Vec<Touched> {
        let before = self.inventory.clone();
        let mut touched = Vec::new();
        for change in changes {
            touched.append(&mut self.inventory.apply(change));
        }
        if touched.is_empty() {
            return touched;
        }
        self.changes += count(&touched, &before);
        let mut redrawn = self.topology.update(&self.inventory, &touched);
        let told = self.checks.reports().clone();
        let checks = &mut self.checks;
        let differ = checks.follow(&self.topology, &self.inventory, &touched, &redrawn, now);
        self.remember(&told, &differ, now);
        self.forget_outdated();
        redrawn.extend(differ);
        redrawn.sort();
        redrawn.dedup();
        let reports = self.checks.reports();
        self.drawn.follow(&self.topology, reports, &redrawn);
        let asks = |step: &Touched| matches!(step, Touched::Sync(..) | Touched::Related { .. });
        if touched.iter().any(asks) {
            let wanted = inventory::wanted(&self.inventory);
            let needed = Kind::DRAWN.into_iter().chain(wanted);
            self.settled = self.inventory.completeness_of(needed).is_listed();
        }
        let synced = touched.iter().any(|step| matches!(step, Touched::Sync(..)));
        if synced && self.inventory.completeness_of(Kind::DRAWN).is_listed() {
            self.drawn.settle();
        }
        touched
    }

    /// Renews the reports that tell a duration; says whether one of them reads differently now.
    pub fn renew_timed(&mut self, now: Timestamp) -> bool {
        let told = self.checks.reports().clone();
        let checks = &mut self.checks;
        let differ = checks.renew_timed(&self.topology, &self.inventory, now);
        self.remember(&told, &differ, now);
        let reports = self.checks.reports();
        self.drawn.follow(&self.topology, reports, &differ);
        !differ.is_empty()
    }

    /// Keeps what a test of paths found of a Service, until that is tested again or changes; says
    /// whether a report reads differently now.
    pub(super) fn keep_test(
        &mut self,
        status: &ReachStatus,
        result: TestResult,
        now: Timestamp,
    ) -> bool {
        let service = &status.asked.service;
        if self
            .tested
            .get(service)
            .is_some_and(|earlier| !status.supersedes(earlier))
        {
            return false;
        }
        let told = self.checks.reports().clone();
        let (checks, topology) = (&mut self.checks, &self.topology);
        let differ = checks.keep_test(service, result, topology, &self.inventory, now);
        self.tested
            .insert(service.clone(), Arc::new(status.clone()));
        self.forget_outdated();
        self.remember(&told, &differ, now);
        let reports = self.checks.reports();
        self.drawn.follow(&self.topology, reports, &differ);
        !differ.is_empty()
    }

    fn forget_outdated(&mut self) {
        let keys = self.tested.keys().filter(|key| !self.checks.has_test(key));
        for key in Vec::from_iter(keys.cloned()) {
            self.tested.remove(&key);
        }
    }

    /// Notes which findings came and went with these reports.
    fn remember(
        &mut self,
        before: &OrdMap<ObjectKey, Arc<Report>>,
        differ: &[ObjectKey],
        now: Timestamp,
    ) {
        let reports = self.checks.reports();
        for key in differ {
            let was = before.get(key).map(|report| &**report);
            let is = reports.get(key).map(|report| &**report);
            self.history.follow(key, was, is, now, self.settled);
        }
    }

    /// Whether a report will read differently after a while although nothing changes.
    pub fn is_timed(&self) -> bool {
        self.checks.is_timed()
    }

    /// Suppresses these findings from now on, and no others; says whether a report reads
    /// differently now.
    pub fn suppress(&mut self, suppressions: Suppressions, now: Timestamp) -> bool {
        let told = self.checks.reports().clone();
        let checks = &mut self.checks;
        let differ = checks.suppress(suppressions, &self.topology, &self.inventory, now);
        self.remember(&told, &differ, now);
        let reports = self.checks.reports();
        self.drawn.follow(&self.topology, reports, &differ);
        !differ.is_empty()
    }

    /// Shows something else, or otherwise; says whether that is so.
    pub fn set_view(&mut self, view: MapView) -> bool {
        self.drawn
            .set_view(view, &self.topology, self.checks.reports())
    }

    /// Notes the shape of the window's map, for the next layout that is made afresh.
    pub fn set_aspect(&mut self, aspect: f32) {
        self.drawn.set_aspect(aspect);
    }

    /// Has everything laid out afresh for a map of this shape, without what was put somewhere by
    /// hand.
    pub fn tidy_up(&mut self, aspect: f32) {
        self.drawn.tidy_up(aspect);
    }

    /// Takes back the last tidying up; says what stands where it was put by hand again.
    pub fn untidy(&mut self) -> Vec<(ObjectKey, Point)> {
        self.drawn.untidy()
    }

    /// Puts a Service with its family somewhere, or back; says of which other Services of the
    /// family the place is forgotten.
    pub fn pin(&mut self, service: &ObjectKey, at: Option<Point>) -> Vec<ObjectKey> {
        self.drawn.pin(service, at)
    }

    /// What a person wants the map to show.
    pub fn view(&self) -> &MapView {
        self.drawn.view()
    }

    /// Takes over how the map of a cluster was left the last time, before anything of it is known.
    pub(super) fn recall(&mut self, view: MapView, pins: Pins) {
        self.clear();
        self.drawn.recall(view, pins);
        self.changes = 0;
    }

    /// Brings the layout up to date; says whether it had to and could. While the first lists
    /// arrive it can't at any time: [`Self::layout_due`] says when.
    pub fn arrange(&mut self) -> bool {
        self.drawn.arrange()
    }

    /// When a layout that was put off may be made.
    pub fn layout_due(&self) -> Option<Instant> {
        self.drawn.due()
    }

    /// Puts what is known now into a scene, at the cost of some counters.
    pub fn show(&self, scene: &mut Scene) {
        scene.inventory = self.inventory.clone();
        scene.topology = self.topology.clone();
        scene.reports = self.checks.reports().clone();
        scene.tested = self.tested.clone();
        scene.history = self.history.clone();
        scene.layout = self.drawn.layout().clone();
        scene.map_view = self.drawn.view().clone();
        scene.shown = self.drawn.shown();
        scene.tidied = self.drawn.tidied();
        scene.changes = self.changes;
    }

    /// Forgets what the cluster said: another one comes, or other namespaces of it. What a person
    /// chose for the map stays.
    pub fn clear(&mut self) {
        self.drawn.clear();
        let suppressions = self.checks.suppressions().clone();
        let nothing = (Topology::default(), Inventory::default());
        *self = Self {
            checks: Checks::new(&nothing.0, &nothing.1, suppressions, Timestamp::UNIX_EPOCH),
            drawn: std::mem::take(&mut self.drawn),
            changes: self.changes,
            ..Self::default()
        };
    }
}

/// How many of these are changes of the cluster: what a first list, or the list after a lost
/// watch, brings was there before.
fn count(touched: &[Touched], before: &Inventory) -> u64 {
    let was_known = |kind, namespace: &Text| before.sync(kind, namespace).is_current();
    let is_change = |step: &&Touched| match step {
        Touched::Namespace(key) => was_known(Kind::Namespace, &key.namespace),
        Touched::Service(key) => was_known(Kind::Service, &key.namespace),
        Touched::Node(key) => was_known(Kind::Node, &key.namespace),
        Touched::Pod { before, after } => before
            .as_ref()
            .or(after.as_ref())
            .is_some_and(|pod| was_known(Kind::Pod, &pod.key.namespace)),
        Touched::EndpointSlice { before, after } => before
            .as_ref()
            .or(after.as_ref())
            .is_some_and(|slice| was_known(Kind::EndpointSlice, &slice.key.namespace)),
        Touched::Related { before, after } => before
            .as_ref()
            .or(after.as_ref())
            .is_some_and(|object| was_known(object.kind(), &object.key().namespace)),
        Touched::Event(_) | Touched::NodePorts | Touched::Sync(..) => false,
    };
    touched.iter().filter(is_change).count() as u64
}

#[cfg(test)]
mod tests;
