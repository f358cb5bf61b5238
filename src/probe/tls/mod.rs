//! TLS to a port whose certificate is a finding, not a wall.
//!
//! **In**: what a person chose ([`super::TlsChoice`]) and the name to verify. **Out**: a rustls
//! configuration, and a [`Recorder`] that knows afterwards what the other side showed.

mod facts;
mod handshake;
mod recorder;
mod store;

pub(crate) use facts::{in_words as distrust_in_words, of as certificate_facts};
pub(super) use handshake::{ShakeError, shake_hands};
pub(super) use recorder::{Recorder, TlsError};
