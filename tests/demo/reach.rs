//! Requests from inside and the test of all paths, through the engine against the demo cluster.

mod protection;

use std::{path::Path, sync::Arc};

use serde_json::{Value, json};
use svcscope_cluster::KubeconfigSource;
use svcscope_demo::{DemoOptions, DemoServer, DenyRule, DenyScope};
use svcscope_engine::{
    EngineCommand, EngineConfig, PathTestId, PathTestRequest, PathTestStatus, RequestState,
};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::{
    forward::{ForwardTarget, RemotePort},
    probe::{
        AccessPath, CurlRequest, ExecTarget, InClusterName, RequestId,
        path_test::{PathTestOptions, PathTestOutcome, PathTestSummary},
    },
};

use svcscope_testkit::cluster::{self, EngineDriver, run_svcscope, stderr, stdout};

const OURS: &str = "svcscope-probe";

/// A demo cluster that holds still.
fn demo() -> DemoServer {
    DemoServer::spawn(DemoOptions {
        scripted_activity: false,
        ..DemoOptions::default()
    })
    .expect("the demo starts")
}

fn engine(server: &DemoServer, notes: Option<&Path>, read_only: bool) -> EngineDriver {
    let driven = EngineDriver::start(EngineConfig {
        kubeconfig: KubeconfigSource::Inline(server.kubeconfig()),
        namespaces: vec!["shop".to_owned()],
        probe_registry_folder: notes.map(Path::to_owned),
        read_only,
        ..EngineConfig::default()
    });
    driven.wait("the cluster to be read", cluster::is_read);
    driven
}

/// Probe pods that are there.
fn probe_pods(server: &DemoServer) -> Vec<String> {
    let pods = server.control().list("Pod", Some("shop"));
    let names = pods
        .iter()
        .filter_map(|pod| pod["metadata"]["name"].as_str());
    names
        .filter(|name| name.starts_with(OURS))
        .map(str::to_owned)
        .collect()
}

fn probe(agreed: bool) -> ExecTarget {
    ExecTarget::ProbePod {
        namespace: "shop".into(),
        user_consented: agreed,
    }
}

fn web() -> ObjectKey {
    ObjectKey::new("shop", "web")
}

/// Sends a request to `shop/web`, by its cluster IP.
fn ask(driven: &EngineDriver, from: ExecTarget) -> RequestState {
    let id = RequestId(driven.handle.next_id());
    let request = CurlRequest {
        access_path: AccessPath::InCluster {
            from,
            to: InClusterName::ClusterIp(None),
        },
        ..CurlRequest::new(ForwardTarget::Service(web()), RemotePort::Number(80))
    };
    driven.send(EngineCommand::SendRequest(id, Box::new(request), None));
    let ended =
        |state: &RequestState| !matches!(state, RequestState::Running | RequestState::Receiving(_));
    let (state, _) = driven.find("an answer", |scene| {
        let status = scene.requests.iter().find(|status| status.id == id)?;
        ended(&status.state).then(|| status.state.clone())
    });
    state
}

fn test(driven: &EngineDriver, service: &str, insiders: Vec<ExecTarget>) -> Arc<PathTestStatus> {
    let id = PathTestId(driven.handle.next_id());
    let asked = PathTestRequest {
        service: ObjectKey::new("shop", service),
        options: PathTestOptions {
            exec_targets: insiders,
            ..PathTestOptions::default()
        },
        repeat_interval: None,
    };
    driven.send(EngineCommand::StartPathTest(id, Box::new(asked)));
    let (status, _) = driven.find("the paths to be tried", |scene| {
        let status = scene.path_test.as_ref().filter(|status| status.id == id)?;
        let is_done = status.rounds > 0 || status.failure.is_some();
        is_done.then(|| status.clone())
    });
    status
}

fn rules(status: &PathTestStatus) -> Vec<&'static str> {
    status.conclusions.iter().map(|found| found.rule).collect()
}

#[test]
fn a_probe_pod_serves_one_request_and_is_gone() {
    let server = demo();
    let notes = tempfile::tempdir().unwrap();
    let driven = engine(&server, Some(notes.path()), false);
    let RequestState::Done(answer) = ask(&driven, probe(true)) else {
        panic!("no answer");
    };
    assert_eq!(answer.status(), Some(200));
    assert!(
        answer.via.contains("probe pod shop/svcscope-probe-"),
        "{}",
        answer.via
    );
    assert!(answer.via.contains("cluster IP"), "{}", answer.via);
    assert!(answer.phases.connect.is_some());
    driven.wait("the pod to go", |_| probe_pods(&server).is_empty());
    // Nothing is left to be swept either.
    driven.wait("the note to go", |_| {
        std::fs::read_dir(notes.path()).unwrap().count() == 0
    });
}

