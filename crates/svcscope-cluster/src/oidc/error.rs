//! Why there is no ID token.

use std::time::Duration;

/// How long another program may hold the lock of the kubeconfig: it may be asking an issuer.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no ID token. Never with a token or a client secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// The ID token is of no use, and there is nothing to get another one with.
    #[error("{problem} and there is no refresh token: log in again, then reconnect")]
    NoRefreshToken {
        /// What is wrong with the ID token.
        problem: String,
    },
    /// A field of the auth-provider can't be used.
    #[error("{field} of the auth-provider `oidc` in the kubeconfig can't be used: {reason}")]
    BadField {
        /// The field.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The issuer did not name its token endpoint.
    #[error(
        "could not get a new ID token: asked {url} and {reason}; check that the issuer can be reached from here, and its idp-certificate-authority in the kubeconfig, then reconnect"
    )]
    Issuer {
        /// What was asked.
        url: String,
        /// What came back.
        reason: String,
    },
    /// The issuer gave no token.
    #[error(
        "the OIDC issuer did not renew the ID token: {url} answered {reason}; log in again, then reconnect"
    )]
    Refused {
        /// What was asked.
        url: String,
        /// What it said.
        reason: String,
    },
    /// Another program holds the kubeconfig.
    #[error(
        "the ID token has to be renewed, but {lock} has been there for {} s: another program is changing the kubeconfig; if there is none, remove that file, then reconnect", LOCK_TIMEOUT.as_secs()
    )]
    Locked {
        /// The file.
        lock: String,
    },
    /// The work could not be done.
    #[error("could not renew the ID token: {0}")]
    Failed(String),
}
