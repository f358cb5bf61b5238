//! Exec plugins of a kubeconfig: `aws eks get-token`, `kubelogin`, `gke-gcloud-auth-plugin`.
//!
//! kube would run a plugin two to three times for each client, block a thread meanwhile and print
//! its complaints to a terminal that a window does not have. So the plugin is run here, once, and
//! what it answers is put into the kubeconfig's user.

use std::{
    collections::HashMap,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::ByteString;
use kube::config::{AuthInfo, ExecConfig};
use serde::Deserialize;
use serde_json::json;

/// A plugin may open a browser and wait for a person, but not for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where plugins are found that a shell would find and an app started from a desktop would not.
const KNOWN_BINS: [&str; 7] = [
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
    "/opt/homebrew/bin",
    "/snap/bin",
    "/usr/local/google-cloud-sdk/bin",
    "/usr/lib/google-cloud-sdk/bin",
];

/// The same under the home directory.
const KNOWN_HOME_BINS: [&str; 6] = [
    ".local/bin",
    "bin",
    ".krew/bin",
    "google-cloud-sdk/bin",
    ".asdf/shims",
    ".local/share/mise/shims",
];

/// Why a plugin gave no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecError {
    /// The kubeconfig names no command.
    #[error("the kubeconfig asks for a credential plugin but names no command; correct its `exec`")]
    NoCommand,
    /// There is no such program.
    #[error(
        "could not find the credential plugin `{command}` that the kubeconfig asks for; {next}"
    )]
    NotFound {
        /// The program.
        command: String,
        /// The plugin's own hint, or where was looked.
        next: String,
    },
    /// It could not be started.
    #[error("could not start the credential plugin `{command}`: {said}")]
    NotStarted {
        /// The program.
        command: String,
        /// The system's words.
        said: String,
    },
    /// It ended with an error.
    #[error(
        "the credential plugin `{command}` failed ({status}): {said}; run it in a terminal to log in, then reconnect"
    )]
    Failed {
        /// The program without its arguments, which can hold a secret.
        command: String,
        /// `exit status: 1`.
        status: String,
        /// What it printed to stderr.
        said: String,
    },
    /// It did not end.
    #[error("the credential plugin `{command}` did not answer within {} s; run it in a terminal to log in, then reconnect", PATIENCE.as_secs())]
    TimedOut {
        /// The program without its arguments.
        command: String,
    },
    /// Its answer is no ExecCredential.
    #[error(
        "the credential plugin `{command}` answered with something else than an ExecCredential: {said}"
    )]
    BadAnswer {
        /// The program.
        command: String,
        /// What is wrong with it, without the answer itself: it may hold a token.
        said: String,
    },
}

