//! The issuer: finding its token endpoint (OpenID Connect Discovery 1.0), and getting a new token
//! for a refresh token (RFC 6749 §6), with the requests of client-go and golang.org/x/oauth2.

use std::{collections::HashMap, fs, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;
use reqwest::{Client, Proxy, RequestBuilder, Url};
use rustls::{ClientConfig, pki_types::CertificateDer};
use serde::Deserialize;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{error::OidcError, tokens::OidcTokens};
use crate::{error::root_cause_message, proxy};
use svcscope_net::tls::{authorities_in_pem, crypto_provider, system_verifier, verifier_trusting};

/// How long an issuer may take for an answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Limit for the size of an issuer's response.
const MAX_RESPONSE: usize = 1024 * 1024;

/// How much of what an issuer said is shown.
const MAX_SHOWN_TEXT: usize = 200;

/// The issuer to ask for tokens, and the client's credentials for it.
pub(super) struct OidcIssuerClient {
    url: Url,
    client_id: String,
    client_secret: String,
    http: Client,
}

#[derive(Deserialize)]
struct IssuerMetadata {
    token_endpoint: Option<String>,
}

#[derive(Deserialize)]
struct TokenResponse {
    id_token: Option<String>,
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct TokenErrorResponse {
    error: String,
    error_description: Option<String>,
}

impl OidcIssuerClient {
    /// The issuer that the kubeconfig names, and the certificates that it says to trust.
    pub fn new(config: &HashMap<String, String>) -> Result<Self, OidcError> {
        let given = |field| config.get(field).map_or("", |value| value.trim());
        let required = |field: &'static str| match given(field) {
            "" => Err(bad_field_error(field, "it is missing")),
            value => Ok(value.to_owned()),
        };
        let address = required("idp-issuer-url")?;
        let url = Url::parse(&address).map_err(|error| bad_field_error("idp-issuer-url", error))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad_field_error(
                "idp-issuer-url",
                "it is no https:// address",
            ));
        }
        let mut http = Client::builder().timeout(REQUEST_TIMEOUT).no_proxy();
        http = http.tls_backend_preconfigured(tls_config(&given)?);
        let uri = address
            .parse()
            .map_err(|error| bad_field_error("idp-issuer-url", error))?;
        let proxy =
            proxy::from_env(&uri).map_err(|said| bad_field_error("idp-issuer-url", said))?;
        if let Some(proxy) = proxy {
            let proxy = Proxy::all(proxy.to_string()).map_err(|_with_its_password| {
                bad_field_error("idp-issuer-url", "its proxy is not supported")
            })?;
            http = http.proxy(proxy);
        }
        Ok(Self {
            url,
            client_id: required("client-id")?,
            client_secret: given("client-secret").to_owned(),
            http: http.build().map_err(|error| {
                bad_field_error("idp-certificate-authority", root_cause_message(&error))
            })?,
        })
    }

    /// Scheme, host and port.
    pub fn display_origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Asks for a new ID token. The refresh token may be used up by that.
    pub async fn refresh(&self, refresh_token: &str) -> Result<OidcTokens, OidcError> {
        let endpoint = self.token_endpoint().await?;
        let hidden = [refresh_token, &self.client_secret];
        // The client says who it is in the header, as RFC 6749 §2.3.1 prefers; where that is refused,
        // in the body (oauth2's AuthStyleAutoDetect).
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token");
        form.append_pair("refresh_token", refresh_token);
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let asking = self
            .post(&endpoint, form.finish())
            .basic_auth(encoded(&self.client_id), Some(encoded(&self.client_secret)));
        let (mut status, mut body) = send_request(asking, &endpoint).await?;
        if !status.is_success() {
            let mut form = Serializer::new(String::new());
            form.append_pair("client_id", &self.client_id);
            if !self.client_secret.is_empty() {
                form.append_pair("client_secret", &self.client_secret);
            }
            form.append_pair("grant_type", "refresh_token");
            form.append_pair("refresh_token", refresh_token);
            (status, body) = send_request(self.post(&endpoint, form.finish()), &endpoint).await?;
        }
        let refused = |said: String| OidcError::Refused {
            url: address_without_query(&endpoint),
            reason: said,
        };
        if !status.is_success() {
            return Err(refused(describe_refusal(status, &body, hidden)));
        }
        let answer: TokenResponse = serde_json::from_slice(&body).map_err(|_may_hold_tokens| {
            refused("with a response that contains no tokens".to_owned())
        })?;
        // Okta and others send none (kubernetes#36847).
        let id = answer.id_token.filter(|id| !id.is_empty()).ok_or_else(|| {
            refused("without an id_token: either the scope `openid` was not asked for at login, or the issuer gives none at a refresh".to_owned())
        })?;
        let refresh = answer.refresh_token.filter(|token| !token.is_empty());
        Ok(OidcTokens {
            id,
            refresh: refresh.unwrap_or_else(|| refresh_token.to_owned()),
        })
    }

    fn post(&self, endpoint: &Url, form: String) -> RequestBuilder {
        self.http
            .post(endpoint.clone())
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Accept", "application/json")
            .body(form)
    }

    async fn token_endpoint(&self) -> Result<Url, OidcError> {
        let issuer = self.url.as_str().trim_end_matches('/');
        let url = format!("{issuer}/.well-known/openid-configuration");
        let failed = |said: &str| OidcError::Issuer {
            url: url.clone(),
            reason: said.to_owned(),
        };
        let asked = Url::parse(&url).map_err(|error| failed(&error.to_string()))?;
        let (status, body) = send_request(self.http.get(asked.clone()), &asked).await?;
        if status != StatusCode::OK {
            return Err(failed(&format!(
                "it answered {}",
                describe_refusal(status, &body, [])
            )));
        }
        let metadata: IssuerMetadata = serde_json::from_slice(&body)
            .map_err(|_not_json| failed("it answered with something else than JSON"))?;
        let endpoint = metadata.token_endpoint.unwrap_or_default();
        Url::parse(&endpoint).map_err(|_no_url| failed("its answer names no token_endpoint"))
    }
}