#[test]
fn no_pod_is_made_without_agreement_or_where_all_is_read_only() {
    let server = demo();
    let driven = engine(&server, None, false);
    let RequestState::Failed(error) = ask(&driven, probe(false)) else {
        panic!("it went through");
    };
    assert!(
        error.message.contains("the user has not confirmed it"),
        "{error}"
    );
    let read_only = engine(&server, None, true);
    let RequestState::Failed(error) = ask(&read_only, probe(true)) else {
        panic!("it went through");
    };
    assert!(error.message.contains("read-only"), "{error}");
    assert!(probe_pods(&server).is_empty());
}

#[test]
fn an_engine_that_ends_takes_its_pods_along() {
    let server = demo();
    let driven = engine(&server, None, false);
    // Nothing listens at that port: the request goes on until the engine ends.
    let id = RequestId(driven.handle.next_id());
    let request = CurlRequest {
        path: "/slow?ms=60000".to_owned(),
        access_path: AccessPath::InCluster {
            from: probe(true),
            to: InClusterName::ClusterIp(None),
        },
        ..CurlRequest::new(ForwardTarget::Service(web()), RemotePort::Number(80))
    };
    driven.send(EngineCommand::SendRequest(id, Box::new(request), None));
    driven.wait("the pod to be there", |_| !probe_pods(&server).is_empty());
    drop(driven);
    assert!(probe_pods(&server).is_empty());
}

#[test]
fn what_a_crash_left_is_removed_at_the_next_start() {
    let server = demo();
    let notes = tempfile::tempdir().unwrap();
    let named = |name: &str, session: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "shop", "labels": {
                "app.kubernetes.io/managed-by": "svcscope", "svcscope.dev/session": session,
            }},
            "spec": {"containers": [{"name": "probe", "image": "curlimages/curl:8.17.0"}]},
        })
    };
    let control = server.control();
    control.apply(named("svcscope-probe-s1-1", "s1")).unwrap();
    control.apply(named("svcscope-probe-s2-1", "s2")).unwrap();
    // As a run leaves it that was killed: a list, and a lock that nobody holds.
    let list = json!({"pods": [{
        "server": server.url(), "namespace": "shop", "name": "svcscope-probe-s1-1",
        "created": jiff::Timestamp::now(),
    }]});
    std::fs::write(notes.path().join("s1.json"), list.to_string()).unwrap();

    let driven = engine(&server, Some(notes.path()), false);
    driven.wait("the leftover to be removed", |scene| {
        let told = scene.activity.iter().any(|activity| {
            activity
                .text
                .contains("Removed probe pod shop/svcscope-probe-s1-1")
        });
        told && probe_pods(&server) == ["svcscope-probe-s2-1"]
    });
    assert_eq!(std::fs::read_dir(notes.path()).unwrap().count(), 0);
}

#[test]
fn every_path_of_a_healthy_service_is_reached_in_time() {
    let server = demo();
    let driven = engine(&server, None, false);
    let status = test(&driven, "web", vec![probe(true)]);
    let plan = status.plan.as_ref().unwrap();
    let inside = plan
        .cells
        .iter()
        .zip(status.cells.iter())
        .filter(|(planned, _)| matches!(planned.access_path, AccessPath::InCluster { .. }));
    let inside: Vec<_> = inside
        .map(|(_, cell)| cell.result.clone().unwrap())
        .collect();
    assert!(inside.len() >= 5, "{inside:#?}");
    assert!(
        inside
            .iter()
            .all(|result| result.reach == PathTestOutcome::Status(200)),
        "{inside:#?}"
    );
    // What answers from outside is the application, on this machine.
    let outside = plan.cells.iter().zip(status.cells.iter());
    for (planned, cell) in outside {
        let reach = cell.result.as_ref().unwrap().reach;
        assert!(
            !matches!(reach, PathTestOutcome::Unproven(_)),
            "{planned:?}"
        );
        if let AccessPath::LoadBalancer(address) = &planned.access_path {
            assert!(address.starts_with("127."), "{address}");
        }
    }
    driven.wait("the pod to go", |_| probe_pods(&server).is_empty());
}

#[test]
fn the_engine_keeps_what_a_test_found() {
    let server = demo();
    let driven = engine(&server, None, false);
    let status = test(&driven, "wrongport", Vec::new());
    let (kept, _) = driven.find("the result to be kept", |scene| {
        scene
            .path_tests
            .get(&ObjectKey::new("shop", "wrongport"))
            .cloned()
    });
    assert_eq!(kept.conclusions, status.conclusions);
}

