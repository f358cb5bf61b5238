//! What a forward says and does while its way to the cluster is gone, and when it comes back.

use std::{
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use svcscope_testkit::cluster::severable_proxy::SeverableProxy;

use crate::{
    asked::Asked,
    rows::Run,
    side::Side,
    steady::{steady, wait_until},
};

const CUT_SECONDS: u64 = 60;
const SILENCE_SECONDS: u64 = 20 * 60;
/// A request waits for up to 15 s, so that several are under way.
const RATE: u32 = 2;
const PATIENCE: Duration = Duration::from_secs(120);

/// The network between svcscope and the API server is cut, while clients go on coming.
pub fn cut(run: &Run) {
    let folder = tempfile::tempdir().expect("a folder");
    let (cable, kubeconfig) = SeverableProxy::start(&run.cluster.kubeconfig, folder.path());
    let side = Side::through(&kubeconfig, &run.cluster, &run.cluster.target());
    let time = run.seconds(CUT_SECONDS);
    through(
        &side,
        &format!("network cut for {} s", time.as_secs()),
        || {
            cable.cut();
            wait_until(Instant::now() + time);
            cable.restore();
        },
    );
}

/// The API server is restarted, by the command that the environment names: it must return when the
/// server answers again.
pub fn restart(run: &Run) {
    let Some(command) = std::env::var_os("SVCSCOPE_BENCH_RESTART") else {
        return println!("restart: skipped, SVCSCOPE_BENCH_RESTART names no command");
    };
    let side = Side::through(&run.cluster.kubeconfig, &run.cluster, &run.cluster.target());
    through(&side, "API server restarted", || {
        let done = Command::new("sh").arg("-c").arg(&command).status();
        assert!(done.expect("sh runs").success(), "{command:?} failed");
    });
}

/// Nobody uses the forward for long, and then somebody does.
pub fn silence(run: &Run) {
    let side = Side::through(&run.cluster.kubeconfig, &run.cluster, &run.cluster.target());
    let time = run.seconds(SILENCE_SECONDS);
    let first = Asked::now(side.http);
    wait_until(Instant::now() + time);
    let last = Asked::now(side.http);
    for (when, one) in [("before", first), ("after", last)] {
        let taken = (one.ended - one.started).as_secs_f64();
        println!(
            "| {} s of silence: the request {when} | {taken:.3} s, {} | | |",
            time.as_secs(),
            one.answer.unwrap_or_else(|error| error.to_string()),
        );
    }
    said(&side, Instant::now());
}

/// Does something to the way while clients come; tells what they got and what the forward said.
fn through(side: &Side, label: &str, outage: impl FnOnce()) {
    let over = AtomicBool::new(false);
    let (begun, ended, asked) = std::thread::scope(|scope| {
        let load = scope.spawn(|| steady(side, RATE, || !over.load(Ordering::Relaxed)));
        wait_until(Instant::now() + Duration::from_secs(3));
        let begun = Instant::now();
        outage();
        let ended = Instant::now();
        // Until it serves again, and some more.
        while ended.elapsed() < PATIENCE && Asked::now(side.http).answer.is_err() {}
        wait_until(Instant::now() + Duration::from_secs(5));
        over.store(true, Ordering::Relaxed);
        (begun, ended, load.join().expect("the load ends"))
    });
    let good = |one: &&Asked| one.answer.is_ok();
    let since = |one: &Asked| one.ended.saturating_duration_since(ended).as_secs_f64();
    let came_after = || asked.iter().filter(|one| one.started >= ended);
    let first = asked.iter().filter(good).filter(|one| one.ended >= ended);
    let failed = asked.iter().filter(|one| one.answer.is_err()).count();
    println!(
        "| {label}: first answer after it | {:.2} s | | |",
        first.map(since).fold(f64::NAN, f64::min)
    );
    println!(
        "| {label}: requests, failed (of these begun after it) | {}, {failed} ({}) | | |",
        asked.len(),
        came_after().filter(|one| one.answer.is_err()).count(),
    );
    said(side, begun);
    let after = ended.duration_since(begun).as_secs_f64();
    println!("  {after:7.2} s: the way is there again");
}

/// The forward's own words.
fn said(side: &Side, since: Instant) {
    for (at, line) in side.words() {
        let at = at.saturating_duration_since(since).as_secs_f64()
            - since.saturating_duration_since(at).as_secs_f64();
        println!("  {at:7.2} s: {line}");
    }
}