#[derive(Deserialize)]
struct Credential {
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

/// Runs the plugin, gives `user` what it answered, and returns until when that is valid.
pub(super) async fn ask(
    exec: &ExecConfig,
    user: &mut AuthInfo,
) -> Result<Option<Timestamp>, ExecError> {
    let command = exec
        .command
        .as_deref()
        .filter(|command| !command.is_empty())
        .ok_or(ExecError::NoCommand)?;
    let own_env: HashMap<&str, &str> = exec
        .env
        .iter()
        .flatten()
        .filter_map(|pair| Some((pair.get("name")?.as_str(), pair.get("value")?.as_str())))
        .collect();
    let path = search_path(own_env.get("PATH").map(OsString::from));
    let program = find(command, &path).ok_or_else(|| ExecError::NotFound {
        command: command.to_owned(),
        next: exec
            .install_hint
            .clone()
            .unwrap_or_else(|| "install it, or write its full path into the kubeconfig".to_owned()),
    })?;
    let args = exec.args.as_deref().unwrap_or_default();
    let mut spec = json!({ "interactive": false });
    if let Some(cluster) = &exec.cluster {
        spec["cluster"] = serde_json::to_value(cluster).unwrap_or_default();
    }
    let info = json!({ "apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec });
    let running = tokio::process::Command::new(&program)
        .args(args)
        .envs(&own_env)
        .env("PATH", &path)
        .env("KUBERNETES_EXEC_INFO", info.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, running)
        .await
        .map_err(|_elapsed| ExecError::TimedOut {
            command: command.to_owned(),
        })?
        .map_err(|error| ExecError::NotStarted {
            command: program.display().to_string(),
            said: error.to_string(),
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = match said.trim() {
            "" => "it said nothing",
            words => words,
        };
        return Err(ExecError::Failed {
            command: command.to_owned(),
            status: output.status.to_string(),
            said: said.to_owned(),
        });
    }
    take_answer(command, &output.stdout, user)
}

/// Plugins answer in JSON; client-go reads YAML as well, so some answer in YAML.
fn take_answer(
    command: &str,
    stdout: &[u8],
    user: &mut AuthInfo,
) -> Result<Option<Timestamp>, ExecError> {
    let bad = |said: &str| ExecError::BadAnswer {
        command: command.to_owned(),
        said: said.to_owned(),
    };
    let answer: Credential = serde_saphyr::from_slice(stdout).map_err(|error| {
        let place = error.location().map_or_else(
            || "it can't be read".to_owned(),
            |at| {
                format!(
                    "it can't be read at line {}, column {}",
                    at.line(),
                    at.column()
                )
            },
        );
        bad(&place)
    })?;
    let status = answer.status.ok_or_else(|| bad("it has no status"))?;
    match (
        status.token,
        status.client_certificate_data,
        status.client_key_data,
    ) {
        (token, Some(certificate), Some(key)) => {
            user.client_certificate_data = Some(base64(certificate));
            user.client_key_data = Some(base64(key).into());
            user.token = token.map(Into::into);
        }
        (Some(token), _, _) => user.token = Some(token.into()),
        (None, _, _) => {
            return Err(bad(
                "its status has neither a token nor a certificate and key",
            ));
        }
    }
    Ok(status.expiration_timestamp)
}

/// A user of a kubeconfig carries certificates in base64; ByteString is Kubernetes' own writer of it.
fn base64(pem: String) -> String {
    match serde_json::to_value(ByteString(pem.into_bytes())) {
        Ok(serde_json::Value::String(encoded)) => encoded,
        _ => String::new(),
    }
}

/// `PATH` (the plugin's own, else ours), then the places where plugins usually are.
fn search_path(own: Option<OsString>) -> OsString {
    let given = own.or_else(|| env::var_os("PATH")).unwrap_or_default();
    let mut places: Vec<PathBuf> = env::split_paths(&given).collect();
    let home = env::home_dir();
    let at_home = home
        .iter()
        .flat_map(|home| KNOWN_HOME_BINS.iter().map(move |bin| home.join(bin)));
    for known in KNOWN_BINS.iter().map(PathBuf::from).chain(at_home) {
        if !places.contains(&known) {
            places.push(known);
        }
    }
    env::join_paths(places).unwrap_or(given)
}

/// A command with a separator is a path; a bare one is searched for.
fn find(command: &str, path: &OsString) -> Option<PathBuf> {
    let named = Path::new(command);
    if named.components().count() > 1 {
        return named.is_file().then(|| named.to_owned());
    }
    let suffix = env::consts::EXE_SUFFIX;
    env::split_paths(path)
        .flat_map(|place| {
            [
                place.join(command),
                place.join(format!("{command}{suffix}")),
            ]
        })
        .find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> ExecConfig {
        ExecConfig {
            api_version: Some("client.authentication.k8s.io/v1".to_owned()),
            command: Some("sh".to_owned()),
            args: Some(vec!["-c".to_owned(), script.to_owned()]),
            ..ExecConfig::default()
        }
    }

    #[tokio::test]
    async fn a_token_is_taken_with_its_end() {
        let mut user = AuthInfo::default();
        let answer = r#"echo '{"kind":"ExecCredential","status":{"token":"t0k","expirationTimestamp":"2030-01-01T00:00:00Z"}}'"#;
        let until = ask(&shell(answer), &mut user).await.unwrap();
        assert_eq!(until, Some("2030-01-01T00:00:00Z".parse().unwrap()));
        assert!(user.token.is_some());
    }

    #[tokio::test]
    async fn a_certificate_is_taken_as_base64() {
        let mut user = AuthInfo::default();
        let answer = "printf 'status:\\n  clientCertificateData: cert\\n  clientKeyData: key\\n'";
        assert_eq!(ask(&shell(answer), &mut user).await.unwrap(), None);
        assert_eq!(user.client_certificate_data.as_deref(), Some("Y2VydA=="));
        assert!(user.client_key_data.is_some());
    }

    #[tokio::test]
    async fn what_a_failing_plugin_says_is_in_the_message() {
        let mut user = AuthInfo::default();
        let error = ask(&shell("echo 'session has expired' >&2; exit 3"), &mut user)
            .await
            .unwrap_err();
        let message = error.to_string();
        assert!(message.contains("session has expired"), "{message}");
        assert!(message.contains("exit status: 3"), "{message}");
        let arguments = "echo 'session";
        assert!(
            !message.contains(arguments),
            "they can hold a secret: {message}"
        );
        assert!(message.contains("run it in a terminal"), "{message}");
    }

    #[tokio::test]
    async fn a_missing_plugin_is_named_with_its_hint() {
        let exec = ExecConfig {
            command: Some("no-such-plugin".to_owned()),
            install_hint: Some("brew install no-such-plugin".to_owned()),
            ..ExecConfig::default()
        };
        let error = ask(&exec, &mut AuthInfo::default()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "could not find the credential plugin `no-such-plugin` that the kubeconfig asks for; brew install no-such-plugin"
        );
    }

    #[tokio::test]
    async fn an_answer_without_credentials_is_refused_and_not_shown() {
        let error = ask(&shell("echo '{\"status\":{}} '"), &mut AuthInfo::default())
            .await
            .unwrap_err();
        assert!(matches!(error, ExecError::BadAnswer { .. }), "{error}");
        let error = ask(
            &shell("echo '{\"status\": s3cret ['"),
            &mut AuthInfo::default(),
        )
        .await
        .unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[tokio::test]
    async fn the_plugin_hears_which_version_is_spoken_and_its_own_environment() {
        let mut exec = shell(
            r#"printf '{"status":{"token":"%s-%s"}}' "$WHO" "$(echo "$KUBERNETES_EXEC_INFO" | grep -c '"interactive":false')""#,
        );
        let pair = [("name", "WHO"), ("value", "me")];
        exec.env = Some(vec![
            pair.iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        ]);
        let mut user = AuthInfo::default();
        ask(&exec, &mut user).await.unwrap();
        let kept = serde_json::to_value(&user).unwrap();
        assert_eq!(kept["token"], "me-1");
    }
}
