//! What the model costs, from records to a scene, by the CPU clock of this thread, beside what it
//! may cost: `cargo bench --bench model`.
//!
//! Only the public interface is used, on records made here, so that nothing of the network counts.
//! Without optimisation the clusters are small and the bars mean nothing.

#![allow(clippy::expect_used, reason = "a benchmark that can't start must stop")]

mod played;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use played::{Cluster, Shape, cpu_time, median, verdict};
use svcscope_check::{self as check, RuleSuppressions, ServiceChecks};
use svcscope_engine::{ClusterModel, MapView, Scene};
use svcscope_filter::{FilteredMap, ServiceFilter};
use svcscope_model::{
    inventory::{Inventory, InventoryChange},
    layout::{self, LayoutOptions, MapLayout},
    topology::{Topology, json},
};

/// How many times fewer Services there are without optimisation.
const FEWER: usize = if cfg!(debug_assertions) { 20 } else { 1 };
/// Changes that each median is of.
const CHANGES: usize = 200 / FEWER;
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

const TEN_THOUSAND_PODS: Shape = Shape {
    services: 1_000 / FEWER,
    pods_each: 10,
    ports: 1,
};
/// Up to eight pods of a workload are drawn each by itself, so that this is the larger map.
const THIRTY_FIVE_THOUSAND_NODES: Shape = Shape {
    services: 3_785 / FEWER,
    pods_each: 8,
    ports: 2,
};

fn main() {
    heading("10,000 pods and 1,000 Services, all at once");
    all_at_once(TEN_THOUSAND_PODS, None);
    heading("35,000 nodes and 60,000 edges, all at once");
    all_at_once(THIRTY_FIVE_THOUSAND_NODES, Some(1_000.0));
    heading("one pod of 10,000 turns ready or not");
    one_change(Kind::Flip);
    heading("one pod of 10,000 is replaced");
    one_change(Kind::Replace);
    heading("a filter on 10,000 pods");
    filters();
}

fn heading(words: &str) {
    println!("\n{words:56} {:>10} {:>8}", "ms of CPU", "bar");
}

fn row(words: &str, millis: f64, bar: Option<f64>) {
    let said = bar.map_or_else(String::new, |bar| format!("{bar}"));
    println!("{words:56} {millis:10.3} {said:>8}{}", verdict(millis, bar));
}

/// Runs something so often; the time in the middle.
fn timed<T>(times: usize, mut work: impl FnMut() -> T) -> f64 {
    let mut spent = Vec::with_capacity(times);
    for _ in 0..times.max(1) {
        let start = cpu_time();
        let made = work();
        spent.push(cpu_time() - start);
        // What it takes to forget it is no part of it.
        drop(made);
    }
    median(spent)
}

fn all_at_once(shape: Shape, bar: Option<f64>) {
    const TIMES: usize = if cfg!(debug_assertions) { 1 } else { 9 };
    let lists = Cluster::new(shape).lists();
    let read = || {
        let mut inventory = Inventory::default();
        for change in lists.clone() {
            inventory.apply(change);
        }
        inventory
    };
    let copied = timed(TIMES, || lists.clone());
    row("take in the records", timed(TIMES, read) - copied, None);
    let inventory = read();
    let build = || Topology::build(&inventory);
    row("build the graph", timed(TIMES, build), None);
    let topology = build();
    let report = || check::check_all(&topology, &inventory, NOW);
    row("report on every Service", timed(TIMES, report), None);
    let arrange = || layout::arrange(&topology, &LayoutOptions::default(), None);
    row("lay out afresh", timed(TIMES, arrange), None);
    let json = || {
        json::write_json(
            &topology,
            svcscope_model::inventory::ListCompleteness::Live,
            std::io::sink(),
        )
    };
    row("write the graph as JSON", timed(TIMES, json), None);

    let whole = || {
        let mut model = ClusterModel::default();
        model.apply(lists.clone(), NOW);
        model.update_layout();
        model
    };
    let sum = timed(TIMES, whole) - copied;
    row(
        "from the records to the layout, as the engine does",
        sum,
        bar,
    );
    let mut scene = Scene::default();
    whole().write_to_scene(&mut scene);
    println!(
        "  {} nodes, {} edges, {} districts",
        scene.layout.nodes().count(),
        scene.layout.edges().count(),
        scene.layout.groups.len(),
    );
}

#[derive(Clone, Copy)]
enum Kind {
    Flip,
    Replace,
}

impl Kind {
    fn of(self, cluster: &mut Cluster, turn: usize) -> Vec<InventoryChange> {
        let house = turn * 7 % TEN_THOUSAND_PODS.services;
        match self {
            Self::Flip => cluster.flip(house, turn % TEN_THOUSAND_PODS.pods_each),
            Self::Replace => cluster.replace(house, turn % TEN_THOUSAND_PODS.pods_each),
        }
    }
}

