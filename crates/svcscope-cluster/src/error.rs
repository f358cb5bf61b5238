//! Why a call to the API server failed, in words for the user.

use std::{borrow::Cow, error::Error as StdError, io, time::Duration};

use http::{
    StatusCode, Uri,
    header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, SERVER},
    response::Parts,
};
use kube::core::Status;

use svcscope_model::inventory::{SharedStr, plain::plain};
use svcscope_net::{forward, probe::rejection_reason};

/// What a failed call means for what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallErrorKind {
    /// The API server can't be reached, did not answer in time, or hung up.
    Unreachable,
    /// The API server's certificate is not trusted.
    Untrusted,
    /// There are no credentials to send: a plugin or a login failed.
    Credentials,
    /// 401: the API server does not accept the credentials.
    Unauthorized,
    /// 403: a right is missing.
    Forbidden,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// 410: the history that was asked for is no longer kept.
    Expired,
    /// 400 or 422: the server refuses what was sent.
    Invalid,
    /// 429, 503 or 504: later, perhaps.
    Busy,
    /// Anything else.
    Other,
}

/// A failed call to the API server.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// What it means.
    pub kind: CallErrorKind,
    /// What was tried, what the other side said in its own words, and what to do next.
    pub message: SharedStr,
    /// `Retry-After`, where the server sent one.
    pub retry_after: Option<Duration>,
    /// The server's own words alone.
    pub cause: SharedStr,
    /// The server's answer, where it was a `Status`: only an API server gives one.
    pub(super) status: Option<Box<Status>>,
}

/// Limit for the quoted text of the other side, in characters.
const MAX_MESSAGE_CHARS: usize = 2000;

impl CallError {
    /// A failure that is not an answer of the server.
    pub(super) fn new(kind: CallErrorKind, action: &str, cause: &str) -> Self {
        let said = plain(cause);
        let said = &*truncated(&said, MAX_MESSAGE_CHARS);
        let message = match advice(kind) {
            Some(next) => format!("could not {action}: {said}; {next}"),
            None => format!("could not {action}: {said}"),
        };
        Self {
            kind,
            message: message.into(),
            retry_after: None,
            cause: said.into(),
            status: None,
        }
    }

    /// The server answered with an error.
    pub(super) fn from_status(action: &str, status: Status, retry_after: Option<Duration>) -> Self {
        let kind = kind_of(status.code);
        let said = match (status.message.trim(), status.reason.as_str()) {
            ("", "") => format!("the API server answered {}", status.code),
            ("", reason) => format!("the API server answered {} {reason}", status.code),
            (message, _) => message.to_owned(),
        };
        Self {
            retry_after,
            status: Some(Box::new(status)),
            ..Self::new(kind, action, &said)
        }
    }

    /// An answer that is no success and no `Status`: an API server's plain words, or the page of
    /// something before it. Of a page only its code and its origin are shown.
    pub(super) fn from_non_status(action: &str, head: &Parts, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let said =
            message_of_truncated_status(&text).unwrap_or_else(|| describe_non_status(head, &text));
        Self {
            retry_after: retry_after(head),
            ..Self::new(kind_of(head.status.as_u16()), action, &said)
        }
    }

