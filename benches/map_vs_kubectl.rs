//! `svcscope map -o json` beside kubectl, on the demo cluster with 1,000 Services and 10,000 pods.
//!
//! `cargo bench --bench map_vs_kubectl` starts the demo cluster as a process of its own, runs the
//! commands in turn, and prints medians of wall time and peak memory with their ratios. Needs
//! kubectl and /proc.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says so by a panic"
)]

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const ROUNDS: usize = 5;
const SVCSCOPE: &str = env!("CARGO_BIN_EXE_svcscope");

struct Contender {
    name: &'static str,
    program: &'static str,
    args: &'static [&'static str],
}

const CONTENDERS: [Contender; 3] = [
    Contender {
        name: "svcscope map -o json",
        program: SVCSCOPE,
        args: &["map", "-o", "json"],
    },
    Contender {
        name: "kubectl get svc,pods,endpointslices -A -o json",
        program: "kubectl",
        args: &["get", "svc,pods,endpointslices", "-A", "-o", "json"],
    },
    Contender {
        name: "kubectl get svc,pods,endpointslices -A (table)",
        program: "kubectl",
        args: &["get", "svc,pods,endpointslices", "-A"],
    },
];

struct Run {
    wall: Duration,
    peak_mib: f64,
}

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let kubectl = Command::new("kubectl")
        .args(["version", "--client"])
        .output();
    if kubectl.is_err() {
        println!("skipped: kubectl is not installed");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let kubeconfig = folder.path().join("kubeconfig");
    let demo = start_demo(&kubeconfig);
    let mut runs: Vec<Vec<Run>> = CONTENDERS.iter().map(|_| Vec::new()).collect();
    // One round more than counted: the first warms caches on all sides.
    for round in 0..=ROUNDS {
        for (contender, runs) in CONTENDERS.iter().zip(&mut runs) {
            let run = measure(contender, &kubeconfig);
            if round > 0 {
                runs.push(run);
            }
        }
    }
    drop(demo);
    print_table(&runs);
}

/// The demo cluster; ends when dropped.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn start_demo(kubeconfig: &Path) -> Demo {
    let mut demo = Command::new(SVCSCOPE);
    demo.args(["demo", "--services", "1000", "--pods", "10000"])
        .arg("--write-kubeconfig")
        .arg(kubeconfig)
        .stderr(Stdio::null());
    let demo = Demo(demo.spawn().expect("the demo cluster starts"));
    while !kubeconfig.exists() {
        std::thread::park_timeout(Duration::from_millis(10));
    }
    demo
}

fn measure(contender: &Contender, kubeconfig: &Path) -> Run {
    let started = Instant::now();
    let mut child = Command::new(contender.program)
        .args(contender.args)
        .env("KUBECONFIG", kubeconfig)
        .stdout(Stdio::null())
        .spawn()
        .expect("the command starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak_mib = 0.0_f64;
    // The kernel keeps the high-water mark: only growth in the last moment before the end is
    // missed.
    let exit = loop {
        if let Some(exit) = child.try_wait().expect("the command is ours") {
            break exit;
        }
        peak_mib = peak_mib.max(peak_of(&status).unwrap_or(0.0));
        std::thread::park_timeout(Duration::from_millis(2));
    };
    let wall = started.elapsed();
    assert!(exit.success(), "{} ended with {exit}", contender.name);
    Run { wall, peak_mib }
}

fn peak_of(status: &str) -> Option<f64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print_table(runs: &[Vec<Run>]) {
    let wall = |runs: &[Run]| median(runs.iter().map(|run| run.wall.as_secs_f64()).collect());
    let peak = |runs: &[Run]| median(runs.iter().map(|run| run.peak_mib).collect());
    println!(
        "1,000 Services and 10,000 pods on the demo cluster, medians of {ROUNDS} runs in turn"
    );
    println!("| command | wall | peak memory | svcscope's wall, memory as a part of it |");
    println!("| --- | --- | --- | --- |");
    for (contender, theirs) in CONTENDERS.iter().zip(runs) {
        println!(
            "| {} | {:.2} s | {:.0} MiB | {:.2}, {:.2} |",
            contender.name,
            wall(theirs),
            peak(theirs),
            wall(&runs[0]) / wall(theirs),
            peak(&runs[0]) / peak(theirs),
        );
    }
}
