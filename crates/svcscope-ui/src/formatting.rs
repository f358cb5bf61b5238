//! How numbers, ages and states are said.

use jiff::Timestamp;

use crate::theme::Health;
use svcscope_model::inventory::{
    Inventory, ListCompleteness, ObjectKey, ResourceKind, ServicePort, SyncState,
};
use svcscope_net::forward::{ForwardSpec, ForwardState, ForwardTarget, SpreadPolicy};

/// How long ago `then` was, in the largest unit that says enough: `12 s`, `3 min`, `5 h`, `3 days`.
pub fn age(now: Timestamp, then: Timestamp) -> String {
    let secs = seconds_between(now, then);
    match secs {
        0..60 => format!("{secs} s"),
        60..3_600 => format!("{} min", secs / 60),
        3_600..86_400 => format!("{} h", secs / 3_600),
        86_400..172_800 => "1 day".to_owned(),
        _ => format!("{} days", secs / 86_400),
    }
}

/// In how many seconds [`age`] of the same moment would say something else.
pub fn seconds_until_age_changes(now: Timestamp, then: Timestamp) -> u64 {
    let secs = seconds_between(now, then);
    let unit = match secs {
        0..60 => 1,
        60..3_600 => 60,
        3_600..86_400 => 3_600,
        _ => 86_400,
    };
    unit - secs % unit
}

/// When something was that nobody waits for: it need not be redrawn every second, and after a
/// minute once a day. With it comes in how many seconds it will be said differently, if ever.
pub fn coarse_age(now: Timestamp, then: Timestamp) -> (String, Option<u64>) {
    match seconds_between(now, then) {
        secs @ 0..10 => ("just now".to_owned(), Some(10 - secs)),
        secs @ 10..60 => ("within a minute".to_owned(), Some(60 - secs)),
        secs @ 60..86_400 => (format!("at {}", time_of_day(then)), Some(86_400 - secs)),
        _ => (format!("on {}", date_and_time(then)), None),
    }
}

fn seconds_between(now: Timestamp, then: Timestamp) -> u64 {
    // A clock that is behind the cluster's must not show a negative age.
    u64::try_from(now.as_second().saturating_sub(then.as_second())).unwrap_or(0)
}

/// Bytes in decimal units, as network rates are given: `1.2 MB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1_000 {
        return format!("{count} B");
    }
    let mut value = count as f64;
    let mut name = "B";
    for unit in UNITS {
        value /= 1_000.0;
        name = unit;
        if value < 999.5 {
            break;
        }
    }
    if value < 9.95 {
        format!("{value:.1} {name}")
    } else {
        format!("{value:.0} {name}")
    }
}

