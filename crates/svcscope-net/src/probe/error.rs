//! Why there is no answer.

use std::sync::Arc;

use super::{CurlResponse, PhaseTimings, TlsSummary};
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// At which step a request died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// The request can't be sent as it is.
    Malformed,
    /// There is nothing to send it to: no such port, no pod, no address.
    NoTarget,
    /// A right is missing.
    NotPermitted,
    /// The name does not resolve.
    NameResolution,
    /// Nothing listens there.
    Refused,
    /// No route leads there, or the way broke before the port was reached.
    Unreachable,
    /// The time was over before an answer.
    TimedOut,
    /// The connection was cut before an answer.
    Reset,
    /// The connection was closed in order, but without an answer.
    Closed,
    /// The other side does not speak TLS.
    NotTls,
    /// The certificate is not to be trusted.
    Certificate,
    /// The TLS handshake failed in another way.
    Tls,
    /// What came is not HTTP.
    NotHttp,
    /// A head that can't be: a length that is no number, a NUL byte.
    BadHead,
    /// The answer began and broke off.
    BrokenBody,
    /// The answer began, and its chunks are none.
    BadChunk,
    /// The answer began, and its `Content-Encoding` can't be undone.
    Undecodable,
    /// Redirects went on and on.
    TooManyRedirects,
    /// The program that was to send it in a pod failed itself: it crashed, is missing, can't do
    /// this, or said nothing that can be read. That tells nothing of the network.
    Tool,
    /// The same program did not end in time, by its own limit neither: it or the way into the pod
    /// hangs. That tells nothing of the network either.
    ToolTimedOut,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// What curl exits with (curl(1), "EXIT CODES").
    pub fn curl_code(self) -> u8 {
        match self {
            Self::Malformed => 3,
            Self::NameResolution => 6,
            Self::NoTarget | Self::Refused | Self::Unreachable => 7,
            // curl knows no refusal: those of svcscope end with 1 everywhere.
            Self::NotHttp | Self::NotPermitted => 1,
            Self::BadHead => 8,
            Self::Undecodable => 61,
            Self::BrokenBody => 18,
            Self::TimedOut | Self::ToolTimedOut => 28,
            Self::Tls | Self::NotTls => 35,
            Self::TooManyRedirects => 47,
            Self::Closed => 52,
            Self::Reset | Self::BadChunk | Self::Tool | Self::Other => 56,
            Self::Certificate => 60,
        }
    }
}

/// Why there is no answer, with how far it came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CurlError {
    /// At which step.
    pub kind: FailureKind,
    /// What was tried, what the other side said, and what to do next.
    pub message: SharedStr,
    /// How far it came.
    pub progress: Box<RequestProgress>,
}

/// How far a request came that got no answer, or not the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestProgress {
    /// The path that it took, as far as it had one.
    pub via: Option<SharedStr>,
    /// The pod that it was sent to, where the door tells.
    pub pod: Option<ObjectKey>,
    /// How long each step took that came to its end.
    pub phases: PhaseTimings,
    /// What TLS said.
    pub tls: Option<Arc<TlsSummary>>,
    /// What had come of an answer that broke off.
    pub partial: Option<CurlResponse>,
}

impl CurlError {
    /// An error of no particular kind.
    pub fn other(message: impl Into<SharedStr>) -> Self {
        Self::new(FailureKind::Other, message)
    }

    /// An error of this kind.
    pub fn new(kind: FailureKind, message: impl Into<SharedStr>) -> Self {
        Self {
            kind,
            message: message.into(),
            progress: Box::default(),
        }
    }
}
