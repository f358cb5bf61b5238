//! The rows in which pods come and go, and what failed meanwhile.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use crate::{
    asked::Asked,
    pods::{Life, Pods},
    rows::Run,
    side::Side,
    steady::{steady, wait_until},
};

const ROLLOUT_SECONDS: u64 = 120;
const ROLLOUT_RATE: u32 = 50;
const REPLACED: usize = 5;
const REPLACED_RATE: u32 = 20;

/// New connections while a Deployment is rolled out and its pods are deleted.
pub fn rollout(run: &Run) {
    if !run.cluster.is_real() {
        return println!("rollout: skipped, it needs a real cluster");
    }
    let time = run.seconds(ROLLOUT_SECONDS);
    run.cluster.scale(3);
    let pods = Pods::watch(&run.cluster);
    let theirs = under_changes(run, &Side::kubectl(&run.cluster, "svc/web", &[80]), time);
    let theirs_failed = failed(&theirs).count();
    for (mode, flags) in [("sticky", &[][..]), ("balanced", &["--balance"])] {
        let side = Side::talking(&run.cluster, "svc/web", &[80], flags);
        let ours = under_changes(run, &side, time);
        let fates = fates(&ours, &side, &pods);
        println!(
            "| {ROLLOUT_RATE} requests a second for {} s under a rollout and deleted pods, {mode}: requests, failed (of these not on a pod that left) | {}, {} ({}) | {}, {theirs_failed} | |",
            time.as_secs(),
            ours.len(),
            fates.len(),
            fates.iter().filter(|fate| !fate.pod_left).count(),
            theirs.len(),
        );
        fates.iter().for_each(|fate| println!("  {}", fate.words));
    }
    run.cluster.scale(0);
}

fn under_changes(run: &Run, side: &Side, time: Duration) -> Vec<Asked> {
    std::thread::scope(|scope| {
        let started = Instant::now();
        let load = scope.spawn(move || steady(side, ROLLOUT_RATE, || started.elapsed() < time));
        wait_until(started + time / 12);
        run.cluster
            .kubectl(&["rollout", "restart", "deployment/web"]);
        while started.elapsed() < time * 11 / 12 {
            wait_until(Instant::now() + time / 8);
            if let Some(pod) = run.cluster.pods().first() {
                run.cluster.kubectl(&["delete", "pod", pod, "--wait=false"]);
            }
        }
        load.join().expect("the load ends")
    })
}

/// How long after its replacement is ready the only pod's forward gives a first answer, while
/// clients come all the time, and how long a client then waits at most.
pub fn replaced(run: &Run) {
    if !run.cluster.is_real() {
        return println!("replaced: skipped, it needs a real cluster");
    }
    run.cluster.scale(1);
    let pods = Pods::watch(&run.cluster);
    let side = Side::talking(&run.cluster, "svc/web", &[80], &[]);
    let over = AtomicBool::new(false);
    let mut ready = Vec::new();
    let asked = std::thread::scope(|scope| {
        let load = scope.spawn(|| steady(&side, REPLACED_RATE, || !over.load(Ordering::Relaxed)));
        for _ in 0..run.count(REPLACED) {
            // So that the old pod has served for a while.
            wait_until(Instant::now() + Duration::from_secs(2));
            let before = pods.all();
            let Some(old) = run.cluster.pods().pop() else {
                continue;
            };
            run.cluster
                .kubectl(&["delete", "pod", &old, "--wait=false"]);
            ready.push(pods.ready_beside(&before));
        }
        wait_until(Instant::now() + Duration::from_secs(2));
        over.store(true, Ordering::Relaxed);
        load.join().expect("the load ends")
    });
    run.cluster.scale(0);
    let waits: Vec<Wait> = ready
        .iter()
        .map(|(pod, since)| Wait::of(&asked, pod, *since))
        .collect();
    println!(
        "| the only pod deleted {} times: from its replacement's readiness to the first answer, worst | {:.2} s | | |",
        waits.len(),
        worst(waits.iter().map(|wait| wait.first)),
    );
    println!(
        "| …to the end of any request of then, worst | {:.2} s | | |",
        worst(waits.iter().map(|wait| wait.longest))
    );
    let fates = fates(&asked, &side, &pods);
    println!(
        "| …requests, failed (of these not on a pod that left) | {}, {} ({}) | | |",
        asked.len(),
        fates.len(),
        fates.iter().filter(|fate| !fate.pod_left).count(),
    );
    fates.iter().for_each(|fate| println!("  {}", fate.words));
}

/// What clients waited after a replacement was ready, in seconds.
struct Wait {
    /// Until it first answered one.
    first: f64,
    /// Until the last of those had its answer or its end who waited then already or came within a
    /// second.
    longest: f64,
}

impl Wait {
    fn of(asked: &[Asked], pod: &String, ready: Instant) -> Self {
        let soon = ready + Duration::from_secs(1);
        let answered = asked.iter().filter(|one| one.pod() == Some(pod));
        let first = answered.map(|one| one.ended).min();
        let then = asked
            .iter()
            .filter(|one| one.ended > ready && one.started < soon);
        let waits = then.map(|one| one.ended - one.started.max(ready));
        Self {
            first: first.map_or(f64::NAN, |first| {
                first.saturating_duration_since(ready).as_secs_f64()
            }),
            longest: waits.max().unwrap_or_default().as_secs_f64(),
        }
    }
}

/// The greatest; a value that is none is worse than all.
fn worst(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |worst, value| {
        if worst.is_nan() || value.is_nan() {
            f64::NAN
        } else {
            worst.max(value)
        }
    })
}

fn failed(asked: &[Asked]) -> impl Iterator<Item = &Asked> {
    asked.iter().filter(|one| one.answer.is_err())
}

/// What a request failed of.
struct Fate {
    /// It was on a pod that was being deleted when it ended.
    pod_left: bool,
    words: String,
}

fn fates(asked: &[Asked], side: &Side, pods: &Pods) -> Vec<Fate> {
    let lives = pods.all();
    failed(asked).map(|one| fate(one, side, &lives)).collect()
}

fn fate(one: &Asked, side: &Side, lives: &BTreeMap<String, Life>) -> Fate {
    let said = one.client.and_then(|client| side.said_of(client, one));
    let pod = said.as_deref().and_then(pod_in);
    let left = pod.and_then(|pod| lives.get(pod)?.leaving);
    let taken = one.ended.duration_since(one.started).as_secs_f64();
    let error = match &one.answer {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    let place = match (pod, left) {
        (None, _) => "on a pod that nobody named".to_owned(),
        (Some(pod), None) => format!("on {pod}, which was not being deleted"),
        (Some(pod), Some(left)) => format!(
            "on {pod}, deleted {:.2} s after the request began",
            left.saturating_duration_since(one.started).as_secs_f64()
                - one.started.saturating_duration_since(left).as_secs_f64()
        ),
    };
    Fate {
        pod_left: left.is_some_and(|left| left <= one.ended),
        words: format!(
            "failed after {taken:.2} s ({error}) {place}: {}",
            said.as_deref().unwrap_or("not a word of the forward")
        ),
    }
}

/// `… pod=web-1 …`, in quotes or not.
fn pod_in(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(" pod=")?;
    Some(rest.split_whitespace().next()?.trim_matches('"'))
}
