//! Logging in as kubectl does: tokens of an OIDC issuer that are saved, credential plugins that run
//! once and whose words are seen.

mod issuer;

use std::{
    fs,
    path::Path,
    process::{Output, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use svcscope_cluster::{
    KubeconfigSource, LoginContext, LoginEvent, MergedKubeconfig, WatchTiming, connect_with,
};
use svcscope_engine::{ConnectionState, EngineCommand, EngineConfig};

use issuer::{CLIENTS, OidcIssuer, TlsDemoApiServer};
use svcscope_testkit::cluster::{
    EngineDriver, KubectlRunner, has_kubectl, stderr, stdout, svcscope,
};

fn run(kubeconfig: &Path, args: &[&str]) -> Output {
    let file = kubeconfig.to_str().expect("UTF-8");
    let mut process = svcscope(&[args, &["--kubeconfig", file]].concat());
    process.output().expect("svcscope runs")
}

fn map(kubeconfig: &Path) -> Output {
    run(kubeconfig, &["map", "-n", "shop"])
}

fn assert_logged_in(output: &Output) {
    assert!(output.status.success(), "{}", stderr(output));
    assert!(stdout(output).contains("web"), "{}", stdout(output));
}

/// What is on stderr but that the server of these tests is not verified.
fn said(output: &Output) -> String {
    let text = stderr(output);
    let lines = text.split_inclusive('\n');
    lines
        .filter(|line| !line.contains("insecure-skip-tls-verify"))
        .collect()
}

/// An API server that takes every token that this issuer gave.
fn api_of(issuer: &OidcIssuer) -> TlsDemoApiServer {
    let issued = issuer.statistics.clone();
    TlsDemoApiServer::start(move |token| issued.lock().unwrap().tokens.contains(token))
}

#[test]
fn two_runs_and_then_kubectl_are_all_logged_in_and_the_file_keeps_the_rest() {
    // Each run has to ask for a token: none lasts longer than the ten seconds of client-go.
    let issuer = OidcIssuer::start(5, Duration::ZERO, || {});
    let api = api_of(&issuer);
    let before = issuer.kubeconfig(&api);
    let file = api.write(&before);
    for number in 1..=2 {
        let output = map(&file);
        assert_logged_in(&output);
        assert_eq!(said(&output), "");
        assert_eq!(issuer.refreshes(), number);
        let after = fs::read_to_string(&file).unwrap();
        let fresh = format!("refresh-token: \"refresh-{number}\"  # as at the login");
        assert!(after.contains(&fresh), "{after}");
        let changed = |text: &str| {
            let is_same =
                |line: &&str| !line.contains("id-token:") && !line.contains("refresh-token:");
            text.lines()
                .filter(is_same)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(changed(&after), changed(&before));
        assert!(!api.folder().join("config.lock").exists());
    }
    if has_kubectl() {
        let services = KubectlRunner(&file).run(&["get", "services"]);
        assert!(services.contains("web"), "{services}");
        assert!(issuer.refreshes() > 2, "it asks before each request");
        // And back: kubectl wrote the file anew.
        assert_logged_in(&map(&file));
    }
    assert_eq!(issuer.statistics.lock().unwrap().refusals, 0);
}

#[test]
fn processes_at_the_same_time_ask_the_issuer_once() {
    let issuer = OidcIssuer::start(300, Duration::from_millis(700), || {});
    let api = api_of(&issuer);
    let file = api.write(&issuer.kubeconfig(&api));
    let file = file.to_str().unwrap();
    let start = || {
        svcscope(&["map", "-n", "shop", "--kubeconfig", file])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let running = [start(), start(), start()];
    for process in running {
        assert_logged_in(&process.wait_with_output().unwrap());
    }
    assert_eq!(issuer.refreshes(), 1);
}

/// Starts `svcscope map`, kills it once `killed` says so, and says what the kubeconfig holds.
fn killed(file: &Path, killed: &mpsc::Receiver<()>, after: Duration) -> String {
    let mut process = svcscope(&["map", "-n", "shop", "--kubeconfig", file.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    killed.recv_timeout(Duration::from_secs(60)).unwrap();
    std::thread::sleep(after);
    process.kill().unwrap();
    process.wait().unwrap();
    fs::read_to_string(file).unwrap()
}

#[test]
fn a_run_that_is_killed_after_the_issuers_answer_leaves_the_file_whole_and_no_lock_in_the_way() {
    let mut saved = 0;
    for millis in [0, 1, 2, 4, 8, 16, 32, 64, 500] {
        let (answered, kill) = mpsc::channel();
        let answered = Mutex::new(answered);
        let issuer = OidcIssuer::start(300, Duration::ZERO, move || {
            answered.lock().unwrap().send(()).ok();
        });
        let api = api_of(&issuer);
        let before = issuer.kubeconfig(&api);
        let file = api.write(&before);
        let after = killed(&file, &kill, Duration::from_millis(millis));
        let is_saved = after.contains("\"refresh-1\"") && !after.contains("refresh-0");
        assert!(is_saved || after == before, "it is torn: {after}");
        saved += usize::from(is_saved);
        let output = map(&file);
        if is_saved {
            assert_logged_in(&output);
        } else {
            // It was killed before it had read the answer, and the issuer gives it no second time.
            assert!(
                stderr(&output).contains("invalid_grant"),
                "{}",
                stderr(&output)
            );
        }
        assert!(!api.folder().join("config.lock").exists());
    }
    assert!(saved > 0);
}

#[test]
fn a_token_is_on_the_disk_before_it_is_used() {
    let issuer = OidcIssuer::start(300, Duration::ZERO, || {});
    let (used, kill) = mpsc::channel();
    let used = Mutex::new(used);
    let issued = issuer.statistics.clone();
    let api = TlsDemoApiServer::start(move |token| {
        used.lock().unwrap().send(()).ok();
        issued.lock().unwrap().tokens.contains(token)
    });
    let file = api.write(&issuer.kubeconfig(&api));
    let after = killed(&file, &kill, Duration::ZERO);
    assert!(after.contains("\"refresh-1\""), "{after}");
    assert_logged_in(&map(&file));
    if has_kubectl() {
        KubectlRunner(&file).run(&["get", "services"]);
    }
    assert_eq!(issuer.refreshes(), 1, "its token is good for all of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_can_not_be_saved_are_reported_and_used_on_and_a_refused_one_is_renewed_once() {
    let issuer = OidcIssuer::start(300, Duration::ZERO, || {});
    let issued = issuer.statistics.clone();
    let refused = Arc::new(Mutex::new(String::new()));
    let refuse = refused.clone();
    let api = TlsDemoApiServer::start(move |token| {
        issued.lock().unwrap().tokens.contains(token) && *refuse.lock().unwrap() != token
    });
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = events.clone();
    let login = LoginContext::default().observed_by(Arc::new(move |event| {
        told.lock().unwrap().push(event.clone())
    }));
    let source = KubeconfigSource::Inline(issuer.kubeconfig(&api));
    let kubeconfigs = MergedKubeconfig::load(&source).unwrap();
    let cluster = connect_with(&kubeconfigs, None, WatchTiming::default(), None, &login)
        .await
        .unwrap();
    let warned = |words: &str| {
        let events = events.lock().unwrap();
        events.iter().any(|event| matches!(event, LoginEvent::Warning(text) | LoginEvent::Notice(text) if text.contains(words)))
    };
    assert!(warned("have no file to be written into"));
    let first = issuer
        .statistics
        .lock()
        .unwrap()
        .tokens
        .first()
        .unwrap()
        .clone();
    *refused.lock().unwrap() = first;
    cluster.ping().await.unwrap();
    assert_eq!(issuer.refreshes(), 2, "by the refresh token that was kept");
    assert!(warned(
        "rejected the credentials (401), so the OIDC issuer was asked again"
    ));
    assert_eq!(issuer.statistics.lock().unwrap().refusals, 0);
}

#[test]
fn what_the_issuer_says_is_reported_and_no_secret() {
    let issuer = OidcIssuer::start(300, Duration::ZERO, || {});
    let api = api_of(&issuer);
    let text = issuer.kubeconfig(&api);
    let cases = [
        (text.replace("refresh-0", "0ther"), "invalid_grant"),
        (
            text.replace("        refresh-token", "        x"),
            "there is no refresh token: log in again",
        ),
        (
            text.replace("idp-certificate-authority-data", "x"),
            "check that the issuer can be reached",
        ),
        (
            text.replace("idp-issuer-url", "x"),
            "idp-issuer-url of the auth-provider `oidc`",
        ),
        (
            text.replace("name: oidc", "name: gcp"),
            "removed in Kubernetes 1.26; use the exec plugin gke-gcloud-auth-plugin",
        ),
    ];
    for (text, expected) in cases {
        let output = map(&api.write(&text));
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(expected), "{expected}: {said}");
        for secret in ["cl13nt", "0ther", "refresh-0", "e30."] {
            assert!(!said.contains(secret), "{said}");
        }
        assert!(
            !said.contains("reach the API server"),
            "it was not asked: {said}"
        );
    }
}

#[test]
fn a_plugin_whose_token_lasts_less_than_a_minute_runs_once() {
    let api = TlsDemoApiServer::start(|token| token == "t");
    let expires = "$(date -u -d '+45 seconds' +%Y-%m-%dT%H:%M:%SZ)";
    let file = api.with_plugin(&format!(
        r#"sleep 0.3; answer "{{\"token\":\"t\",\"expirationTimestamp\":\"{expires}\"}}""#
    ));
    assert_logged_in(&map(&file));
    assert_eq!(api.plugin_runs(), 1);
    if has_kubectl() {
        KubectlRunner(&file).run(&["get", "services"]);
        assert_eq!(api.plugin_runs(), 2, "as kubectl");
    }
    let past = r#"answer '{"token":"t","expirationTimestamp":"2020-01-01T00:00:00Z"}'"#;
    let file = api.with_plugin(past);
    assert_logged_in(&map(&file));
    assert!(
        api.plugin_runs() <= 4,
        "an expired one is not asked for each request"
    );
}

#[test]
fn a_plugin_whose_token_is_refused_is_asked_again_once() {
    let api = TlsDemoApiServer::start(|token| token == "token-2");
    let file = api.with_plugin(r#"answer "{\"token\":\"token-$RUNS\"}""#);
    let output = map(&file);
    assert_logged_in(&output);
    assert_eq!(api.plugin_runs(), 2);
    let told = "rejected the credentials (401), so the credential plugin `sh` was asked again";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));

    let api = TlsDemoApiServer::start(|_| false);
    let file = api.with_plugin("answer '{\"token\":\"t\"}'");
    let output = map(&file);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).contains("log in again"),
        "{}",
        stderr(&output)
    );
    assert_eq!(api.plugin_runs(), 2);
}

#[test]
fn what_a_plugin_says_is_on_stderr_without_escapes_and_its_arguments_are_not() {
    let api = TlsDemoApiServer::start(|token| token == "t");
    let say = r"printf '\033]52;c;eA==\007open \033[1mhttps://x.example/device\033[0m\n' >&2";
    let file = api.with_plugin(&format!("{say}; answer '{{\"token\":\"t\"}}'"));
    let output = map(&file);
    assert_logged_in(&output);
    assert_eq!(said(&output), "]52;c;eA==open https://x.example/device\n");

    let file = api.with_plugin(&format!("{say}; exit 4"));
    let output = map(&file);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("plugin `sh` failed (exit status: 4)"),
        "{said}"
    );
    assert!(
        !said.contains("s3cret") && !said.contains('\u{1b}'),
        "{said}"
    );
}

#[test]
fn a_plugin_gets_what_kubectl_gives_it() {
    let api = TlsDemoApiServer::start(|token| token == "t");
    let info = api.folder().join("info");
    let script = format!(
        "printf %s \"$KUBERNETES_EXEC_INFO\" > {}; answer '{{\"token\":\"t\"}}'",
        info.display()
    );
    let text = fs::read_to_string(api.with_plugin(&script)).unwrap();
    let bare = text.replace("IfAvailable", "Never, provideClusterInfo: true");
    let more = bare.replace(
        "insecure-skip-tls-verify: true",
        "insecure-skip-tls-verify: true, tls-server-name: localhost, disable-compression: true, \
         extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x}}]",
    );
    for text in [bare, more] {
        let told = |run: &dyn Fn(&Path)| -> serde_json::Value {
            run(&api.write(&text));
            serde_json::from_str(&fs::read_to_string(&info).unwrap()).unwrap()
        };
        let ours = told(&|file| assert_logged_in(&map(file)));
        assert_eq!(ours["spec"]["interactive"], false);
        if has_kubectl() {
            let theirs = told(&|file| drop(KubectlRunner(file).run(&["get", "services"])));
            assert_eq!(ours, theirs);
        }
    }
}

#[test]
fn a_silent_plugin_is_named_and_where_no_user_sees_it_the_timeout_counts() {
    let api = TlsDemoApiServer::start(|token| token == "t");
    let file = api.with_plugin("exec sleep 600");
    let mut process = svcscope(&[
        "map",
        "--timeout",
        "4",
        "--kubeconfig",
        file.to_str().unwrap(),
    ]);
    let output = process.stdin(Stdio::null()).output().unwrap();
    let said = stderr(&output);
    assert!(
        said.contains("svcscope: waiting for the credential plugin `sh`\n"),
        "{said}"
    );
    assert!(
        said.contains("waited 4 s for the credential plugin `sh`"),
        "{said}"
    );
}

#[test]
fn client_certificates_of_a_plugin_log_in() {
    for (certificate, key) in CLIENTS {
        let api = TlsDemoApiServer::of_certificates();
        let status = serde_json::json!({
            "clientCertificateData": certificate,
            "clientKeyData": key,
            "expirationTimestamp": "2100-01-01T00:00:00Z",
        });
        let answer = api.folder().join("status");
        fs::write(&answer, status.to_string()).unwrap();
        let file = api.with_plugin(&format!("answer \"$(cat {})\"", answer.display()));
        assert_logged_in(&map(&file));
        assert_eq!(api.plugin_runs(), 1);
        fs::write(&answer, status.to_string().replace("BEGIN", "NO")).unwrap();
        let output = map(&file);
        assert_eq!(output.status.code(), Some(3));
        assert!(!stderr(&output).contains("NO CERT"), "{}", stderr(&output));
    }
}

#[test]
fn the_window_sees_what_a_plugin_says_and_can_cancel_it() {
    let api = TlsDemoApiServer::start(|token| token == "t");
    let file = api.with_plugin("echo 'code AB-12 at https://x.example' >&2; exec sleep 600");
    let driven = EngineDriver::start(EngineConfig {
        kubeconfig: KubeconfigSource::File(file),
        login: LoginContext::in_window(),
        ..EngineConfig::default()
    });
    driven.wait("the plugin's words", |scene| {
        let login = scene.login.as_ref();
        login.is_some_and(|login| {
            &*login.credential_source == "the credential plugin `sh`"
                && login.lines.iter().any(|line| line.contains("AB-12"))
        })
    });
    driven.send(EngineCommand::CancelLogin);
    driven.wait("the end", |scene| {
        let is_cancelled = matches!(&scene.connection, ConnectionState::Failed { reason } if reason.contains("the login was cancelled"));
        is_cancelled && scene.login.is_none()
    });
    assert_eq!(api.plugin_runs(), 1);
    let file = api.with_plugin("echo 'last words' >&2; answer '{\"token\":\"t\"}'");
    assert!(file.exists());
    driven.send(EngineCommand::Reconnect);
    driven.wait("the connection", |scene| {
        scene.connection == ConnectionState::Connected
            && scene
                .activity
                .iter()
                .any(|entry| entry.text.contains("last words"))
    });
}

#[test]
fn a_login_of_a_running_session_that_is_cancelled_does_not_come_back_by_itself() {
    let valid = Arc::new(Mutex::new("t1".to_owned()));
    let takes = valid.clone();
    let api = TlsDemoApiServer::start(move |token| *takes.lock().unwrap() == token);
    let file = api
        .with_plugin("[ $RUNS = 2 ] && exec sleep 600\nanswer \"{\\\"token\\\":\\\"t$RUNS\\\"}\"");
    let driven = EngineDriver::start(EngineConfig {
        kubeconfig: KubeconfigSource::File(file),
        login: LoginContext::in_window(),
        ..EngineConfig::default()
    });
    driven.wait("the connection", |scene| {
        scene.connection == ConnectionState::Connected
    });
    *valid.lock().unwrap() = "t3".to_owned();
    // What asks for the YAML of a Service needs new credentials.
    let service = svcscope_model::inventory::ObjectKey::new("shop", "web");
    driven.send(EngineCommand::InspectService(Some(service)));
    driven.wait("the login", |scene| {
        scene.login.as_ref().is_some_and(|login| login.is_waiting)
    });
    driven.send(EngineCommand::CancelLogin);
    driven.wait("its end", |scene| {
        let text = scene.yaml.as_ref().map(|yaml| yaml.text.clone());
        scene.login.is_none()
            && matches!(text, Some(Err(said)) if said.contains("the login was cancelled"))
    });
    let other = svcscope_model::inventory::ObjectKey::new("shop", "api");
    driven.send(EngineCommand::InspectService(Some(other.clone())));
    driven.wait("a refusal", |scene| {
        scene
            .yaml
            .as_ref()
            .is_some_and(|yaml| yaml.service == other && yaml.text.is_err())
    });
    assert_eq!(api.plugin_runs(), 2);
    driven.send(EngineCommand::Reconnect);
    driven.wait("credentials again", |scene| {
        scene
            .activity
            .iter()
            .all(|entry| !entry.text.contains("failed"))
            && api.plugin_runs() == 3
    });
}
