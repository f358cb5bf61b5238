//! From a context of the kubeconfig to a client with credentials.
//!
//! Which of several credentials counts is client-go's order: a token, a password or, for plugins, a
//! client certificate that the user has needs no plugin (`Authenticator.UpdateTransportConfig`,
//! `oidc.roundTripper`).

use jiff::{SignedDuration, Timestamp};
use kube::{Client, config::AuthInfo};

use super::{
    CallError, MergedKubeconfig, SecurityNotice, bearer_token, client_stack,
    connect_error::ConnectError,
    exec_plugin,
    kubeconfig::KubeconfigFingerprint,
    login::LoginContext,
    oidc::{self, IdTokenRequest},
    path::display_address,
};

/// Credentials are used for so long at least, even if they are expired already: a plugin that gives
/// such credentials is not run for each request. A server that rejects them says so.
const MIN_VALIDITY: SignedDuration = SignedDuration::from_secs(10);

/// A client and what is known of its credentials.
pub(super) struct AuthenticationResult {
    pub client: Client,
    /// The address of the API server, without a path: that can hold a token.
    pub server: String,
    /// What the user must know of how the connection is protected.
    pub notices: Vec<SecurityNotice>,
    /// What of the kubeconfig it was made from.
    pub basis: KubeconfigFingerprint,
    /// Until when they are valid, where it is known.
    pub valid_until: Option<Timestamp>,
    /// What gave them, where it can give new ones.
    pub credential_source: Option<String>,
    /// The ID token of an issuer.
    pub id_token: Option<String>,
}

/// Gets the credentials of a context, by the plugin or the issuer where there is one, and builds a
/// client. `refused` is an ID token that the API server took no more.
pub(super) async fn authenticate(
    kubeconfigs: &MergedKubeconfig,
    context: Option<&str>,
    refused: Option<String>,
    login: &LoginContext,
) -> Result<AuthenticationResult, ConnectError> {
    let mut target = kubeconfigs.resolve_context(context)?;
    let server = display_address(&target.config.cluster_url);
    let mut basis = KubeconfigFingerprint {
        context: target.context,
        fingerprint: target.fingerprint,
        server_fingerprint: target.server_fingerprint,
        files: target.files,
    };
    let user = &mut target.config.auth_info;
    let held = StaticCredentials::of(user);
    let mut valid_until = None;
    let mut credential_source = held.has_token_file.then(|| "the token file".to_owned());
    let mut id_token = None;
    if let Some(provider) = user.auth_provider.take().filter(|_| !held.has_bearer) {
        oidc::check_provider(&provider.name).map_err(ConnectError::Client)?;
        let wanted = IdTokenRequest {
            name: target.user.clone(),
            files: kubeconfigs.files().to_vec(),
            config: provider.config,
            refused_token: refused,
        };
        let given = oidc::id_token(wanted, login).await?;
        valid_until = Some(given.expires_at);
        credential_source = Some("the OIDC issuer".to_owned());
        id_token = Some(given.token.clone());
        user.token = Some(given.token.into());
    } else if let Some(mut exec) = target
        .exec
        .filter(|_| !held.has_bearer && !held.has_certificate)
    {
        let compression = target.config.disable_compression.into();
        exec.other
            .insert(exec_plugin::DISABLE_COMPRESSION.to_owned(), compression);
        valid_until = exec_plugin::fetch_credentials(&exec, user, login).await?;
        credential_source = Some(exec_plugin::display_name(&exec));
        basis.fingerprint = fingerprint_after_plugin(kubeconfigs, &basis).await;
    }
    let (mut config, user) = (target.config, target.user);
    // Key files are read.
    let client = tokio::task::spawn_blocking(move || {
        let token = bearer_token::prepare_token(&user, &mut config.auth_info)
            .map_err(|error| ConnectError::Client(error.to_string()))?;
        client_stack::build_client(config, token).map_err(|error| {
            ConnectError::Client(CallError::from_client("use it", &error).cause.to_string())
        })
    })
    .await
    .map_err(|error| ConnectError::Client(error.to_string()))??;
    let least = Timestamp::now() + MIN_VALIDITY;
    Ok(AuthenticationResult {
        client,
        server,
        notices: target.notices,
        basis,
        valid_until: valid_until.map(|until| until.max(least)),
        credential_source,
        id_token,
    })
}

