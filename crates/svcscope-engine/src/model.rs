//! The pure part of the engine: records in; graph, reports and layout out.

use std::{sync::Arc, time::Instant};

use imbl::OrdMap;
use jiff::Timestamp;

use super::{
    AnalysisScope, MapView, PathTestStatus, Scene,
    map_state::{MapState, PinPositionMap},
};
use svcscope_check::{
    FindingHistory, PathTestReport, RuleSuppressions, ServiceChecks, ServiceReport,
};
use svcscope_model::{
    inventory::{
        self, ChangedRecord, Inventory, InventoryChange, ObjectKey, ResourceKind, SharedStr,
    },
    layout::MapPoint,
    topology::Topology,
};

/// Everything that is derived from what the cluster says, without I/O: the engine feeds it, and so
/// can a test or a benchmark.
#[derive(Debug, Default)]
pub struct ClusterModel {
    inventory: Inventory,
    topology: Topology,
    skips_checks: bool,
    checks: ServiceChecks,
    map_state: MapState,
    /// The last test of paths of each Service that has not changed since.
    path_tests: OrdMap<ObjectKey, Arc<PathTestStatus>>,
    history: FindingHistory,
    /// Whether all first lists are there that the checks ask for: what is found until then was
    /// there before.
    initial_lists_complete: bool,
    change_count: u64,
}

impl ClusterModel {
    /// A model of a cluster of which nothing is known yet.
    pub fn new(scope: &AnalysisScope) -> Self {
        Self {
            skips_checks: !scope.runs_checks(),
            ..Self::default()
        }
    }

    /// All records.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// What the checks say, by Service.
    pub fn reports(&self) -> &OrdMap<ObjectKey, Arc<ServiceReport>> {
        self.checks.reports()
    }

    /// Takes in a batch of changes at the cost of what they touch; says what they touched.
    pub fn apply(
        &mut self,
        changes: impl IntoIterator<Item = InventoryChange>,
        now: Timestamp,
    ) -> Vec<ChangedRecord> {
        let before = self.inventory.clone();
        let mut touched = Vec::new();
        for change in changes {
            touched.append(&mut self.inventory.apply(change));
        }
        if touched.is_empty() {
            return touched;
        }
        self.change_count += count_cluster_changes(&touched, &before);
        let mut redrawn = self.topology.update(&self.inventory, &touched);
        if !self.skips_checks {
            let differ = self.update_checks(&touched, &redrawn, now);
            redrawn.extend(differ);
            redrawn.sort();
            redrawn.dedup();
        }
        let reports = self.checks.reports();
        self.map_state
            .apply_changes(&self.topology, reports, &redrawn);
        let asks = |step: &ChangedRecord| {
            matches!(
                step,
                ChangedRecord::Sync(..) | ChangedRecord::Related { .. }
            )
        };
        if touched.iter().any(asks) {
            let wanted = inventory::needed_kinds(&self.inventory);
            let needed = ResourceKind::MAP_KINDS.into_iter().chain(wanted);
            self.initial_lists_complete = self.inventory.completeness_of(needed).is_listed();
        }
        let synced = touched
            .iter()
            .any(|step| matches!(step, ChangedRecord::Sync(..)));
        if synced
            && self
                .inventory
                .completeness_of(ResourceKind::MAP_KINDS)
                .is_listed()
        {
            self.map_state.complete_initial_lists();
        }
        touched
    }

    /// Runs the checks again that read what changed; the Services whose reports differ.
    fn update_checks(
        &mut self,
        touched: &[ChangedRecord],
        redrawn: &[ObjectKey],
        now: Timestamp,
    ) -> Vec<ObjectKey> {
        let before = self.checks.reports().clone();
        let checks = &mut self.checks;
        let differ = checks.apply_changes(&self.topology, &self.inventory, touched, redrawn, now);
        self.record_finding_history(&before, &differ, now);
        self.drop_outdated_path_tests();
        differ
    }

    /// Renews the reports that tell a duration; says whether one of them reads differently now.
    pub fn refresh_timed_reports(&mut self, now: Timestamp) -> bool {
        let told = self.checks.reports().clone();
        let checks = &mut self.checks;
        let differ = checks.rerun_time_dependent(&self.topology, &self.inventory, now);
        self.record_finding_history(&told, &differ, now);
        let reports = self.checks.reports();
        self.map_state
            .apply_changes(&self.topology, reports, &differ);
        !differ.is_empty()
    }

    /// Keeps what a test of paths found of a Service, until that is tested again or changes; says
    /// whether a report reads differently now.
    pub(super) fn record_path_test(
        &mut self,
        status: &PathTestStatus,
        result: PathTestReport,
        now: Timestamp,
    ) -> bool {
        let service = &status.request.service;
        if self
            .path_tests
            .get(service)
            .is_some_and(|earlier| !status.supersedes(earlier))
        {
            return false;
        }
        let told = self.checks.reports().clone();
        let (checks, topology) = (&mut self.checks, &self.topology);
        let differ = checks.record_path_test(service, result, topology, &self.inventory, now);
        self.path_tests
            .insert(service.clone(), Arc::new(status.clone()));
        self.drop_outdated_path_tests();
        self.record_finding_history(&told, &differ, now);
        let reports = self.checks.reports();
        self.map_state
            .apply_changes(&self.topology, reports, &differ);
        !differ.is_empty()
    }

    fn drop_outdated_path_tests(&mut self) {
        let keys = self
            .path_tests
            .keys()
            .filter(|key| !self.checks.has_path_test(key));
        for key in Vec::from_iter(keys.cloned()) {
            self.path_tests.remove(&key);
        }
    }

