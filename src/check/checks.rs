//! The reports of all Services, kept up to date from changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use imbl::OrdMap;
use jiff::Timestamp;

use super::{
    Report, Rule, Suppressions, TestResult, Verdict,
    case::{Absent, Case, Known, World},
    flaps::Flaps,
    index::{Index, peers},
    patience::{Patience, Waiting, patience},
    report::{Found, PortVerdict, sum_up, told},
    rule::{Find, Reads},
    rules,
    tested::{Tested, way_of},
};
use crate::inventory::{Inventory, Kind, ObjectKey, Touched};
use crate::topology::{ServiceTraffic, Topology};

/// All reports and what it takes to follow a change at the cost of what it touches: a rule runs
/// again only where a kind changed that it reads, or where it has said that time matters.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    reports: OrdMap<ObjectKey, Arc<Report>>,
    kept: BTreeMap<ObjectKey, Kept>,
    index: Index,
    flaps: Flaps,
    patience: Patience,
    tested: Tested,
    suppressions: Suppressions,
    timed: BTreeSet<ObjectKey>,
}

/// What was found of a Service, before some of it is left untold.
#[derive(Clone, Debug, Default)]
struct Kept {
    found: Vec<Found>,
    /// Rules to which the time matters.
    timed: Vec<&'static str>,
    /// Services that share pods with it.
    peers: Vec<ObjectKey>,
}

impl Checks {
    /// The reports of everything that there is.
    pub fn new(
        topology: &Topology,
        inventory: &Inventory,
        suppressions: Suppressions,
        now: Timestamp,
    ) -> Self {
        let history = Default::default();
        Self::with_history(topology, inventory, suppressions, history, now)
    }

    /// The same where something is known of the time before.
    pub(super) fn with_history(
        topology: &Topology,
        inventory: &Inventory,
        suppressions: Suppressions,
        (flaps, patience): (Flaps, Patience),
        now: Timestamp,
    ) -> Self {
        let mut checks = Self {
            index: Index::new(inventory),
            flaps,
            patience,
            suppressions,
            ..Self::default()
        };
        let services = topology
            .services()
            .map(|traffic| &traffic.service.key)
            .chain(inventory.owners_of_slices())
            .chain(inventory.led_to());
        let work = services.map(|key| (key.clone(), Reads::ALL)).collect();
        checks.run(topology, inventory, work, now);
        checks
    }

    /// What the checks say, by Service. A name that something speaks of though no such Service
    /// exists has a report too.
    pub fn reports(&self) -> &OrdMap<ObjectKey, Arc<Report>> {
        &self.reports
    }

    /// Follows a change: what it touched, and the Services that [`Topology::update`] named. Says
    /// whose report reads differently now, sorted.
    pub fn follow(
        &mut self,
        topology: &Topology,
        inventory: &Inventory,
        touched: &[Touched],
        changed: &[ObjectKey],
        now: Timestamp,
    ) -> Vec<ObjectKey> {
        let reads = touched
            .iter()
            .map(|step| Reads::of(kind(step)))
            .fold(Reads::default(), Reads::and);
        let mut work: BTreeMap<_, _> = changed.iter().map(|key| (key.clone(), reads)).collect();
        let mut ask = |key: &ObjectKey, reads: Reads| {
            let asked = work.entry(key.clone()).or_default();
            *asked = asked.and(reads);
        };
        for key in self.index.follow(inventory, touched, changed) {
            ask(&key, Reads::OTHERS);
        }
        self.flaps.follow(touched, now);
        for key in changed {
            let before = self.kept.get(key).into_iter().flat_map(|kept| &kept.peers);
            for peer in before.chain(&peers(topology, key)) {
                ask(peer, Reads::OTHERS);
            }
        }
        for step in touched {
            match step {
                Touched::Node(_) => {
                    for traffic in topology.services() {
                        ask(&traffic.service.key, Reads::of(Kind::Node));
                    }
                }
                // Those whom it concerns are among the changed.
                Touched::Sync(kind, _) if kind.is_on_demand() => {}
                Touched::Sync(kind, scope) => {
                    let named = inventory.owners_of_slices().chain(inventory.led_to());
                    let held = self.kept.keys().chain(named);
                    for key in held.filter(|key| scope.holds(&key.namespace)) {
                        ask(key, Reads::of(*kind));
                    }
                    for alias in self.index.all_aliases() {
                        ask(alias, Reads::OTHERS);
                    }
                }
                _ => {}
            }
        }
        for key in work.keys() {
            self.tested.drop_outdated(key, inventory);
        }
        self.run(topology, inventory, work, now)
    }

