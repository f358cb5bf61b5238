//! Requests sent on the user's behalf, and by which doors a Service can be reached.
//!
//! **In**: a [`CurlRequest`], which names its [`AccessPath`], and the [`AccessPaths`] there. **Out**: an
//! [`ResumableResponse`] that says through which door it came, how long each step took and what TLS showed,
//! or a [`CurlError`] that says at which step the packet died.
//!
//! `door/` finds where to connect, `http/` sends one request there by hyper, `tls/` verifies and
//! remembers what it saw, `curl` goes from the door to the end of the body and follows redirects.

mod access_path;
mod access_path_choices;
mod access_paths;
mod authority;
mod body;
mod connect_probe;
mod cookies;
mod curl;
mod curl_parser;
mod diagnosis;
mod error;
mod grpc;
mod http;
pub mod in_cluster;
pub mod path_test;
mod redirect;
mod repeat;
mod request;
mod resolved_access_path;
mod response;
mod response_heads;
mod response_observer;
mod scheme_guess;
mod target_lookup;
mod terminal_commands;
mod tls;

pub use access_path::{AccessPath, ExecTarget, InClusterName};
pub use access_path_choices::{AccessPathChoice, access_path_choices};
pub use access_paths::{AccessPaths, ApiProxy, ProxyBody};
pub use body::UnreadBody;
pub use cookies::CookieJar;
pub use curl::{ResumableResponse, curl};
pub use curl_parser::{
    CurlFlagError, CurlLineError, CurlSendFlags, FileReader, PastedRequest, PayloadKind,
    RequestPayload, apply, parse_curl_line,
};
pub use error::{CurlError, FailureKind, RequestProgress};
pub use redirect::url_of;
pub use repeat::{MAX_TIMES, RepeatStatistics, repeat};
pub use request::{
    CurlRequest, HttpScheme, HttpVersion, RedirectPolicy, RequestId, RequestKind, TlsOptions,
};
pub use response::{
    CertificateSummary, CurlResponse, ExchangeSummary, HttpHead, PhaseTimings, RedirectHop,
    ResponseKind, TlsSummary,
};
pub use response_observer::{BodySink, MAX_BODY, ProgressCallback, ResponseObserver};
pub use scheme_guess::{default_port, guess_scheme};
pub use terminal_commands::{curl_line, is_secret, kubectl_line, svcscope_line};
pub use tls::{rejection_reason, summarize_certificate};
