//! Why there is no connection.

use crate::{CallError, CallErrorKind, ExecPluginError, KubeconfigError, oidc::OidcError};

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig or the context can't be used.
    #[error(transparent)]
    Kubeconfig(#[from] KubeconfigError),
    /// The credential plugin gave none.
    #[error(transparent)]
    Exec(#[from] ExecPluginError),
    /// The OIDC issuer gave none.
    #[error(transparent)]
    Oidc(#[from] OidcError),
    /// The client can't be built from what the kubeconfig says.
    #[error(
        "could not use the credentials or certificates of the kubeconfig: {0}; correct them and reconnect"
    )]
    Client(String),
    /// The context leads to another API server than it did.
    #[error("context `{0}` of the kubeconfig now points to a different API server")]
    ServerChanged(String),
    /// The API server did not answer as it should.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl ConnectError {
    /// The same as a failed call: the client could not be renewed when it was needed.
    pub(super) fn into_call_error(self, action: &str) -> CallError {
        match self {
            Self::Call(error) => error,
            other => {
                let mut error =
                    CallError::new(CallErrorKind::Credentials, action, &other.to_string());
                // These say what to do next themselves.
                error.message = format!("could not {action}: {other}").into();
                error
            }
        }
    }
}
