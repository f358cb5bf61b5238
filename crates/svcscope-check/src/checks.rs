//! The reports of all Services, kept up to date from changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use imbl::OrdMap;
use jiff::Timestamp;

use super::{
    CheckRule, Health, PathTestReport, RuleSuppressions, ServiceReport,
    cross_references::{CrossReferenceIndex, peers},
    grace_period::{PollingGracePeriods, ServiceGracePeriods, grace_period},
    path_tests::{PathTestStore, path_fingerprint},
    readiness_flaps::ReadinessFlaps,
    report::{PortHealth, RuleFinding, build_report, visible_findings},
    rule::{ReadSet, RuleFunction},
    rule_context::{CheckInputs, DataReliability, MissingService, RuleContext},
    rules,
};
use svcscope_model::inventory::{ChangedRecord, Inventory, ObjectKey, ResourceKind};
use svcscope_model::topology::{ServiceTraffic, Topology};

/// All reports and what it takes to follow a change at the cost of what it touches: a rule runs
/// again only where a kind changed that it reads, or where it has said that time matters.
#[derive(Clone, Debug, Default)]
pub struct ServiceChecks {
    reports: OrdMap<ObjectKey, Arc<ServiceReport>>,
    results: BTreeMap<ObjectKey, RuleResults>,
    index: CrossReferenceIndex,
    readiness_flaps: ReadinessFlaps,
    grace_periods: PollingGracePeriods,
    path_tests: PathTestStore,
    suppressions: RuleSuppressions,
    time_dependent: BTreeSet<ObjectKey>,
}

/// What was found of a Service, before some of it is left untold.
#[derive(Clone, Debug, Default)]
struct RuleResults {
    findings: Vec<RuleFinding>,
    /// Rules to which the time matters.
    time_dependent_rules: Vec<&'static str>,
    /// Services that share pods with it.
    peers: Vec<ObjectKey>,
}

impl ServiceChecks {
    /// The reports of everything that there is.
    pub fn new(
        topology: &Topology,
        inventory: &Inventory,
        suppressions: RuleSuppressions,
        now: Timestamp,
    ) -> Self {
        let history = Default::default();
        Self::with_history(topology, inventory, suppressions, history, now)
    }

    /// The same where something is known of the time before.
    pub(super) fn with_history(
        topology: &Topology,
        inventory: &Inventory,
        suppressions: RuleSuppressions,
        (flaps, patience): (ReadinessFlaps, PollingGracePeriods),
        now: Timestamp,
    ) -> Self {
        let mut checks = Self {
            index: CrossReferenceIndex::new(inventory),
            readiness_flaps: flaps,
            grace_periods: patience,
            suppressions,
            ..Self::default()
        };
        let services = topology
            .services()
            .map(|traffic| &traffic.service.key)
            .chain(inventory.services_with_slices())
            .chain(inventory.referenced_services());
        let work = services.map(|key| (key.clone(), ReadSet::ALL)).collect();
        checks.run(topology, inventory, work, now);
        checks
    }

    /// What the checks say, by Service. A name that something speaks of though no such Service
    /// exists has a report too.
    pub fn reports(&self) -> &OrdMap<ObjectKey, Arc<ServiceReport>> {
        &self.reports
    }

    /// Follows a change: what it touched, and the Services that [`Topology::update`] named. Says
    /// whose report reads differently now, sorted.
    pub fn apply_changes(
        &mut self,
        topology: &Topology,
        inventory: &Inventory,
        touched: &[ChangedRecord],
        changed: &[ObjectKey],
        now: Timestamp,
    ) -> Vec<ObjectKey> {
        let reads = touched
            .iter()
            .map(|step| ReadSet::of(kind(step)))
            .fold(ReadSet::default(), ReadSet::and);
        let mut work: BTreeMap<_, _> = changed.iter().map(|key| (key.clone(), reads)).collect();
        let mut ask = |key: &ObjectKey, reads: ReadSet| {
            let asked = work.entry(key.clone()).or_default();
            *asked = asked.and(reads);
        };
        for key in self.index.apply_changes(inventory, touched, changed) {
            ask(&key, ReadSet::OTHER_SERVICES);
        }
        self.readiness_flaps.apply_changes(touched, now);
        for key in changed {
            let before = self
                .results
                .get(key)
                .into_iter()
                .flat_map(|kept| &kept.peers);
            for peer in before.chain(&peers(topology, key)) {
                ask(peer, ReadSet::OTHER_SERVICES);
            }
        }
        for step in touched {
            match step {
                ChangedRecord::Node(_) => {
                    for traffic in topology.services() {
                        ask(&traffic.service.key, ReadSet::of(ResourceKind::Node));
                    }
                }
                // Those whom it concerns are among the changed.
                ChangedRecord::Sync(kind, _) if kind.is_on_demand() => {}
                ChangedRecord::Sync(kind, scope) => {
                    let named = inventory
                        .services_with_slices()
                        .chain(inventory.referenced_services());
                    let held = self.results.keys().chain(named);
                    for key in held.filter(|key| scope.holds(&key.namespace)) {
                        ask(key, ReadSet::of(*kind));
                    }
                    for alias in self.index.all_aliases() {
                        ask(alias, ReadSet::OTHER_SERVICES);
                    }
                }
                _ => {}
            }
        }
        for key in work.keys() {
            self.path_tests.drop_outdated(key, inventory);
        }
        self.run(topology, inventory, work, now)
    }

