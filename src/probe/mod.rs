//! Requests sent on a person's behalf.
//!
//! **In**: a [`CurlRequest`]. **Out**: a [`CurlResponse`] that says through which door it went, or
//! a [`CurlError`] that says at which step the packet died.
//!
//! Here a request goes through a temporary port-forward into a pod, which bypasses the Service's
//! virtual address, kube-proxy and NetworkPolicy.

mod authority;
mod command_line;
mod curl;
mod diagnosis;
mod guess;
mod request;

pub use command_line::{curl_line, kubectl_line};
pub use curl::{MAX_BODY, curl};
pub use diagnosis::CurlError;
pub use guess::{default_port, guess_scheme};
pub use request::{CurlRequest, CurlResponse, RequestId, Scheme};
