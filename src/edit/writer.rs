//! The way to the API server for writes.

use futures::future::BoxFuture;

use crate::inventory::{ObjectKey, ServiceRecord, Text};

/// Whether a write is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// `dryRun=All`: everything is checked, nothing is stored.
    DryRun,
    /// Stored.
    Apply,
}

/// What the API server answered to a write or a read.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The Service as the server returned it.
    pub service: ServiceRecord,
    /// `Warning` headers.
    pub warnings: Vec<Text>,
}

/// A complaint about one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// `spec.ports[0].nodePort`.
    pub field: Text,
    /// The server's words.
    pub message: Text,
}

/// Why a write failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// 422: the server refuses the object.
    #[error("{message}")]
    Invalid {
        /// The server's words.
        message: Text,
        /// The same by field.
        fields: Vec<FieldError>,
    },
    /// 409: somebody changed it since it was read.
    #[error("{message}")]
    Conflict {
        /// The server's words.
        message: Text,
    },
    /// 403.
    #[error("{message}")]
    Forbidden {
        /// The server's words.
        message: Text,
    },
    /// 404.
    #[error("{message}")]
    NotFound {
        /// The server's words.
        message: Text,
    },
    /// Anything else that the server said, or that it could not be reached.
    #[error("{message}")]
    Other {
        /// What was tried and what the other side said.
        message: Text,
    },
}

/// Reads and patches Services.
pub trait ServiceWriter: Send + Sync + 'static {
    /// Sends a JSON merge patch.
    fn patch<'a>(
        &'a self,
        service: &'a ObjectKey,
        patch: &'a serde_json::Value,
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<Written, WriteError>>;

    /// Reads the Service as it is now, from the server and not from a cache.
    fn read<'a>(&'a self, service: &'a ObjectKey) -> BoxFuture<'a, Result<Written, WriteError>>;
}
