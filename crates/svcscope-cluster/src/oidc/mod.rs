//! The `oidc` auth-provider of a kubeconfig, as client-go has it
//! (plugin/pkg/client/auth/oidc/oidc.go): an ID token, and a refresh token to get the next one with.
//!
//! Many issuers answer each refresh token once. So the new tokens are written into the kubeconfig
//! before the first of them is used, else the next run of this program or of kubectl were logged out;
//! and of several processes that need a new token one asks the issuer, under the lock of kubectl, and
//! the others find its tokens in the file.

mod auth_provider_text;
mod issuer;
mod lock;
mod save;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use self::{issuer::OidcIssuerClient, lock::KubeconfigLock};
use super::login::{LoginContext, LoginEvent};

/// A token counts as expired so long before it is, as in client-go (`expiryDelta`).
const EXPIRY_DELTA: SignedDuration = SignedDuration::from_secs(10);

/// How long another program may hold the lock of the kubeconfig: it may be asking an issuer.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

const ID_TOKEN: &str = "id-token";
const REFRESH_TOKEN: &str = "refresh-token";

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

/// What a login holds.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct OidcTokens {
    id: String,
    refresh: String,
}

impl OidcTokens {
    fn of(config: &HashMap<String, String>) -> Self {
        let field = |name| config.get(name).map_or("", |value| value.trim()).to_owned();
        Self {
            id: field(ID_TOKEN),
            refresh: field(REFRESH_TOKEN),
        }
    }

    /// The ID token, where it can still be used, and when that ends.
    fn usable(&self, refused: Option<&str>) -> Option<IdToken> {
        let until = expiry(&self.id)?.checked_sub(EXPIRY_DELTA).ok()?;
        let is_usable = Timestamp::now() < until && refused != Some(self.id.as_str());
        is_usable.then(|| IdToken {
            token: self.id.clone(),
            expires_at: until,
        })
    }

    /// What is wrong with the ID token.
    fn problem(&self, refused: Option<&str>) -> String {
        match (self.id.as_str(), expiry(&self.id)) {
            ("", _) => "there is no ID token".to_owned(),
            (id, _) if refused == Some(id) => {
                "the API server no longer accepts the ID token".to_owned()
            }
            (_, None) => "the ID token is not a JWT with an expiry time".to_owned(),
            (_, Some(end)) => format!("the ID token expired at {end:.0}"),
        }
    }
}

/// An ID token and until when it is to be used.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct IdToken {
    pub token: String,
    pub expires_at: Timestamp,
}

/// Whose ID token is wanted.
#[derive(Clone)]
pub(super) struct IdTokenRequest {
    /// The name of the user entry.
    pub name: String,
    /// The files of the kubeconfig, the first one that has the user is the one to write to.
    pub files: Vec<PathBuf>,
    /// `auth-provider.config`.
    pub config: HashMap<String, String>,
    /// A token that the API server refused.
    pub refused_token: Option<String>,
}

/// The ID token of the kubeconfig, or a new one where that has expired or was refused.
pub(super) async fn id_token(
    user: IdTokenRequest,
    login: &LoginContext,
) -> Result<IdToken, OidcError> {
    for file in &user.files {
        lock::remove_stale_lock(file);
    }
    let tokens = newest_tokens(OidcTokens::of(&user.config), login);
    if let Some(usable) = tokens.usable(user.refused_token.as_deref()) {
        return Ok(usable);
    }
    if tokens.refresh.is_empty() {
        let problem = tokens.problem(user.refused_token.as_deref());
        return Err(OidcError::NoRefreshToken { problem });
    }
    let issuer = OidcIssuerClient::new(&user.config)?;
    let running = login.begin(&format!("OIDC issuer {}", issuer.display_origin()));
    let login = login.clone();
    // On a thread and a runtime of its own: the caller may give up and the engine may end, but
    // the tokens that the issuer gave must still be saved.
    let renewed = tokio::task::spawn_blocking(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| OidcError::Failed(error.to_string()))?
            .block_on(renew(&user, &issuer, &login))
    });
    let renewed = renewed
        .await
        .map_err(|error| OidcError::Failed(error.to_string()))?;
    drop(running);
    renewed
}