#[test]
fn what_is_not_permitted_is_reported_by_each_cell() {
    let server = demo();
    let driven = engine(&server, None, false);
    for resource in ["pods/portforward", "pods"] {
        let denial = DenyRule::new("create", resource, DenyScope::Everywhere);
        server.control().deny(denial);
    }
    let status = test(&driven, "web", vec![probe(true)]);
    let plan = status.plan.as_ref().unwrap();
    for (planned, cell) in plan.cells.iter().zip(status.cells.iter()) {
        let result = cell.result.as_ref().unwrap();
        match &planned.access_path {
            AccessPath::ForwardPod(_) | AccessPath::InCluster { .. } => {
                assert_eq!(result.reach, PathTestOutcome::NotPermitted, "{result:?}");
            }
            _ => {}
        }
    }
    assert!(probe_pods(&server).is_empty());
}

#[test]
fn a_service_without_pods_is_reported() {
    let server = demo();
    let control = server.control();
    control
        .apply(json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "nobody", "namespace": "shop"},
            "spec": {"selector": {"app": "nobody-has-this"}, "ports": [{"port": 80}]},
        }))
        .unwrap();
    let driven = engine(&server, None, false);
    driven.wait("the Service to be seen", |scene| {
        scene
            .inventory
            .service(&ObjectKey::new("shop", "nobody"))
            .is_some()
    });
    let status = test(&driven, "nobody", vec![probe(true)]);
    assert_eq!(rules(&status), ["no-endpoints"]);
    assert_eq!(status.summary, Some(PathTestSummary::NothingReached));
}

#[test]
fn the_command_line_reports_the_same() {
    let output = run_svcscope(&[
        "reach", "svc/web", "-n", "shop", "--demo", "--inside", "shop", "-o", "json",
    ]);
    let said: Value = serde_json::from_str(&stdout(&output))
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    let cells = said["cells"].as_array().unwrap();
    let of = |word: &str| {
        let cell = cells.iter().find(|cell| cell["vantage"] == word);
        cell.unwrap_or_else(|| panic!("no {word} in {cells:#?}"))
    };
    assert_eq!(of("in shop: full name")["result"]["reach"]["status"], 200);
    let command = of("in shop: cluster IP")["command"].as_str().unwrap();
    assert!(command.starts_with("kubectl -n shop run "), "{command}");

    let output = run_svcscope(&[
        "reach",
        "svc/web",
        "-n",
        "shop",
        "--demo",
        "--read-only",
        "--inside",
        "shop",
    ]);
    assert!(stdout(&output).contains("read-only"), "{}", stdout(&output));
    let output = run_svcscope(&["reach", "pod/web-0", "--demo"]);
    assert_eq!(output.status.code(), Some(2));
    let output = run_svcscope(&["reach", "svc/none", "-n", "shop", "--demo"]);
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn the_command_line_traces_a_packet_past_policies() {
    let output = run_svcscope(&["check", "svc/db", "-n", "infra", "--demo", "--trace"]);
    let said = stdout(&output);
    let first = "infra/db port 5432/TCP: arrives only from some clients";
    assert!(said.starts_with(first), "{said}{}", stderr(&output));
    let only = "admits only pods with app=queue to port 5432";
    assert!(said.contains(only), "{said}");
    let output = run_svcscope(&["check", "--demo", "--trace"]);
    assert_eq!(output.status.code(), Some(2), "a trace is of one Service");
}

/// What removes a probe pod: which signal, and what the process ends with.
#[cfg(unix)]
#[test]
fn a_signal_that_ends_svcscope_takes_its_probe_pod_along() {
    use std::process::{Command as Process, Stdio};
    let server = demo();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, server.kubeconfig()).unwrap();
    let file = file.to_str().unwrap();
    let reach = ["reach", "svc/web", "--inside", "shop", "--every", "1"];
    let curl = [
        "curl",
        "svc/web:80",
        "/slow?ms=60000",
        "--via",
        "cluster",
        "--inside",
        "shop",
    ];
    for (words, signal, codes) in [
        (&reach[..], "-TERM", &[143][..]),
        (&reach, "-HUP", &[129]),
        (&reach, "-INT", &[0, 1, 5]),
        (&curl, "-TERM", &[143]),
        (&curl, "-HUP", &[129]),
        (&curl, "-INT", &[130]),
    ] {
        let mut child = cluster::svcscope(words)
            .args(["-n", "shop", "--kubeconfig", file])
            .env("XDG_CONFIG_HOME", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = std::time::Instant::now();
        while probe_pods(&server).is_empty() {
            assert!(
                started.elapsed() < cluster::PATIENCE,
                "no probe pod: {words:?}"
            );
            std::thread::yield_now();
        }
        let sent = Process::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        let code = child.wait().unwrap().code();
        assert!(
            code.is_some_and(|code| codes.contains(&code)),
            "{words:?} {signal}: {code:?}"
        );
        assert!(probe_pods(&server).is_empty(), "{words:?} {signal}");
    }
}