    /// Takes in what a test of paths found of a Service, unless the Service has changed meanwhile;
    /// says whose report reads differently now.
    pub fn record_path_test(
        &mut self,
        service: &ObjectKey,
        result: PathTestReport,
        topology: &Topology,
        inventory: &Inventory,
        now: Timestamp,
    ) -> Vec<ObjectKey> {
        let mut work = BTreeMap::from([(service.clone(), ReadSet::of(ResourceKind::Service))]);
        if path_fingerprint(service, inventory) == Some(result.fingerprint) {
            let gone = self.path_tests.record(service.clone(), result);
            work.extend(gone.map(|key| (key, ReadSet::of(ResourceKind::Service))));
        } else {
            self.path_tests.drop_outdated(service, inventory);
        }
        self.run(topology, inventory, work, now)
    }

    /// Whether the last result of a test of a Service still stands.
    pub fn has_path_test(&self, service: &ObjectKey) -> bool {
        self.path_tests.get(service).is_some()
    }

    /// Runs the rules again to which the time matters; says whose report reads differently now.
    pub fn rerun_time_dependent(
        &mut self,
        topology: &Topology,
        inventory: &Inventory,
        now: Timestamp,
    ) -> Vec<ObjectKey> {
        let timed = self.time_dependent.iter();
        let work = timed.map(|key| (key.clone(), ReadSet::default())).collect();
        self.run(topology, inventory, work, now)
    }

    /// Whether a report may read differently after a while although nothing changes. Renew then
    /// about every ten seconds.
    pub fn has_time_dependent(&self) -> bool {
        !self.time_dependent.is_empty()
    }

    /// What was before: how often pods turned ready or not ready, and since when something is found.
    #[cfg(test)]
    pub(super) fn history(&self) -> (ReadinessFlaps, PollingGracePeriods) {
        (self.readiness_flaps.clone(), self.grace_periods.clone())
    }

    /// What is suppressed.
    pub fn suppressions(&self) -> &RuleSuppressions {
        &self.suppressions
    }

    /// Suppresses something else; says whose report reads differently now.
    pub fn suppress(
        &mut self,
        suppressions: RuleSuppressions,
        topology: &Topology,
        inventory: &Inventory,
        now: Timestamp,
    ) -> Vec<ObjectKey> {
        self.suppressions = suppressions;
        let known = self.results.keys();
        let work = known.map(|key| (key.clone(), ReadSet::default())).collect();
        self.run(topology, inventory, work, now)
    }

    fn run(
        &mut self,
        topology: &Topology,
        inventory: &Inventory,
        work: BTreeMap<ObjectKey, ReadSet>,
        now: Timestamp,
    ) -> Vec<ObjectKey> {
        let mut differ = Vec::new();
        for (key, reads) in work {
            let world = CheckInputs {
                topology,
                inventory,
                index: &self.index,
                readiness_flaps: &self.readiness_flaps,
                path_tests: &self.path_tests,
                suppressions: &self.suppressions,
                now,
            };
            let before = self.results.remove(&key);
            let held = before.as_ref().map_or(&[][..], |kept| &kept.findings);
            let mut waiting = self.grace_periods.take(&key, held);
            let (kept, report) = match topology.service(&key) {
                Some(traffic) => {
                    let (kept, report) = run_rules(traffic, &world, before, reads, &mut waiting);
                    (kept, Some(report))
                }
                None => check_missing_service(&key, &world, &mut waiting),
            };
            self.grace_periods.put_back(&key, waiting);
            if kept.time_dependent_rules.is_empty() {
                self.time_dependent.remove(&key);
            } else {
                self.time_dependent.insert(key.clone());
            }
            let Some(report) = report else {
                if !kept.findings.is_empty() {
                    self.results.insert(key.clone(), kept);
                }
                if self.reports.remove(&key).is_some() {
                    differ.push(key);
                }
                continue;
            };
            self.results.insert(key.clone(), kept);
            if self.reports.get(&key).is_none_or(|held| **held != report) {
                self.reports.insert(key.clone(), Arc::new(report));
                differ.push(key);
            }
        }
        self.grace_periods.settled |= inventory
            .completeness_of(ResourceKind::MAP_KINDS)
            .is_listed();
        differ
    }
}

/// The reports of all Services, from scratch and with nothing suppressed.
pub fn check_all(
    topology: &Topology,
    inventory: &Inventory,
    now: Timestamp,
) -> OrdMap<ObjectKey, Arc<ServiceReport>> {
    ServiceChecks::new(topology, inventory, RuleSuppressions::default(), now).reports
}