/// What one change costs while somebody still holds the scene before, as the window does.
fn one_change(kind: Kind) {
    pieces(kind);
    let mut cluster = Cluster::new(TEN_THOUSAND_PODS);
    let mut model = ClusterModel::default();
    model.apply(cluster.lists(), NOW);
    model.update_layout();
    let mut scene = Scene::default();
    model.write_to_scene(&mut scene);
    let mut held = Arc::new(scene);
    let mut spent = Vec::new();
    for turn in 0..CHANGES {
        let changes = kind.of(&mut cluster, turn);
        let start = cpu_time();
        model.apply(changes, NOW);
        model.update_layout();
        let mut scene = (*held).clone();
        model.write_to_scene(&mut scene);
        let next = Arc::new(scene);
        spent.push(cpu_time() - start);
        held = next;
    }
    row(
        "graph, checks, layout and scene, as the engine does",
        median(spent),
        Some(1.0),
    );
}

#[derive(Default)]
struct Spent {
    inventory: Vec<Duration>,
    topology: Vec<Duration>,
    checks: Vec<Duration>,
    filter: Vec<Duration>,
    layout: Vec<Duration>,
}

/// Everything that a change goes through.
struct Pieces {
    inventory: Inventory,
    topology: Topology,
    checks: ServiceChecks,
    part: FilteredMap,
    layout: MapLayout,
}

impl Pieces {
    fn new(lists: Vec<InventoryChange>) -> Self {
        let mut inventory = Inventory::default();
        for change in lists {
            inventory.apply(change);
        }
        let topology = Topology::build(&inventory);
        let checks = ServiceChecks::new(&topology, &inventory, RuleSuppressions::default(), NOW);
        let part = FilteredMap::new(ServiceFilter::default(), &topology, checks.reports());
        let layout = layout::arrange(&topology, &LayoutOptions::default(), None);
        Self {
            inventory,
            topology,
            checks,
            part,
            layout,
        }
    }

    fn follow(&mut self, changes: Vec<InventoryChange>, spent: &mut Spent) {
        let _held = (
            self.inventory.clone(),
            self.topology.clone(),
            self.checks.reports().clone(),
        );
        let start = cpu_time();
        let mut touched = Vec::new();
        for change in changes {
            touched.append(&mut self.inventory.apply(change));
        }
        let taken_in = cpu_time();
        let changed = self.topology.update(&self.inventory, &touched);
        let followed = cpu_time();
        let checks = &mut self.checks;
        checks.apply_changes(&self.topology, &self.inventory, &touched, &changed, NOW);
        let checked = cpu_time();
        let differ = self
            .part
            .update(&self.topology, self.checks.reports(), &changed);
        let filtered = cpu_time();
        let part = self.part.topology();
        let next = layout::update_layout(part, &LayoutOptions::default(), &self.layout, &differ);
        let arranged = cpu_time();
        self.layout = next;
        spent.inventory.push(taken_in - start);
        spent.topology.push(followed - taken_in);
        spent.checks.push(checked - followed);
        spent.filter.push(filtered - checked);
        spent.layout.push(arranged - filtered);
    }
}

fn pieces(kind: Kind) {
    let mut cluster = Cluster::new(TEN_THOUSAND_PODS);
    let mut pieces = Pieces::new(cluster.lists());
    let mut spent = Spent::default();
    for turn in 0..CHANGES {
        pieces.follow(kind.of(&mut cluster, turn), &mut spent);
    }
    row("inventory alone", median(spent.inventory), None);
    row("graph alone", median(spent.topology), None);
    row("checks alone", median(spent.checks), None);
    row("filter alone", median(spent.filter), None);
    row("layout alone", median(spent.layout), None);
}

/// A new filter asks every Service and lays out what it shows; clearing it brings back what was.
fn filters() {
    let mut cluster = Cluster::new(TEN_THOUSAND_PODS);
    let mut model = ClusterModel::default();
    model.apply(cluster.lists(), NOW);
    // Every tenth pod is not ready, so that there is something wrong.
    for house in (0..TEN_THOUSAND_PODS.services).step_by(10) {
        model.apply(cluster.flip(house, 0), NOW);
    }
    model.update_layout();
    let wrong = || MapView {
        filter: ServiceFilter {
            only_problems: true,
            ..ServiceFilter::default()
        },
        ..MapView::default()
    };
    let (mut set, mut cleared) = (Vec::new(), Vec::new());
    for _ in 0..CHANGES {
        let start = cpu_time();
        model.set_view(wrong());
        model.update_layout();
        let shown = cpu_time();
        model.set_view(MapView::default());
        model.update_layout();
        set.push(shown - start);
        cleared.push(cpu_time() - shown);
    }
    row("only what is wrong", median(set), None);
    row("all again", median(cleared), None);
}
