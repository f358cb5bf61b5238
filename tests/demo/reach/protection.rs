//! What protects contexts, in the engine.

use std::{fs, path::Path};

use svcscope_cluster::KubeconfigSource;
use svcscope_demo::DemoServer;
use svcscope_engine::{
    EditId, EditState, EngineCommand, EngineConfig, RequestState,
    settings::{ProtectionChange, ProtectionFlags},
};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::{
    forward::{ForwardId, ForwardSpec, ForwardState, ForwardTarget, RemotePort},
    probe::{AccessPath, CurlRequest, ExecTarget, InClusterName, RequestId},
};

use super::{demo, probe, probe_pods, web};
use svcscope_testkit::cluster::{self, EngineDriver};

fn engine(server: &DemoServer, settings: &Path) -> EngineDriver {
    let driven = EngineDriver::start(EngineConfig {
        kubeconfig: KubeconfigSource::Inline(server.kubeconfig()),
        namespaces: vec!["shop".to_owned()],
        protection_file: Some(settings.to_owned()),
        ..EngineConfig::default()
    });
    driven.wait("the cluster to be read", cluster::is_read);
    driven
}

/// Sends a request; whether it was sent, or why not.
fn send(driven: &EngineDriver, request: CurlRequest) -> Result<(), String> {
    let id = RequestId(driven.handle.next_id());
    driven.send(EngineCommand::SendRequest(id, Box::new(request), None));
    let (state, _) = driven.find("an answer", |scene| {
        let status = scene.requests.iter().find(|status| status.id == id)?;
        (!status.state.is_under_way()).then(|| status.state.clone())
    });
    match state {
        RequestState::Failed(error) => Err(error.to_string()),
        _ => Ok(()),
    }
}

fn request(method: &str, vantage: AccessPath) -> CurlRequest {
    CurlRequest {
        method: method.to_owned(),
        access_path: vantage,
        ..CurlRequest::new(ForwardTarget::Service(web()), RemotePort::Number(80))
    }
}

fn inside(from: ExecTarget) -> AccessPath {
    AccessPath::InCluster {
        from,
        to: InClusterName::ClusterIp(None),
    }
}

/// Plans a copy and applies it, by the typed name where there is one.
fn duplicate(driven: &EngineDriver, name: &str, typed: Option<&str>) -> Result<(), String> {
    let id = EditId(driven.handle.next_id());
    driven.send(EngineCommand::DuplicateService(
        id,
        ObjectKey::new("shop", "cache"),
        name.into(),
    ));
    let until = |wanted: fn(&EditState) -> bool| {
        let found = driven.find("a step", |scene| {
            let edit = scene.edits.iter().find(|edit| edit.id == id)?;
            wanted(&edit.step).then(|| edit.step.clone())
        });
        found.0
    };
    // A dry run is allowed everywhere: it stores nothing.
    until(|step| matches!(step, EditState::Ready { .. }));
    driven.send(match typed {
        Some(typed) => EngineCommand::ApplyEditByName(id, typed.into()),
        None => EngineCommand::ApplyEdit(id),
    });
    match until(|step| matches!(step, EditState::Applied(_) | EditState::Failed { .. })) {
        EditState::Failed { reason, .. } => Err(reason.to_string()),
        _ => Ok(()),
    }
}

fn forward(driven: &EngineDriver) {
    let id = ForwardId(driven.handle.next_id());
    let spec = ForwardSpec::new(ForwardTarget::Service(web()), RemotePort::Number(80));
    driven.send(EngineCommand::StartForward(id, spec));
    driven.wait("a forward to listen", |scene| {
        let mut forwards = scene.forwards.iter();
        forwards.any(|one| one.id == id && one.state == ForwardState::Listening)
    });
    driven.send(EngineCommand::RemoveForward(id));
}

fn refused(outcome: Result<(), String>, why: &str) {
    let said = outcome.expect_err(why);
    assert!(said.contains(why), "{said}");
}