/// Runs the rules that read what changed and keeps what the others found before.
fn run_rules(
    traffic: &ServiceTraffic,
    world: &CheckInputs<'_>,
    before: Option<RuleResults>,
    reads: ReadSet,
    waiting: &mut ServiceGracePeriods,
) -> (RuleResults, ServiceReport) {
    let reads = if before.is_some() {
        reads
    } else {
        ReadSet::ALL
    };
    let before = before.unwrap_or_default();
    let mut old = before.findings.into_iter().peekable();
    let case = RuleContext::new(traffic, world);
    let mut kept = RuleResults::default();
    for rule in rules::all() {
        let mut own = Vec::new();
        while let Some(found) = old.next_if(|found| std::ptr::eq(found.rule, rule)) {
            own.push(found);
        }
        let was_timed = before.time_dependent_rules.contains(&rule.id);
        match rule.function {
            RuleFunction::Service(find) if rule.reads(reads) || was_timed => {
                run_rule(rule, find, &case, &mut kept, waiting);
            }
            RuleFunction::Service(_) => kept.findings.append(&mut own),
            RuleFunction::Fallback(_)
            | RuleFunction::MissingService(_)
            | RuleFunction::Manifest => {}
        }
    }
    // What was said of stale data proves nothing, yet it is an explanation.
    let explained = kept
        .findings
        .iter()
        .any(|found| found.rule.implied_health >= Health::Broken);
    if !explained {
        for rule in rules::all() {
            if let RuleFunction::Fallback(find) = rule.function {
                run_rule(rule, find, &case, &mut kept, waiting);
            }
        }
    }
    let report = build_report(&case, &kept.findings);
    kept.peers = case.peers;
    (kept, report)
}

fn run_rule(
    rule: &'static CheckRule,
    find: fn(&RuleContext<'_>) -> Vec<super::Finding>,
    case: &RuleContext<'_>,
    kept: &mut RuleResults,
    waiting: &mut ServiceGracePeriods,
) {
    let known = rule
        .required_kinds
        .iter()
        .map(|&kind| case.reliability(kind))
        .min();
    let known = known.unwrap_or(DataReliability::Live);
    let mut found = Vec::new();
    case.time_dependent.set(false);
    if known != DataReliability::Unavailable && !case.inputs.suppressions.is_disabled(rule.id) {
        found.extend(find(case).into_iter().map(|finding| RuleFinding {
            rule,
            reliability: known,
            in_grace_period: false,
            finding,
        }));
    }
    let patience = grace_period(rule, case.inventory, &case.service().key.namespace);
    if waiting.apply(rule, &mut found, patience, case.now) || case.time_dependent.get() {
        kept.time_dependent_rules.push(rule.id);
    }
    kept.findings.append(&mut found);
}

/// What is said of a Service that does not exist.
fn check_missing_service(
    key: &ObjectKey,
    world: &CheckInputs<'_>,
    waiting: &mut ServiceGracePeriods,
) -> (RuleResults, Option<ServiceReport>) {
    let absent = MissingService { key, inputs: world };
    let mut kept = RuleResults::default();
    for rule in rules::all() {
        let RuleFunction::MissingService(find) = rule.function else {
            continue;
        };
        let known = rule
            .required_kinds
            .iter()
            .map(|&kind| world.reliability(kind, key))
            .min();
        let mut found = Vec::new();
        let is_disabled = world.suppressions.is_disabled(rule.id);
        if known == Some(DataReliability::Live) && !is_disabled {
            found.extend(find(&absent).into_iter().map(|finding| RuleFinding {
                rule,
                reliability: DataReliability::Live,
                in_grace_period: false,
                finding,
            }));
        }
        let patience = grace_period(rule, world.inventory, &key.namespace);
        if waiting.apply(rule, &mut found, patience, world.now) {
            kept.time_dependent_rules.push(rule.id);
        }
        kept.findings.append(&mut found);
    }
    if kept.findings.iter().all(|found| found.in_grace_period) {
        return (kept, None);
    }
    let is_muted = |found: &RuleFinding| {
        world
            .suppressions
            .is_suppressed(key, None, found.finding.id)
    };
    let muted: Vec<_> = kept.findings.iter().map(is_muted).collect();
    let (findings, suppressed) = visible_findings(&kept.findings, &muted);
    let report = ServiceReport {
        health: Health::Unknown,
        ports: Vec::<PortHealth>::new(),
        ready: 0,
        expected: 0,
        findings,
        suppressed,
    };
    (kept, Some(report))
}

fn kind(step: &ChangedRecord) -> ResourceKind {
    match step {
        ChangedRecord::Namespace(_) => ResourceKind::Namespace,
        ChangedRecord::Service(_) => ResourceKind::Service,
        ChangedRecord::EndpointSlice { .. } => ResourceKind::EndpointSlice,
        ChangedRecord::Pod { .. } => ResourceKind::Pod,
        ChangedRecord::Node(_) | ChangedRecord::NodePorts => ResourceKind::Node,
        ChangedRecord::Event(_) => ResourceKind::Event,
        ChangedRecord::Related { before, after } => before
            .as_ref()
            .or(after.as_ref())
            .map_or(ResourceKind::Service, |object| object.kind()),
        ChangedRecord::Sync(kind, _) => *kind,
    }
}
