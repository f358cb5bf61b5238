//! Bad input and bad days: each has a clear message, an exit code, and loses nothing.

mod beside_kubectl;
mod changed;
#[cfg(unix)]
mod protection;
mod recorder;

use std::{fs, path::Path};

use svcscope_cluster::KubeconfigSource;
use svcscope_demo as demo;
use svcscope_engine::{
    ActivityLevel, ConnectionState, EditId, EditState, EngineCommand, EngineConfig, NextAttempt,
};
use svcscope_model::inventory::{ObjectKey, ResourceKind, SharedStr, SyncState};

use svcscope_testkit::cluster::{self, EngineDriver, run_svcscope, stderr};

/// `svcscope map` with this kubeconfig text; gives its exit code and its words.
fn map_with(kubeconfig: &str, more: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    fs::write(&file, kubeconfig).expect("written");
    map_from(&file, more)
}

fn map_from(file: &Path, more: &[&str]) -> (Option<i32>, String) {
    let file = file.to_str().expect("UTF-8");
    let output = run_svcscope(&[&["map", "--timeout", "20", "--kubeconfig", file], more].concat());
    (output.status.code(), stderr(&output))
}

fn kubeconfig(server: &str, user: &str) -> String {
    format!(
        r#"{{"apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{{"name": "c", "cluster": {{"server": "{server}"}}}}],
            "users": [{{"name": "u", "user": {user}}}],
            "contexts": [{{"name": "here", "context": {{"cluster": "c", "user": "u"}}}}]}}"#
    )
}

fn says(words: &str, parts: &[&str]) {
    for part in parts {
        assert!(words.contains(part), "`{part}` is not in: {words}");
    }
    assert!(!words.contains("panicked"), "{words}");
}

#[test]
fn a_missing_kubeconfig_is_named() {
    let (code, words) = map_from(Path::new("/nowhere/config"), &[]);
    assert_eq!(code, Some(3), "{words}");
    says(&words, &["/nowhere/config"]);
}

#[test]
fn a_broken_kubeconfig_is_named_with_the_place() {
    let (code, words) = map_with("clusters: [ {", &[]);
    assert_eq!(code, Some(3), "{words}");
    says(&words, &["config", "line"]);
}

#[test]
fn a_wrong_context_names_those_that_exist() {
    let (code, words) = map_with(
        &kubeconfig("http://127.0.0.1:1", "{}"),
        &["--context", "there"],
    );
    assert_eq!(code, Some(3), "{words}");
    says(&words, &["there", "here"]);
}

#[test]
fn a_failing_exec_plugin_speaks_for_itself() {
    let user = r#"{"exec": {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
        "command": "sh", "args": ["-c", "echo please log in first >&2; exit 3"]}}"#;
    let (code, words) = map_with(&kubeconfig("https://127.0.0.1:1", user), &[]);
    assert_eq!(code, Some(3), "{words}");
    says(&words, &["please log in first"]);
}

#[test]
fn an_exec_plugin_that_is_not_there_is_named() {
    let user = r#"{"exec": {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
        "command": "no-such-login-helper"}}"#;
    let (code, words) = map_with(&kubeconfig("https://127.0.0.1:1", user), &[]);
    assert_eq!(code, Some(3), "{words}");
    says(&words, &["no-such-login-helper"]);
}

#[test]
fn an_unreachable_server_is_named() {
    // A port that was just free: nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let (code, words) = map_with(&kubeconfig(&format!("http://{address}"), "{}"), &[]);
    assert_eq!(code, Some(3), "{words}");
    says(&words, &[&address.to_string(), "refused"]);
}

#[test]
fn an_expired_token_is_reported_as_such() {
    let server = demo::DemoServer::spawn(demo::DemoOptions::default()).expect("a demo cluster");
    let text = server.kubeconfig().replace(&server.token(), "expired");
    let (code, words) = map_with(&text, &[]);
    assert_eq!(code, Some(3), "{words}");
    says(&words, &["Unauthorized", "log in again"]);
}