    /// Whether the other side says when to try again. For client-go those are 429 and all from 500 on
    /// (`checkWait` in rest/with_retry.go).
    pub(super) fn retry_delay(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The client failed before there was an answer, or while the answer was read.
    pub(super) fn from_client(action: &str, error: &kube::Error) -> Self {
        if let kube::Error::Api(status) = error {
            return Self::from_status(action, (**status).clone(), None);
        }
        if is_credentials_error(error) {
            return Self::new(
                CallErrorKind::Credentials,
                action,
                &root_cause_message(error),
            );
        }
        Self::from_transport(action, error)
    }

    /// The connection failed, or broke while a body was read.
    pub(super) fn from_transport(action: &str, error: &(dyn StdError + 'static)) -> Self {
        if let Some(said) = chain(error).find_map(certificate_rejection) {
            return Self::new(CallErrorKind::Untrusted, action, &said);
        }
        let is_out = |cause: &(dyn StdError + 'static)| {
            cause.downcast_ref().is_some_and(forward::is_out_of_files)
        };
        if chain(error).any(is_out) {
            return Self::new(CallErrorKind::Other, action, &forward::out_of_files());
        }
        let timed_out = chain(error).any(|cause| {
            cause
                .downcast_ref::<io::Error>()
                .is_some_and(|io| io.kind() == io::ErrorKind::TimedOut)
        });
        let said = if timed_out {
            "no response in time".to_owned()
        } else {
            root_cause_message(error)
        };
        Self::new(CallErrorKind::Unreachable, action, &said)
    }

    /// Nothing came within `patience`.
    pub(super) fn timed_out(action: &str, response_timeout: Duration) -> Self {
        let said = format!("no answer within {} s", response_timeout.as_secs().max(1));
        Self::new(CallErrorKind::Unreachable, action, &said)
    }
}

/// Why the server's certificate is refused, if that is what this error is.
fn certificate_rejection(cause: &(dyn StdError + 'static)) -> Option<String> {
    use rustls::{CertificateError as Why, Error::InvalidCertificate};
    let error @ InvalidCertificate(why) = cause.downcast_ref()? else {
        return None;
    };
    let why = match why {
        // Another authority of the same name makes a bad signature.
        Why::UnknownIssuer | Why::BadSignature => {
            "it is not signed by a certificate authority trusted for this cluster".to_owned()
        }
        Why::NotValidForNameContext { expected, .. } => rejection_reason(error, &expected.to_str()),
        _ => rejection_reason(error, "that was asked for"),
    };
    Some(format!("the server's certificate is not trusted: {why}"))
}

fn kind_of(code: u16) -> CallErrorKind {
    match code {
        401 => CallErrorKind::Unauthorized,
        403 => CallErrorKind::Forbidden,
        404 => CallErrorKind::NotFound,
        409 => CallErrorKind::Conflict,
        410 => CallErrorKind::Expired,
        400 | 422 => CallErrorKind::Invalid,
        429 | 503 | 504 => CallErrorKind::Busy,
        _ => CallErrorKind::Other,
    }
}

/// `Retry-After` in seconds, where the code is one that may be tried again; a date is not understood,
/// as in client-go.
pub(super) fn retry_after(head: &Parts) -> Option<Duration> {
    if head.status != StatusCode::TOO_MANY_REQUESTS && !head.status.is_server_error() {
        return None;
    }
    let seconds = head.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    seconds.parse().ok().map(Duration::from_secs)
}

/// The message of a `Status` that is too long to be read whole.
fn message_of_truncated_status(body: &str) -> Option<String> {
    const KEY: &str = r#""message":"#;
    if !body.trim_start().starts_with('{') {
        return None;
    }
    let (_, rest) = body.split_once(KEY)?;
    let rest = rest.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    let end = rest.char_indices().find_map(|(at, letter)| {
        let ends = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        ends.then_some(at)
    });
    // No more of it is shown, and so many bytes are surely enough.
    let most = rest
        .char_indices()
        .nth(4 * MAX_MESSAGE_CHARS)
        .map(|(at, _)| at);
    let end = end.or(most).unwrap_or(rest.len());
    let text = rest.get(..most.map_or(end, |most| most.min(end)))?;
    // The cut may be within an escape (the longest: a pair of surrogates).
    let cut = (0..=12).filter_map(|less| text.get(..text.len().checked_sub(less)?));
    let said = cut
        .map(|text| serde_json::from_str::<String>(&format!("\"{text}\"")))
        .find_map(Result::ok)?;
    (!said.trim().is_empty()).then_some(said)
}

fn describe_non_status(head: &Parts, body: &str) -> String {
    const LINE: usize = 200;
    let header = |name| head.headers.get(name).and_then(|it| it.to_str().ok());
    let code = match head.status.canonical_reason() {
        Some(reason) => format!("{} {reason}", head.status.as_u16()),
        None => head.status.as_u16().to_string(),
    };
    let from = header(SERVER).map_or_else(String::new, |server| {
        format!(" from {}", truncated(server, 60))
    });
    const FOREIGN: &str = "not a response of an API server; check `server` in the kubeconfig and any proxy in front of it";
    if head.status.is_redirection() {
        // The rest of an address may hold a secret.
        let to = header(LOCATION).and_then(|to| to.parse::<Uri>().ok());
        let to = to.filter(|to| to.host().is_some());
        let to = to.map_or_else(
            || "another path".to_owned(),
            |to| super::path::display_address(&to),
        );
        return format!("{code}{from}, a redirect to {to} that was not followed: {FOREIGN}");
    }
    let is_html = header(CONTENT_TYPE).is_some_and(|kind| kind.contains("html"))
        || body.trim_start().starts_with('<');
    if is_html {
        return format!("{code}, a page{from}: {FOREIGN}");
    }
    let line = body.lines().map(str::trim).find(|line| !line.is_empty());
    match line {
        None => format!("the response is {code}{from}, with an empty body"),
        Some(line) => format!("{} ({code})", truncated(line, LINE)),
    }
}

/// A text of at most so many characters.
fn truncated(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
    }
}

/// A message of ours without the advice at its end, for those who give a better one.
pub(super) fn without_advice(message: &str) -> &str {
    [
        CallErrorKind::Unreachable,
        CallErrorKind::Untrusted,
        CallErrorKind::Credentials,
        CallErrorKind::Unauthorized,
        CallErrorKind::Forbidden,
    ]
    .into_iter()
    .filter_map(advice)
    .find_map(|advice| message.strip_suffix(advice)?.strip_suffix("; "))
    .unwrap_or(message)
}

/// What the user can do about it, where there is something.
fn advice(kind: CallErrorKind) -> Option<&'static str> {
    match kind {
        CallErrorKind::Unreachable => Some(
            "check that the cluster is running and that this machine can reach it (network, VPN, proxy)",
        ),
        CallErrorKind::Untrusted => Some(
            "check `server` and certificate-authority-data of this cluster in the kubeconfig, and this machine's clock",
        ),
        CallErrorKind::Credentials => Some("log in again, then reconnect"),
        CallErrorKind::Unauthorized => {
            Some("the credentials are wrong or have expired: log in again, then reconnect")
        }
        CallErrorKind::Forbidden => Some("ask a cluster administrator for that permission"),
        _ => None,
    }
}

fn is_credentials_error(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Auth(_))
        || chain(error).any(|cause| cause.is::<kube::client::AuthError>())
}

