//! The way into a pod.

use std::io;

use futures::future::BoxFuture;
use kube_tunnel::PodStream;

use svcscope_model::inventory::{ObjectKey, SharedStr};

/// Opens streams to ports of pods. `cluster/` implements it; tests use loopback.
pub trait Dialer: Send + Sync + 'static {
    /// Connects to `port` of the pod. Dropping the future gives up.
    fn dial<'a>(
        &'a self,
        pod: &'a ObjectKey,
        port: u16,
    ) -> BoxFuture<'a, Result<Box<dyn PodStream>, DialError>>;

    /// The way may have been cut (the machine slept, the network is another one): what is kept
    /// open for later dials must show that it lives before it is used again.
    fn recheck(&self) {}
}

/// Why a pod could not be reached, coarse enough to decide what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DialErrorKind {
    /// The pod is gone: choose another.
    PodGone,
    /// Nothing in the pod listens on that port.
    Refused,
    /// The user lacks a right; trying again is pointless.
    Forbidden,
    /// The API server does not know who asks.
    Unauthorized,
    /// The API server can't be reached or did not answer in time.
    Unreachable,
    /// Anything else.
    Other,
}

/// A failed [`Dialer::dial`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DialError {
    /// What to do about it.
    pub kind: DialErrorKind,
    /// What was tried and what the other side said.
    pub message: SharedStr,
}

impl DialError {
    /// As an error of a stream, found out after the dial.
    pub fn into_stream_error(self) -> io::Error {
        io::Error::new(io::ErrorKind::ConnectionRefused, self)
    }

    /// What a stream's error says about its dial, if it says something.
    pub fn from_io_error(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}
