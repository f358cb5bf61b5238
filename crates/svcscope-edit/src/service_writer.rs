//! The way to the API server for writes.

use futures::future::BoxFuture;
use serde_json::Value;

use super::ServiceSnapshot;
use svcscope_model::inventory::{ObjectKey, ServiceRecord, SharedStr};

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
pub struct WriteResponse {
    /// The Service as the server returned it.
    pub service: ServiceRecord,
    /// The whole object.
    pub object: Value,
    /// `Warning` headers.
    pub warnings: Vec<SharedStr>,
}

impl From<WriteResponse> for ServiceSnapshot {
    fn from(written: WriteResponse) -> Self {
        Self {
            record: written.service.into(),
            object: written.object.into(),
        }
    }
}

/// A complaint about one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// `spec.ports[0].nodePort`.
    pub field: SharedStr,
    /// The server's words.
    pub message: SharedStr,
}

/// Why a write failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceWriteError {
    /// 400 or 422: the server refuses the object.
    #[error("{message}")]
    Invalid {
        /// The server's words.
        message: SharedStr,
        /// The same by field.
        fields: Vec<FieldError>,
    },
    /// 409: somebody changed it since it was read.
    #[error("{message}")]
    Conflict {
        /// The server's words.
        message: SharedStr,
    },
    /// 409: there is an object of that name.
    #[error("{message}")]
    Exists {
        /// The server's words.
        message: SharedStr,
    },
    /// 403: a right is missing, or a quota or a policy forbids it.
    #[error("{message}")]
    Forbidden {
        /// The server's words.
        message: SharedStr,
    },
    /// 404.
    #[error("{message}")]
    NotFound {
        /// The server's words.
        message: SharedStr,
    },
    /// No answer, or one that leaves open what was done.
    #[error("{message}")]
    Other {
        /// What was tried and what the other side said.
        message: SharedStr,
    },
}

/// Reads and writes Services.
pub trait ServiceWriter: Send + Sync + 'static {
    /// Sends a JSON merge patch.
    fn patch<'a>(
        &'a self,
        service: &'a ObjectKey,
        patch: &'a Value,
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<WriteResponse, ServiceWriteError>>;

    /// Creates an object in this namespace.
    fn create<'a>(
        &'a self,
        namespace: &'a str,
        object: &'a Value,
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<WriteResponse, ServiceWriteError>>;

    /// Deletes the Service if it is still this one at this resourceVersion.
    fn delete<'a>(
        &'a self,
        service: &'a ServiceRecord,
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<(), ServiceWriteError>>;

    /// Waits until a deleted Service is gone: finalizers may hold it back. Fails when that takes
    /// longer than the user would wait.
    fn wait_until_deleted<'a>(
        &'a self,
        service: &'a ServiceRecord,
    ) -> BoxFuture<'a, Result<(), ServiceWriteError>>;

    /// Reads the Service as it is now, from the server and not from a cache.
    fn read<'a>(
        &'a self,
        service: &'a ObjectKey,
    ) -> BoxFuture<'a, Result<WriteResponse, ServiceWriteError>>;
}
