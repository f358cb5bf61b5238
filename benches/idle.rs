//! What the real window costs while it stands open: CPU time and resident memory of its process,
//! at rest and while the cluster changes 100 times a second. `cargo bench --bench idle`.
//!
//! Each row starts a demo cluster in a process of its own, opens the window on it under Xvfb, waits
//! until it has settled, and reads /proc before and after. Without a graphics card Mesa draws in
//! threads of the process (`llvmpipe-N`): that counts as its CPU time, and is told apart from what
//! the window, the engine and the network spend. Needs Xvfb and /proc.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that can't go on says so by a panic"
)]

mod played;

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use played::resident_of;

const SVCSCOPE: &str = env!("CARGO_BIN_EXE_svcscope");
/// The demo cluster grants its load balancers their addresses in the first half minute.
const SETTLE: Duration = Duration::from_secs(35);
/// What changed in the last minute is said to be new, and drawn again when it is so no more.
const REST: Duration = Duration::from_secs(65);
const WATCHED: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 60 });

/// A window on a cluster, and what it may cost.
struct Stand {
    services: u32,
    pods: u32,
    /// Pods changed a second; with their Services' slices, and pods that replace others, about 3.5
    /// times as many changes arrive.
    churn: u32,
    /// Percent of one core.
    cpu_bar: f64,
    /// Megabytes.
    memory_bar: Option<f64>,
}

const STANDS: [Stand; 4] = [
    Stand {
        services: 100,
        pods: 1_000,
        churn: 0,
        cpu_bar: 0.0,
        memory_bar: Some(150.0),
    },
    Stand {
        services: 1_000,
        pods: 10_000,
        churn: 0,
        cpu_bar: 0.0,
        memory_bar: Some(300.0),
    },
    Stand {
        services: 1_000,
        pods: 10_000,
        churn: 30,
        cpu_bar: 15.0,
        memory_bar: None,
    },
    Stand {
        services: 1_000,
        pods: 10_000,
        churn: 100,
        cpu_bar: 15.0,
        memory_bar: None,
    },
];

/// A process that ends when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What a window cost.
struct Cost {
    opening_secs: f64,
    /// Percent of one core, by what the threads are for.
    cpu: BTreeMap<Part, f64>,
    resident_megabytes: f64,
}

impl Cost {
    fn cpu_percent(&self) -> f64 {
        self.cpu.values().sum()
    }

    fn of(&self, part: Part) -> f64 {
        self.cpu.get(&part).copied().unwrap_or_default()
    }
}

/// What a thread of the process is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// Takes in input, draws shapes, hands triangles to the driver.
    Window,
    /// Turns changes into scenes.
    Engine,
    /// Reads from the network.
    Network,
    /// Fills the triangles where no graphics card does.
    Renderer,
    /// Accessibility, clipboard and the like.
    Other,
}

impl Part {
    fn of(thread: &str) -> Self {
        match thread {
            "svcscope" => Self::Window,
            "svcscope-engine" => Self::Engine,
            "svcscope-io" => Self::Network,
            name if name.starts_with("llvmpipe") => Self::Renderer,
            _ => Self::Other,
        }
    }
}

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let Some((_screen, display)) = start_xvfb() else {
        println!("skipped: Xvfb is not installed");
        return;
    };
    println!(
        "{:50} {:>12} {:>6} {:>7} {:>7} {:>8} {:>9} {:>6} {:>7} {:>6} {:>11}",
        "window open",
        "CPU, % core",
        "bar",
        "window",
        "engine",
        "network",
        "renderer",
        "other",
        "MB",
        "bar",
        "opening, s"
    );
    for stand in &STANDS {
        let cost = stand.watch(&display);
        let what = format!(
            "{} Services, {} pods, {} pods changed/s",
            stand.services, stand.pods, stand.churn
        );
        let memory_bar = stand
            .memory_bar
            .map_or_else(String::new, |bar| format!("{bar}"));
        // No percent is what rounds to 0.0.
        let over = cost.cpu_percent() > stand.cpu_bar + 0.05
            || stand
                .memory_bar
                .is_some_and(|bar| cost.resident_megabytes > bar);
        println!(
            "{what:50} {:12.2} {:>6} {:7.2} {:7.2} {:8.2} {:9.2} {:6.2} {:7.1} {memory_bar:>6} {:11.2}{}",
            cost.cpu_percent(),
            stand.cpu_bar,
            cost.of(Part::Window),
            cost.of(Part::Engine),
            cost.of(Part::Network),
            cost.of(Part::Renderer),
            cost.of(Part::Other),
            cost.resident_megabytes,
            cost.opening_secs,
            if over { "  over the bar" } else { "" }
        );
    }
}

