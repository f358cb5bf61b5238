//! What failed calls and messages of nodes mean to a forward.

use crate::{CallError, CallErrorKind};
use svcscope_net::forward::{DialError, DialErrorKind};

/// A failed call to the API server.
pub(super) fn to_dial_error(error: &CallError) -> DialError {
    let kind = match error.kind {
        CallErrorKind::NotFound | CallErrorKind::Expired => DialErrorKind::PodGone,
        CallErrorKind::Forbidden => DialErrorKind::Forbidden,
        CallErrorKind::Unauthorized | CallErrorKind::Credentials => DialErrorKind::Unauthorized,
        CallErrorKind::Unreachable | CallErrorKind::Untrusted => DialErrorKind::Unreachable,
        _ => DialErrorKind::Other,
    };
    DialError {
        kind,
        message: error.message.clone(),
    }
}

/// What a node's words mean: it could not reach the port, or found no pod; it has no code for it.
pub(super) fn error_kind_of_node_message(words: &str) -> DialErrorKind {
    let gone = [
        "not found",
        "no such",
        "does not exist",
        "not running",
        "failed to find sandbox",
        "is closed",
    ];
    if words.contains("refused") {
        DialErrorKind::Refused
    } else if gone.iter().any(|word| words.contains(word)) {
        DialErrorKind::PodGone
    } else {
        DialErrorKind::Other
    }
}

/// A node's refusal, with what was tried and what it means.
pub(super) fn refusal_error(tried: &str, words: &str) -> DialError {
    let kind = error_kind_of_node_message(words);
    let next = match kind {
        DialErrorKind::Refused => "; nothing listens on that port in the pod",
        _ => "",
    };
    DialError {
        kind,
        message: format!("could not {tried}: {words}{next}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_words_decide_what_to_do_next() {
        let refused = refusal_error(
            "forward",
            "dial tcp4 127.0.0.1:81: connect: connection refused",
        );
        assert_eq!(refused.kind, DialErrorKind::Refused);
        assert!(refused.message.contains("dial tcp4 127.0.0.1:81"));
        let gone = refusal_error("forward", "container \"x\" not found");
        assert_eq!(gone.kind, DialErrorKind::PodGone);
        let else_ = refusal_error("forward", "out of file descriptors");
        assert_eq!(else_.kind, DialErrorKind::Other);
    }
}
