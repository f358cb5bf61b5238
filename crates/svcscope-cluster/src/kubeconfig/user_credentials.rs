//! The user of a context: which credentials are sent, by client-go's rules (tools/clientcmd:
//! client_config.go, validation.go; transport/round_trippers.go; plugin/pkg/client/auth/exec).
//!
//! One of them is sent: a token (of a file before that of the kubeconfig), else user name and
//! password, else the plugin's, whose plugin is not run where there is anything else. A client
//! certificate goes beside a token.

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kube::config::{AuthInfo, AuthProviderConfig, ExecConfig, ExecInteractiveMode};

use super::{KubeconfigError, pem_files, section::KubeconfigSection};

/// Who to log in as.
#[derive(Clone, Default)]
pub(super) struct UserCredentials {
    pub auth_info: AuthInfo,
    pub exec: Option<ExecConfig>,
    /// The files that were or will be read for it.
    pub files: Vec<PathBuf>,
}

/// The credentials of a user, and the words for each.
const CREDENTIALS: [(&str, &str); 7] = [
    ("token", "token"),
    ("tokenFile", "token"),
    ("username", "user name and password"),
    ("client-certificate", "client certificate"),
    ("client-certificate-data", "client certificate"),
    ("exec", "credentials of the plugin"),
    ("auth-provider", "credentials of the auth-provider"),
];

impl UserCredentials {
    /// What is sent over TLS.
    pub fn over_tls(entry: &KubeconfigSection) -> Result<Self, KubeconfigError> {
        let mut user = Self {
            auth_info: impersonation(entry)?,
            ..Self::default()
        };
        user.certificate(entry)?;
        let info = &mut user.auth_info;
        let token = entry.text("token")?;
        let token_file = entry.path("tokenFile")?;
        let (name, password) = (entry.text("username")?, entry.text("password")?);
        let has_token = token.is_some() || token_file.is_some();
        if has_token && (name.is_some() || token.is_some() && password.is_some()) {
            let said = "there is a token and a user name or password, and only one can be sent: remove one of them";
            return Err(entry.invalid_field("token", said));
        }
        let exec = exec(entry)?;
        let provider = provider(entry)?;
        if exec.is_some() && provider.is_some() {
            let said = "there is an `auth-provider` as well, and only one can be asked: remove one of them";
            return Err(entry.invalid_field("exec", said));
        }
        if has_token {
            user.files.extend(token_file.clone());
            info.token = token.map(Into::into);
            info.token_file = token_file.map(|path| path.display().to_string());
        } else if name.is_some() {
            info.username = name;
            info.password = Some(password.unwrap_or_default().into());
        } else if let Some(provider) = provider {
            info.auth_provider = Some(provider);
        } else if info.client_certificate_data.is_none() {
            user.exec = exec;
        }
        Ok(user)
    }

    /// What is sent without TLS: no credentials (`restclient.IsConfigTransportTLS`), but whom to act
    /// as. Beside it, in words, what is withheld.
    pub fn without_tls(
        entry: &KubeconfigSection,
    ) -> Result<(Self, Option<&'static str>), KubeconfigError> {
        let info = impersonation(entry)?;
        let is_set = |field| {
            let value = entry.raw(field).ok().flatten();
            value.is_some_and(|value| value.as_str() != Some(""))
        };
        let withheld = CREDENTIALS.iter().find(|(field, _)| is_set(field));
        let user = Self {
            auth_info: info,
            ..Self::default()
        };
        Ok((user, withheld.map(|(_, words)| *words)))
    }

    /// Name and password of the server's URL go before all others, as net/http has it.
    pub fn log_in_as(&mut self, name: String, password: String) {
        self.exec = None;
        let info = &mut self.auth_info;
        (info.token, info.token_file, info.auth_provider) = (None, None, None);
        info.username = Some(name);
        info.password = Some(password.into());
    }

    /// A certificate with its key; a key alone is none (getUserIdentificationPartialConfig).
    fn certificate(&mut self, entry: &KubeconfigSection) -> Result<(), KubeconfigError> {
        let certificate = pem_files::pem_field(entry, "client-certificate", &mut self.files)?;
        let Some((field, certificate)) = certificate else {
            return Ok(());
        };
        let certificate = pem_files::certificates(&certificate)
            .map_err(|said| entry.invalid_field(field, said))?;
        let Some((field, key)) = pem_files::pem_field(entry, "client-key", &mut self.files)? else {
            return Err(entry.invalid_field(
                "client-key",
                "it is missing, and there is a client certificate",
            ));
        };
        let key = pem_files::private_key(&key).map_err(|said| entry.invalid_field(field, said))?;
        self.auth_info.client_certificate_data = Some(STANDARD.encode(certificate));
        self.auth_info.client_key_data = Some(STANDARD.encode(key).into());
        Ok(())
    }
}

fn impersonation(entry: &KubeconfigSection) -> Result<AuthInfo, KubeconfigError> {
    let info = AuthInfo {
        impersonate: entry.text("as")?,
        impersonate_uid: entry.text("as-uid")?,
        impersonate_groups: Some(entry.list("as-groups")?).filter(|groups| !groups.is_empty()),
        impersonate_user_extra: Some(entry.lists("as-user-extra")?)
            .filter(|extra| !extra.is_empty())
            .map(|extra| extra.into_iter().collect()),
        ..AuthInfo::default()
    };
    let is_more = info.impersonate_uid.is_some()
        || info.impersonate_groups.is_some()
        || info.impersonate_user_extra.is_some();
    if is_more && info.impersonate.is_none() {
        let said = "it is missing, and there is `as-uid`, `as-groups` or `as-user-extra`";
        return Err(entry.invalid_field("as", said));
    }
    Ok(info)
}

fn provider(entry: &KubeconfigSection) -> Result<Option<AuthProviderConfig>, KubeconfigError> {
    let Some(provider) = entry.object("auth-provider")? else {
        return Ok(None);
    };
    Ok(Some(AuthProviderConfig {
        name: provider.text("name")?.unwrap_or_default(),
        config: provider.texts("config")?.into_iter().collect(),
        ..AuthProviderConfig::default()
    }))
}

fn exec(entry: &KubeconfigSection) -> Result<Option<ExecConfig>, KubeconfigError> {
    let Some(exec) = entry.object("exec")? else {
        return Ok(None);
    };
    let interactive_mode = match exec.text("interactiveMode")?.as_deref() {
        None => None,
        Some("Never") => Some(ExecInteractiveMode::Never),
        Some("IfAvailable") => Some(ExecInteractiveMode::IfAvailable),
        Some("Always") => Some(ExecInteractiveMode::Always),
        Some(_) => {
            let said = "it must be Never, IfAvailable or Always";
            return Err(exec.invalid_field("interactiveMode", said));
        }
    };
    let pair = |pair: &KubeconfigSection| {
        let (name, value) = (pair.text("name")?, pair.text("value")?.unwrap_or_default());
        let name = name.ok_or_else(|| pair.invalid_field("name", "it is missing"))?;
        Ok([("name", name), ("value", value)]
            .map(|(key, text)| (key.to_owned(), text))
            .into())
    };
    let env: Result<Vec<_>, KubeconfigError> = exec.objects("env")?.iter().map(pair).collect();
    Ok(Some(ExecConfig {
        api_version: exec.text("apiVersion")?,
        command: exec.program("command")?,
        args: Some(exec.list("args")?),
        env: Some(env?),
        install_hint: exec.text("installHint")?,
        provide_cluster_info: exec.flag("provideClusterInfo")?,
        interactive_mode,
        ..ExecConfig::default()
    }))
}
