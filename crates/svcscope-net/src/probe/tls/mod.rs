//! TLS to a port whose certificate is a finding, not a wall.
//!
//! **In**: what the user chose ([`super::TlsChoice`]) and the name to verify. **Out**: a rustls
//! configuration, and a [`CertificateRecorder`] that knows afterwards what the other side showed.

mod certificate_recorder;
mod certificate_summary;
mod handshake;
mod trust_store;

pub(super) use certificate_recorder::{CertificateRecorder, TlsSetupError};
pub use certificate_summary::{rejection_reason, summarize_certificate};
pub(super) use handshake::{HandshakeError, tls_handshake};
