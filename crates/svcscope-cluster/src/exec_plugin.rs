//! Exec plugins of a kubeconfig: `aws eks get-token`, `kubelogin`, `gke-gcloud-auth-plugin`.
//!
//! kube would run a plugin two to three times for each client, block a thread meanwhile and print
//! its complaints to a terminal that a window does not have. So the plugin is run here, once, and
//! what it answers is put into the kubeconfig's user. It may wait for the user as long as it wants,
//! as with kubectl: its output is shown meanwhile, and it can be cancelled.

mod exec_credential;
mod process;

use std::{
    collections::HashMap,
    env,
    ffi::OsString,
    io::{IsTerminal as _, stdin},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde_json::{Value, json};

use super::{executable, login::LoginContext};

/// A plugin that takes longer waits for the user, or for something else that is worth a notice.
const NOTICE_AFTER: Duration = Duration::from_secs(3);

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
pub enum ExecPluginError {
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
    /// It could not be run.
    #[error("could not run the credential plugin `{command}`: {reason}")]
    NotStarted {
        /// The program.
        command: String,
        /// What is in the way.
        reason: String,
    },
    /// It ended with an error.
    #[error("the credential plugin `{command}` failed ({status}): {reason}; {next}")]
    Failed {
        /// The program without its arguments, which can hold a secret.
        command: String,
        /// `exit status: 1`.
        status: String,
        /// What it printed to stderr.
        reason: String,
        /// What the user can do.
        next: &'static str,
    },
    /// It wants a terminal, and there is none.
    #[error(
        "the credential plugin `{command}` needs a terminal (interactiveMode: Always), and {problem}"
    )]
    NoTerminal {
        /// The program.
        command: String,
        /// Why there is none, and what to do.
        problem: &'static str,
    },
    /// The user gave up on it.
    #[error("the login was cancelled; reconnect to try again")]
    Cancelled,
    /// Its answer is no ExecCredential.
    #[error("the credential plugin `{command}` did not return a valid ExecCredential: {reason}")]
    BadAnswer {
        /// The program.
        command: String,
        /// What is wrong with it, without the answer itself: it may hold a token.
        reason: String,
    },
}

/// What a plugin is called in messages: never with its arguments, which can hold a secret.
pub(super) fn display_name(exec: &ExecConfig) -> String {
    let command = exec.command.as_deref().unwrap_or_default();
    let file = Path::new(command).file_name().unwrap_or_default();
    format!("the credential plugin `{}`", file.to_string_lossy())
}

/// Runs the plugin, gives `user` what it answered, and returns until when that is valid.
pub(super) async fn fetch_credentials(
    exec: &ExecConfig,
    user: &mut AuthInfo,
    login: &LoginContext,
) -> Result<Option<Timestamp>, ExecPluginError> {
    let command = exec
        .command
        .as_deref()
        .filter(|command| !command.is_empty())
        .ok_or(ExecPluginError::NoCommand)?;
    let own_env: HashMap<&str, &str> = exec
        .env
        .iter()
        .flatten()
        .filter_map(|pair| Some((pair.get("name")?.as_str(), pair.get("value")?.as_str())))
        .collect();
    let path = search_path(own_env.get("PATH").map(OsString::from));
    let program = executable::find(command, &path).ok_or_else(|| ExecPluginError::NotFound {
        command: command.to_owned(),
        next: exec
            .install_hint
            .clone()
            .unwrap_or_else(|| "install it, or write its full path into the kubeconfig".to_owned()),
    })?;
    let is_interactive = is_interactive(exec, command, login)?;
    let mut plugin = tokio::process::Command::new(&program);
    plugin
        .args(exec.args.as_deref().unwrap_or_default())
        .envs(&own_env)
        .env("PATH", &path)
        .env("KUBERNETES_EXEC_INFO", exec_info(exec, is_interactive));
    let running = login.begin(&display_name(exec));
    let shares_terminal = login.has_terminal();
    let output = {
        let run = process::run(&mut plugin, is_interactive, shares_terminal, &running);
        tokio::pin!(run);
        match tokio::time::timeout(NOTICE_AFTER, &mut run).await {
            Ok(output) => output,
            Err(_elapsed) => {
                running.notify_waiting();
                run.await
            }
        }
    };
    drop(running);
    let output = output.map_err(|error| ExecPluginError::NotStarted {
        command: command.to_owned(),
        reason: error.to_string(),
    })?;
    if !output.status.success() {
        return Err(ExecPluginError::Failed {
            command: command.to_owned(),
            status: output.status.to_string(),
            reason: match output.stderr_tail.as_str() {
                "" => "it printed no error message".to_owned(),
                words => words.to_owned(),
            },
            next: if login.has_terminal() {
                "log in again, or correct its `exec` in the kubeconfig"
            } else {
                "run it in a terminal to log in, then reconnect"
            },
        });
    }
    exec_credential::apply_credential(&output.stdout, version(exec), user).map_err(|said| {
        ExecPluginError::BadAnswer {
            command: command.to_owned(),
            reason: said,
        }
    })
}

/// Whether the plugin gets the terminal, as client-go decides it (exec.go, `isInteractive`).
fn is_interactive(
    exec: &ExecConfig,
    command: &str,
    login: &LoginContext,
) -> Result<bool, ExecPluginError> {
    let has_terminal = login.has_terminal() && stdin().is_terminal();
    match &exec.interactive_mode {
        Some(ExecInteractiveMode::Never) => Ok(false),
        Some(ExecInteractiveMode::IfAvailable) | None => Ok(has_terminal),
        Some(ExecInteractiveMode::Always) if has_terminal => Ok(true),
        Some(ExecInteractiveMode::Always) => Err(ExecPluginError::NoTerminal {
            command: command.to_owned(),
            problem: if login.has_terminal() {
                "standard input is not a terminal: run svcscope in a terminal, without piping into it"
            } else {
                "the app window has no terminal: run the plugin or `svcscope map` in a terminal to log in, then reconnect"
            },
        }),
    }
}

/// The version that is spoken with the plugin.
fn version(exec: &ExecConfig) -> &str {
    let given = exec.api_version.as_deref();
    given.unwrap_or("client.authentication.k8s.io/v1")
}

/// What the plugin is given, as client-go writes it (pkg/apis/clientauthentication/v1).
fn exec_info(exec: &ExecConfig, is_interactive: bool) -> String {
    let mut spec = json!({ "interactive": is_interactive });
    if let Some(cluster) = &exec.cluster {
        spec["cluster"] = serde_json::to_value(cluster).unwrap_or_default();
        // client-go has this one always, as null where there is none.
        spec["cluster"]["config"] = json!(cluster.config);
        // kube leaves this one out; `authenticate` keeps it here.
        if exec.other.get(DISABLE_COMPRESSION) == Some(&Value::Bool(true)) {
            spec["cluster"][DISABLE_COMPRESSION] = true.into();
        }
    }
    json!({ "kind": "ExecCredential", "apiVersion": version(exec), "spec": spec }).to_string()
}

/// A field of the cluster that is passed to a plugin.
pub(super) const DISABLE_COMPRESSION: &str = "disable-compression";

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

#[cfg(test)]
mod tests;
