//! What the user asks, of whom and by which door.

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{AccessPath, CookieJar};
use crate::forward::{ForwardTarget, RemotePort};
use svcscope_model::inventory::SharedStr;

/// Names a request as long as the engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// What is spoken under HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HttpScheme {
    /// Plain.
    #[default]
    Http,
    /// TLS.
    Https,
    /// Plain HTTP/2 from the first byte (RFC 9113, section 3.3).
    H2c,
}

impl HttpScheme {
    /// All of them, in the order of a menu.
    pub const ALL: [Self; 3] = [Self::Http, Self::Https, Self::H2c];

    /// As the user chooses it: `http`, `https`, `h2c`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::H2c => "h2c",
        }
    }

    /// As a URL spells it.
    pub(crate) fn in_url(self) -> &'static str {
        match self {
            Self::Http | Self::H2c => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL leaves out.
    pub(crate) fn usual_port(self) -> u16 {
        match self {
            Self::Http | Self::H2c => 80,
            Self::Https => 443,
        }
    }
}

/// Which version of HTTP to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HttpVersion {
    /// By TLS the best that both know; else HTTP/1.1.
    #[default]
    Auto,
    /// HTTP/1.1 and nothing else.
    Http1,
    /// HTTP/2 and nothing else.
    Http2,
}

/// What to do with the port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RequestKind {
    /// Send an HTTP request.
    #[default]
    Http,
    /// Open a TCP connection and close it.
    Tcp,
    /// Shake hands by TLS and close.
    Tls,
    /// `grpc.health.v1.Health/Check` of this service; an empty name means the whole server.
    GrpcHealth(SharedStr),
}

/// Which redirects to follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RedirectPolicy {
    /// None: they are shown.
    #[default]
    #[serde(rename = "No")]
    Never,
    /// Only redirects to the same host and port, via the same access path.
    #[serde(rename = "SameDoor")]
    SameOrigin,
    /// All: those that lead elsewhere are asked from this machine, whatever door came before.
    Anywhere,
}

/// How TLS is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TlsOptions {
    /// Go on whatever the certificate says.
    pub insecure: bool,
    /// The name to ask for and to verify, where it is not that of the `Host` header.
    pub server_name: Option<SharedStr>,
    /// A file of PEM certificates to trust beside those of this machine.
    pub ca: Option<PathBuf>,
    /// A file with the client's PEM certificate, and its key unless [`Self::key`] has it.
    pub certificate: Option<PathBuf>,
    /// A file with the client's PEM key.
    pub key: Option<PathBuf>,
}

/// A request to a port of a Service, a pod or a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurlRequest {
    /// Where to.
    pub target: ForwardTarget,
    /// Which port there.
    pub port: RemotePort,
    /// By which door.
    pub access_path: AccessPath,
    /// What to do there.
    pub kind: RequestKind,
    /// What is spoken under HTTP.
    pub scheme: HttpScheme,
    /// Which HTTP.
    pub version: HttpVersion,
    /// The method: `GET`.
    pub method: String,
    /// Path and query, with the leading slash.
    pub path: String,
    /// Further headers; `Host` is the Service's DNS name unless given here.
    pub headers: Vec<(String, String)>,
    /// How many of [`Self::headers`] at the beginning are those of options (`-u`, `-A`, `-b`), which
    /// curl sends before those of `-H`. Nothing but their order follows from it.
    pub option_header_count: usize,
    /// Headers that are sent unasked (`Host`, `User-Agent`, `Accept`, `Content-Length`) and shall
    /// not be.
    pub suppressed_headers: Vec<String>,
    /// The body to send.
    pub body: Option<Bytes>,
    /// How long the whole may take.
    pub timeout: Duration,
    /// Which redirects to follow.
    pub redirect_policy: RedirectPolicy,
    /// How many redirects are followed.
    pub max_redirects: u32,
    /// Redirects leave the method as it is, as curl's `-X` does; else 303 and, of a POST, 301 and
    /// 302 turn it into GET.
    pub keeps_method: bool,
    /// The body is an upload, as of curl's `-T`, which only 303 takes away.
    pub is_upload: bool,
    /// Name the URL that led there as `Referer` of a request that a redirect asks for.
    pub auto_referer: bool,
    /// Cookies that are sent where they belong, and added to by answers; none where nobody asked
    /// for any.
    pub cookies: Option<CookieJar>,
    /// Leave addresses alone that an object of the cluster chose and that are this machine's own,
    /// loopback or link-local (`externalIPs`, `externalName`).
    pub skips_local_addresses: bool,
    /// Accept gzip and deflate, and decompress.
    pub compressed: bool,
    /// How TLS is done.
    pub tls: TlsOptions,
}

impl CurlRequest {
    /// `GET /` by http through a forward, with half a minute of patience.
    pub fn new(target: ForwardTarget, port: RemotePort) -> Self {
        Self {
            target,
            port,
            access_path: AccessPath::default(),
            kind: RequestKind::default(),
            scheme: HttpScheme::default(),
            version: HttpVersion::default(),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            headers: Vec::new(),
            option_header_count: 0,
            suppressed_headers: Vec::new(),
            body: None,
            timeout: Duration::from_secs(30),
            redirect_policy: RedirectPolicy::default(),
            max_redirects: 50,
            keeps_method: false,
            is_upload: false,
            auto_referer: false,
            cookies: None,
            skips_local_addresses: false,
            compressed: false,
            tls: TlsOptions::default(),
        }
    }

    /// Whether it could change something: any HTTP method but GET, HEAD and OPTIONS.
    pub fn may_change(&self) -> bool {
        self.kind == RequestKind::Http && !matches!(&*self.method, "GET" | "HEAD" | "OPTIONS")
    }
}
