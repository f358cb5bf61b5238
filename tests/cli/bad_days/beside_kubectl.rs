//! kubectl beside svcscope on small kubeconfigs: whether they can be used, and which credentials
//! arrive.

use std::{fs, path::Path, process::Command, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use svcscope_cluster::{KubeconfigSource, MergedKubeconfig, WatchTiming, connect_at};

use super::recorder::{CERTIFICATE, CredentialRecorder, KEY, ReceivedCredentials};

/// A kubeconfig by its parts: `{http}` and `{https}` stand for the servers, `{cert}` and `{key}`
/// for a client certificate in base64.
#[derive(Clone, Copy)]
struct KubeconfigCase {
    cluster: &'static str,
    user: &'static str,
    /// More lines.
    more: &'static str,
    expected: KubectlAgreement,
}

#[derive(Clone, Copy, PartialEq)]
enum KubectlAgreement {
    /// Both can use it, and the same arrives.
    Same,
    /// Neither can.
    Neither,
    /// svcscope can, and kubectl can't: it refuses the whole file.
    OnlyWe,
    /// The same, without any credentials; kubectl asks for a name at the terminal first.
    WeDoNotAsk,
}
use KubectlAgreement::{Neither, OnlyWe, Same, WeDoNotAsk};

const HTTP: &str = "server: 'http://{http}'";
const TLS: &str = "server: 'https://{https}', insecure-skip-tls-verify: true";

const fn over(
    cluster: &'static str,
    user: &'static str,
    expected: KubectlAgreement,
) -> KubeconfigCase {
    KubeconfigCase {
        cluster,
        user,
        more: "",
        expected,
    }
}

const fn with(more: &'static str, expected: KubectlAgreement) -> KubeconfigCase {
    KubeconfigCase {
        cluster: TLS,
        user: "token: t",
        more,
        expected,
    }
}

const CASES: &[KubeconfigCase] = &[
    // What goes without TLS.
    over(HTTP, "token: t", Same),
    over(HTTP, "tokenFile: /no/such/file", Same),
    over(HTTP, "username: ann, password: p", Same),
    over(HTTP, "token: t, as: bob, as-groups: [g]", Same),
    over(
        HTTP,
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/false, interactiveMode: Never}",
        Same,
    ),
    over(
        HTTP,
        "client-certificate-data: {cert}, client-key-data: {key}",
        Same,
    ),
    over("server: '{http}'", "token: t", Same),
    over("server: '{http}/'", "token: t", Same),
    over(
        "server: '{http}', certificate-authority-data: {cert}",
        "token: t",
        Same,
    ),
    over("server: 'HTTP://{http}'", "token: t", Same),
    over("server: 'http://ann:p%40ss@{http}'", "token: t", Same),
    over("server: 'ftp://{http}'", "", Neither),
    over("server: '{http}/path'", "", Neither),
    over("server: ''", "", Neither),
    // Which of several credentials goes.
    over(TLS, "", WeDoNotAsk),
    over(TLS, "token: t", Same),
    over(TLS, "token: t, username: '', password: ''", Same),
    over(TLS, "username: ann", Same),
    over(TLS, "username: ann, password: ''", Same),
    over(TLS, "password: p", WeDoNotAsk),
    over(TLS, "username: ann, password: p", Same),
    over(TLS, "token: t, username: ann", Neither),
    over(TLS, "token: t, password: p", Neither),
    over(TLS, "tokenFile: token", Same),
    over(TLS, "tokenFile: token, token: beside", Same),
    over(TLS, "tokenFile: /no/such/file, token: beside", Same),
    over(TLS, "tokenFile: empty, token: beside", Same),
    over(TLS, "tokenFile: /no/such/file", Neither),
    over(TLS, "tokenFile: token, username: ann", Neither),
    over(TLS, "tokenFile: token, password: p", Same),
    over(
        TLS,
        "client-certificate-data: {cert}, client-key-data: {key}",
        Same,
    ),
    over(
        TLS,
        "client-certificate-data: {cert}, client-key-data: {key}, token: t",
        Same,
    ),
    over(
        TLS,
        "client-certificate-data: {cert}, client-key-data: {key}, username: ann",
        Same,
    ),
    over(
        TLS,
        "client-certificate: cert.pem, client-key: key.pem",
        Same,
    ),
    over(
        TLS,
        "client-certificate: both.pem, client-key: both.pem",
        Same,
    ),
    over(
        TLS,
        "client-certificate: none.pem, client-key: key.pem",
        Neither,
    ),
    over(TLS, "client-certificate-data: {cert}", Neither),
    over(
        TLS,
        "client-certificate: '', client-certificate-data: '', client-key: '', client-key-data: ''",
        WeDoNotAsk,
    ),
    over(TLS, "client-key-data: {key}", WeDoNotAsk),
    over(TLS, "client-key: none.pem, token: t", Same),
    over(
        TLS,
        "client-certificate-data: {cert}, client-key: encrypted.pem",
        Neither,
    ),
    over(
        TLS,
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never}",
        Same,
    ),
    over(
        TLS,
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never, args: null, env: [{name: A, value: null}]}",
        Same,
    ),
    over(
        TLS,
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/false, interactiveMode: Never}, token: t",
        Same,
    ),
    over(
        TLS,
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/false, interactiveMode: Never}, username: ann",
        Same,
    ),
    over(
        TLS,
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/false, interactiveMode: Never}",
        Neither,
    ),
    over(
        TLS,
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Sometimes}",
        Neither,
    ),
    over(
        TLS,
        "token: t, as: bob, as-uid: '7', as-groups: [g, h]",
        Same,
    ),
    over(TLS, "token: t, as: '', as-groups: []", Same),
    over(TLS, "as-groups: [g]", Neither),
    over(
        "server: 'https://ann:pw@{https}', insecure-skip-tls-verify: true",
        "token: t",
        Same,
    ),
    // Whom to trust.
    over(
        "server: 'https://{https}', insecure-skip-tls-verify: yes",
        "token: t",
        Same,
    ),
    over("server: 'https://{https}'", "token: t", Neither),
    over(
        "server: 'https://{https}', insecure-skip-tls-verify: true, certificate-authority-data: {cert}",
        "token: t",
        Neither,
    ),
    over(
        "server: 'https://{https}', insecure-skip-tls-verify: true, certificate-authority-data: '', certificate-authority: '', tls-server-name: ''",
        "token: t",
        Same,
    ),
    over(
        "server: 'https://{https}', insecure-skip-tls-verify: true, certificate-authority: none.pem",
        "token: t",
        Neither,
    ),
    over(
        "server: 'https://{https}', certificate-authority-data: '*'",
        "token: t",
        Neither,
    ),
    // What is not used.
    with("extensions: [{name: x}]", Same),
    with("preferences: {colors: true}", Same),
    with("unknown: {a: [1, {b: c}]}", Same),
    with("1: 2", Same),
    with("current-context: here", Same),
    with("---\na: [", Same),
    with("...\na: [", Same),
    with(
        "- {name: other, user: {exec: {command: x, interactiveMode: Sometimes, env: [{name: A, value: null}]}}}",
        Same,
    ),
    with("- {user: {token: nobody}}", Same),
    with("- {name: other, user: null}", Same),
    with("- {name: other, user: {token: 5}}", OnlyWe),
    with("- {name: other, user: {client-key-data: '*'}}", OnlyWe),
    with("- 7", OnlyWe),
    with("kind: Konfig", OnlyWe),
    over(TLS, "token: 12345", Neither),
    over(TLS, "token: old, token: new", Same),
];