#[test]
fn the_engine_does_what_the_table_says_of_the_file_as_it_is_just_then() {
    let server = demo();
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.json");
    let driven = engine(&server, &settings);
    let pods = server.control().list("Pod", Some("shop"));
    let mut names = pods
        .iter()
        .filter_map(|pod| pod["metadata"]["name"].as_str());
    let pod = ObjectKey::new("shop", names.find(|name| name.starts_with("api-")).unwrap());
    let in_pod = || {
        inside(ExecTarget::Pod {
            pod: pod.clone(),
            container: None,
        })
    };
    // What is allowed wherever a context is not marked otherwise.
    let risky = || {
        [
            request("POST", AccessPath::Forward),
            request("DELETE", AccessPath::ServiceProxy),
            request("get", AccessPath::Forward),
            request("GET", in_pod()),
            request("GET", inside(probe(true))),
        ]
    };
    let safe = |driven: &EngineDriver| {
        forward(driven);
        for method in ["GET", "HEAD", "OPTIONS"] {
            send(driven, request(method, AccessPath::Forward)).unwrap();
            send(driven, request(method, AccessPath::ServiceProxy)).unwrap();
        }
    };

    safe(&driven);
    for request in risky() {
        let said = format!("{request:?}");
        if let Err(error) = send(&driven, request) {
            assert!(!error.contains("not sent"), "{said}: {error}");
        }
    }
    duplicate(&driven, "copy-0", None).unwrap();

    // The engine runs on: an entry made a moment ago counts.
    fs::write(&settings, r#"{"production_contexts": ["demo"]}"#).unwrap();
    safe(&driven);
    for request in risky() {
        refused(send(&driven, request), "has not allowed");
    }
    refused(duplicate(&driven, "copy-1", None), "name was not typed");
    refused(
        duplicate(&driven, "copy-1", Some("cache")),
        "name was not typed",
    );
    duplicate(&driven, "copy-1", Some("copy-1")).unwrap();
    driven.send(EngineCommand::AllowInProduction("another".into()));
    refused(
        send(&driven, request("POST", AccessPath::Forward)),
        "has not allowed",
    );
    driven.send(EngineCommand::AllowInProduction("demo".into()));
    for request in risky() {
        let said = format!("{request:?}");
        if let Err(error) = send(&driven, request) {
            assert!(!error.contains("not sent"), "{said}: {error}");
        }
    }
    refused(duplicate(&driven, "copy-2", None), "name was not typed");

    fs::write(&settings, r#"{"read_only_contexts": ["demo"]}"#).unwrap();
    for round in ["marked so in the settings", "can't be used"] {
        safe(&driven);
        for request in risky() {
            refused(send(&driven, request), round);
        }
        refused(duplicate(&driven, "copy-2", Some("copy-2")), round);
        // And when nothing can be read of the file.
        fs::write(&settings, "").unwrap();
    }
    assert!(driven.handle.scene().read_only);
    fs::remove_file(&settings).unwrap();
    refused(duplicate(&driven, "copy-2", None), "can't be used");
    fs::write(&settings, "{}").unwrap();
    duplicate(&driven, "copy-2", None).unwrap();
    assert!(probe_pods(&server).is_empty());
    let copies = server.control().list("Service", Some("shop"));
    let copies = copies.iter().filter(|one| {
        one["metadata"]["name"]
            .as_str()
            .unwrap()
            .starts_with("copy-")
    });
    assert_eq!(copies.count(), 3);
}

#[test]
fn a_mark_is_in_the_file_before_it_is_reported() {
    let server = demo();
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.json");
    fs::write(
        &settings,
        r#"{"minimap": 1, "read_only_contexts": ["other"]}"#,
    )
    .unwrap();
    let driven = engine(&server, &settings);
    let marks = |read_only| ProtectionFlags {
        read_only,
        production: false,
    };
    let protect = |read_only: bool| EngineCommand::ChangeProtection {
        context: "demo".into(),
        change: ProtectionChange::between(marks(!read_only), marks(read_only)),
    };
    driven.send(protect(true));
    driven.wait("the mark", |scene| {
        scene.read_only && scene.protected_contexts.flags_of("demo").read_only
    });
    let text = fs::read_to_string(&settings).unwrap();
    assert!(text.contains("minimap") && text.contains("other"), "{text}");
    refused(
        duplicate(&driven, "copy", None),
        "read-only: context demo is marked so",
    );
    driven.send(protect(false));
    driven.wait("no mark", |scene| !scene.read_only);
    duplicate(&driven, "copy", None).unwrap();
    fs::write(&settings, "{").unwrap();
    driven.send(protect(true));
    driven.wait("the refusal", |scene| {
        let mut activity = scene.activity.iter();
        activity.any(|entry| entry.text.contains("Context demo is marked as it was"))
    });
    assert_eq!(fs::read_to_string(&settings).unwrap(), "{");
}
