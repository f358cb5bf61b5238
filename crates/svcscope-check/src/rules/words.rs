//! Words that findings share.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use svcscope_model::inventory::{ServicePort, SharedStr};

/// How many things a list names before it counts.
const MAX_LISTED: usize = 5;

/// `1 pod`, `2 pods`.
pub(crate) fn pods(count: usize) -> String {
    counted(count, "pod")
}

/// `1 node`, `2 nodes`.
pub(crate) fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// `app=web,tier=front`.
pub(crate) fn pairs(labels: &BTreeMap<SharedStr, SharedStr>) -> String {
    let pairs: Vec<_> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(",")
}

/// `a, b, c`; of many the first and how many more.
pub(crate) fn list<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<_> = all.into_iter().map(|one| one.to_string()).collect();
    if all.len() <= MAX_LISTED {
        return all.join(", ");
    }
    let (named, rest) = all.split_at(MAX_LISTED);
    format!("{} and {} more", named.join(", "), rest.len())
}

/// The first of many, so that evidence stays short.
pub(crate) fn some<T>(all: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
    all.into_iter().take(MAX_LISTED)
}

/// `80/TCP`, or `80/TCP (http)` of a port that has a name.
pub(crate) fn port(port: &ServicePort) -> String {
    match &port.name {
        Some(name) => format!("{}/{} ({name})", port.port, port.protocol),
        None => format!("{}/{}", port.port, port.protocol),
    }
}

/// `40 s`, `4 min`, `3 h`, `2 d`.
pub(crate) fn duration(age: SignedDuration) -> String {
    match age.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// What somebody else said, as a part of a sentence.
pub(crate) fn one_line(said: &str) -> String {
    let words: Vec<_> = said.split_whitespace().collect();
    words.join(" ")
}

/// `The only pod is not ready`, `None of the 3 pods is ready`, with what stands behind `pod`.
pub(crate) fn none_ready(count: usize, which: &str) -> String {
    if count == 1 {
        format!("The only pod{which} is not ready")
    } else {
        format!("None of the {count} pods{which} is ready")
    }
}

/// A verb with its ending: `1 takes`, `2 take`.
pub(crate) fn verb(count: usize, verb: &str) -> String {
    let end = if count == 1 { "s" } else { "" };
    format!("{verb}{end}")
}

/// `is` or `are`.
pub(crate) fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}
