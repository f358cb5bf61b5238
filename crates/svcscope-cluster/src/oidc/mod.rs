//! The `oidc` auth-provider of a kubeconfig, as client-go has it
//! (plugin/pkg/client/auth/oidc/oidc.go): an ID token, and a refresh token to get the next one with.
//!
//! Many issuers answer each refresh token once. So the new tokens are written into the kubeconfig
//! before the first of them is used, else the next run of this program or of kubectl were logged out;
//! and of several processes that need a new token one asks the issuer, under the lock of kubectl, and
//! the others find its tokens in the file.

mod auth_provider_text;
mod error;
mod issuer;
mod lock;
mod save;
pub(super) mod tokens;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

pub use self::error::OidcError;
pub(super) use self::tokens::{IdToken, expiry};
use self::{
    error::LOCK_TIMEOUT,
    issuer::OidcIssuerClient,
    lock::KubeconfigLock,
    tokens::{EXPIRY_DELTA, OidcTokens},
};
use super::login::{LoginContext, LoginEvent};

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
