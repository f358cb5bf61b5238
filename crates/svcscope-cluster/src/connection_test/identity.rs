//! Which credentials there are, and which user the server authenticates by them.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use jiff::Timestamp;
use kube::config::AuthInfo;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};

use super::{
    StepOutput,
    result::StepFinding,
    transport::{day, days_left},
};
use crate::{
    CallError, CallErrorKind, MergedKubeconfig,
    api_client::{self, ApiClient},
    bearer_token,
    kubeconfig::ResolvedContext,
    login::LoginContext,
    oidc::expiry,
};
use std::sync::Arc;
use svcscope_net::probe::{CertificateSummary, summarize_certificate};

/// SelfSubjectReview came with 1.26 (alpha), 1.27 (beta) and 1.28.
const VERSIONS: [&str; 3] = ["v1", "v1beta1", "v1alpha1"];

/// Gets the credentials, by the plugin where there is one, and asks the server who they are of.
pub(super) async fn log_in(
    kubeconfigs: &MergedKubeconfig,
    target: &ResolvedContext,
    login: &LoginContext,
) -> StepOutput<Arc<ApiClient>> {
    let credentials = CredentialSummary::of(target);
    let words = &credentials.description;
    let link = match ApiClient::open(kubeconfigs, Some(&target.context), None, login).await {
        Ok(link) => Arc::new(link),
        Err(error) => return (StepFinding::failed(format!("{words}: {error}"), None), None),
    };
    let ends = link
        .current_client()
        .valid_until()
        .or(credentials.expires_at);
    let until = ends.map_or_else(String::new, |end| match days_left(end) {
        _ if end < Timestamp::now() => format!(", ended at {end:.0}"),
        0 => format!(", valid until {end:.0}"),
        _ => format!(", valid until {}", day(end)),
    });
    match who_am_i(&link).await {
        Ok(WhoAmIAnswer::Named { user, groups }) if user == "system:anonymous" => {
            let found =
                format!("{words}{until}: the server authenticated you as {user} ({groups})");
            let advice = "the credentials were not sent or not used: check the user of the context";
            (StepFinding::warning(found, advice), Some(link))
        }
        Ok(WhoAmIAnswer::Named { user, groups }) => {
            let found = format!("{words}{until}: you are `{user}` ({groups})");
            (StepFinding::ok(found), Some(link))
        }
        Ok(WhoAmIAnswer::Refused { user }) => {
            let found = format!("{words}{until}: accepted, you are `{user}`");
            (StepFinding::ok(found), Some(link))
        }
        Ok(WhoAmIAnswer::Unknown) => {
            let found = format!(
                "{words}{until}: accepted; this server can't report the user name (Kubernetes 1.28 and later can)"
            );
            (StepFinding::ok(found), Some(link))
        }
        Err(error) => {
            let found = format!("{words}{until}: {}", error.cause);
            let advice = match error.kind {
                CallErrorKind::Unauthorized => {
                    "the server refuses these credentials: log in again, or download the kubeconfig again"
                }
                CallErrorKind::Credentials => {
                    "nothing was sent: log in again, or correct the user of the kubeconfig"
                }
                CallErrorKind::Unreachable => {
                    "the connection opens, but the server does not answer: check that the API server is healthy, and any proxy or firewall in between"
                }
                _ => "check that `server` leads to a Kubernetes API server",
            };
            (StepFinding::failed(found, Some(advice)), None)
        }
    }
}

/// Credentials as the kubeconfig has them: which kind, and until when. Never their text.
struct CredentialSummary {
    description: String,
    expires_at: Option<Timestamp>,
}

impl CredentialSummary {
    fn of(target: &ResolvedContext) -> Self {
        let user = &target.config.auth_info;
        let mut held = match &target.exec {
            Some(exec) => {
                let command = exec.command.as_deref().unwrap_or("no command");
                // Arguments can hold a secret.
                Self::without_expiry(format!("plugin `{command}`"))
            }
            None => Self::of_user(user),
        };
        if let Some(name) = &user.impersonate {
            held.description.push_str(&format!(" as `{name}`"));
        }
        held
    }