struct KubeconfigComparison {
    folder: tempfile::TempDir,
    recorder: CredentialRecorder,
    runtime: tokio::runtime::Runtime,
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

impl KubeconfigComparison {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let write =
            |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
        let (certificate, key) = (pem("CERTIFICATE", CERTIFICATE), pem("PRIVATE KEY", KEY));
        write("token", "of-the-file\r\n");
        write("empty", "\n");
        write("cert.pem", &certificate);
        write("key.pem", &key);
        write("both.pem", &format!("{key}{certificate}"));
        write(
            "encrypted.pem",
            &pem("ENCRYPTED PRIVATE KEY", b"not a key in DER"),
        );
        write(
            "plugin",
            "#!/bin/sh\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"of-the-plugin\"}}'\n",
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(folder.path().join("plugin"), mode).expect("a mode");
        }
        Self {
            folder,
            recorder: CredentialRecorder::start(),
            runtime: tokio::runtime::Runtime::new().expect("a runtime"),
        }
    }

    fn text(&self, case: KubeconfigCase) -> String {
        let KubeconfigCase {
            cluster,
            user,
            more,
            ..
        } = case;
        format!(
            "contexts:\n- {{name: here, context: {{cluster: c, user: u}}}}\ncurrent-context: here\n\
             clusters:\n- {{name: c, cluster: {{{cluster}}}}}\n\
             users:\n- {{name: u, user: {{{user}}}}}\n{more}\n"
        )
        .replace("{https}", &self.recorder.https.to_string())
        .replace("{http}", &self.recorder.http.to_string())
        .replace("{cert}", &STANDARD.encode(pem("CERTIFICATE", CERTIFICATE)))
        .replace("{key}", &STANDARD.encode(pem("PRIVATE KEY", KEY)))
    }