/// `1 pod`, `2 pods`.
pub fn plural(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// How often something happens: `0.4/s`, `12/s`.
pub fn frequency(rate: f64) -> String {
    if rate < 9.95 {
        format!("{rate:.1}/s")
    } else {
        format!("{rate:.0}/s")
    }
}

/// A duration as a request's timing is read: `12 ms`, `1.4 s`.
pub fn duration(time: std::time::Duration) -> String {
    let millis = time.as_millis();
    if millis < 1_000 {
        format!("{millis} ms")
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

/// The time of day here: `14:03:07`.
pub fn time_of_day(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system())
        .strftime("%H:%M:%S")
        .to_string()
}

/// The day and the time of the user's own clock, for what was long ago.
fn date_and_time(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

/// The name and number of a Service port as the user says it: `http 80`, `53 UDP`.
pub fn port_label(port: &ServicePort) -> String {
    let mut said = match &port.name {
        Some(name) => format!("{name} {}", port.port),
        None => port.port.to_string(),
    };
    if port.protocol != svcscope_model::inventory::Protocol::Tcp {
        said.push(' ');
        said.push_str(port.protocol.as_str());
    }
    said
}

/// What a forward leads to: `shop/web` for a Service, `shop/pod/web-0` for anything else.
pub fn target_label(target: &ForwardTarget) -> String {
    match target {
        ForwardTarget::Service(key) => key.to_string(),
        other => format!("{}/{other}", other.key().namespace),
    }
}

/// What a forward is called: by its own name, else by what it leads to.
pub fn forward_label(spec: &ForwardSpec) -> String {
    match &spec.name {
        Some(name) => name.to_string(),
        None => target_label(&spec.target),
    }
}

/// How connections are spread over pods, in few words.
pub fn spread_label(spread: &SpreadPolicy) -> String {
    match spread {
        SpreadPolicy::Sticky => "one pod".to_owned(),
        SpreadPolicy::Balanced => "all pods in turn".to_owned(),
        SpreadPolicy::Pinned(pod) => format!("only {pod}"),
    }
}

/// How fast bytes flow: `1.2 MB/s`.
pub fn byte_rate(bytes_per_second: u64) -> String {
    format!("{}/s", bytes(bytes_per_second))
}

/// The state of a forward: its mark, its words and (where time matters) since when.
pub fn forward_state_label(state: &ForwardState, open: u32) -> (Health, String, Option<Timestamp>) {
    match state {
        ForwardState::Listening => (Health::Unknown, "listening".to_owned(), None),
        ForwardState::Connected => (Health::Healthy, format!("connected ({open})"), None),
        ForwardState::Waiting { since, reason } => {
            (Health::Degraded, format!("waiting: {reason}"), Some(*since))
        }
        ForwardState::Reconnecting { since, reason } => (
            Health::Degraded,
            format!("reconnecting: {reason}"),
            Some(*since),
        ),
        ForwardState::Failing { reason } => (Health::Broken, format!("failing: {reason}"), None),
        ForwardState::Failed { reason } => (Health::Broken, format!("failed: {reason}"), None),
        ForwardState::Stopped => (Health::Unknown, "stopped".to_owned(), None),
    }
}

/// Why a kind is not known for certain, in two or three words; none where it
/// is current.
pub fn sync_label(state: &SyncState) -> Option<&'static str> {
    match state {
        SyncState::Live | SyncState::Polled { .. } => None,
        SyncState::Syncing => Some("reading"),
        SyncState::Failing { .. } => Some("not listed yet"),
        SyncState::Stale { .. } => Some("stale"),
        SyncState::Forbidden { .. } => Some("not permitted"),
        SyncState::Absent { .. } => Some("not available"),
    }
}

/// A number of objects as far as it means something: `7 services`, `7+ services` where some of them
/// may not be listed, `? services` before all that is to be had was listed.
pub fn count_if_listed(
    inventory: &Inventory,
    kind: ResourceKind,
    number: usize,
    noun: &str,
) -> String {
    match inventory.completeness(kind) {
        ListCompleteness::Live | ListCompleteness::Polled | ListCompleteness::Stale => {
            plural(number, noun)
        }
        ListCompleteness::Partial if inventory.was_listed(kind) => format!("{number}+ {noun}s"),
        ListCompleteness::Partial | ListCompleteness::Unlisted => format!("? {noun}s"),
    }
}

/// What a list row of a Service is called for those who listen: `Service shop/web`.
pub fn service_label(key: &ObjectKey) -> String {
    format!("Service {key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn ages_use_the_largest_unit_that_says_enough() {
        for (secs, said) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (86_399, "23 h"),
            (86_400, "1 day"),
            (259_200, "3 days"),
            (-5, "0 s"),
        ] {
            assert_eq!(age(at(1_000_000 + secs), at(1_000_000)), said);
        }
    }

    #[test]
    fn an_age_is_asked_for_again_only_when_it_will_differ() {
        for secs in [0_i64, 59, 60, 61, 119, 3_599, 7_205, 90_000] {
            let now = at(1_000_000 + secs);
            let then = at(1_000_000);
            let wait = seconds_until_age_changes(now, then);
            assert!(wait >= 1);
            let later = |more: u64| at(now.as_second() + i64::try_from(more).expect("small"));
            assert_eq!(age(later(wait - 1), then), age(now, then), "{secs}");
            assert_ne!(age(later(wait), then), age(now, then), "{secs}");
        }
    }

    #[test]
    fn what_is_recent_is_said_coarsely() {
        for (secs, said, wait) in [
            (0, "just now", Some(10)),
            (9, "just now", Some(1)),
            (10, "within a minute", Some(50)),
        ] {
            assert_eq!(
                coarse_age(at(1_000_000 + secs), at(1_000_000)),
                (said.to_owned(), wait)
            );
        }
        let (then, at_clock) = (at(1_000_000), format!("at {}", time_of_day(at(1_000_000))));
        assert_eq!(
            coarse_age(at(1_000_060), then),
            (at_clock.clone(), Some(86_340))
        );
        assert_eq!(coarse_age(at(1_050_000), then), (at_clock, Some(36_400)));
        let (said, wait) = coarse_age(at(2_000_000), then);
        assert!(said.starts_with("on 1970-01-1"), "{said}");
        assert_eq!(wait, None, "a day later it is not asked for again");
    }

    #[test]
    fn bytes_are_short_and_decimal() {
        for (count, said) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_234_567, "1.2 MB"),
            (14_000, "14 kB"),
            (999_700, "1.0 MB"),
            (100_000_000, "100 MB"),
        ] {
            assert_eq!(bytes(count), said);
        }
    }

    #[test]
    fn counts_agree_with_their_noun() {
        assert_eq!(plural(1, "pod"), "1 pod");
        assert_eq!(plural(0, "pod"), "0 pods");
    }
}
