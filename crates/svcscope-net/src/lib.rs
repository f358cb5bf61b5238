//! Port-forwards, requests on the user's behalf, and the TLS of both.

pub mod forward;
pub mod probe;
pub mod tls;
