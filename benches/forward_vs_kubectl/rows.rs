//! The rows of the table, each by itself.

use std::{
    io,
    time::{Duration, Instant},
};

use crate::{
    ROUNDS,
    cluster::Cluster,
    load::{self, Tally},
    side::Side,
    steady::wait_until,
};

const DOWN: u64 = 500_000_000;
const CROWD: usize = 200;
const CROWD_SECONDS: u64 = 30;
const FORWARDS: usize = 50;
const IDLE_SECONDS: u64 = 60;

/// What all rows share.
pub struct Run {
    // First, so that they end before their cluster.
    pub sides: [Side; 2],
    pub cluster: Cluster,
    /// A divisor of the work.
    pub part: u64,
    pub up: u64,
}

impl Run {
    pub fn count(&self, work: usize) -> usize {
        (work / usize::try_from(self.part).unwrap_or(1)).max(1)
    }

    pub fn seconds(&self, seconds: u64) -> Duration {
        Duration::from_secs((seconds / self.part).max(5))
    }
}

/// Throughput down one connection.
pub fn down(run: &Run) {
    let bytes = DOWN / run.part;
    let label = format!("{} MB down", bytes / 1_000_000);
    bulk(run, &label, bytes, |side| load::download(side.http, bytes));
}

/// Throughput up one connection.
pub fn up(run: &Run) {
    let label = run.cluster.up_label(run.up);
    bulk(run, &label, run.up, |side| {
        load::upload(side.up, run.up, run.cluster.up_echoes())
    });
}

/// Throughput of one connection, and what it costs the client in CPU.
fn bulk(run: &Run, label: &str, bytes: u64, work: impl Fn(&Side) -> io::Result<()>) {
    let mut runs: [Vec<(f64, f64)>; 2] = Default::default();
    // One round more than counted: the first warms everything.
    for round in 0..=ROUNDS {
        for (side, runs) in run.sides.iter().zip(&mut runs) {
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

/// Requests in turn, with a new connection each.
pub fn sequential(run: &Run) {
    timed(run, run.count(200), 1);
}

/// Requests with a new connection each, many at a time.
pub fn parallel(run: &Run) {
    timed(run, run.count(2000), 50);
}

fn timed(run: &Run, count: usize, at_once: usize) {
    let mut runs: [Vec<(f64, f64)>; 2] = Default::default();
    let mut failed = [0, 0];
    for round in 0..=ROUNDS {
        for (at, side) in run.sides.iter().enumerate() {
            let (started, cpu) = (Instant::now(), side.cpu());
            let tally = load::requests(side.http, count, at_once);
            if tally.failed > 0 {
                side.revive();
            }
            if round > 0 {
                let spent = (side.cpu() - cpu).as_secs_f64();
                runs[at].push((started.elapsed().as_secs_f64(), spent));
                failed[at] += tally.failed;
            }
        }
    }
    let label = format!("{count} requests, {at_once} at a time");
    let times = |at: usize| median(runs[at].iter().map(|run| run.0));
    let spent = |at: usize| median(runs[at].iter().map(|run| run.1));
    row(&label, "s", times(0), times(1));
    row(&format!("{label}: client CPU"), "s", spent(0), spent(1));
    counts(&format!("{label}: failed in {ROUNDS} rounds"), failed);
}

/// Many connections at once, each with request after request.
pub fn crowd(run: &Run) {
    let time = run.seconds(CROWD_SECONDS);
    let [ours, theirs] = [0, 1].map(|at| load::crowd(run.sides[at].http, CROWD, time));
    let seconds = time.as_secs();
    println!(
        "| {CROWD} concurrent connections for {seconds} s: requests, failed | {} | {} | |",
        shown(&ours),
        shown(&theirs),
    );
}

/// Requests that the pod answers with a reset, among good ones.
pub fn reset(run: &Run) {
    let (good, resets) = (run.count(1000), run.count(100));
    let [ours, theirs] = [0, 1].map(|at| load::with_resets(&run.sides[at], good, resets));
    println!(
        "| {good} requests with {resets} resets among them: good, failed | {} | {} | |",
        shown(&ours),
        shown(&theirs),
    );
}

/// Many forwards at once: do they all serve, and what do they cost then?
pub fn idle(run: &Run) {
    let ports = vec![run.cluster.http_port; FORWARDS];
    let sides = Side::both(&run.cluster, &run.cluster.target(), &ports);
    let serving = |side: &Side| {
        let ports = side.ports().iter();
        let served = ports.filter(|port| load::request(**port, "/").is_ok());
        served.count()
    };
    let served = [serving(&sides[0]), serving(&sides[1])];
    counts(&format!("{FORWARDS} forwards at once: serving"), served);
    let time = run.seconds(IDLE_SECONDS);
    wait_until(Instant::now() + Duration::from_secs(2));
    let before = [sides[0].cpu(), sides[1].cpu()];
    wait_until(Instant::now() + time);
    let percent = |at: usize| {
        let spent = sides[at].cpu() - before[at];
        100.0 * spent.as_secs_f64() / time.as_secs_f64()
    };
    row(
        &format!("{FORWARDS} forwards idle for {} s", time.as_secs()),
        "% of a core",
        percent(0),
        percent(1),
    );
}

fn shown(tally: &Tally) -> String {
    format!("{}, {}", tally.good, tally.failed)
}

fn counts(label: &str, [ours, theirs]: [usize; 2]) {
    println!("| {label} | {ours} | {theirs} | |");
}

pub fn row(label: &str, unit: &str, ours: f64, theirs: f64) {
    println!(
        "| {label} | {ours:.2} {unit} | {theirs:.2} {unit} | {:.2} |",
        ours / theirs
    );
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
