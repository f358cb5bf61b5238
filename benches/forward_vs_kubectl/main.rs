//! `svcscope forward` beside `kubectl port-forward`, to the same pods in one run.
//!
//! `SVCSCOPE_TEST_KUBECONFIG=… cargo bench --bench forward_vs_kubectl` deploys pods in a namespace
//! of its own in the cluster that the variable names (`tests/real/` says what its nodes
//! must hold); without the variable the demo cluster serves where it can. Both programs forward the
//! same ports and take turns; a table shows what each took and svcscope's part of kubectl's.
//! Needs kubectl, curl and /proc.
//!
//! `-- down up` does these rows only; [`ROWS`] has their names. `silence`, which takes 20 minutes,
//! is done only where it is named. `SVCSCOPE_BENCH_PART=10` does a tenth
//! of the work, to try the script. `SVCSCOPE_BENCH_PROGRAM` names another build of svcscope.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says so by a panic"
)]

mod asked;
mod changes;
mod cluster;
mod load;
mod outage;
mod pods;
mod request;
mod rows;
mod side;
mod steady;

use std::time::{Duration, Instant};

use cluster::{BLOCK, Cluster};
use rows::Run;
use side::Side;
use steady::wait_until;

/// A row's name, and what does it.
type Row = (&'static str, fn(&Run));

/// What can be asked for by name, in the order of the table.
const ROWS: [Row; 12] = [
    ("down", rows::down),
    ("up", rows::up),
    ("sequential", rows::sequential),
    ("parallel", rows::parallel),
    ("crowd", rows::crowd),
    ("rollout", changes::rollout),
    ("replaced", changes::replaced),
    ("cut", outage::cut),
    ("restart", outage::restart),
    ("reset", rows::reset),
    ("request", request::request),
    ("idle", rows::idle),
];

const UP: u64 = 200_000_000;
const ROUNDS: usize = 3;
const LEAK: usize = 10_000;
const LEAK_ROUNDS: usize = 4;
const A_WHILE: Duration = Duration::from_secs(3);

/// After so long a session that is not used has ended.
const SETTLED: Duration = Duration::from_secs(75);

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    let part = std::env::var("SVCSCOPE_BENCH_PART")
        .ok()
        .and_then(|part| part.parse::<u64>().ok())
        .unwrap_or(1)
        .max(1);
    let names = || arguments.iter().filter(|it| !it.starts_with('-'));
    let named = |name: &str| names().any(|it| it == name);
    let wanted = |name: &str| names().next().is_none() || named(name);
    let up = UP / part / BLOCK * BLOCK;
    let cluster = Cluster::start(up);
    let ports = [cluster.http_port, cluster.up_port];
    let run = Run {
        sides: Side::both(&cluster, &cluster.target(), &ports),
        cluster,
        part,
        up,
    };
    println!("{}", run.cluster.describe());
    println!("| work | svcscope | kubectl | svcscope's part of kubectl's |");
    println!("| --- | --- | --- | --- |");
    for (name, row) in ROWS {
        if wanted(name) {
            row(&run);
        }
    }
    if named("silence") {
        outage::silence(&run);
    }
    if wanted("leak") {
        leak(&run.sides[0], run.count(LEAK));
    }
}

/// What many connections leave behind, and whether twice as many leave more.
fn leak(side: &Side, count: usize) {
    let tell = |when: &str| {
        let (descriptors, kib) = side.holdings();
        println!("  {when}: {descriptors} descriptors, {kib} KiB resident");
    };
    println!(
        "\n{count} connections through {}, again and again:",
        side.name
    );
    tell("before");
    for round in 1..=LEAK_ROUNDS {
        let tally = load::requests(side.http, count, 50);
        wait_until(Instant::now() + A_WHILE);
        tell(&format!("round {round}, {} failed", tally.failed));
    }
    wait_until(Instant::now() + SETTLED);
    tell("when its sessions have ended");
}