impl Stand {
    fn watch(&self, display: &str) -> Cost {
        let folder = tempfile::tempdir().expect("a folder");
        let kubeconfig = folder.path().join("kubeconfig");
        let _demo = self.start_demo(&kubeconfig);
        let window = Running(
            Command::new(SVCSCOPE)
                .arg("--kubeconfig")
                .arg(&kubeconfig)
                .env("DISPLAY", display)
                .env_remove("WAYLAND_DISPLAY")
                // What the user chose the last time would make it another window.
                .env("XDG_CONFIG_HOME", folder.path())
                .stderr(Stdio::null())
                .spawn()
                .expect("the window opens"),
        );
        std::thread::park_timeout(SETTLE);
        if self.churn == 0 {
            std::thread::park_timeout(REST);
        }
        let before = spent(&window.0).expect("the window is open");
        std::thread::park_timeout(WATCHED);
        let after = spent(&window.0).expect("the window is still open");
        let resident = resident_of(&window.0.id().to_string()).expect("it is still open");
        let mut cpu = BTreeMap::new();
        for (thread, (part, until)) in &after {
            // A thread that has ended is not there; a short one costs little.
            let since = before.get(thread).map_or(0.0, |(_, before)| *before);
            *cpu.entry(*part).or_default() += 100.0 * (until - since) / WATCHED.as_secs_f64();
        }
        Cost {
            opening_secs: before.values().map(|(_, secs)| secs).sum(),
            cpu,
            resident_megabytes: resident as f64 / 1e6,
        }
    }

    fn start_demo(&self, kubeconfig: &Path) -> Running {
        let demo = Command::new(SVCSCOPE)
            .arg("demo")
            .args(["--services", &self.services.to_string()])
            .args(["--pods", &self.pods.to_string()])
            .args(["--churn", &self.churn.to_string()])
            .arg("--write-kubeconfig")
            .arg(kubeconfig)
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo starts");
        let demo = Running(demo);
        while !kubeconfig.exists() {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        demo
    }
}

fn start_xvfb() -> Option<(Running, String)> {
    let mut screen = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1600x1000x24"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut number = String::new();
    BufReader::new(screen.stdout.take()?)
        .read_line(&mut number)
        .ok()?;
    Some((Running(screen), format!(":{}", number.trim())))
}

/// What each thread of a process is for and how many seconds of CPU time it has had, to the
/// nanosecond: ticks of /proc/PID/stat are too coarse for a window at rest.
fn spent(child: &Child) -> Option<BTreeMap<u64, (Part, f64)>> {
    let mut threads = BTreeMap::new();
    for task in fs::read_dir(format!("/proc/{}/task", child.id())).ok()? {
        let task = task.ok()?;
        let Ok(times) = fs::read_to_string(task.path().join("schedstat")) else {
            // It has just ended.
            continue;
        };
        let nanos: f64 = times.split_whitespace().next()?.parse().ok()?;
        let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let number = task.file_name().to_str()?.parse().ok()?;
        threads.insert(number, (Part::of(name.trim_end()), nanos / 1e9));
    }
    Some(threads)
}
