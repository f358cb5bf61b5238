//! `svcscope forward` beside `kubectl port-forward`, to the same pod in one run.
//!
//! `SVCSCOPE_TEST_KUBECONFIG=… cargo bench --bench forward_vs_kubectl` deploys a pod in a namespace
//! of its own in the cluster that the variable names (`tests/real_cluster/` says what its nodes
//! must hold); without the variable the demo cluster serves. Both programs forward the same
//! ports and take turns; a table shows what each took and svcscope's part of kubectl's. Needs
//! kubectl and /proc. `SVCSCOPE_BENCH_PART=10` does a tenth of the work, to try the script.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says so by a panic"
)]

mod cluster;
mod load;
mod side;

use std::{
    io,
    time::{Duration, Instant},
};

use cluster::{BLOCK, Cluster};
use load::{Tally, crowd, download, requests, upload};
use side::Side;

const DOWN: u64 = 500_000_000;
const UP: u64 = 200_000_000;
const ROUNDS: usize = 3;
const CROWD: usize = 200;
const CROWD_SECONDS: u64 = 30;
const LEAK: usize = 10_000;

/// After so long a session that is not used has ended.
const SETTLED: Duration = Duration::from_secs(75);

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let part = std::env::var("SVCSCOPE_BENCH_PART")
        .ok()
        .and_then(|part| part.parse::<u64>().ok())
        .unwrap_or(1)
        .max(1);
    let [down, up] = [DOWN / part, UP / part / BLOCK * BLOCK];
    let cluster = Cluster::start(up);
    let sides = [Side::svcscope(&cluster), Side::kubectl(&cluster)];
    println!("{}", cluster.describe());
    println!("| work | svcscope | kubectl | svcscope's part of kubectl's |");
    println!("| --- | --- | --- | --- |");
    bulk(
        &sides,
        &format!("{} MB down", down / 1_000_000),
        down,
        |side| download(side.http, down),
    );
    bulk(&sides, &cluster.up_label(up), up, |side| {
        upload(side.up, up, cluster.up_echoes())
    });
    let count = |work: u64| usize::try_from(work / part).unwrap_or(1).max(1);
    timed(&sides, count(200), 1);
    timed(&sides, count(2000), 50);
    let seconds = Duration::from_secs(CROWD_SECONDS / part.min(10));
    let [ours, theirs] = [0, 1].map(|at| crowd(|| sides[at].http(), CROWD, seconds));
    println!(
        "| {CROWD} concurrent connections for {} s: requests, failed | {} | {} | |",
        seconds.as_secs(),
        shown(&ours),
        shown(&theirs),
    );
    leak(&sides[0], LEAK / usize::try_from(part).unwrap_or(1));
}

fn shown(tally: &Tally) -> String {
    format!("{}, {}", tally.good, tally.failed)
}

/// Throughput of one connection, and what it costs the client in CPU.
fn bulk(sides: &[Side; 2], label: &str, bytes: u64, work: impl Fn(&Side) -> io::Result<()>) {
    let mut runs: [Vec<(f64, f64)>; 2] = Default::default();
    // One round more than counted: the first warms everything.
    for round in 0..=ROUNDS {
        for (side, runs) in sides.iter().zip(&mut runs) {
            let (started, cpu) = (Instant::now(), side.cpu());
            if let Err(error) = work(side) {
                println!("{label}: {} failed: {error}", side.name);
                side.revive();
                continue;
            }
            if round > 0 {
                let spent = (side.cpu() - cpu).as_secs_f64();
                runs.push((started.elapsed().as_secs_f64(), spent));
            }
        }
    }
    let size = bytes as f64;
    let speed = |at: usize| size / 1e6 / median(runs[at].iter().map(|run| run.0));
    let cost = |at: usize| 1e9 / size * median(runs[at].iter().map(|run| run.1));
    row(label, "MB/s", speed(0), speed(1));
    row(
        &format!("{label}, client CPU per GB"),
        "s",
        cost(0),
        cost(1),
    );
}

/// Requests with a new connection each.
fn timed(sides: &[Side; 2], count: usize, at_once: usize) {
    let mut runs: [Vec<f64>; 2] = Default::default();
    let mut failed = [0, 0];
    for round in 0..=ROUNDS {
        for (at, side) in sides.iter().enumerate() {
            let started = Instant::now();
            let tally = requests(|| side.http(), count, at_once, "/");
            if tally.failed > 0 {
                side.revive();
            }
            if round > 0 {
                runs[at].push(started.elapsed().as_secs_f64());
                failed[at] += tally.failed;
            }
        }
    }
    let label = format!("{count} requests, {at_once} at a time");
    let [ours, theirs] = runs.map(|runs| median(runs.into_iter()));
    row(&label, "s", ours, theirs);
    println!(
        "| {label}: failed in {ROUNDS} rounds | {} | {} | |",
        failed[0], failed[1]
    );
}

/// What many connections leave behind.
fn leak(side: &Side, count: usize) {
    let before = side.holdings();
    let tally = requests(|| side.http(), count, 50, "/");
    let busy = side.holdings();
    std::thread::park_timeout(SETTLED);
    println!(
        "\n{count} connections through {} ({} failed):",
        side.name, tally.failed
    );
    for (when, held) in [
        ("before", before),
        ("right after", busy),
        ("75 s later", side.holdings()),
    ] {
        println!("  {when}: {} descriptors, {} KiB resident", held.0, held.1);
    }
}

fn row(label: &str, unit: &str, ours: f64, theirs: f64) {
    println!(
        "| {label} | {ours:.2} {unit} | {theirs:.2} {unit} | {:.2} |",
        ours / theirs
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
