//! Why a call to the API server failed, in words for a person.

use std::{error::Error as StdError, io, time::Duration};

use kube::core::Status;

use crate::{
    inventory::{Text, plain::plain},
    probe::distrust_in_words,
};

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
    pub message: Text,
    /// `Retry-After`, where the server sent one.
    pub retry_after: Option<Duration>,
    /// The server's own words alone.
    pub said: Text,
    /// The server's answer, where it was a `Status`.
    pub(super) status: Option<Box<Status>>,
}

impl CallError {
    /// A failure that is not an answer of the server.
    pub(super) fn new(kind: CallErrorKind, tried: &str, said: &str) -> Self {
        let said = &*plain(said);
        let message = match advice(kind) {
            Some(next) => format!("could not {tried}: {said}; {next}"),
            None => format!("could not {tried}: {said}"),
        };
        Self {
            kind,
            message: message.into(),
            retry_after: None,
            said: said.into(),
            status: None,
        }
    }

    /// The server answered with an error.
    pub(super) fn from_status(tried: &str, status: Status, retry_after: Option<Duration>) -> Self {
        let kind = match status.code {
            401 => CallErrorKind::Unauthorized,
            403 => CallErrorKind::Forbidden,
            404 => CallErrorKind::NotFound,
            409 => CallErrorKind::Conflict,
            410 => CallErrorKind::Expired,
            400 | 422 => CallErrorKind::Invalid,
            429 | 503 | 504 => CallErrorKind::Busy,
            _ => CallErrorKind::Other,
        };
        let said = match (status.message.trim(), status.reason.as_str()) {
            ("", "") => format!("the API server answered {}", status.code),
            ("", reason) => format!("the API server answered {} {reason}", status.code),
            (message, _) => message.to_owned(),
        };
        Self {
            retry_after,
            status: Some(Box::new(status)),
            ..Self::new(kind, tried, &said)
        }
    }

    /// The client failed before there was an answer, or while the answer was read.
    pub(super) fn from_client(tried: &str, error: &kube::Error) -> Self {
        if let kube::Error::Api(status) = error {
            return Self::from_status(tried, (**status).clone(), None);
        }
        if is_credentials(error) {
            return Self::new(CallErrorKind::Credentials, tried, &deepest(error));
        }
        Self::from_transport(tried, error)
    }

    /// The connection failed, or broke while a body was read.
    pub(super) fn from_transport(tried: &str, error: &(dyn StdError + 'static)) -> Self {
        if let Some(said) = chain(error).find_map(distrust) {
            return Self::new(CallErrorKind::Untrusted, tried, &said);
        }
        let timed_out = chain(error).any(|cause| {
            cause
                .downcast_ref::<io::Error>()
                .is_some_and(|io| io.kind() == io::ErrorKind::TimedOut)
        });
        let said = if timed_out {
            "no answer in time".to_owned()
        } else {
            deepest(error)
        };
        Self::new(CallErrorKind::Unreachable, tried, &said)
    }

    /// Nothing came within `patience`.
    pub(super) fn timed_out(tried: &str, patience: Duration) -> Self {
        let said = format!("no answer within {} s", patience.as_secs().max(1));
        Self::new(CallErrorKind::Unreachable, tried, &said)
    }
}

/// Why the server's certificate is refused, if that is what this error is.
fn distrust(cause: &(dyn StdError + 'static)) -> Option<String> {
    use rustls::{CertificateError as Why, Error::InvalidCertificate};
    let error @ InvalidCertificate(why) = cause.downcast_ref()? else {
        return None;
    };
    let why = match why {
        // Another authority of the same name makes a bad signature.
        Why::UnknownIssuer | Why::BadSignature => {
            "no authority that is trusted for this cluster has signed it".to_owned()
        }
        Why::NotValidForNameContext { expected, .. } => {
            distrust_in_words(error, &expected.to_str())
        }
        _ => distrust_in_words(error, "that was asked for"),
    };
    Some(format!("the server's certificate is not trusted: {why}"))
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

/// What a person can do about it, where there is something.
fn advice(kind: CallErrorKind) -> Option<&'static str> {
    match kind {
        CallErrorKind::Unreachable => Some(
            "check that the cluster is running and that this machine can reach it (network, VPN, proxy)",
        ),
        CallErrorKind::Untrusted => {
            Some("check certificate-authority-data of this cluster in the kubeconfig")
        }
        CallErrorKind::Credentials => Some("log in again, then reconnect"),
        CallErrorKind::Unauthorized => {
            Some("the credentials are wrong or have expired: log in again, then reconnect")
        }
        CallErrorKind::Forbidden => Some("ask an administrator of the cluster for that right"),
        _ => None,
    }
}

fn is_credentials(error: &kube::Error) -> bool {
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
pub(super) fn deepest(error: &(dyn StdError + 'static)) -> String {
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
        assert_eq!(&*error.said, said);
        assert!(
            error
                .to_string()
                .starts_with("could not list pods in all namespaces: pods is forbidden")
        );
        assert!(
            error
                .to_string()
                .ends_with("ask an administrator of the cluster for that right")
        );
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
        assert_eq!(&*error.said, "connection refused");
    }

    #[test]
    fn an_unknown_issuer_is_a_matter_of_trust() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        // As hyper-rustls wraps it.
        let inner = io::Error::new(io::ErrorKind::InvalidData, tls);
        let wrapped = kube::Error::Service(Box::new(io::Error::other(inner)));
        let error = CallError::from_client("reach it", &wrapped);
        assert_eq!(error.kind, CallErrorKind::Untrusted);
        let said = "the server's certificate is not trusted: no authority that is trusted for this cluster has signed it";
        assert_eq!(&*error.said, said);
        assert!(!error.to_string().contains("UnknownIssuer"), "{error}");
    }
}
