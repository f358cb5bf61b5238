//! Plugins that answer, fail, hang, flood and leave children.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use kube::config::ExecAuthCluster;

use super::*;
use crate::LoginEvent;

const V1: &str = "client.authentication.k8s.io/v1";

fn shell(script: &str) -> ExecConfig {
    ExecConfig {
        api_version: Some(V1.to_owned()),
        command: Some("sh".to_owned()),
        args: Some(vec!["-c".to_owned(), script.to_owned()]),
        ..ExecConfig::default()
    }
}

/// Has the shell answer with this status, in single quotes.
fn answering(status: &str) -> String {
    format!(r#"printf '%s' '{{"apiVersion":"{V1}","kind":"ExecCredential","status":{status}}}'"#)
}

async fn asked(exec: &ExecConfig) -> Result<(AuthInfo, Option<Timestamp>), ExecPluginError> {
    let mut user = AuthInfo::default();
    let until = fetch_credentials(exec, &mut user, &LoginContext::default()).await?;
    Ok((user, until))
}

/// A context that records what was reported to it.
fn observed() -> (LoginContext, Arc<Mutex<Vec<LoginEvent>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let observer = Arc::new(move |event: &LoginEvent| seen.lock().unwrap().push(event.clone()));
    (LoginContext::default().observed_by(observer), events)
}

#[tokio::test]
async fn a_token_is_taken_with_its_end() {
    let answer = answering(r#"{"token":"t0k","expirationTimestamp":"2030-01-01T00:00:00Z"}"#);
    let (user, until) = asked(&shell(&answer)).await.unwrap();
    assert_eq!(until, Some("2030-01-01T00:00:00Z".parse().unwrap()));
    assert!(user.token.is_some());
}

#[tokio::test]
async fn a_certificate_is_taken_as_base64_also_from_yaml() {
    let answer = format!(
        "printf 'apiVersion: {V1}\\nkind: ExecCredential\\nstatus:\\n  clientCertificateData: cert\\n  clientKeyData: key\\n'"
    );
    let (user, until) = asked(&shell(&answer)).await.unwrap();
    assert_eq!(until, None);
    assert_eq!(user.client_certificate_data.as_deref(), Some("Y2VydA=="));
    assert!(user.client_key_data.is_some());
}

#[tokio::test]
async fn an_empty_string_of_a_plugin_is_unset() {
    let answer = answering(r#"{"token":"t","clientCertificateData":"","clientKeyData":""}"#);
    let (user, _) = asked(&shell(&answer)).await.unwrap();
    assert!(user.client_certificate_data.is_none() && user.client_key_data.is_none());
    for status in [r#"{"token":""}"#, r#"{"token":"t","clientKeyData":"k"}"#] {
        let error = asked(&shell(&answering(status))).await.err().unwrap();
        assert!(
            matches!(error, ExecPluginError::BadAnswer { .. }),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_a_failing_plugin_says_is_in_the_message_without_arguments_and_escapes() {
    let script = "printf '\\033[31msession has expired\\033[0m\\n' >&2; exit 3";
    let error = asked(&shell(script)).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "the credential plugin `sh` failed (exit status: 3): session has expired; run it in a terminal to log in, then reconnect"
    );
    let mut user = AuthInfo::default();
    let error = fetch_credentials(&shell(script), &mut user, &LoginContext::in_terminal()).await;
    let message = error.err().unwrap().to_string();
    assert!(
        !message.contains("in a terminal"),
        "it is in one: {message}"
    );
}

#[tokio::test]
async fn a_missing_plugin_is_named_with_its_hint() {
    let exec = ExecConfig {
        command: Some("no-such-plugin".to_owned()),
        install_hint: Some("brew install no-such-plugin".to_owned()),
        ..ExecConfig::default()
    };
    assert_eq!(
        asked(&exec).await.err().unwrap().to_string(),
        "could not find the credential plugin `no-such-plugin` that the kubeconfig asks for; brew install no-such-plugin"
    );
}

#[tokio::test]
async fn an_answer_without_credentials_is_refused_and_not_shown() {
    let other = answering(r#"{"token":"s3cret"}"#);
    let cases = [
        ("echo '{\"status\": s3cret ['".to_owned(), "can't be read"),
        ("echo s3cret".to_owned(), "can't be read"),
        ("true".to_owned(), "printed nothing"),
        (answering("{}"), "neither a token"),
        (answering("null"), "no status"),
        (other.replace("ExecCredential", "Secret"), "its kind"),
        (other.replace("/v1\"", "/v1beta1\""), "/v1beta1, but"),
        (other.replace("\"apiVersion\":", "\"version\":"), "is none"),
    ];
    for (script, expected) in cases {
        let error = asked(&shell(&script)).await.err().unwrap();
        assert!(
            matches!(error, ExecPluginError::BadAnswer { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(expected), "{script}: {error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn the_plugin_hears_all_that_client_go_tells_and_its_own_environment() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let mut exec = shell(&format!(
        "printf '%s' \"$KUBERNETES_EXEC_INFO\" > {}; {}",
        seen.display(),
        answering(r#"{"token":"'"$WHO"'"}"#)
    ));
    let pair = [("name", "WHO"), ("value", "me")];
    let pair = pair.map(|(key, value)| (key.to_owned(), value.to_owned()));
    exec.env = Some(vec![pair.into()]);
    exec.cluster = Some(ExecAuthCluster {
        server: Some("https://api.example:6443".to_owned()),
        insecure_skip_tls_verify: Some(true),
        certificate_authority_data: Some(b"pem".to_vec()),
        proxy_url: Some("http://proxy.example".to_owned()),
        tls_server_name: Some("api".to_owned()),
        config: Some(json!({ "audience": "x" })),
    });
    let other = &mut exec.other;
    other.insert(DISABLE_COMPRESSION.to_owned(), true.into());
    let (user, _) = asked(&exec).await.unwrap();
    assert_eq!(serde_json::to_value(&user).unwrap()["token"], "me");
    let received: Value = serde_json::from_str(&fs::read_to_string(&seen).unwrap()).unwrap();
    let expected = json!({
        "kind": "ExecCredential",
        "apiVersion": V1,
        "spec": {
            "interactive": false,
            "cluster": {
                "server": "https://api.example:6443",
                "tls-server-name": "api",
                "insecure-skip-tls-verify": true,
                "certificate-authority-data": "cGVt",
                "proxy-url": "http://proxy.example",
                "disable-compression": true,
                "config": { "audience": "x" },
            },
        },
    });
    assert_eq!(received, expected);
}

#[tokio::test]
async fn output_is_reported_while_the_plugin_runs_a_prompt_without_its_line_end() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let script = format!(
        "printf '\\033[1mopen https://x.example/device\\033[0m\\ncode: ' >&2; while [ ! -e {} ]; do sleep 0.02; done; echo AB-12 >&2; {}",
        go.display(),
        answering(r#"{"token":"t"}"#)
    );
    let (login, events) = observed();
    let exec = shell(&script);
    let running = tokio::spawn(async move {
        let mut user = AuthInfo::default();
        fetch_credentials(&exec, &mut user, &login).await
    });
    let printed = |wanted: &str, line: bool| {
        let events = events.lock().unwrap();
        events.iter().any(|event| {
            matches!(event, LoginEvent::Printed { text, ends_line, .. } if text == wanted && *ends_line == line)
        })
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while !(printed("open https://x.example/device", true) && printed("code: ", false)) {
        assert!(Instant::now() < deadline, "{:?}", events.lock().unwrap());
        tokio::task::yield_now().await;
    }
    assert!(!running.is_finished());
    fs::write(&go, "").unwrap();
    running.await.unwrap().unwrap();
    assert!(printed("AB-12", true), "also of one that succeeds");
    let events = events.lock().unwrap();
    assert!(
        matches!(events[0], LoginEvent::Started { .. }),
        "{events:?}"
    );
    assert!(
        matches!(events.last(), Some(LoginEvent::Ended { .. })),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_flood_is_ended() {
    let error = asked(&shell("exec cat /dev/zero")).await.err().unwrap();
    assert!(error.to_string().contains("more than 1 MiB"), "{error}");
    let script = format!(
        "head -c 5000000 /dev/zero >&2; {}",
        answering(r#"{"token":"t"}"#)
    );
    asked(&shell(&script)).await.unwrap();
}

#[tokio::test]
async fn a_child_that_keeps_the_pipes_open_holds_nobody_up() {
    let began = Instant::now();
    let script = format!("sleep 30 & {}", answering(r#"{"token":"t"}"#));
    asked(&shell(&script)).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(20));
}

/// Whether a process runs: one that ended and was not fetched yet does not.
#[cfg(target_os = "linux")]
fn is_running(id: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(id.trim()).join("stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_that_hangs_waits_and_is_killed_with_its_children_when_nobody_does() {
    let folder = tempfile::tempdir().unwrap();
    let (own, child) = (folder.path().join("own"), folder.path().join("child"));
    let script = format!(
        "sleep 300 & echo $! > {}; echo $$ > {}; wait",
        child.display(),
        own.display()
    );
    let (login, events) = observed();
    let exec = shell(&script);
    let running = tokio::spawn(async move {
        let mut user = AuthInfo::default();
        fetch_credentials(&exec, &mut user, &login).await
    });
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let deadline = Instant::now() + Duration::from_secs(20);
    let is_waiting = || {
        let events = events.lock().unwrap();
        let is_waiting = |event: &LoginEvent| matches!(event, LoginEvent::Waiting { authority, .. } if &**authority == "the credential plugin `sh`");
        events.iter().any(is_waiting)
    };
    while !(read(&own).ends_with('\n') && is_waiting()) {
        assert!(
            Instant::now() < deadline,
            "it is reported after three seconds"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let ids = [read(&own), read(&child)];
    assert!(ids.iter().all(|id| is_running(id)));
    running.abort();
    running.await.unwrap_err();
    while ids.iter().any(|id| is_running(id)) {
        assert!(Instant::now() < deadline, "both end");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let events = events.lock().unwrap();
    assert!(
        matches!(events.last(), Some(LoginEvent::Ended { .. })),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_plugin_that_always_wants_a_terminal_fails_where_there_is_none() {
    let mut exec = shell("exit 1");
    exec.interactive_mode = Some(ExecInteractiveMode::Always);
    let error = asked(&exec).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "the credential plugin `sh` needs a terminal (interactiveMode: Always), and the app window has no terminal: run the plugin or `svcscope map` in a terminal to log in, then reconnect"
    );
    if !stdin().is_terminal() {
        let mut user = AuthInfo::default();
        let error = fetch_credentials(&exec, &mut user, &LoginContext::in_terminal()).await;
        let message = error.err().unwrap().to_string();
        assert!(
            message.contains("standard input is not a terminal"),
            "{message}"
        );
    }
}
