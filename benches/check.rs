//! What the checks cost, by the CPU clock of this thread, beside what they may cost:
//! `cargo bench --bench check`.
//!
//! Only the public interface is used, on records made here, so that nothing of the network counts.
//! Without optimisation the cluster is small and the bars mean nothing.

mod played;

use std::time::Duration;

use jiff::Timestamp;
use played::{Cluster, Shape, cpu_time, median, verdict};
use svcscope_check::{self as check, RuleSuppressions, ServiceChecks};
use svcscope_model::{
    inventory::{Inventory, InventoryChange},
    topology::Topology,
};

/// How many times fewer Services there are without optimisation.
const FEWER: usize = if cfg!(debug_assertions) { 20 } else { 1 };
/// Changes that each median is of.
const CHANGES: usize = 400 / FEWER;
/// Runs that each median of everything at once is of.
const TIMES: usize = if cfg!(debug_assertions) { 1 } else { 15 };
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

const SHAPE: Shape = Shape {
    services: 1_000 / FEWER,
    pods_each: 10,
    ports: 1,
};

fn main() {
    println!(
        "{:56} {:>10} {:>8}",
        "1,000 Services, 10,000 pods", "ms of CPU", "bar"
    );
    println!("{} rules", check::rules().count());
    from_scratch();
    one_pod("one pod turns ready or not", Cluster::flip);
    one_pod("one pod is replaced", Cluster::replace);
}

fn row(words: &str, millis: f64, bar: f64) {
    println!(
        "{words:56} {millis:10.3} {bar:>8}{}",
        verdict(millis, Some(bar))
    );
}

fn read(cluster: &Cluster) -> (Inventory, Topology) {
    let mut inventory = Inventory::default();
    for change in cluster.lists() {
        inventory.apply(change);
    }
    let topology = Topology::build(&inventory);
    (inventory, topology)
}

fn from_scratch() {
    let (inventory, topology) = read(&Cluster::new(SHAPE));
    let mut spent = Vec::new();
    let mut said = 0;
    for _ in 0..TIMES {
        let start = cpu_time();
        let checks = ServiceChecks::new(&topology, &inventory, RuleSuppressions::default(), NOW);
        spent.push(cpu_time() - start);
        let reports = checks.reports().values();
        said = reports.map(|report| report.findings.len()).sum();
    }
    row("all rules from scratch", median(spent), 50.0);
    println!("  {said} findings");
}

fn one_pod(words: &str, change: fn(&mut Cluster, usize, usize) -> Vec<InventoryChange>) {
    let mut cluster = Cluster::new(SHAPE);
    let (mut inventory, mut topology) = read(&cluster);
    let mut checks = ServiceChecks::new(&topology, &inventory, RuleSuppressions::default(), NOW);
    let mut spent: Vec<Duration> = Vec::new();
    for turn in 0..CHANGES {
        let changes = change(
            &mut cluster,
            turn * 7 % SHAPE.services,
            turn % SHAPE.pods_each,
        );
        // Somebody still holds the reports before, as the window does.
        let _held = checks.reports().clone();
        let mut touched = Vec::new();
        for change in changes {
            touched.append(&mut inventory.apply(change));
        }
        let changed = topology.update(&inventory, &touched);
        let start = cpu_time();
        checks.apply_changes(&topology, &inventory, &touched, &changed, NOW);
        spent.push(cpu_time() - start);
    }
    row(words, median(spent), 0.2);
}
