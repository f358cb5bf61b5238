//! What came back.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;

use super::{CookieJar, redirect};
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurlResponse {
    /// What was said.
    pub kind: ResponseKind,
    /// The body, cut at a limit.
    pub body: Bytes,
    /// How many bytes of body came, as far as they were read.
    pub body_bytes: u64,
    /// Whether the body is longer than what was kept.
    pub truncated: bool,
    /// Redirects that were followed to get here, the first first.
    pub hops: Vec<RedirectHop>,
    /// The path the request took, in words: `port-forward to pod web-0 port 8080`.
    pub via: SharedStr,
    /// The pod that answered, where the door tells.
    pub pod: Option<ObjectKey>,
    /// The address that was connected to, where this machine connected.
    pub address: Option<SocketAddr>,
    /// How long each step took.
    pub phases: PhaseTimings,
    /// What TLS said, where it was spoken and seen from here.
    pub tls: Option<Arc<TlsSummary>>,
    /// What was asked last, and what came as it came.
    pub exchange: ExchangeSummary,
}

/// The last request after all redirects, and the bytes around bodies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExchangeSummary {
    /// The method that was asked with last.
    pub method: String,
    /// The URL that was asked for last.
    pub url: String,
    /// The `Referer` that was sent last.
    pub referer: Option<String>,
    /// All heads as they came: those of `1xx` and of redirects that were followed first. One that
    /// did not come in these bytes (HTTP/2, the API server's proxy, wget) is written anew.
    pub heads: Bytes,
    /// The lines behind the body, as they came.
    pub trailers: Bytes,
    /// This machine's end of the connection.
    pub local: Option<SocketAddr>,
    /// How many bytes the last request had, its head included; none where that can't be seen.
    pub bytes_sent: Option<u64>,
    /// How many bytes its body had.
    pub bytes_uploaded: u64,
    /// How long the requests took that were answered by redirects.
    pub redirect_time: Duration,
    /// The cookies after it, where any were asked for.
    pub cookies: Option<CookieJar>,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseKind {
    /// HTTP.
    Http(HttpHead),
    /// The TCP connection was opened.
    TcpConnected,
    /// The TLS handshake was done.
    TlsHandshake,
    /// gRPC's health: `SERVING`, `NOT_SERVING`, `UNKNOWN`, `SERVICE_UNKNOWN`.
    GrpcHealth(SharedStr),
}

/// The head of an HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpHead {
    /// `HTTP/1.1`, `HTTP/2.0`.
    pub version: String,
    /// The status code.
    pub status: u16,
    /// The headers in the order received.
    pub headers: Vec<(String, String)>,
}

impl HttpHead {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let is_it = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers.iter().find(is_it).map(|(_, value)| &**value)
    }
}

impl CurlResponse {
    /// An answer of which nothing is known yet.
    pub(super) fn empty() -> Self {
        Self {
            kind: ResponseKind::TcpConnected,
            body: Bytes::new(),
            body_bytes: 0,
            truncated: false,
            hops: Vec::new(),
            via: SharedStr::from(""),
            pod: None,
            address: None,
            phases: PhaseTimings::default(),
            tls: None,
            exchange: ExchangeSummary::default(),
        }
    }

    /// The HTTP head, where HTTP was spoken.
    pub fn http(&self) -> Option<&HttpHead> {
        match &self.kind {
            ResponseKind::Http(head) => Some(head),
            _ => None,
        }
    }

    /// Where a redirect leads that was not followed, as an absolute URL where it can be one.
    pub fn redirect_url(&self) -> Option<String> {
        let head = self.http()?;
        let location = head.header("location").filter(|it| !it.trim().is_empty())?;
        if !matches!(head.status, 300..=399) {
            return None;
        }
        let base = url::Url::parse(&self.exchange.url).ok();
        let joined = base.and_then(|base| redirect::join_location(&base, location));
        Some(joined.map_or_else(|| location.to_owned(), String::from))
    }

    /// The HTTP status, where HTTP was spoken.
    pub fn status(&self) -> Option<u16> {
        self.http().map(|head| head.status)
    }
}

/// A redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectHop {
    /// Its status code.
    pub status: u16,
    /// What was asked.
    pub from: SharedStr,
    /// The `Location` that it named.
    pub to: SharedStr,
    /// By which path the next request went, in words.
    pub via: SharedStr,
}

/// How long each step took; none where it did not take place or can't be told from here. The steps
/// follow one another, so they add up to at most [`Self::total`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseTimings {
    /// To resolve the name.
    pub dns: Option<Duration>,
    /// To open the TCP connection; for a forward that to its local listener.
    pub connect: Option<Duration>,
    /// For a forward: from there into the pod's port.
    pub pod_dial: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the start to the head of the answer, all the above included.
    pub first_byte: Option<Duration>,
    /// From the start to the end of the body.
    pub total: Duration,
}

/// What TLS said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSummary {
    /// `TLS 1.3`.
    pub version: Option<SharedStr>,
    /// `TLS13_AES_256_GCM_SHA384`.
    pub cipher: Option<SharedStr>,
    /// The protocol that was agreed on by ALPN: `h2`.
    pub alpn: Option<SharedStr>,
    /// The name that was asked for and verified.
    pub server_name: SharedStr,
    /// Why the certificate is not to be trusted; none where it is.
    pub rejection: Option<SharedStr>,
    /// The chain that the server sent, its own certificate first.
    pub chain: Vec<CertificateSummary>,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSummary {
    /// `CN=web.shop.svc`.
    pub subject: SharedStr,
    /// Who signed it.
    pub issuer: SharedStr,
    /// The names and addresses that it is for.
    pub names: Vec<SharedStr>,
    /// From when it is valid.
    pub not_before: Option<Timestamp>,
    /// Until when it is valid.
    pub not_after: Option<Timestamp>,
}