    /// Takes in what a test of paths found of a Service, unless the Service has changed meanwhile;
    /// says whose report reads differently now.
    pub fn keep_test(
        &mut self,
        service: &ObjectKey,
        result: TestResult,
        topology: &Topology,
        inventory: &Inventory,
        now: Timestamp,
    ) -> Vec<ObjectKey> {
        let mut work = BTreeMap::from([(service.clone(), Reads::of(Kind::Service))]);
        if way_of(service, inventory) == Some(result.way) {
            let gone = self.tested.keep(service.clone(), result);
            work.extend(gone.map(|key| (key, Reads::of(Kind::Service))));
        } else {
            self.tested.drop_outdated(service, inventory);
        }
        self.run(topology, inventory, work, now)
    }

    /// Whether the last result of a test of a Service still stands.
    pub fn has_test(&self, service: &ObjectKey) -> bool {
        self.tested.get(service).is_some()
    }

    /// Runs the rules again to which the time matters; says whose report reads differently now.
    pub fn renew_timed(
        &mut self,
        topology: &Topology,
        inventory: &Inventory,
        now: Timestamp,
    ) -> Vec<ObjectKey> {
        let timed = self.timed.iter();
        let work = timed.map(|key| (key.clone(), Reads::default())).collect();
        self.run(topology, inventory, work, now)
    }

    /// Whether a report may read differently after a while although nothing changes. Renew then
    /// about every ten seconds.
    pub fn is_timed(&self) -> bool {
        !self.timed.is_empty()
    }

    /// What was before: how often pods turned ready or not ready, and since when something is found.
    #[cfg(test)]
    pub(super) fn history(&self) -> (Flaps, Patience) {
        (self.flaps.clone(), self.patience.clone())
    }

    /// What is suppressed.
    pub fn suppressions(&self) -> &Suppressions {
        &self.suppressions
    }

    /// Suppresses something else; says whose report reads differently now.
    pub fn suppress(
        &mut self,
        suppressions: Suppressions,
        topology: &Topology,
        inventory: &Inventory,
        now: Timestamp,
    ) -> Vec<ObjectKey> {
        self.suppressions = suppressions;
        let known = self.kept.keys();
        let work = known.map(|key| (key.clone(), Reads::default())).collect();
        self.run(topology, inventory, work, now)
    }

    fn run(
        &mut self,
        topology: &Topology,
        inventory: &Inventory,
        work: BTreeMap<ObjectKey, Reads>,
        now: Timestamp,
    ) -> Vec<ObjectKey> {
        let mut differ = Vec::new();
        for (key, reads) in work {
            let world = World {
                topology,
                inventory,
                index: &self.index,
                flaps: &self.flaps,
                tested: &self.tested,
                suppressions: &self.suppressions,
                now,
            };
            let before = self.kept.remove(&key);
            let held = before.as_ref().map_or(&[][..], |kept| &kept.found);
            let mut waiting = self.patience.take(&key, held);
            let (kept, report) = match topology.service(&key) {
                Some(traffic) => {
                    let (kept, report) = examine(traffic, &world, before, reads, &mut waiting);
                    (kept, Some(report))
                }
                None => search_absent(&key, &world, &mut waiting),
            };
            self.patience.keep(&key, waiting);
            if kept.timed.is_empty() {
                self.timed.remove(&key);
            } else {
                self.timed.insert(key.clone());
            }
            let Some(report) = report else {
                if !kept.found.is_empty() {
                    self.kept.insert(key.clone(), kept);
                }
                if self.reports.remove(&key).is_some() {
                    differ.push(key);
                }
                continue;
            };
            self.kept.insert(key.clone(), kept);
            if self.reports.get(&key).is_none_or(|held| **held != report) {
                self.reports.insert(key.clone(), Arc::new(report));
                differ.push(key);
            }
        }
        self.patience.settled |= inventory.completeness_of(Kind::DRAWN).is_listed();
        differ
    }
}

/// The reports of all Services, from scratch and with nothing suppressed.
pub fn all(
    topology: &Topology,
    inventory: &Inventory,
    now: Timestamp,
) -> OrdMap<ObjectKey, Arc<Report>> {
    Checks::new(topology, inventory, Suppressions::default(), now).reports
}