/// Under the lock: takes what another process left, else asks the issuer and saves its answer.
async fn renew(
    user: &IdTokenRequest,
    issuer: &OidcIssuerClient,
    login: &LoginContext,
) -> Result<IdToken, OidcError> {
    let file = user
        .files
        .iter()
        .find(|file| auth_provider_text::has_user(file, &user.name));
    let _lock = match file {
        Some(file) => KubeconfigLock::take(file, LOCK_TIMEOUT).await?,
        None => None,
    };
    let saved = file
        .and_then(|file| auth_provider_text::config_of(file, &user.name).ok())
        .unwrap_or_else(|| user.config.clone());
    let saved = OidcTokens::of(&saved);
    let tokens = newest_tokens(saved.clone(), login);
    if let Some(usable) = tokens.usable(user.refused_token.as_deref()) {
        return Ok(usable);
    }
    let new = issuer.refresh(&tokens.refresh).await?;
    let outcome = match file {
        Some(file) => save::save_tokens(file, &user.name, &new).map_err(|said| {
            let file = file.display();
            format!(
                "could not write the new OIDC tokens of user `{}` into {file}: {said}",
                user.name
            )
        }),
        None => {
            let why = match user.files.as_slice() {
                [] => "the kubeconfig was given as text",
                _ => "no file of the kubeconfig that can be read as UTF-8 holds that user",
            };
            Err(format!(
                "the new OIDC tokens of user `{}` have no file to be written into, because {why}",
                user.name
            ))
        }
    };
    if let Err(problem) = outcome {
        login.keep_unsaved_tokens(saved.refresh, new.clone());
        let next = "they are used until this program ends; where the issuer gives each refresh token once, you will then have to log in again";
        login.notify(&LoginEvent::Warning(format!("{problem}; {next}").into()));
    }
    // It is used as it comes, as in client-go: the API server decides whether it is valid.
    let until = expiry(&new.id).and_then(|end| end.checked_sub(EXPIRY_DELTA).ok());
    Ok(IdToken {
        token: new.id,
        expires_at: until.unwrap_or_else(Timestamp::now),
    })
}

/// The tokens that took the place of these and could not be saved, else these.
fn newest_tokens(saved: OidcTokens, login: &LoginContext) -> OidcTokens {
    login.unsaved_tokens(&saved.refresh).unwrap_or(saved)
}

/// Until when a token is valid, where it is a JWT (RFC 7519 §4.1.4). Some issuers write a fraction.
pub(super) fn expiry(token: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct IdTokenClaims {
        exp: f64,
    }
    let mut parts = token.split('.');
    let claims = parts.nth(1)?;
    (parts.count() == 1).then_some(())?;
    let claims: IdTokenClaims =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let seconds = SignedDuration::try_from_secs_f64(claims.exp).ok()?;
    Timestamp::from_duration(seconds).ok()
}

/// Whether the kubeconfig has this provider from client-go's list; the others are gone from it.
pub(super) fn check_provider(provider: &str) -> Result<(), String> {
    let plugin = match provider {
        "oidc" => return Ok(()),
        "gcp" => "gke-gcloud-auth-plugin",
        "azure" => "kubelogin (https://github.com/Azure/kubelogin)",
        other => {
            return Err(format!(
                "the kubeconfig asks for the auth-provider `{other}`, which is not supported; use a credential plugin (`exec`)"
            ));
        }
    };
    Err(format!(
        "the auth-provider `{provider}` was removed in Kubernetes 1.26; use the exec plugin {plugin}"
    ))
}

/// Shows a path in a message.
fn display_path(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests;
