//! What the real window costs while nothing happens: CPU time of the process under Xvfb.
//!
//! `cargo bench --bench idle` starts a quiet demo cluster (100 Services, 1,000 pods, no changes),
//! opens the window on it, waits until it has settled, and then reads the process's CPU time
//! before and after a minute. Needs Xvfb and /proc.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that can't go on says so by a panic"
)]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

const SVCSCOPE: &str = env!("CARGO_BIN_EXE_svcscope");
/// The demo cluster grants its load balancers their addresses in the first half minute.
const SETTLE: Duration = Duration::from_secs(35);
const WATCHED: Duration = Duration::from_secs(60);
/// Clock ticks a second in /proc, fixed by the kernel's interface.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process that ends when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
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
    let folder = tempfile::tempdir().expect("a folder");
    let kubeconfig = folder.path().join("kubeconfig");
    let mut demo = Command::new(SVCSCOPE);
    demo.args(["demo", "--services", "100", "--pods", "1000"])
        .arg("--write-kubeconfig")
        .arg(&kubeconfig);
    let _demo = Running(demo.stderr(Stdio::null()).spawn().expect("the demo starts"));
    while !kubeconfig.exists() {
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let window = Running(
        Command::new(SVCSCOPE)
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .env("DISPLAY", display)
            .env_remove("WAYLAND_DISPLAY")
            .stderr(Stdio::null())
            .spawn()
            .expect("the window opens"),
    );
    std::thread::park_timeout(SETTLE);
    let before = ticks(&window.0).expect("the window is open");
    std::thread::park_timeout(WATCHED);
    let after = ticks(&window.0).expect("the window is still open");
    let spent = (after - before) / TICKS_PER_SECOND;
    println!(
        "the idle window used {spent:.2} s of CPU in {} s ({:.2} % of one core); opening it took {:.2} s",
        WATCHED.as_secs(),
        100.0 * spent / WATCHED.as_secs_f64(),
        before / TICKS_PER_SECOND,
    );
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
