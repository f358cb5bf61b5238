//! What the real window costs while it stands open: CPU time and resident memory of its process,
//! at rest and while the cluster changes 100 times a second. `cargo bench --bench idle`.
//!
//! Each row starts a demo cluster in a process of its own, opens the window on it under Xvfb, waits
//! until it has settled, and reads /proc before and after. The window draws by software there,
//! which counts as its own CPU time. Needs Xvfb and /proc.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that can't go on says so by a panic"
)]

mod played;

use std::{
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
const WATCHED: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 60 });
/// Clock ticks a second in /proc, fixed by the kernel's interface.
const TICKS_PER_SECOND: f64 = 100.0;

/// A window on a cluster, and what it may cost.
struct Stand {
    services: u32,
    pods: u32,
    churn: u32,
    /// Percent of one core.
    cpu_bar: f64,
    /// Megabytes.
    memory_bar: Option<f64>,
}

const STANDS: [Stand; 3] = [
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
    cpu_percent: f64,
    resident_megabytes: f64,
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
        "{:44} {:>12} {:>8} {:>10} {:>8} {:>12}",
        "window open", "CPU, % core", "bar", "MB", "bar", "opening, s"
    );
    for stand in &STANDS {
        let cost = stand.watch(&display);
        let what = format!(
            "{} Services, {} pods, {} changes/s",
            stand.services, stand.pods, stand.churn
        );
        let memory_bar = stand
            .memory_bar
            .map_or_else(String::new, |bar| format!("{bar}"));
        // A tick is a hundredth of a second: less than that can't be told from nothing.
        let least = 100.0 / TICKS_PER_SECOND / WATCHED.as_secs_f64();
        let over = cost.cpu_percent > stand.cpu_bar + least
            || stand
                .memory_bar
                .is_some_and(|bar| cost.resident_megabytes > bar);
        println!(
            "{what:44} {:12.2} {:>8} {:10.1} {memory_bar:>8} {:12.2}{}",
            cost.cpu_percent,
            stand.cpu_bar,
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
                // What a person chose the last time would make it another window.
                .env("XDG_CONFIG_HOME", folder.path())
                .stderr(Stdio::null())
                .spawn()
                .expect("the window opens"),
        );
        std::thread::park_timeout(SETTLE);
        let before = ticks(&window.0).expect("the window is open");
        std::thread::park_timeout(WATCHED);
        let after = ticks(&window.0).expect("the window is still open");
        let resident = resident_of(&window.0.id().to_string()).expect("it is still open");
        let spent = (after - before) / TICKS_PER_SECOND;
        Cost {
            opening_secs: before / TICKS_PER_SECOND,
            cpu_percent: 100.0 * spent / WATCHED.as_secs_f64(),
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

/// User and system time of a process, in clock ticks.
fn ticks(child: &Child) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    // The name in parentheses may hold spaces; user and system time are fields 14 and 15.
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}
