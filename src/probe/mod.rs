//! Requests sent on a person's behalf, and by which doors a Service can be reached.
//!
//! **In**: a [`CurlRequest`], which names its [`Vantage`], and the [`Ways`] there. **Out**: an
//! [`Answer`] that says through which door it came, how long each step took and what TLS showed,
//! or a [`CurlError`] that says at which step the packet died.
//!
//! `door/` finds where to connect, `http/` sends one request there by hyper, `tls/` verifies and
//! remembers what it saw, `curl` goes from the door to the end of the body and follows redirects.

mod asked;
mod authority;
mod body;
mod command_line;
mod cookies;
mod curl;
mod curl_line;
mod diagnosis;
mod door;
mod doors;
mod error;
mod grpc;
mod guess;
mod heads;
mod http;
pub mod inside;
mod knock;
mod outcome;
mod outlet;
pub mod reach;
mod redirect;
mod repeat;
mod request;
mod tls;
mod vantage;
mod ways;

pub use body::Rest;
pub use command_line::{curl_line, is_secret, kubectl_line, svcscope_line};
pub use cookies::CookieJar;
pub use curl::{Answer, curl};
pub use curl_line::{
    FlagError, LineError, Pasted, Payload, PayloadKind, ReadFile, SendFlags, apply, read_line,
};
pub use doors::{DoorChoice, doors};
pub use error::{CurlError, FailureKind, SoFar};
pub use guess::{default_port, guess_scheme};
pub use outcome::{
    CertificateFacts, CurlResponse, ExchangeFacts, Hop, HttpHead, Phases, Said, TlsFacts,
};
pub use outlet::{MAX_BODY, OnProgress, Outlet, Tap};
pub use redirect::url_of;
pub use repeat::{MAX_TIMES, Repeated, repeat};
pub use request::{Ask, CurlRequest, Follow, HttpVersion, RequestId, Scheme, TlsChoice};
pub(crate) use tls::{certificate_facts, distrust_in_words};
pub use vantage::{InsideName, Insider, Vantage};
pub use ways::{ApiProxy, ProxyBody, Ways};
