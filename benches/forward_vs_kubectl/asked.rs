//! A request of the bench and what came of it.

use std::{io, net::SocketAddr, time::Instant};

/// One request over a connection of its own.
pub struct Asked {
    pub started: Instant,
    pub ended: Instant,
    /// The local end, by which the forward may be asked about it.
    pub client: Option<SocketAddr>,
    /// The pod's name for itself.
    pub answer: io::Result<String>,
}
