//! A request and what came back.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::forward::{ForwardTarget, RemotePort};
use crate::inventory::{ObjectKey, Text};

/// Names a request as long as the engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// `http` or `https`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Plain.
    #[default]
    Http,
    /// TLS; the pod's certificate is not verified and the response says so.
    Https,
}

/// A request to a port of a Service, a pod or a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurlRequest {
    /// Where to.
    pub target: ForwardTarget,
    /// Which port there.
    pub port: RemotePort,
    /// http or https.
    pub scheme: Scheme,
    /// The method: `GET`.
    pub method: String,
    /// Path and query, with the leading slash.
    pub path: String,
    /// Further headers; `Host` is the Service's DNS name unless given here.
    pub headers: Vec<(String, String)>,
    /// The body to send.
    pub body: Option<String>,
    /// How long the whole may take.
    pub timeout: Duration,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurlResponse {
    /// `HTTP/1.1`, `HTTP/2.0`.
    pub version: String,
    /// The status code.
    pub status: u16,
    /// The headers in the order received.
    pub headers: Vec<(String, String)>,
    /// The body, cut at a limit.
    pub body: Bytes,
    /// How many bytes of body the server sent, as far as they were read.
    pub body_bytes: u64,
    /// Whether the body is longer than what was kept.
    pub truncated: bool,
    /// The pod that answered.
    pub pod: Option<ObjectKey>,
    /// The path the request took: `port-forward to pod web-0 port 8080`.
    pub via: Text,
    /// From the start until the response's headers.
    pub first_byte: Duration,
    /// From the start until the end of the body.
    pub total: Duration,
}