    /// What arrives of kubectl; or why it can't use the kubeconfig.
    fn kubectl(&self, file: &Path) -> Result<ReceivedCredentials, String> {
        let mut kubectl = Command::new("kubectl");
        kubectl
            .args([
                "get",
                "--raw",
                "/version",
                "--request-timeout=10s",
                "--kubeconfig",
            ])
            .arg(file)
            .env("HOME", self.folder.path())
            .env_remove("KUBECONFIG");
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            kubectl.env_remove(name);
        }
        let output = kubectl.output().expect("kubectl runs");
        let arrived = self.recorder.take();
        if output.status.success() {
            Ok(arrived.expect("it asked"))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    fn svcscope(&self, file: &Path) -> Result<ReceivedCredentials, String> {
        let source = KubeconfigSource::File(file.to_owned());
        let connected = MergedKubeconfig::load(&source)
            .map_err(|error| error.to_string())
            .and_then(|kubeconfigs| {
                let connecting = connect_at(&kubeconfigs, None, WatchTiming::default());
                let limited =
                    async { tokio::time::timeout(Duration::from_secs(20), connecting).await };
                let outcome = self.runtime.block_on(limited).expect("it ends");
                outcome.map(drop).map_err(|error| error.to_string())
            });
        let arrived = self.recorder.take();
        connected.map(|()| arrived.expect("it asked"))
    }
}

#[test]
#[ignore = "needs kubectl"]
fn what_kubectl_can_use_can_be_used_and_the_same_credentials_arrive() {
    let folder = KubeconfigComparison::new();
    let file = folder.folder.path().join("config");
    let mut wrong = Vec::new();
    for case in CASES {
        let text = folder.text(*case);
        fs::write(&file, &text).expect("written");
        let (theirs, ours) = (folder.kubectl(&file), folder.svcscope(&file));
        let is_right = match (case.expected, &theirs, &ours) {
            (Same, Ok(theirs), Ok(ours)) => theirs == ours,
            (Neither, Err(_), Err(_)) | (OnlyWe, Err(_), Ok(_)) => true,
            (WeDoNotAsk, Err(_), Ok(ours)) => ours.is_empty(),
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{text}kubectl: {theirs:?}\nsvcscope: {ours:?}\n"));
        }
        if let Err(said) = &ours {
            assert!(!said.contains("panicked"), "{said}");
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        CASES.len(),
        wrong.join("\n")
    );
}

#[test]
#[ignore = "needs kubectl"]
fn the_first_of_several_files_that_says_something_counts() {
    let folder = KubeconfigComparison::new();
    let (first, second) = (
        folder.folder.path().join("a"),
        folder.folder.path().join("b"),
    );
    let text = folder.text(over(TLS, "token: t", Same));
    fs::write(
        &first,
        "current-context: ''\nusers: [{name: u, user: {token: first}}]\n",
    )
    .expect("written");
    fs::write(&second, text).expect("written");
    let both = std::env::join_paths([&first, &second, &first]).expect("a list");
    let run = |program: &str, args: &[&str]| {
        let output = Command::new(program)
            .args(args)
            .env("KUBECONFIG", &both)
            .env("HOME", folder.folder.path())
            .output()
            .expect("it runs");
        folder
            .recorder
            .take()
            .unwrap_or_else(|| panic!("{output:?}"))
    };
    let theirs = run("kubectl", &["get", "--raw", "/version"]);
    let ours = run(env!("CARGO_BIN_EXE_svcscope"), &["map", "--timeout", "1"]);
    assert_eq!(theirs, ours);
    assert_eq!(ours, ["authorization: Bearer first"]);
}