/// TLS that trusts what the kubeconfig says, else what this machine trusts.
fn tls_config<'a>(given: &impl Fn(&'static str) -> &'a str) -> Result<ClientConfig, OidcError> {
    let verifier = match certificates(given)? {
        Some(authorities) => verifier_trusting(authorities),
        None => system_verifier(Vec::new()),
    };
    let failed = |error| bad_field_error("idp-certificate-authority", error);
    Ok(ClientConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(verifier.map_err(failed)?)
        .with_no_client_auth())
}

/// The certificates to trust instead of the system's. Data wins over the file, as in client-go.
fn certificates<'a>(
    given: &impl Fn(&'static str) -> &'a str,
) -> Result<Option<Vec<CertificateDer<'static>>>, OidcError> {
    const DATA: &str = "idp-certificate-authority-data";
    const FILE: &str = "idp-certificate-authority";
    let (field, pem) = match (given(DATA), given(FILE)) {
        ("", "") => return Ok(None),
        ("", file) => {
            let read =
                fs::read(file).map_err(|error| bad_field_error(FILE, format!("{file}: {error}")));
            (FILE, read?)
        }
        (data, _) => {
            let data: String = data.split_whitespace().collect();
            (
                DATA,
                STANDARD
                    .decode(data)
                    .map_err(|error| bad_field_error(DATA, error))?,
            )
        }
    };
    let authorities = authorities_in_pem(&pem);
    if authorities.is_empty() {
        return Err(bad_field_error(
            field,
            "it holds no PEM certificate that can be read",
        ));
    }
    Ok(Some(authorities))
}

async fn send_request(
    request: RequestBuilder,
    url: &Url,
) -> Result<(StatusCode, Vec<u8>), OidcError> {
    let failed = |error: reqwest::Error| OidcError::Issuer {
        url: address_without_query(url),
        reason: root_cause_message(&error.without_url()),
    };
    let mut response = request.send().await.map_err(failed)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_RESPONSE {
            return Err(OidcError::Issuer {
                url: address_without_query(url),
                reason: "it answered with more than 1 MiB".to_owned(),
            });
        }
    }
    Ok((response.status(), body))
}

/// Without the query and without a password.
fn address_without_query(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// What an issuer said when it refused, without what must stay hidden.
fn describe_refusal<const N: usize>(status: StatusCode, body: &[u8], hidden: [&str; N]) -> String {
    let said = match serde_json::from_slice::<TokenErrorResponse>(body) {
        Ok(refusal) => match refusal.error_description {
            Some(description) => format!("{}: {description}", refusal.error),
            None => refusal.error,
        },
        Err(_not_as_rfc_6749_says) => String::from_utf8_lossy(body).into_owned(),
    };
    let mut said: String = said
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    for secret in hidden.into_iter().filter(|secret| !secret.is_empty()) {
        said = said.replace(secret, "[hidden]");
    }
    let shown: String = said.trim().chars().take(MAX_SHOWN_TEXT).collect();
    format!("{status} ({shown})")
}

fn bad_field_error(field: &'static str, said: impl ToString) -> OidcError {
    OidcError::BadField {
        field,
        reason: said.to_string(),
    }
}