/// An error and what caused it; bounded, so that a cause that names itself can't hang a call.
pub(super) fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        // The source of an io::Error skips the error that it wraps.
        next = match cause.downcast_ref::<io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
            None => cause.source(),
        };
        Some(cause)
    })
    .take(16)
}

/// The words nearest to the cause; kube's outer texts name only the layer that passed it on.
pub(super) fn root_cause_message(error: &(dyn StdError + 'static)) -> String {
    let mut said = error.to_string();
    for cause in chain(error) {
        let words = cause.to_string();
        if !words.is_empty() {
            said = words;
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_stay_whole_and_the_next_step_follows() {
        let said = r#"pods is forbidden: User "eve" cannot list resource "pods" in API group "" at the cluster scope"#;
        let status = Status::failure(said, "Forbidden").with_code(403);
        let error = CallError::from_status("list pods in all namespaces", status, None);
        assert_eq!(error.kind, CallErrorKind::Forbidden);
        assert_eq!(&*error.cause, said);
        assert!(
            error
                .to_string()
                .starts_with("could not list pods in all namespaces: pods is forbidden")
        );
        assert!(
            error
                .to_string()
                .ends_with("ask a cluster administrator for that permission")
        );
    }

    #[test]
    fn of_a_page_only_its_code_and_origin_are_shown() {
        let said = |code: u16, headers: &[(&str, &str)], body: &str| {
            let mut answer = http::Response::builder().status(code);
            for (name, value) in headers {
                answer = answer.header(*name, *value);
            }
            let (head, ()) = answer.body(()).unwrap().into_parts();
            CallError::from_non_status("reach it", &head, body.as_bytes())
        };
        let html = "<html><head><title>Sign in</title></head>";
        type HeaderFields<'a> = &'a [(&'a str, &'a str)];
        let cases: [(u16, HeaderFields<'_>, &str, &str); 6] = [
            (
                502,
                &[("server", "nginx")],
                html,
                "502 Bad Gateway, a page from nginx: not a response of an API server",
            ),
            (
                403,
                &[("content-type", "text/html")],
                "no angle",
                "403 Forbidden, a page: not",
            ),
            (
                302,
                &[("location", "https://sso.example.com/login?token=s3cret")],
                html,
                "302 Found, a redirect to https://sso.example.com that was not followed",
            ),
            (
                307,
                &[("location", "/login?token=s3cret")],
                "",
                "307 Temporary Redirect, a redirect to another path",
            ),
            (
                429,
                &[],
                "Too many requests, please try again later.\n",
                "Too many requests, please try again later. (429 Too Many Requests)",
            ),
            (599, &[], "", "the response is 599, with an empty body"),
        ];
        for (code, headers, body, words) in cases {
            let error = said(code, headers, body);
            assert!(error.cause.starts_with(words), "{error}");
            assert!(!error.to_string().contains('<') && !error.to_string().contains("s3cret"));
        }
        let long = said(500, &[], &"[".repeat(20_000));
        assert!(long.to_string().len() < 400, "{}", long.to_string().len());
    }

    #[test]
    fn the_message_of_a_status_that_is_cut_is_shown() {
        let start = r#"{"kind":"Status","status":"Failure","message":"etcd said \"no\": "#;
        let said = message_of_truncated_status(&format!("{start}{}", "x".repeat(60_000))).unwrap();
        assert!(said.starts_with("etcd said \"no\": xxx"), "{said}");
        assert!(said.len() < 9000);
        for cut in [r"\", r"\u00", r"\ud83d", r"\ud83d\ude"] {
            let said = message_of_truncated_status(&format!("{start}{cut}"));
            assert_eq!(said.as_deref(), Some("etcd said \"no\": "), "{cut}");
        }
        let details = r#"{"message":"short","details":{"causes":["#;
        assert_eq!(
            message_of_truncated_status(details).as_deref(),
            Some("short")
        );
        for none in [
            "",
            "<html>\"message\":\"x\"",
            r#"{"message":7"#,
            r#"{"message":"""#,
        ] {
            assert_eq!(message_of_truncated_status(none), None, "{none}");
        }
    }

    #[test]
    fn only_busy_servers_are_asked_again_and_only_after_a_number() {
        let wait = |code: u16, after: &str| {
            let answer = http::Response::builder()
                .status(code)
                .header("retry-after", after);
            retry_after(&answer.body(()).unwrap().into_parts().0).map(|wait| wait.as_secs())
        };
        assert_eq!(wait(429, "7"), Some(7));
        assert_eq!(wait(503, " 0 "), Some(0));
        assert_eq!(wait(500, "1"), Some(1));
        assert_eq!(wait(403, "1"), None);
        assert_eq!(wait(429, "Fri, 31 Dec 1999 23:59:59 GMT"), None);
        assert_eq!(wait(429, "-1"), None);
    }

    #[test]
    fn a_status_of_many_words_is_bounded() {
        let status = Status::failure(&"é".repeat(50_000), "Forbidden").with_code(403);
        let error = CallError::from_status("x", status, None);
        assert_eq!(error.cause.chars().count(), MAX_MESSAGE_CHARS + 1);
    }

    #[test]
    fn a_status_without_words_names_its_code() {
        let error = CallError::from_status("read x", Status::default().with_code(500), None);
        assert_eq!(
            error.to_string(),
            "could not read x: the API server answered 500"
        );
    }

    #[test]
    fn the_cause_is_said_and_not_the_layers_around_it() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let wrapped = kube::Error::Service(Box::new(refused));
        let error = CallError::from_client("reach it", &wrapped);
        assert_eq!(error.kind, CallErrorKind::Unreachable);
        assert_eq!(&*error.cause, "connection refused");
    }

    #[cfg(unix)]
    #[test]
    fn having_no_descriptor_left_is_no_matter_of_the_network() {
        let error = io::Error::other(io::Error::from_raw_os_error(24));
        let error = CallError::from_client("reach it", &kube::Error::Service(Box::new(error)));
        assert_eq!(error.kind, CallErrorKind::Other);
        assert!(
            error
                .to_string()
                .contains("too many open files: this process may have")
        );
    }

    #[test]
    fn an_unknown_issuer_is_a_matter_of_trust() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        // As hyper-rustls wraps it.
        let inner = io::Error::new(io::ErrorKind::InvalidData, tls);
        let wrapped = kube::Error::Service(Box::new(io::Error::other(inner)));
        let error = CallError::from_client("reach it", &wrapped);
        assert_eq!(error.kind, CallErrorKind::Untrusted);
        let said = "the server's certificate is not trusted: it is not signed by a certificate authority trusted for this cluster";
        assert_eq!(&*error.cause, said);
        assert!(!error.to_string().contains("UnknownIssuer"), "{error}");
    }
}