/// The fingerprint after a plugin ran: one that writes into its own entry each time has changed nothing
/// that it is to be asked again for. Another server is a change all the same.
async fn fingerprint_after_plugin(
    kubeconfigs: &MergedKubeconfig,
    basis: &KubeconfigFingerprint,
) -> u64 {
    let (kubeconfigs, context) = (kubeconfigs.clone(), basis.context.clone());
    let reading =
        tokio::task::spawn_blocking(move || kubeconfigs.reload()?.resolve_context(Some(&context)));
    match reading.await {
        Ok(Ok(now)) if now.server_fingerprint == basis.server_fingerprint => now.fingerprint,
        _ => basis.fingerprint,
    }
}

/// Which credentials a user has without a plugin or an issuer.
struct StaticCredentials {
    /// A token or a password.
    has_bearer: bool,
    has_token_file: bool,
    has_certificate: bool,
}

impl StaticCredentials {
    fn of(user: &AuthInfo) -> Self {
        // Secrets are only to be had by writing the user out.
        let written = serde_json::to_value(user).unwrap_or_default();
        let has = |field: &str| {
            written[field]
                .as_str()
                .is_some_and(|text| !text.trim().is_empty())
        };
        let has_token_file = has("tokenFile");
        Self {
            has_bearer: has("token") || has_token_file || has("username") || has("password"),
            has_token_file,
            has_certificate: has("client-certificate") || has("client-certificate-data"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KubeconfigSource;

    #[cfg(unix)]
    #[tokio::test]
    async fn a_plugin_that_writes_into_its_own_entry_is_not_asked_again_for_that() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let plugin = r#"sed -i "s/RUN: .*}/RUN: x$$}/" "$FILE"; echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}'"#;
        let script = folder.path().join("plugin");
        std::fs::write(&script, plugin).unwrap();
        let text = format!(
            "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\nclusters: [{{name: k, cluster: {{server: 'https://127.0.0.1:1'}}}}]\nusers:\n- name: u\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      command: sh\n      args: ['{}']\n      env:\n      - {{name: FILE, value: '{}'}}\n      - {{name: LAST, value: first, RUN: none}}\n      installHint: 'RUN: none}}'\n",
            script.display(),
            path.display(),
        );
        std::fs::write(&path, &text).unwrap();
        let kubeconfigs = MergedKubeconfig::load(&KubeconfigSource::File(path.clone())).unwrap();
        let login = LoginContext::default();
        let built = authenticate(&kubeconfigs, None, None, &login)
            .await
            .unwrap();
        let now = std::fs::read_to_string(&path).unwrap();
        assert_ne!(now, text, "the plugin wrote into it");
        assert_eq!(kubeconfigs.compare_with(&built.basis).in_use, Ok(false));
        std::fs::write(&path, now.replace("127.0.0.1:1", "127.0.0.1:2")).unwrap();
        assert_eq!(kubeconfigs.compare_with(&built.basis).in_use, Ok(true));
    }

    #[tokio::test]
    async fn a_user_with_own_credentials_asks_nobody() {
        let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin}";
        let oidc = "auth-provider: {name: gone, config: {}}";
        let cases = [
            (format!("token: t, {exec}"), true),
            (format!("username: u, password: p, {exec}"), true),
            (format!("token: t, {oidc}"), true),
            (format!("token: '', {exec}"), false),
            (exec.to_owned(), false),
            (oidc.to_owned(), false),
        ];
        for (user, succeeds) in cases {
            let text = format!(
                "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\nclusters: [{{name: k, cluster: {{server: 'https://127.0.0.1:1'}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
            );
            let kubeconfigs = MergedKubeconfig::load(&KubeconfigSource::Inline(text)).unwrap();
            let login = LoginContext::default();
            let built = authenticate(&kubeconfigs, Some("c"), None, &login).await;
            assert_eq!(built.is_ok(), succeeds, "{user}: {:?}", built.err());
        }
    }
}
