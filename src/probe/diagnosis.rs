//! At which step a request failed, in words.

use std::{error::Error, io, time::Duration};

use super::Scheme;
use crate::{forward::ForwardStatus, inventory::Text};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CurlError {
    /// The request can't be sent as it is.
    #[error("{reason}")]
    Malformed {
        /// What is wrong with it.
        reason: Text,
    },
    /// No pod to send it to, or a target that can't be forwarded to.
    #[error("{reason}")]
    NoWay {
        /// What is missing, and what to do instead.
        reason: Text,
    },
    /// The pod could not be reached, or the way to it broke.
    #[error("{reason}")]
    NotReached {
        /// What was tried and what the kubelet or the API server said.
        reason: Text,
    },
    /// The connection was closed before an answer.
    #[error("pod {pod} closed the connection before it answered{advice}")]
    Closed {
        /// The pod.
        pod: Text,
        /// What may help.
        advice: &'static str,
    },
    /// The other side does not speak TLS.
    #[error("the port does not speak TLS: send the request by http")]
    NotTls,
    /// The TLS handshake failed in another way.
    #[error("the TLS handshake failed: {reason}")]
    Tls {
        /// What failed.
        reason: Text,
    },
    /// The other side does not speak HTTP.
    #[error(
        "the answer is not HTTP ({reason}): the port may speak TLS (try https) or another protocol"
    )]
    NotHttp {
        /// What the parser met.
        reason: Text,
    },
    /// The answer began and broke off.
    #[error("status {status} came, but the body broke off after {bytes} bytes: {reason}")]
    BrokenBody {
        /// The status code.
        status: u16,
        /// How much of the body was read.
        bytes: u64,
        /// What broke.
        reason: Text,
    },
    /// The whole took longer than it may.
    #[error("no answer within {}: {step}", seconds(*after))]
    Timeout {
        /// The limit.
        after: Duration,
        /// How far it came.
        step: Text,
    },
    /// Anything else.
    #[error("{reason}")]
    Other {
        /// What was tried and what was said.
        reason: Text,
    },
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// Turns a failed request into the step at which it failed.
///
/// The forward knows best what became of the connection, except for TLS: a server that gets plain
/// bytes may well reset it, and that is not the cause.
pub(crate) fn diagnose(
    error: &reqwest::Error,
    forward: &ForwardStatus,
    scheme: Scheme,
) -> CurlError {
    if let Some(tls) = find::<rustls::Error>(error) {
        return match tls {
            rustls::Error::InvalidMessage(_) => CurlError::NotTls,
            other => CurlError::Tls {
                reason: other.to_string().into(),
            },
        };
    }
    if let Some(reason) = &forward.last_error {
        return CurlError::NotReached {
            reason: reason.clone(),
        };
    }
    let http = find::<hyper::Error>(error);
    if let Some(parse) = http.filter(|error| error.is_parse()) {
        return CurlError::NotHttp {
            reason: parse.to_string().into(),
        };
    }
    let cut = find::<io::Error>(error).is_some_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
        )
    });
    if cut || http.is_some_and(hyper::Error::is_incomplete_message) {
        let pod = forward.pod.as_ref().map(|pod| pod.name.clone());
        return CurlError::Closed {
            pod: pod.unwrap_or_else(|| Text::from("?")),
            advice: match scheme {
                Scheme::Http => ": it may expect TLS (try https) or another protocol",
                Scheme::Https => " the TLS handshake: it may expect plain http",
            },
        };
    }
    CurlError::Other {
        reason: innermost(error).into(),
    }
}

/// Looks for a cause of a type, also inside `io::Error`s, which hide what they carry from
/// `source`.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<E>() {
            return Some(found);
        }
        next = match cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}

fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}