    fn of_user(user: &AuthInfo) -> Self {
        if let Some(provider) = &user.auth_provider {
            let token = provider.config.get("id-token");
            return Self {
                description: format!("auth-provider `{}`", provider.name),
                expires_at: token.and_then(|token| expiry(token)),
            };
        }
        if let Some(file) = &user.token_file {
            let token = bearer_token::read_token_file(Path::new(file)).unwrap_or_default();
            return Self {
                description: format!("token from file {file}"),
                expires_at: expiry(&token),
            };
        }
        if user.token.is_some() {
            // Its text is only to be had by writing the user out.
            let written = serde_json::to_value(user).unwrap_or_default();
            return Self {
                description: "token of the kubeconfig".to_owned(),
                expires_at: written["token"].as_str().and_then(expiry),
            };
        }
        if let Some(certificate) = client_certificate(user) {
            return Self {
                description: format!("client certificate of {}", certificate.subject),
                expires_at: certificate.not_after,
            };
        }
        Self::without_expiry(
            if user.username.is_some() {
                "user name and password"
            } else {
                "no credentials"
            }
            .to_owned(),
        )
    }

    fn without_expiry(description: String) -> Self {
        Self {
            description,
            expires_at: None,
        }
    }
}

fn client_certificate(user: &AuthInfo) -> Option<CertificateSummary> {
    let pem = STANDARD
        .decode(user.client_certificate_data.as_ref()?)
        .ok()?;
    let der = CertificateDer::from_pem_slice(&pem).ok()?;
    Some(summarize_certificate(&der))
}

/// Who the server says that we are.
enum WhoAmIAnswer {
    Named {
        user: String,
        groups: String,
    },
    /// It did not answer the question, but named the user in the refusal.
    Refused {
        user: String,
    },
    Unknown,
}

async fn who_am_i(link: &ApiClient) -> Result<WhoAmIAnswer, CallError> {
    for version in VERSIONS {
        match self_subject_review(link, version).await {
            Ok(answer) => return Ok(parse_self_subject_review(&answer)),
            Err(error) if error.kind == CallErrorKind::NotFound => {}
            Err(error) if error.kind == CallErrorKind::Forbidden => {
                return Ok(user_in_refusal(&error.cause)
                    .map_or(WhoAmIAnswer::Unknown, |user| WhoAmIAnswer::Refused { user }));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(WhoAmIAnswer::Unknown)
}

async fn self_subject_review(link: &ApiClient, version: &str) -> Result<Value, CallError> {
    let tried = "ask the API server who you are";
    let group = format!("authentication.k8s.io/{version}");
    let question = json!({ "apiVersion": group, "kind": "SelfSubjectReview" });
    let request = api_client::request_with_body(
        tried,
        http::Method::POST,
        &format!("/apis/{group}/selfsubjectreviews"),
        "application/json",
        Bytes::from(question.to_string()),
    )?;
    let answer = link.fetch(tried, &request).await?;
    serde_json::from_slice(answer.body()).map_err(|_not_json| {
        let said = "the server at this address is not a Kubernetes API server";
        CallError::new(CallErrorKind::Other, tried, said)
    })
}

fn parse_self_subject_review(answer: &Value) -> WhoAmIAnswer {
    let info = &answer["status"]["userInfo"];
    let Some(user) = info["username"].as_str() else {
        return WhoAmIAnswer::Unknown;
    };
    let groups: Vec<_> = info["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let groups = match groups.as_slice() {
        [] => "in no group".to_owned(),
        [one] => format!("group {one}"),
        some => format!("groups {}", some.join(", ")),
    };
    WhoAmIAnswer::Named {
        user: user.to_owned(),
        groups,
    }
}

/// `User "eve" cannot create resource …` (k8s.io/apiserver/pkg/endpoints/handlers/responsewriters).
fn user_in_refusal(refusal: &str) -> Option<String> {
    let (_, rest) = refusal.split_once("User \"")?;
    let (user, _) = rest.split_once('"')?;
    Some(user.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_user() {
        let said = r#"selfsubjectreviews.authentication.k8s.io is forbidden: User "eve" cannot create resource"#;
        assert_eq!(user_in_refusal(said).as_deref(), Some("eve"));
        assert_eq!(user_in_refusal("no"), None);
    }
}
