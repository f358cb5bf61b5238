//! Every event of a recorded run of the demo is lost, late, doubled, out of order, replaced by a
//! 410 or by an older state, alone and in each way, as Sieve (Sun et al., OSDI '22) does to
//! controllers. A fixed time after the fault what svcscope shows must equal a fresh list.
//!
//! A run is replayed through the real watches against an API server in memory, in paused time, and
//! goes into the real model. Each replay begins shortly before its event and ends some events after
//! it, so that all events in all ways take seconds.

mod api;
mod perturbation;
mod recording;
mod run;
mod script;
mod view;

use std::{collections::BTreeMap, time::Instant};

use perturbation::EventPerturbation;
use recording::DemoRecording;
use run::EventReplay;

use svcscope_model::inventory::ResourceKind;

/// So many events a recorded run must have at least.
const EVENTS: usize = 200;

/// What became of one event in one way.
struct ReplayOutcome {
    event: String,
    perturbation: EventPerturbation,
    /// Where what is shown differs from a fresh list; empty where it does not.
    difference: String,
}

/// Perturbs these events in these ways, on all cores.
fn perturb(
    recording: &DemoRecording,
    relist: bool,
    events: &[usize],
    ways: &[EventPerturbation],
) -> Vec<ReplayOutcome> {
    let threads = std::thread::available_parallelism().map_or(2, |all| all.get().clamp(1, 8));
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|first| {
                let mine = events.iter().skip(first).step_by(threads).copied();
                scope.spawn(move || {
                    let outcomes =
                        mine.flat_map(|event| perturb_event(recording, relist, event, ways));
                    outcomes.collect::<Vec<_>>()
                })
            })
            .collect();
        running
            .into_iter()
            .flat_map(|thread| thread.join().expect("a thread of replays ended early"))
            .collect()
    })
}

fn perturb_event(
    recording: &DemoRecording,
    relist: bool,
    event: usize,
    ways: &[EventPerturbation],
) -> Vec<ReplayOutcome> {
    let replay = EventReplay::around(recording, event, relist);
    let truth = replay.fresh();
    ways.iter()
        .map(|way| ReplayOutcome {
            event: recording.events[event].to_string(),
            perturbation: *way,
            difference: replay.perturbed(*way).differs_from(&truth),
        })
        .collect()
}

#[test]
fn whatever_becomes_of_an_event_the_view_is_right_again() {
    let begun = Instant::now();
    let recording = recording::record();
    let took = begun.elapsed();
    let mut kinds = BTreeMap::<_, usize>::new();
    for event in &recording.events {
        *kinds.entry(event.kind().plural()).or_default() += 1;
    }
    assert!(recording.events.len() >= EVENTS, "{kinds:?}");
    for collection in recording::COLLECTIONS {
        let plural = collection.kind.plural();
        assert!(
            kinds.contains_key(plural),
            "no event of {plural}: {kinds:?}"
        );
    }
    let all: Vec<_> = (0..recording.events.len()).collect();
    let outcomes = perturb(&recording, true, &all, &EventPerturbation::ALL);
    assert_eq!(outcomes.len(), all.len() * EventPerturbation::ALL.len());
    println!(
        "{} events of {} kinds, recorded in {took:.1?}: {kinds:?}\n{} replays in {:.1?}",
        all.len(),
        kinds.len(),
        outcomes.len(),
        begun.elapsed(),
    );
    let wrong: Vec<_> = outcomes
        .iter()
        .filter(|outcome| !outcome.difference.is_empty())
        .collect();
    let first: Vec<_> = wrong
        .iter()
        .take(5)
        .map(|outcome| {
            format!(
                "{}, {:?}: {}",
                outcome.event, outcome.perturbation, outcome.difference
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{} are wrong, as {first:#?}", wrong.len());
}

/// That the test above can fail: without lists that are read again a lost event stays lost.
#[test]
fn without_lists_that_are_read_again_a_lost_event_stays_lost() {
    let recording = recording::record();
    let is_about_a_service = |at: &usize| recording.events[*at].kind() == ResourceKind::Service;
    let some: Vec<_> = (0..recording.events.len())
        .filter(is_about_a_service)
        .collect();
    let outcomes = perturb(&recording, false, &some, &[EventPerturbation::Lost]);
    let lost: Vec<_> = outcomes
        .iter()
        .filter(|outcome| !outcome.difference.is_empty())
        .map(|outcome| &*outcome.event)
        .collect();
    println!(
        "{} of {} lost events stay lost: {lost:?}",
        lost.len(),
        some.len()
    );
    // Others are followed soon by one that says it all.
    let gone = |event: &&str| event.starts_with("DELETED services sieve/alias");
    assert!(lost.iter().any(gone), "{lost:?}");
}
