//! Forwards that are kept, spread and run commands: the engine and the built program on the
//! embedded demo cluster.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Command as Process, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use svcscope_cluster::KubeconfigSource;
use svcscope_demo::{DemoOptions, DemoServer, WatchFault, write_kubeconfig};
use svcscope_engine::{
    EngineCommand, EngineConfig, PersistedSettings, Scene,
    settings::{SavedForward, Settings},
};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::forward::{
    ForwardId, ForwardSpec, ForwardState, ForwardStatus, ForwardTarget, RemotePort, SpreadPolicy,
};

use svcscope_testkit::cluster::{EngineDriver, PATIENCE, stderr, stdout, svcscope};

/// A demo cluster that holds still and a home to keep things in.
struct DemoWithHome {
    server: DemoServer,
    home: tempfile::TempDir,
}

impl DemoWithHome {
    fn start() -> Self {
        let server = DemoServer::spawn(DemoOptions {
            scripted_activity: false,
            ..DemoOptions::default()
        })
        .expect("the demo cluster starts");
        let home = tempfile::tempdir().expect("a folder");
        write_kubeconfig(&home.path().join("kubeconfig"), &server.kubeconfig()).expect("written");
        Self { server, home }
    }

    fn engine(&self) -> EngineDriver {
        let engine = EngineDriver::start(EngineConfig {
            kubeconfig: KubeconfigSource::Inline(self.server.kubeconfig()),
            persisted_settings: Some(PersistedSettings {
                path: self.home.path().join("svcscope/settings.json"),
                settings: Settings::default(),
            }),
            ..EngineConfig::default()
        });
        engine.wait("the cluster to be read", |scene| {
            let mut states = scene.inventory.sync_states().peekable();
            states.peek().is_some()
                && states.all(|(.., state)| state.is_settled())
                && ready_pods(scene, "web").len() > 1
        });
        engine
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// `svcscope forward` with these words, in the namespace `shop`.
    fn forward(&self, words: &[&str]) -> Process {
        let kubeconfig = self.file("kubeconfig");
        let mut process = svcscope(&[]);
        process
            .env("XDG_CONFIG_HOME", self.home.path())
            .args(["-n", "shop", "--kubeconfig"])
            .arg(kubeconfig)
            .arg("forward")
            .args(words);
        process
    }

    fn run(&self, words: &[&str]) -> Output {
        self.forward(words).output().expect("svcscope runs")
    }

    /// Runs it; it must succeed. Gives back what it printed.
    fn done(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", stderr(&output));
        stdout(&output)
    }
}

fn api() -> ForwardTarget {
    ForwardTarget::Service(ObjectKey::new("shop", "api"))
}

fn saved(name: &str, group: &str) -> SavedForward {
    let spec = ForwardSpec::new(api(), RemotePort::Number(8081));
    let mut saved = SavedForward::new(name, spec);
    saved.group = Some(group.into());
    saved
}

fn save(
    engine: &EngineDriver,
    running: Option<ForwardId>,
    was: Option<&str>,
    forward: SavedForward,
) {
    engine.send(EngineCommand::SaveForward {
        running,
        previous_name: was.map(Into::into),
        forward: Box::new(forward),
    });
}

/// Waits until a forward listens.
fn up(engine: &EngineDriver, wanted: impl Fn(&ForwardStatus) -> bool) -> ForwardStatus {
    let (status, _) = engine.find("a forward to listen", |scene| {
        let status = scene.forwards.iter().find(|status| wanted(status))?;
        if let ForwardState::Failed { reason } = &status.state {
            panic!("{reason}");
        }
        (status.state == ForwardState::Listening).then(|| status.clone())
    });
    status
}

fn is_called(status: &ForwardStatus, name: &str) -> bool {
    status.spec.name.as_deref() == Some(name)
}

/// The ready pods behind a Service of the namespace `shop`.
fn ready_pods(scene: &Scene, service: &str) -> BTreeSet<String> {
    let service = ObjectKey::new("shop", service);
    let slices = scene.inventory.slices_of(&service);
    let endpoints = slices.flat_map(|slice| slice.endpoints.clone());
    let ready = endpoints.filter(|endpoint| endpoint.ready);
    ready
        .filter_map(|endpoint| Some(endpoint.pod?.to_string()))
        .collect()
}

/// The name of the pod that answers.
fn answering(to: SocketAddr) -> String {
    let mut stream = TcpStream::connect(to).expect("the local port is open");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    stream
        .write_all(b"GET / HTTP/1.0\r\nhost: demo\r\n\r\n")
        .expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read");
    let word = answer
        .split(|letter: char| !letter.is_alphanumeric() && letter != '-')
        .find(|word| word.starts_with("api-") || word.starts_with("web-"));
    word.unwrap_or_else(|| panic!("no pod in {answer}"))
        .to_owned()
}

#[test]
fn a_balanced_forward_reaches_every_pod_and_a_pinned_one_only_its_own() {
    let demo = DemoWithHome::start();
    let engine = demo.engine();
    let start = |number, spread| {
        let web = ForwardTarget::Service(ObjectKey::new("shop", "web"));
        let spec = ForwardSpec {
            spread,
            ..ForwardSpec::new(web, RemotePort::Number(80))
        };
        engine.send(EngineCommand::StartForward(ForwardId(number), spec));
        let status = up(&engine, |status| status.id == ForwardId(number));
        status.local.expect("it listens")
    };
    let ready = ready_pods(&engine.handle.scene(), "web");
    let balanced = start(100, SpreadPolicy::Balanced);
    let pods: BTreeSet<_> = (0..ready.len()).map(|_| answering(balanced)).collect();
    assert_eq!(pods, ready);
    for (number, pod) in (101..).zip(&pods) {
        let pinned = start(number, SpreadPolicy::Pinned(pod.as_str().into()));
        assert!((0..3).all(|_| answering(pinned) == *pod));
    }
    let sticky = start(110, SpreadPolicy::Sticky);
    let first = answering(sticky);
    assert!((0..3).all(|_| answering(sticky) == first));
}

#[test]
fn what_is_saved_is_there_at_the_next_start_and_starts_with_it() {
    let demo = DemoWithHome::start();
    let engine = demo.engine();
    let id = ForwardId(engine.handle.next_id());
    let spec = ForwardSpec::new(api(), RemotePort::Number(8081));
    engine.send(EngineCommand::StartForward(id, spec));
    let port = up(&engine, |status| status.id == id)
        .local
        .map(|at| at.port());

    let mut with_app = saved("front", "shop");
    with_app.start_with_app = true;
    save(&engine, Some(id), None, with_app);
    save(&engine, None, None, saved("other", "shop"));
    engine.wait("the running one to bear its name", |scene| {
        scene
            .forwards
            .iter()
            .any(|status| is_called(status, "front"))
            && scene.saved_forwards.len() == 2
    });
    drop(engine);

    let engine = demo.engine();
    assert_eq!(engine.handle.scene().saved_forwards.len(), 2);
    let status = up(&engine, |status| is_called(status, "front"));
    // Which somebody else may have taken meanwhile.
    assert_eq!(
        status.spec.last_port, port,
        "the port of the last time is tried"
    );
    assert_eq!(engine.handle.scene().forwards.len(), 1);

    // The group: what is up stays as it is, the rest is started.
    engine.send(EngineCommand::StartSavedForwards(vec![
        "front".into(),
        "other".into(),
    ]));
    up(&engine, |status| is_called(status, "other"));
    let scene = engine.handle.scene();
    assert_eq!(scene.forwards.len(), 2);
    assert_eq!(scene.forwards[0].id, status.id);

    // One that was stopped starts again in its place.
    engine.send(EngineCommand::StopForward(status.id));
    engine.wait("it to stop", |scene| {
        scene.forwards[0].state == ForwardState::Stopped
    });
    engine.send(EngineCommand::StartSavedForwards(vec!["front".into()]));
    let again = up(&engine, |again| is_called(again, "front"));
    assert_eq!(
        (again.id, again.spec.last_port.is_some()),
        (status.id, true)
    );

    save(&engine, None, Some("front"), saved("window", "shop"));
    engine.wait("the new name", |scene| {
        is_called(&scene.forwards[0], "window") && &*scene.saved_forwards[0].name == "window"
    });
    engine.send(EngineCommand::ForgetForward("window".into()));
    engine.wait("it to be forgotten", |scene| {
        scene.forwards[0].spec.name.is_none() && scene.saved_forwards.len() == 1
    });
}

#[test]
fn a_forward_says_that_the_cluster_is_lost_and_comes_back_by_itself() {
    let demo = DemoWithHome::start();
    let engine = demo.engine();
    let id = ForwardId(engine.handle.next_id());
    let spec = ForwardSpec::new(api(), RemotePort::Number(8081));
    engine.send(EngineCommand::StartForward(id, spec));
    let local = up(&engine, |status| status.id == id)
        .local
        .expect("it listens");
    answering(local);

    demo.server.control().close_port();
    // A client that comes now is let down, and is the first to show it.
    let mut stream = TcpStream::connect(local).expect("it listens all the while");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
    let state = |wanted: fn(&ForwardState) -> bool| {
        engine.wait("another state", |scene| {
            scene.forwards.iter().any(|status| wanted(&status.state))
        })
    };
    state(|state| matches!(state, ForwardState::Reconnecting { .. }));
    demo.server.control().reopen_port();
    // By itself; whether the client that failed is still told of is a matter of what noticed first.
    state(|state| !matches!(state, ForwardState::Reconnecting { .. }));
    answering(local);
    state(|state| *state == ForwardState::Listening);
}

/// The ready pods of shop/web, as the cluster itself has them.
fn pods_of_web(demo: &DemoWithHome) -> BTreeSet<String> {
    let pods = demo.server.control().list("Pod", Some("shop"));
    let is_ready = |pod: &Value| {
        let conditions = pod["status"]["conditions"].as_array();
        conditions.is_some_and(|all| {
            all.iter()
                .any(|one| one["type"] == "Ready" && one["status"] == "True")
        })
    };
    pods.iter()
        .filter(|pod| is_ready(pod) && pod["metadata"]["deletionTimestamp"].is_null())
        .filter_map(|pod| pod["metadata"]["name"].as_str())
        .filter(|name| name.starts_with("web-"))
        .map(str::to_owned)
        .collect()
}

/// Every pod of shop/web goes, and others come.
fn replace_pods_of_web(demo: &DemoWithHome, engine: &EngineDriver) -> BTreeSet<String> {
    let old = pods_of_web(demo);
    for pod in &old {
        let deleted = demo.server.control().delete("Pod", "shop", pod);
        deleted.expect("the pod was there");
    }
    let started = Instant::now();
    loop {
        let new = pods_of_web(demo);
        if new.len() >= old.len() && new.is_disjoint(&old) {
            return new;
        }
        assert!(started.elapsed() < PATIENCE, "no new pods, but {new:?}");
        engine.wait_for_scene(Duration::from_millis(50));
    }
}

#[test]
fn a_forward_finds_the_new_pods_though_no_watch_tells_of_them() {
    for fault in [WatchFault::DropsEvents, WatchFault::EndsAtOnce] {
        let demo = DemoWithHome::start();
        let engine = demo.engine();
        let id = ForwardId(engine.handle.next_id());
        let web = ForwardTarget::Service(ObjectKey::new("shop", "web"));
        let spec = ForwardSpec::new(web, RemotePort::Number(80));
        engine.send(EngineCommand::StartForward(id, spec));
        let local = up(&engine, |status| status.id == id)
            .local
            .expect("it listens");
        answering(local);
        demo.server.control().break_watches(Some(fault));
        let new = replace_pods_of_web(&demo, &engine);
        let answered = answering(local);
        assert!(new.contains(&answered), "{fault:?}: {answered} of {new:?}");
    }
}

#[test]
fn what_is_exported_is_imported() {
    let demo = DemoWithHome::start();
    let engine = demo.engine();
    save(&engine, None, None, saved("front", "shop"));
    let file = demo.file("shop.json");
    engine.send(EngineCommand::ExportForwards(file.clone()));
    let says = |words: &'static str| {
        engine.wait(words, |scene| {
            scene
                .activity
                .iter()
                .any(|entry| entry.text.contains(words))
        });
    };
    says("Exported 1 forwards to ");
    engine.send(EngineCommand::ExportForwards(file.clone()));
    says("exists already");
    engine.send(EngineCommand::ForgetForward("front".into()));
    engine.send(EngineCommand::ImportForwards(file.clone()));
    says("Imported 1 forwards");
    assert_eq!(
        engine.handle.scene().saved_forwards[..],
        [saved("front", "shop")]
    );
    fs::write(&file, "{}").expect("written");
    engine.send(EngineCommand::ImportForwards(file));
    says("Forwards not imported: ");
}

