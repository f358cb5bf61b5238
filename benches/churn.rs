//! Thirty minutes' worth of changes at 100 a second, played fast through engine and canvas at
//! 1,000 Services and 10,000 pods: `cargo bench --bench churn`. What is held at the end may be
//! 5 % more than after the first minute's worth.

mod played;

use played::{
    Shape,
    churn::{Held, Play},
    cpu_time,
};

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let play = Play {
        shape: Shape {
            services: if cfg!(debug_assertions) { 50 } else { 1_000 },
            pods_each: 10,
            ports: 1,
        },
        minutes: if cfg!(debug_assertions) { 2 } else { 30 },
        frames_per_second: 10,
    };
    let start = cpu_time();
    let played = play.run();
    let spent = (cpu_time() - start).as_secs_f64();
    println!(
        "{} changes of {} minutes took {spent:.1} s of CPU",
        played.changes, play.minutes
    );
    print(&played.first_minute, &played.end);
}

fn print(first: &Held, end: &Held) {
    println!(
        "{:24} {:>14} {:>14} {:>9}",
        "held", "first minute", "end", ""
    );
    let resident = |held: &Held| held.resident.unwrap_or_default() / 1024;
    for (what, first, end) in [
        ("pods", first.pods as u64, end.pods as u64),
        ("Services", first.services as u64, end.services as u64),
        ("families", first.families as u64, end.families as u64),
        (
            "pods on the map",
            first.placed_pods as u64,
            end.placed_pods as u64,
        ),
        (
            "egui's memory, entries",
            first.remembered as u64,
            end.remembered as u64,
        ),
        ("resident memory, kB", resident(first), resident(end)),
    ] {
        let more = 100.0 * (end as f64 / first.max(1) as f64 - 1.0);
        let said = if more > 5.0 {
            "  over the bar of 5 %"
        } else {
            ""
        };
        println!("{what:24} {first:14} {end:14} {more:+8.1} %{said}");
    }
}