#[test]
fn words_that_are_no_command_are_refused_with_help() {
    for (args, part) in [
        (&["forward", "cm/x", "80"][..], "svc"),
        (&["forward", "svc/x", "http:80:1"], "port"),
        (&["set-type", "svc/x", "external"], "Headless"),
        (&["map", "-o", "yaml"], "json"),
    ] {
        let output = run_svcscope(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        says(&stderr(&output), &[part]);
    }
}

#[test]
fn without_a_display_the_window_says_what_to_do() {
    let output = cluster::svcscope(&["--demo"])
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .output()
        .expect("svcscope runs");
    assert_eq!(output.status.code(), Some(1));
    says(&stderr(&output), &["display", "svcscope map"]);
}

#[test]
fn a_server_that_restarts_loses_nothing_on_the_map() {
    let server = demo::DemoServer::spawn(demo::DemoOptions {
        scripted_activity: false,
        ..demo::DemoOptions::default()
    })
    .expect("a demo cluster");
    let driven = EngineDriver::start(EngineConfig {
        kubeconfig: KubeconfigSource::Inline(server.kubeconfig()),
        ..EngineConfig::default()
    });
    let live = |scene: &svcscope_engine::Scene| {
        scene
            .inventory
            .sync_states()
            .any(|(kind, _, state)| kind == ResourceKind::Pod && *state == SyncState::Live)
            && scene
                .inventory
                .sync_states()
                .any(|(kind, _, state)| kind == ResourceKind::Service && *state == SyncState::Live)
    };
    driven.wait("the first lists", live);
    let before = driven.handle.scene().topology.services().count();
    assert!(before >= 15, "only {before} Services");

    server.control().close_port();
    driven.wait("the loss to be seen", |scene| {
        assert_eq!(
            scene.topology.services().count(),
            before,
            "the map was emptied"
        );
        matches!(scene.connection, ConnectionState::Lost { .. })
    });
    server.control().reopen_port();
    driven.wait("the watches to come back", |scene| {
        scene.connection == ConnectionState::Connected && live(scene)
    });
    assert_eq!(driven.handle.scene().topology.services().count(), before);
}

#[test]
fn a_forbidden_list_is_unknown_and_said() {
    let server = demo::DemoServer::spawn(demo::DemoOptions {
        scripted_activity: false,
        ..demo::DemoOptions::default()
    })
    .expect("a demo cluster");
    // A streaming list needs the right to watch, a paged one the right to list.
    for verb in ["list", "watch"] {
        let denial = demo::DenyRule::new(verb, "pods", demo::DenyScope::Everywhere);
        server.control().deny(denial);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    fs::write(&file, server.kubeconfig()).expect("written");
    let (code, words) = map_from(&file, &[]);
    assert_eq!(code, Some(5), "{words}");
    says(&words, &["not permitted", "pods"]);
}

/// A demo cluster that stands still, and its kubeconfig in a file.
fn quiet_demo() -> (demo::DemoServer, tempfile::TempDir, String) {
    quiet_demo_in(&std::env::temp_dir())
}

fn quiet_demo_in(parent: &Path) -> (demo::DemoServer, tempfile::TempDir, String) {
    let server = demo::DemoServer::spawn(demo::DemoOptions {
        scripted_activity: false,
        ..demo::DemoOptions::default()
    })
    .expect("a demo cluster");
    let folder = tempfile::tempdir_in(parent).expect("a folder");
    let file = folder.path().join("config");
    fs::write(&file, server.kubeconfig()).expect("written");
    let file = file.to_str().expect("UTF-8").to_owned();
    (server, folder, file)
}

#[test]
fn a_plan_waits_for_the_pods_that_it_counts() {
    let (server, _folder, file) = quiet_demo();
    let pods = "/api/v1/namespaces/shop/pods";
    server.control().fail(Some("GET"), pods, 503, Some(3));
    let all = server.control().list("pods", Some("shop")).len();
    let args = [
        "duplicate",
        "svc/web",
        "web-again",
        "--dry-run",
        "--kubeconfig",
        &file,
        "-n",
        "shop",
    ];
    let output = run_svcscope(&args);
    let words = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{words}");
    says(&words, &[&format!("the selector finds 3 of {all} pods")]);
}

#[test]
fn a_plan_does_not_count_pods_that_are_not_listed() {
    let (server, _folder, file) = quiet_demo();
    let pods = "/api/v1/namespaces/shop/pods";
    server.control().fail(Some("GET"), pods, 503, None);
    let driven = EngineDriver::connecting(&file, "shop");
    let web = ObjectKey::new("shop", "web");
    driven.wait("the Services", |scene| {
        scene.inventory.service(&web).is_some()
    });
    let id = EditId(driven.handle.next_id());
    let name = SharedStr::from("web-again");
    driven.send(EngineCommand::DuplicateService(id, web, name));
    let (notes, _) = driven.find("the plan", |scene| {
        let edit = scene.edits.iter().find(|edit| edit.id == id)?;
        match &edit.step {
            EditState::Ready { plan, .. } => Some(plan.notes.join("\n")),
            EditState::Failed { reason, .. } => panic!("no plan: {reason}"),
            _ => None,
        }
    });
    says(&notes, &["the pods of namespace shop are not listed yet"]);
    assert!(!notes.contains("finds 0 of"), "{notes}");
}

#[test]
fn a_first_connection_that_failed_is_made_once_the_server_is_there() {
    let (server, _folder, file) = quiet_demo();
    server.control().close_port();
    let driven = EngineDriver::connecting(&file, "shop");
    driven.wait("the failure and when it is tried again", |scene| {
        // The context that failed is named, whether or not it was asked for by name.
        matches!(scene.connection, ConnectionState::Failed { .. })
            && matches!(scene.next_attempt, NextAttempt::At(_))
            && scene.context.as_deref() == Some("demo")
    });
    server.control().reopen_port();
    driven.wait("the connection", |scene| {
        scene.connection == ConnectionState::Connected && scene.next_attempt == NextAttempt::Never
    });
    let scene = driven.handle.scene();
    let failures = scene.activity.iter();
    let failures = failures.filter(|activity| activity.level == ActivityLevel::Error);
    assert_eq!(failures.count(), 1, "{:?}", scene.activity);
}

#[test]
fn a_kubeconfig_that_is_mended_is_read_again() {
    let (_server, folder, file) = quiet_demo();
    let good = fs::read_to_string(&file).expect("it is there");
    let mended = folder.path().join("mended");
    fs::write(&mended, "contexts: [").expect("written");
    let driven = EngineDriver::connecting(mended.to_str().expect("UTF-8"), "shop");
    driven.wait("the failure", |scene| {
        scene.next_attempt == NextAttempt::AfterKubeconfigChange
    });
    fs::write(&mended, good).expect("written");
    driven.wait("the connection", |scene| {
        scene.connection == ConnectionState::Connected
    });
}

#[test]
fn a_taken_local_port_is_named_with_a_free_one() {
    let (_server, _folder, file) = quiet_demo();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let pair = format!("{port}:80");
    let output = run_svcscope(&[
        "forward",
        "svc/web",
        &pair,
        "--kubeconfig",
        &file,
        "-n",
        "shop",
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    says(&stderr(&output), &[&port, "free"]);
}

#[test]
fn a_target_that_is_not_there_is_named() {
    let (_server, _folder, file) = quiet_demo();
    for target in ["svc/absent", "pod/absent"] {
        let output = run_svcscope(&[
            "forward",
            target,
            ":80",
            "--kubeconfig",
            &file,
            "-n",
            "shop",
        ]);
        assert_eq!(
            output.status.code(),
            Some(4),
            "{target}: {}",
            stderr(&output)
        );
        says(&stderr(&output), &["absent"]);
    }
    let output = run_svcscope(&[
        "forward",
        "svc/web",
        ":81",
        "--kubeconfig",
        &file,
        "-n",
        "shop",
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    says(&stderr(&output), &["81", "443"]);
}

#[test]
fn read_only_refuses_to_write_on_the_command_line_too() {
    let (server, _folder, file) = quiet_demo();
    let args = [
        "set-type",
        "svc/cache",
        "NodePort",
        "--kubeconfig",
        &file,
        "-n",
        "shop",
        "--read-only",
    ];
    let output = run_svcscope(&args);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    says(&stderr(&output), &["read-only"]);
    let service = server
        .control()
        .get("Service", "shop", "cache")
        .expect("cache");
    assert_eq!(service["spec"]["type"], "ClusterIP");
}

#[test]
fn a_context_that_is_marked_read_only_refuses_writes_from_the_command_line() {
    let (server, folder, file) = quiet_demo();
    let settings = folder.path().join("svcscope");
    fs::create_dir_all(&settings).expect("a folder");
    fs::write(
        settings.join("settings.json"),
        r#"{"read_only_contexts": ["demo"]}"#,
    )
    .expect("written");
    let args = [
        "set-type",
        "svc/cache",
        "NodePort",
        "--kubeconfig",
        &file,
        "-n",
        "shop",
    ];
    let output = cluster::svcscope(&args)
        .env("XDG_CONFIG_HOME", folder.path())
        .output()
        .expect("svcscope runs");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    says(&stderr(&output), &["read-only"]);
    let service = server
        .control()
        .get("Service", "shop", "cache")
        .expect("cache");
    assert_eq!(service["spec"]["type"], "ClusterIP");
}

/// A demo cluster that holds still, and its kubeconfig.
fn still() -> (demo::DemoServer, String) {
    let server = demo::DemoServer::spawn(demo::DemoOptions {
        scripted_activity: false,
        ..demo::DemoOptions::default()
    });
    let server = server.expect("a demo cluster");
    let text = server.kubeconfig();
    (server, text)
}

#[test]
fn entry_points_that_may_not_be_seen_are_reported() {
    let (server, text) = still();
    for resource in ["ingresses", "httproutes"] {
        let everywhere = demo::DenyScope::Everywhere;
        server
            .control()
            .deny(demo::DenyRule::new("*", resource, everywhere));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    fs::write(&file, &text).expect("written");
    let file = file.to_str().expect("UTF-8");
    let output = run_svcscope(&["map", "-o", "json", "--kubeconfig", file]);
    let words = stderr(&output);
    assert_eq!(output.status.code(), Some(5), "{words}");
    says(
        &words,
        &["not permitted to see ingresses, httproutes: entry points"],
    );
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["state"], "partial");
}

#[test]
fn a_kind_that_the_map_can_do_without_does_not_keep_it() {
    let (server, text) = still();
    let ingresses = "/apis/networking.k8s.io/v1/ingresses";
    for path in [ingresses, "/api/v1/nodes"] {
        server.control().fail(None, path, 500, None);
    }
    let (code, words) = map_with(&text, &[]);
    assert_eq!(code, Some(5), "{words}");
    says(
        &words,
        &["nodes could not be listed", "ingresses could not be listed"],
    );
}

#[test]
fn a_namespace_that_does_not_exist_is_reported() {
    let (_server, text) = still();
    let (code, words) = map_with(&text, &["-n", "nope", "-n", "shop"]);
    assert_eq!(code, Some(4), "{words}");
    says(&words, &["there is no namespace nope"]);
    assert!(!words.contains("namespace shop"), "{words}");
    let (code, words) = map_with(&text, &["-n", "shop"]);
    assert_eq!(code, Some(0), "{words}");
}

#[test]
fn a_forward_says_what_it_waits_for() {
    use std::io::{BufRead as _, BufReader};
    let (server, text) = still();
    server
        .control()
        .fail(None, "/api/v1/namespaces/shop/pods", 500, None);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    fs::write(&file, &text).expect("written");
    let file = file.to_str().expect("UTF-8");
    let args = [
        "forward",
        "svc/web",
        ":80",
        "-n",
        "shop",
        "--kubeconfig",
        file,
    ];
    let mut child = cluster::svcscope(&args)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("svcscope runs");
    let said = BufReader::new(child.stderr.take().expect("stderr"));
    let line = said.lines().next().expect("a line").expect("UTF-8");
    child.kill().expect("it ran");
    child.wait().expect("it ended");
    says(
        &line,
        &["waiting for the cluster to be read; pods", "injected fault"],
    );
}