#[test]
fn a_spoiled_file_of_forwards_is_kept_aside_and_said() {
    let demo = DemoWithHome::start();
    let file = demo.file("svcscope/forwards.json");
    fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    fs::write(&file, "{\"contexts\": {").expect("written");
    let listed = demo.run(&["--list"]);
    assert!(stderr(&listed).contains("saved forwards in "));
    let engine = demo.engine();
    let warns = |words: &str| {
        engine.wait("a warning", |scene| {
            scene.activity.iter().any(|entry| {
                entry.text.contains("saved forwards in ") && entry.text.contains(words)
            })
        });
    };
    // Whoever only reads leaves it.
    warns("it stays as it is");
    assert_eq!(fs::read_to_string(&file).expect("kept"), "{\"contexts\": {");
    save(&engine, None, None, saved("web", "shop"));
    warns("it is kept as ");
    let aside = fs::read_to_string(demo.file("svcscope/forwards.json.broken"));
    assert_eq!(aside.expect("kept"), "{\"contexts\": {");
}

#[test]
fn the_program_prints_what_kubectl_prints_then_what_happens() {
    let demo = DemoWithHome::start();
    let mut child = demo
        .forward(&["svc/api", "0:8081"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("svcscope runs");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let mut next = || lines.next().expect("a line").expect("text");
    let address = |line: &str| -> SocketAddr {
        let rest = line.strip_prefix("Forwarding from ");
        let address = rest.and_then(|rest| rest.strip_suffix(" -> 8080"));
        let address = address.unwrap_or_else(|| panic!("{line}"));
        address.parse().expect("an address")
    };
    let local = address(&next());
    assert!(local.is_ipv4());
    if TcpListener::bind("[::1]:0").is_ok() {
        assert_eq!(
            address(&next()),
            SocketAddr::new([0, 0, 0, 0, 0, 0, 0, 1].into(), local.port())
        );
    }
    answering(local);
    assert_eq!(next(), format!("Handling connection for {}", local.port()));
    child.kill().expect("killed");
    child.wait().expect("ended");
}

#[test]
fn the_program_prints_one_event_a_line() {
    let demo = DemoWithHome::start();
    let mut child = demo
        .forward(&["svc/api", ":8081", "--balance", "-o", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("svcscope runs");
    let lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let mut events =
        lines.map(|line| -> Value { serde_json::from_str(&line.expect("text")).expect("JSON") });
    let mut until = |what: &str, wanted: &dyn Fn(&Value) -> bool| {
        let found = events.find(|event| wanted(event));
        found.unwrap_or_else(|| panic!("no event with {what}"))
    };
    let listening = until("the addresses", &|event| event["event"] == "listening");
    assert_eq!(listening["target"], "svc/api");
    assert_eq!(listening["port"], 8081);
    assert_eq!(listening["podPort"], 8080);
    let local: SocketAddr = listening["addresses"][0]
        .as_str()
        .expect("an address")
        .parse()
        .expect("an address");
    until("its state", &|event| event["state"] == "listening");
    let held = TcpStream::connect(local).expect("open");
    let connected = until("a connection", &|event| event["open"] == 1);
    assert_eq!(connected["pods"][0]["port"], 8080);
    drop(held);
    let ended = until("its end", &|event| event["open"] == 0);
    assert_eq!(ended["total"], 1);
    child.kill().expect("killed");
    child.wait().expect("ended");
}

#[test]
fn a_command_is_run_with_the_forwards_up_and_gives_the_exit_code() {
    let demo = DemoWithHome::start();
    let script =
        "echo $SVCSCOPE_PORT $SVCSCOPE_PORTS $SVCSCOPE_PORT_8081 $SVCSCOPE_ADDRESS; exit 7";
    let output = demo.run(&["svc/api", ":8081", ":http", "--exec", "sh", "-c", script]);
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    let text = stdout(&output);
    let words: Vec<_> = text.split_whitespace().collect();
    let [first, also_first, second, by_port, address] = words[..] else {
        panic!("{text}");
    };
    assert_eq!((first, first), (also_first, by_port));
    assert_ne!(first, second);
    assert_eq!(address, format!("127.0.0.1:{first}"));
    assert!(stderr(&output).contains("Forwarding from 127.0.0.1:"));

    let output = demo.run(&["svc/api", ":8081", "--exec", "/no/such/program"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("could not run /no/such/program"));
}

#[cfg(unix)]
#[test]
fn a_request_to_end_is_passed_on_to_the_command() {
    the_command_is_sent("TERM");
}

#[cfg(unix)]
#[test]
fn an_interrupt_is_passed_on_where_no_terminal_sends_it() {
    the_command_is_sent("INT");
}

/// The command of `--exec` gets this signal, and svcscope ends with its exit code.
#[cfg(unix)]
#[track_caller]
fn the_command_is_sent(signal: &str) {
    let demo = DemoWithHome::start();
    let script = format!("trap 'exit 9' {signal}; echo up; while :; do sleep 0.1; done");
    let mut child = demo
        .forward(&["svc/api", ":8081", "--exec", "sh", "-c", &script])
        .stdout(Stdio::piped())
        .spawn()
        .expect("svcscope runs");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "up");
    let sent = Process::new("kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
    assert_eq!(child.wait().expect("ended").code(), Some(9));
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_does_not_outlive_svcscope() {
    let demo = DemoWithHome::start();
    let mut child = demo
        .forward(&[
            "svc/api",
            ":8081",
            "--exec",
            "sh",
            "-c",
            "trap '' HUP TERM; echo $$; exec cat",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("svcscope runs");
    // Held open, so that only a signal ends the command.
    let _stdin = child.stdin.take();
    let mut out = BufReader::new(child.stdout.take().expect("stdout"));
    let mut line = String::new();
    out.read_line(&mut line).expect("its number");
    child.kill().expect("killed");
    child.wait().expect("ended");
    // The other end of the pipe is the command's alone: it closes with the command.
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the end");
    assert_eq!(rest, "");
}

#[test]
fn forwards_of_others_are_shown_and_asked_for() {
    let demo = DemoWithHome::start();
    let file = demo.file("theirs.json");
    let evil = r#"{"svcscope_forwards": 1, "forwards": [{"name": "evil", "namespace": "shop",
        "target": "svc/web", "port": 80, "local_port": 18099, "local_address": "0.0.0.0",
        "start_with_app": true}, {"name": "good", "namespace": "shop", "target": "svc/api", "port": 8081}]}"#;
    fs::write(&file, evil).expect("written");
    let file = file.to_str().expect("text");
    for words in [
        &["--import", file][..],
        &["--import", file, "--yes"],
        &["--import", file, "--confirm", "yes"],
    ] {
        let output = demo.run(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        let said = stderr(&output);
        assert!(
            said.contains("nothing was imported") && said.contains("--confirm listen"),
            "{said}"
        );
        let shown = "evil: 0.0.0.0:18099 -> svc/web port 80 in shop  others can reach it  starts with the app";
        assert!(stdout(&output).contains(shown), "{}", stdout(&output));
    }
    assert_eq!(demo.done(&["--list"]), "");
    let refused = demo.run(&["--import", "/dev/zero", "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("it is no regular file"));
    demo.done(&["--import", file, "--confirm", "listen"]);
    let listed = demo.done(&["--list"]);
    assert!(listed.contains("evil: 0.0.0.0:18099 -> ") && listed.contains("starts with the app"));

    // The window tells it when it listens.
    let engine = demo.engine();
    engine.wait("the word about the address", |scene| {
        let mut activity = scene.activity.iter();
        activity.any(|entry| {
            entry
                .text
                .contains("Forward evil listens at 0.0.0.0:18099, reachable from other machines")
        })
    });
    engine.send(EngineCommand::PreviewForwardImport(file.into()));
    let (offer, _) = engine.find("the offer", |scene| scene.import_offer.clone());
    assert_eq!(offer.forwards.len(), 2);
    fs::write(file, "{}").expect("written");
    engine.send(EngineCommand::ImportForwards(file.into()));
    engine.wait("what was shown", |scene| scene.import_offer.is_none());
}

#[test]
fn a_saved_forward_that_is_not_understood_is_reported() {
    let demo = DemoWithHome::start();
    let file = demo.file("svcscope/forwards.json");
    fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    let text = r#"{"version": 1, "contexts": {"demo": {"forwards": [
        {"name": "web", "namespace": "shop", "target": "svc/web", "port": 80}, {"name": 7}]}}}"#;
    fs::write(&file, text).expect("written");
    for (words, code) in [(&["--list"][..], 0), (&["--saved", "7"], 4)] {
        let output = demo.run(words);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(
            said.contains("1 saved forwards of context demo") && said.contains("they are kept"),
            "{said}"
        );
    }
    assert!(demo.done(&["--list"]).starts_with("web: "));
}

#[cfg(target_os = "linux")]
#[test]
fn a_list_that_could_not_be_printed_is_reported() {
    let demo = DemoWithHome::start();
    demo.done(&["svc/api", ":8081", "--save", "api", "--exec", "true"]);
    let full = fs::File::options().write(true).open("/dev/full");
    let mut list = demo.forward(&["--list"]);
    let output = list.stdout(full.expect("opened")).output().expect("run");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("could not write to stdout"));
}

#[test]
fn the_program_keeps_forwards_and_starts_them_by_group() {
    let demo = DemoWithHome::start();
    let go = ["--exec", "true"];
    let save = |words: &[&str]| demo.done(&[words, &go].concat());
    save(&[
        "svc/api",
        ":8081",
        "--save",
        "front",
        "--group",
        "shop",
        "--balance",
    ]);
    save(&["deploy/api", ":8080", "--save", "direct", "--group", "shop"]);
    let script = "test $SVCSCOPE_PORT_ALONE = $SVCSCOPE_PORT";
    let words = ["svc/web", ":80", "--save", "alone", "--start-with-app"];
    demo.done(&[&words[..], &["--exec", "sh", "-c", script]].concat());
    let listed: Value = serde_json::from_str(&demo.done(&["--list", "-o", "json"])).expect("JSON");
    let names: Vec<_> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["front", "direct", "alone"]);
    assert_eq!(listed[0]["spread"], "balanced");
    let text = demo.done(&["--list", "--group", "shop"]);
    assert_eq!(text.lines().count(), 2, "{text}");

    let script = "echo $SVCSCOPE_PORTS; test -n \"$SVCSCOPE_PORT_DIRECT\"";
    let ports = demo.done(&["--group", "shop", "--exec", "sh", "-c", script]);
    assert_eq!(ports.split_whitespace().count(), 2, "{ports}");
    let ports = demo.done(&[
        "--saved",
        "alone",
        "--exec",
        "sh",
        "-c",
        "echo $SVCSCOPE_PORTS",
    ]);
    assert_eq!(ports.split_whitespace().count(), 1, "{ports}");

    let file = demo.file("shop.json");
    let file = file.to_str().expect("text");
    demo.done(&["--export", file, "--group", "shop"]);
    demo.done(&["--forget", "front"]);
    let unasked = demo.run(&["--import", file]);
    assert_eq!(unasked.status.code(), Some(2), "{}", stderr(&unasked));
    assert!(stdout(&unasked).contains("front: localhost, any port -> svc/api port"));
    assert_eq!(demo.done(&["--list"]).lines().count(), 2);
    demo.done(&["--import", file, "--yes"]);
    assert_eq!(demo.done(&["--list"]).lines().count(), 3);

    for (words, code, said) in [
        (
            &["--saved", "none"][..],
            4,
            "no saved forward called `none`",
        ),
        (&["--group", "none"], 4, "no saved forward in group `none`"),
        (&["--forget", "none"], 4, "no saved forward called `none`"),
        (&["svc/none", "80"], 4, "there is no svc/none"),
        (&["svc/api"], 2, "give the port after the target"),
        (&["svc/api", "80", "--group", "x"], 2, "--save NAME"),
        (&["svc/api", ":8081", "--save", " "], 2, "a name is needed"),
    ] {
        let output = demo.run(words);
        assert_eq!(output.status.code(), Some(code), "{words:?}");
        let text = stderr(&output);
        assert!(text.contains(said), "{text}");
    }
}

#[test]
fn a_taken_port_ends_the_program_before_the_command_runs() {
    let demo = DemoWithHome::start();
    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = held.local_addr().expect("bound").port();
    let pair = format!("{port}:8081");
    let output = demo.run(&["svc/api", &pair, "--exec", "echo", "ran"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "");
    let said = format!("local port {port} is taken by ");
    assert!(stderr(&output).contains(&said), "{}", stderr(&output));
    let output = demo.run(&["svc/api", &pair]);
    assert_eq!(output.status.code(), Some(1));
}