/// Runs the rules that read what changed and keeps what the others found before.
fn examine(
    traffic: &ServiceTraffic,
    world: &World<'_>,
    before: Option<Kept>,
    reads: Reads,
    waiting: &mut Waiting,
) -> (Kept, Report) {
    let reads = if before.is_some() { reads } else { Reads::ALL };
    let before = before.unwrap_or_default();
    let mut old = before.found.into_iter().peekable();
    let case = Case::new(traffic, world);
    let mut kept = Kept::default();
    for rule in rules::all() {
        let mut own = Vec::new();
        while let Some(found) = old.next_if(|found| std::ptr::eq(found.rule, rule)) {
            own.push(found);
        }
        let was_timed = before.timed.contains(&rule.id);
        match rule.find {
            Find::Service(find) if rule.reads(reads) || was_timed => {
                look(rule, find, &case, &mut kept, waiting);
            }
            Find::Service(_) => kept.found.append(&mut own),
            Find::Last(_) | Find::Absent(_) => {}
        }
    }
    // What was said of stale data proves nothing, yet it is an explanation.
    let explained = kept
        .found
        .iter()
        .any(|found| found.rule.means >= Verdict::Broken);
    if !explained {
        for rule in rules::all() {
            if let Find::Last(find) = rule.find {
                look(rule, find, &case, &mut kept, waiting);
            }
        }
    }
    let report = sum_up(&case, &kept.found);
    kept.peers = case.peers;
    (kept, report)
}

fn look(
    rule: &'static Rule,
    find: fn(&Case<'_>) -> Vec<super::Finding>,
    case: &Case<'_>,
    kept: &mut Kept,
    waiting: &mut Waiting,
) {
    let known = rule.needs.iter().map(|&kind| case.known(kind)).min();
    let known = known.unwrap_or(Known::Live);
    let mut found = Vec::new();
    case.time_matters.set(false);
    if known != Known::Unseen && !case.world.suppressions.leaves_out(rule.id) {
        found.extend(find(case).into_iter().map(|finding| Found {
            rule,
            known,
            waits: false,
            finding,
        }));
    }
    let patience = patience(rule, case.inventory, &case.service().key.namespace);
    if waiting.mark(rule, &mut found, patience, case.now) || case.time_matters.get() {
        kept.timed.push(rule.id);
    }
    kept.found.append(&mut found);
}

/// What is said of a Service that does not exist.
fn search_absent(
    key: &ObjectKey,
    world: &World<'_>,
    waiting: &mut Waiting,
) -> (Kept, Option<Report>) {
    let absent = Absent { key, world };
    let mut kept = Kept::default();
    for rule in rules::all() {
        let Find::Absent(find) = rule.find else {
            continue;
        };
        let known = rule.needs.iter().map(|&kind| world.known(kind, key)).min();
        let mut found = Vec::new();
        if known == Some(Known::Live) {
            found.extend(find(&absent).into_iter().map(|finding| Found {
                rule,
                known: Known::Live,
                waits: false,
                finding,
            }));
        }
        let patience = patience(rule, world.inventory, &key.namespace);
        if waiting.mark(rule, &mut found, patience, world.now) {
            kept.timed.push(rule.id);
        }
        kept.found.append(&mut found);
    }
    if kept.found.iter().all(|found| found.waits) {
        return (kept, None);
    }
    let is_muted = |found: &Found| world.suppressions.cover(key, None, found.finding.id);
    let muted: Vec<_> = kept.found.iter().map(is_muted).collect();
    let (findings, suppressed) = told(&kept.found, &muted);
    let report = Report {
        verdict: Verdict::Unknown,
        ports: Vec::<PortVerdict>::new(),
        ready: 0,
        wanted: 0,
        findings,
        suppressed,
    };
    (kept, Some(report))
}

fn kind(step: &Touched) -> Kind {
    match step {
        Touched::Namespace(_) => Kind::Namespace,
        Touched::Service(_) => Kind::Service,
        Touched::EndpointSlice { .. } => Kind::EndpointSlice,
        Touched::Pod { .. } => Kind::Pod,
        Touched::Node(_) | Touched::NodePorts => Kind::Node,
        Touched::Event(_) => Kind::Event,
        Touched::Related { before, after } => before
            .as_ref()
            .or(after.as_ref())
            .map_or(Kind::Service, |object| object.kind()),
        Touched::Sync(kind, _) => *kind,
    }
}
