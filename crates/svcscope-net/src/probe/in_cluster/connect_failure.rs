//! Why a connection could not be opened, by the words of glibc and musl for an errno.

use crate::probe::FailureKind;

/// What the attempts at all addresses of a name come to. None where no errno is told: it is not
/// known then whether anything was sent.
pub(super) fn connect_failure<'a>(said: impl IntoIterator<Item = &'a str>) -> Option<FailureKind> {
    // A refusal came from the other side; of the others the one that says most of the network.
    let order = |kind: &FailureKind| match kind {
        FailureKind::Refused => 0,
        FailureKind::TimedOut => 1,
        FailureKind::Unreachable => 2,
        _ => 3,
    };
    said.into_iter().filter_map(of_errno).min_by_key(order)
}

fn of_errno(said: &str) -> Option<FailureKind> {
    let said = said.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&["refused"]) {
        return Some(FailureKind::Refused);
    }
    if has(&["timed out"]) {
        return Some(FailureKind::TimedOut);
    }
    if has(&["no route to host", "host is unreachable"]) {
        return Some(FailureKind::Unreachable);
    }
    let has_no_network = has(&["network is unreachable", "network unreachable"]);
    // connect(2) says so by itself where there is no route. A router's word comes later.
    if has_no_network && said.starts_with("connect to ") {
        return Some(FailureKind::Unreachable);
    }
    if has_no_network || has(&["cannot assign requested address", "address not available"]) {
        return Some(FailureKind::NoTarget);
    }
    None
}

/// The message for a pod that has no route there.
pub(super) fn without_route(said: &str) -> String {
    format!(
        "not testable from there: the pod has no route of that address family ({said}); try a pod \
         that has an address of it"
    )
}