    /// Notes which findings came and went with these reports.
    fn record_finding_history(
        &mut self,
        before: &OrdMap<ObjectKey, Arc<ServiceReport>>,
        differ: &[ObjectKey],
        now: Timestamp,
    ) {
        let reports = self.checks.reports();
        for key in differ {
            let was = before.get(key).map(|report| &**report);
            let is = reports.get(key).map(|report| &**report);
            self.history
                .record_report(key, was, is, now, self.initial_lists_complete);
        }
    }

    /// Whether a report will read differently after a while although nothing changes.
    pub fn has_timed_reports(&self) -> bool {
        self.checks.has_time_dependent()
    }

    /// Suppresses these findings from now on, and no others; says whether a report reads
    /// differently now.
    pub fn suppress(&mut self, suppressions: RuleSuppressions, now: Timestamp) -> bool {
        let told = self.checks.reports().clone();
        let checks = &mut self.checks;
        let differ = checks.suppress(suppressions, &self.topology, &self.inventory, now);
        self.record_finding_history(&told, &differ, now);
        let reports = self.checks.reports();
        self.map_state
            .apply_changes(&self.topology, reports, &differ);
        !differ.is_empty()
    }

    /// Shows something else, or otherwise; says whether that is so.
    pub fn set_view(&mut self, view: MapView) -> bool {
        self.map_state
            .set_view(view, &self.topology, self.checks.reports())
    }

    /// Notes the shape of the window's map, for the next layout that is made afresh.
    pub fn set_aspect_ratio(&mut self, aspect: f32) {
        self.map_state.set_aspect_ratio(aspect);
    }

    /// Has everything laid out afresh for a map of this shape, without what was put somewhere by
    /// hand.
    pub fn reset_layout(&mut self, aspect: f32) {
        self.map_state.reset_layout(aspect);
    }

    /// Takes back the last tidying up; says what stands where it was put by hand again.
    pub fn undo_reset_layout(&mut self) -> Vec<(ObjectKey, MapPoint)> {
        self.map_state.undo_reset_layout()
    }

    /// Puts a Service with its family somewhere, or back; says of which other Services of the
    /// family the place is forgotten.
    pub fn pin(&mut self, service: &ObjectKey, at: Option<MapPoint>) -> Vec<ObjectKey> {
        self.map_state.pin(service, at)
    }

    /// What the user wants the map to show.
    pub fn view(&self) -> &MapView {
        self.map_state.view()
    }

    /// Takes over how the map of a cluster was left the last time, before anything of it is known.
    pub(super) fn restore_map(&mut self, view: MapView, pins: PinPositionMap) {
        self.clear();
        self.map_state.restore(view, pins);
        self.change_count = 0;
    }

    /// Brings the layout up to date; says whether it had to and could. While the first lists
    /// arrive it can't at any time: [`Self::layout_due`] says when.
    pub fn update_layout(&mut self) -> bool {
        self.map_state.update_layout()
    }

    /// When a layout that was put off may be made.
    pub fn layout_due(&self) -> Option<Instant> {
        self.map_state.next_layout_at()
    }

    /// Puts what is known now into a scene, at the cost of some counters.
    pub fn write_to_scene(&self, scene: &mut Scene) {
        scene.inventory = self.inventory.clone();
        scene.topology = self.topology.clone();
        scene.reports = self.checks.reports().clone();
        scene.path_tests = self.path_tests.clone();
        scene.history = self.history.clone();
        scene.layout = self.map_state.layout().clone();
        scene.map_view = self.map_state.view().clone();
        scene.filter_counts = self.map_state.filter_counts();
        scene.reset_pin_count = self.map_state.reset_pin_count();
        scene.change_count = self.change_count;
    }

    /// Forgets what the cluster said: another one comes, or other namespaces of it. What the user
    /// chose for the map stays.
    pub fn clear(&mut self) {
        self.map_state.clear();
        let suppressions = self.checks.suppressions().clone();
        let nothing = (Topology::default(), Inventory::default());
        *self = Self {
            checks: ServiceChecks::new(&nothing.0, &nothing.1, suppressions, Timestamp::UNIX_EPOCH),
            map_state: std::mem::take(&mut self.map_state),
            skips_checks: self.skips_checks,
            change_count: self.change_count,
            ..Self::default()
        };
    }
}

/// How many of these are changes of the cluster: what a first list, or the list after a lost
/// watch, brings was there before.
fn count_cluster_changes(touched: &[ChangedRecord], before: &Inventory) -> u64 {
    let was_known = |kind, namespace: &SharedStr| before.sync(kind, namespace).is_current();
    let is_change = |step: &&ChangedRecord| match step {
        ChangedRecord::Namespace(key) => was_known(ResourceKind::Namespace, &key.namespace),
        ChangedRecord::Service(key) => was_known(ResourceKind::Service, &key.namespace),
        ChangedRecord::Node(key) => was_known(ResourceKind::Node, &key.namespace),
        ChangedRecord::Pod { before, after } => before
            .as_ref()
            .or(after.as_ref())
            .is_some_and(|pod| was_known(ResourceKind::Pod, &pod.key.namespace)),
        ChangedRecord::EndpointSlice { before, after } => before
            .as_ref()
            .or(after.as_ref())
            .is_some_and(|slice| was_known(ResourceKind::EndpointSlice, &slice.key.namespace)),
        ChangedRecord::Related { before, after } => before
            .as_ref()
            .or(after.as_ref())
            .is_some_and(|object| was_known(object.kind(), &object.key().namespace)),
        ChangedRecord::Event(_) | ChangedRecord::NodePorts | ChangedRecord::Sync(..) => false,
    };
    touched.iter().filter(is_change).count() as u64
}

#[cfg(test)]
mod tests;
