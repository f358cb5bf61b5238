//! What a plugin answers: an `ExecCredential` of client.authentication.k8s.io, checked as client-go
//! checks it (exec.go, `refreshCredsLocked`).

use jiff::Timestamp;
use k8s_openapi::ByteString;
use kube::config::AuthInfo;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    api_version: Option<String>,
    kind: Option<String>,
    status: Option<CredentialStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialStatus {
    expiration_timestamp: Option<Timestamp>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Gives `user` what the plugin answered and returns until when that is valid; else what is wrong
/// with the answer, without the answer itself: it may hold a token.
///
/// Plugins answer in JSON; client-go reads YAML as well, so some answer in YAML.
pub(super) fn apply_credential(
    stdout: &[u8],
    api_version: &str,
    user: &mut AuthInfo,
) -> Result<Option<Timestamp>, String> {
    if stdout.trim_ascii().is_empty() {
        return Err("it printed nothing to stdout".to_owned());
    }
    let answer: ExecCredential = serde_saphyr::from_slice(stdout).map_err(|error| {
        error.location().map_or_else(
            || "it can't be read".to_owned(),
            |at| {
                format!(
                    "it can't be read at line {}, column {}",
                    at.line(),
                    at.column()
                )
            },
        )
    })?;
    if answer.kind.as_deref() != Some("ExecCredential") {
        return Err("its kind is not ExecCredential".to_owned());
    }
    match answer.api_version.as_deref() {
        Some(version) if version == api_version => {}
        version => {
            let version: String = version.unwrap_or("none").chars().take(80).collect();
            return Err(format!(
                "its apiVersion is {}, but the kubeconfig says {api_version}",
                version.escape_debug()
            ));
        }
    }
    let status = answer.status.ok_or("it has no status")?;
    let given = |field: Option<String>| field.filter(|text| !text.is_empty());
    let token = given(status.token);
    match (
        given(status.client_certificate_data),
        given(status.client_key_data),
    ) {
        (Some(certificate), Some(key)) => {
            user.client_certificate_data = Some(base64(certificate));
            user.client_key_data = Some(base64(key).into());
        }
        (None, None) if token.is_none() => {
            return Err("its status has neither a token nor a certificate and key".to_owned());
        }
        (None, None) => {}
        _ => return Err("its status has only a certificate or only a key".to_owned()),
    }
    user.token = token.map(Into::into);
    Ok(status.expiration_timestamp)
}

/// A user of a kubeconfig carries certificates in base64; ByteString is Kubernetes' own writer of it.
fn base64(pem: String) -> String {
    match serde_json::to_value(ByteString(pem.into_bytes())) {
        Ok(serde_json::Value::String(encoded)) => encoded,
        _ => String::new(),
    }
}
