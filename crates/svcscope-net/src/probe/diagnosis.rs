//! At which step a request failed, in words.

use std::{error::Error, io, time::Duration};

use super::{
    CurlError, FailureKind, HttpScheme,
    http::{NUL, PhaseTimestamps, ResolveError},
    resolved_access_path::ResolvedAccessPath,
};
use crate::forward::DialErrorKind;

/// A failed exchange, as far as it was seen.
pub(super) struct FailureContext<'a> {
    pub(super) access_path: &'a ResolvedAccessPath,
    pub(super) scheme: HttpScheme,
    /// Why the certificate is not trusted, where one came.
    pub(super) rejection: Option<&'a str>,
}

/// Turns what broke into the step at which it broke.
///
/// The forward knows best what became of the connection, except for TLS: a server that gets plain
/// bytes may well reset it, and that is not the cause.
pub(super) fn diagnose(error: &(dyn Error + 'static), scene: &FailureContext<'_>) -> CurlError {
    let other_side = scene.access_path.peer();
    if let Some(tls) = find::<rustls::Error>(error) {
        return of_tls(tls, scene.rejection);
    }
    if let Some(failure) = scene.access_path.dial_failure() {
        let kind = match failure.kind {
            DialErrorKind::Refused => FailureKind::Refused,
            DialErrorKind::Forbidden | DialErrorKind::Unauthorized => FailureKind::NotPermitted,
            // The node's word about the pod's own connection, not about the way to it.
            DialErrorKind::Other if failure.message.contains("reset by peer") => FailureKind::Reset,
            DialErrorKind::PodGone | DialErrorKind::Unreachable | DialErrorKind::Other => {
                FailureKind::Unreachable
            }
        };
        return CurlError::new(kind, failure.message);
    }
    if let Some(name) = find::<ResolveError>(error) {
        let kind = match name {
            ResolveError::Unknown { .. } => FailureKind::NameResolution,
            ResolveError::NoRoute { .. } | ResolveError::Local { .. } => FailureKind::NoTarget,
        };
        return CurlError::new(kind, name.to_string());
    }
    let http = find::<hyper::Error>(error);
    // hyper has no question for a server that speaks before it is asked, as those of HTTP/2 do.
    let said = innermost(error);
    if said == NUL || said.contains("invalid content-length") {
        return CurlError::new(
            FailureKind::BadHead,
            format!("the response headers can't be read: {said}"),
        );
    }
    if http.is_some_and(hyper::Error::is_parse) || said.contains("unexpected message") {
        return CurlError::new(
            FailureKind::NotHttp,
            format!(
                "the answer is not HTTP ({said}): the port may speak TLS (try https), HTTP/2 only \
                 (try h2c) or another protocol"
            ),
        );
    }
    let advice = match scene.scheme {
        HttpScheme::Http => ": it may expect TLS (try https) or another protocol",
        HttpScheme::Https => " the TLS handshake: it may expect plain http",
        HttpScheme::H2c => ": it may not speak HTTP/2 without TLS (try http)",
    };
    if let Some(io) = find::<io::Error>(error)
        && let Some(kind) = of_io(io)
    {
        let message = match kind {
            FailureKind::Refused => {
                format!("{other_side} refused the connection: nothing listens there")
            }
            FailureKind::TimedOut => format!("{other_side} did not take the connection"),
            FailureKind::Reset => {
                format!("{other_side} reset the connection before it answered{advice}")
            }
            FailureKind::Closed => closed(&other_side, advice),
            _ => format!("{other_side} can't be reached from here: {io}"),
        };
        return CurlError::new(kind, message);
    }
    if http.is_some_and(hyper::Error::is_incomplete_message) {
        return CurlError::new(FailureKind::Closed, closed(&other_side, advice));
    }
    if scene.scheme == HttpScheme::H2c {
        return CurlError::new(
            FailureKind::NotHttp,
            format!("the answer is not HTTP/2 ({}): try http", innermost(error)),
        );
    }
    CurlError::new(FailureKind::Other, innermost(error))
}

fn closed(other_side: &str, advice: &str) -> String {
    format!("{other_side} closed the connection before it answered{advice}")
}

fn of_tls(error: &rustls::Error, rejected: Option<&str>) -> CurlError {
    match error {
        rustls::Error::InvalidMessage(_) => CurlError::new(
            FailureKind::NotTls,
            "the port does not speak TLS: send the request by http",
        ),
        rustls::Error::InvalidCertificate(_) => {
            let why = rejected.map_or_else(|| error.to_string(), str::to_owned);
            CurlError::new(
                FailureKind::Certificate,
                format!(
                    "the server's certificate is not trusted: {why}; skip verification (-k) to see the response anyway"
                ),
            )
        }
        other => CurlError::new(
            FailureKind::Tls,
            format!("the TLS handshake failed: {other}"),
        ),
    }
}

fn of_io(error: &io::Error) -> Option<FailureKind> {
    Some(match error.kind() {
        io::ErrorKind::ConnectionRefused => FailureKind::Refused,
        io::ErrorKind::TimedOut => FailureKind::TimedOut,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => FailureKind::Reset,
        io::ErrorKind::UnexpectedEof => FailureKind::Closed,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable => FailureKind::Unreachable,
        _ => return None,
    })
}

/// No answer within the limit, and how far it came.
pub(super) fn timed_out(
    after: Duration,
    door: &ResolvedAccessPath,
    marks: &PhaseTimestamps,
) -> CurlError {
    let step = match door {
        ResolvedAccessPath::Forward(_) if door.pod().is_none() => {
            "no pod could be reached".to_owned()
        }
        ResolvedAccessPath::Direct { .. } if !marks.is_open() => format!(
            "{} did not take the connection: a firewall may drop it",
            door.peer()
        ),
        _ => format!("{} took the connection and did not answer", door.peer()),
    };
    timeout_error(after, &step)
}

/// No answer within the limit.
pub(super) fn timeout_error(after: Duration, step: &str) -> CurlError {
    let seconds = after.as_secs_f64();
    CurlError::new(
        FailureKind::TimedOut,
        format!("no answer within {seconds} s: {step}"),
    )
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

/// What a chain of errors ends with.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}
