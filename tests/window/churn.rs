//! Thirty minutes' worth of changes, played fast: nothing that is held grows with them. The bench
//! of the same name plays it at full size.

#[path = "../../benches/played/mod.rs"]
mod played;

use played::{
    Shape,
    churn::{Held, Play},
};

use svcscope_testkit::cluster::runs_in_own_process;

#[test]
fn what_is_held_does_not_grow_with_the_changes_seen() {
    // It measures the memory of its process.
    if !runs_in_own_process("churn::what_is_held_does_not_grow_with_the_changes_seen") {
        return;
    }
    let play = Play {
        shape: Shape {
            services: 12,
            pods_each: 6,
            ports: 1,
        },
        minutes: 30,
        frames_per_second: 1,
    };
    let played = play.run();
    assert!(played.changes > 180_000, "{}", played.changes);
    let (first, end) = (played.first_minute, played.end);
    assert_eq!((end.pods, end.services, end.backends), (72, 12, 72));
    assert_eq!((end.families, end.placed_pods), (12, 72));
    let same = |held: Held| Held {
        resident: None,
        ..held
    };
    assert_eq!(same(first), same(end));
    if let (Some(first), Some(end)) = (first.resident, end.resident) {
        let most = first + first / 20;
        assert!(
            end <= most,
            "{end} bytes at the end, {first} after a minute"
        );
    }
}
