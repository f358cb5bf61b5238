//! A kubeconfig that changes while the cluster is connected.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::Stdio,
};

use svcscope_cluster::KubeconfigSource;
use svcscope_demo as demo;
use svcscope_engine::{ConnectionState, EngineCommand, Scene};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::forward::{ForwardId, ForwardSpec, ForwardState, ForwardTarget, RemotePort};
use tempfile::TempDir;

use svcscope_testkit::cluster::{EngineDriver, svcscope};

struct ChangingKubeconfig {
    server: demo::DemoServer,
    folder: TempDir,
}

impl ChangingKubeconfig {
    fn start() -> Self {
        let server = demo::DemoServer::spawn(demo::DemoOptions {
            scripted_activity: false,
            ..demo::DemoOptions::default()
        });
        let changing = Self {
            server: server.expect("a demo cluster"),
            folder: tempfile::tempdir().expect("a folder"),
        };
        changing.write(&changing.server.kubeconfig());
        changing
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    fn write(&self, text: &str) {
        fs::write(self.file(), text).expect("written");
    }
}

fn said(scene: &Scene, part: &str) -> usize {
    let is_it = |words: &&str| words.contains(part);
    scene
        .activity
        .iter()
        .map(|one| &*one.text)
        .filter(is_it)
        .count()
}

fn is_live(scene: &Scene) -> bool {
    scene.connection == ConnectionState::Connected && !scene.is_stale()
}

/// Whether the forward brings an answer.
fn answers(port: u16) -> bool {
    let asked = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    asked.is_ok_and(|answer| answer.starts_with("HTTP/1.1 "))
}

/// A forward to a Service that brings answers, by its local port.
fn forwarded(engine: &EngineDriver) -> u16 {
    let target = ForwardTarget::Service(ObjectKey::new("shop", "web"));
    let spec = ForwardSpec::new(target, RemotePort::Number(80));
    engine.send(EngineCommand::StartForward(ForwardId(1), spec));
    let (port, _) = engine.find("the forward", |scene| {
        let status = scene.forwards.first()?;
        let local = status.local?;
        (status.state == ForwardState::Listening).then(|| local.port())
    });
    assert!(answers(port));
    port
}

#[test]
fn new_credentials_are_taken_and_forwards_go_on() {
    let changing = ChangingKubeconfig::start();
    let engine = EngineDriver::connected(KubeconfigSource::File(changing.file()), "shop");
    let port = forwarded(&engine);
    changing.server.control().rotate_token();
    changing.write(&changing.server.kubeconfig());
    engine.wait("the new credentials", |scene| {
        said(scene, "reconnected to demo") == 1 && is_live(scene)
    });
    assert!(answers(port), "the forward is the same");
    assert_eq!(engine.handle.scene().forwards.len(), 1);
}

#[test]
fn a_context_that_leads_to_another_server_is_read_again_and_forwards_lead_there() {
    let changing = ChangingKubeconfig::start();
    let engine = EngineDriver::connected(KubeconfigSource::File(changing.file()), "shop");
    let port = forwarded(&engine);
    let ChangingKubeconfig { server, folder } = changing;
    let other = demo::DemoServer::spawn(demo::DemoOptions {
        scripted_activity: false,
        ..demo::DemoOptions::default()
    });
    let other = other.expect("another demo cluster");
    let gone = ObjectKey::new("shop", "cache");
    engine.send(EngineCommand::LookUpService(gone.clone()));
    engine.wait("what was read alone", |scene| {
        scene.last_service_lookup.is_some()
    });
    other
        .control()
        .delete("services", "shop", "cache")
        .expect("it is there");
    fs::write(folder.path().join("config"), other.kubeconfig()).expect("written");
    engine.wait("the other server", |scene| {
        said(scene, "now points to a different API server") == 1
            && is_live(scene)
            && scene.inventory.service(&gone).is_none()
    });
    drop(server);
    engine.wait("an answer of the other cluster", |_| answers(port));
    let scene = engine.handle.scene();
    assert_eq!(scene.forwards.len(), 1);
    assert_eq!(
        scene.last_service_lookup, None,
        "it was of the other cluster"
    );
}

#[test]
fn a_broken_one_keeps_the_connection_and_contexts_are_only_offered() {
    let changing = ChangingKubeconfig::start();
    let engine = EngineDriver::connected(KubeconfigSource::File(changing.file()), "shop");
    let text = changing.server.kubeconfig();
    changing.write(&text[..text.len() - 30]);
    engine.wait("the fault to be told", |scene| {
        said(scene, "can't be used now") == 1 && is_live(scene)
    });
    changing.write(&text);
    engine.wait("the end of the fault", |scene| {
        said(scene, "can be read again") == 1
    });

    let more = format!("{text}- name: other\n  context: {{cluster: demo, user: demo}}\n");
    changing.write(&more);
    engine.wait("the new context", |scene| {
        scene
            .contexts
            .iter()
            .any(|context| &*context.name == "other")
    });
    assert_eq!(engine.handle.scene().suggested_context, None);
    changing.write(&more.replace("current-context: demo", "current-context: other"));
    engine.wait("the offer", |scene| {
        scene.suggested_context.as_deref() == Some("other")
    });
    let scene = engine.handle.scene();
    assert_eq!(scene.context.as_deref(), Some("demo"));
    assert!(is_live(&scene));
    assert_eq!(said(&scene, "reconnected"), 0);
    engine.send(EngineCommand::Connect(Some("other".into())));
    engine.wait("the other context", |scene| {
        scene.context.as_deref() == Some("other") && scene.suggested_context.is_none()
    });
}

#[test]
fn a_command_that_goes_on_follows_and_says_so() {
    let changing = ChangingKubeconfig::start();
    let mut forward = svcscope(&["-n", "shop", "forward", "svc/web", "80", "--kubeconfig"])
        .arg(changing.file())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("svcscope runs");
    let mut listens = String::new();
    let mut out = BufReader::new(forward.stdout.take().expect("stdout"));
    out.read_line(&mut listens).expect("a line");
    changing.server.control().rotate_token();
    changing.write(&changing.server.kubeconfig());
    let words = BufReader::new(forward.stderr.take().expect("stderr")).lines();
    let told = words
        .map_while(Result::ok)
        .find(|line| line.contains("reconnected to demo"));
    forward.kill().expect("ended");
    forward.wait().expect("ended");
    assert!(told.is_some(), "after {listens}");
}

#[test]
fn a_refused_login_is_tried_again_once_the_kubeconfig_changes() {
    let changing = ChangingKubeconfig::start();
    let text = changing.server.kubeconfig();
    changing.write(&text.replace(&changing.server.token(), "expired"));
    let engine = EngineDriver::connecting(changing.file().to_str().expect("UTF-8"), "shop");
    engine.wait("the refusal", |scene| {
        matches!(scene.connection, ConnectionState::Failed { .. })
    });
    changing.write(&text);
    let took = engine.wait("the connection", is_live);
    // By the clock it would be tried after a minute.
    assert!(took.as_secs() < 45, "{took:?}");
}
