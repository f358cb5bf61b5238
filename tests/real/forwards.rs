//! Forwards and requests into real pods.

use std::{
    collections::BTreeSet,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use svcscope_engine::{EngineCommand, RequestState};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::{
    forward::{ForwardId, ForwardSpec, ForwardState, ForwardTarget, RemotePort, SpreadPolicy},
    probe::{CurlRequest, RequestId},
};
use svcscope_testkit::cluster::{EngineDriver, PATIENCE, run_svcscope, stderr, stdout, svcscope};

use crate::{kubeconfig, sample::WebSampleNamespace};

pub fn forward(
    engine: &EngineDriver,
    target: ForwardTarget,
    port: RemotePort,
) -> (ForwardId, SocketAddr) {
    start(engine, ForwardSpec::new(target, port))
}

fn start(engine: &EngineDriver, spec: ForwardSpec) -> (ForwardId, SocketAddr) {
    let id = ForwardId(engine.handle.next_id());
    engine.send(EngineCommand::StartForward(id, spec));
    let (local, _) = engine.find("the forward to listen", |scene| {
        let status = scene.forwards.iter().find(|status| status.id == id)?;
        if let ForwardState::Failed { reason } = &status.state {
            panic!("the forward failed: {reason}");
        }
        status.local
    });
    (id, local)
}

fn connect(local: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(local).expect("the listener accepts");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time limit");
    stream
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn a_forward_carries_100_mb_whole() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "bulk");
    let engine = sample.engine();
    let web = ForwardTarget::Service(ObjectKey::new(&*sample.namespace, "web"));
    let (_, local) = forward(&engine, web.clone(), RemotePort::Name("http".into()));

    // Down: 100 MB that the pod makes, all zero bytes.
    let size = 100 << 20;
    let mut stream = connect(local);
    let request = format!("GET /bytes?n={size} HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let started = Instant::now();
    let mut answer = Vec::with_capacity(size + 1024);
    stream.read_to_end(&mut answer).expect("read");
    let body = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map(|at| &answer[at + 4..])
        .expect("a head");
    assert_eq!(body.len(), size);
    assert!(body.iter().all(|byte| *byte == 0));
    eprintln!(
        "100 MB down at {:.0} MB/s",
        100.0 / started.elapsed().as_secs_f64()
    );

    // Both ways through the echo: every byte comes back in its place.
    let (_, local) = forward(&engine, web, RemotePort::Name("echo".into()));
    let mut sender = connect(local);
    let mut receiver = sender.try_clone().expect("a second handle");
    let pattern = |at: usize| (at.wrapping_mul(2_654_435_761) >> 7) as u8;
    let size = 20 << 20;
    let started = Instant::now();
    let up = std::thread::spawn(move || {
        let bytes: Vec<u8> = (0..size).map(pattern).collect();
        sender.write_all(&bytes).expect("sent");
        sender.shutdown(Shutdown::Write).expect("half-closed");
    });
    let mut back = vec![0; size];
    receiver.read_exact(&mut back).expect("read");
    up.join().expect("the sender ends");
    assert!(
        back.iter()
            .enumerate()
            .all(|(at, byte)| *byte == pattern(at))
    );
    eprintln!(
        "20 MB up and back at {:.0} MB/s",
        20.0 / started.elapsed().as_secs_f64()
    );
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn a_half_closed_request_is_answered_whole() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "half");
    let engine = sample.engine();
    let web = ForwardTarget::Service(ObjectKey::new(&*sample.namespace, "web"));
    let (_, local) = forward(&engine, web, RemotePort::Number(80));
    let size = 3_000_000;
    let mut stream = connect(local);
    write!(stream, "GET /bytes?n={size} HTTP/1.0\r\n\r\n").expect("sent");
    stream.shutdown(Shutdown::Write).expect("half-closed");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("read");
    let head = answer
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .expect("a head")
        + 4;
    assert_eq!(answer.len() - head, size);
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn pods_and_deployments_are_targets_too_and_a_dead_pod_is_replaced() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "targets");
    let engine = sample.engine();
    let key = |name: &str| ObjectKey::new(&*sample.namespace, name);
    let deployment = ForwardTarget::Workload {
        kind: "Deployment".into(),
        key: key("web"),
    };
    let (id, local) = forward(&engine, deployment, RemotePort::Number(8080));
    let pod = answering_pod(local);

    sample.run(&["delete", "pod", &pod, "--wait=false"]);
    engine.wait("the deleted pod to leave", |scene| {
        scene
            .inventory
            .pod(&key(&pod))
            .is_none_or(|pod| pod.deleting.is_some())
    });
    let next = answering_pod(local);
    assert_ne!(next, pod, "the forward still leads to the deleted pod");

    let (_, local) = forward(
        &engine,
        ForwardTarget::Pod(key(&next)),
        RemotePort::Name("http".into()),
    );
    assert_eq!(answering_pod(local), next);

    engine.send(EngineCommand::StopForward(id));
    engine.wait("the forward to stop", |scene| {
        scene
            .forwards
            .iter()
            .any(|status| status.id == id && status.state == ForwardState::Stopped)
    });
}

/// The pod that answers, by its own word: `hello from NAME /`.
pub fn answering_pod(local: SocketAddr) -> String {
    ask(local).expect("an answer")
}

/// The same, where there may be none.
pub fn ask(local: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(local)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let name = answer
        .split_once("hello from ")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    name.map(str::to_owned)
        .ok_or_else(|| io::Error::other(format!("an answer that is none: {answer:?}")))
}

/// Pods of every kind of workload, and a Service whose endpoints were written by hand.
const KINDS: &str = r#"
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: NAMESPACE}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: POD}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: NAMESPACE}
spec:
  selector: {matchLabels: {app: agent}}
  template: {metadata: {labels: {app: agent}}, spec: POD}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: plain, namespace: NAMESPACE}
spec:
  selector: {matchLabels: {app: plain}}
  template: {metadata: {labels: {app: plain}}, spec: POD}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once, namespace: NAMESPACE}
spec:
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 0
      containers: [{name: httpd, image: "testkube/httpd:1", imagePullPolicy: Never}]
---
apiVersion: v1
kind: Service
metadata: {name: picked, namespace: NAMESPACE}
spec: {ports: [{port: 80, targetPort: 8080}]}
"#;

const POD: &str = r#"{terminationGracePeriodSeconds: 0, containers: [{name: httpd, image: "testkube/httpd:1", imagePullPolicy: Never, ports: [{name: http, containerPort: 8080}]}]}"#;

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn every_kind_of_target_is_reached() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "kinds");
    let manifest = KINDS.replace("POD", POD);
    let manifest = manifest.replace("NAMESPACE", &sample.namespace);
    sample.kubectl().apply(&manifest);
    let ip = "jsonpath={.items[0].status.podIP}";
    let started = Instant::now();
    let address = loop {
        let address = sample.run(&["get", "pods", "-l", "app=web", "-o", ip]);
        if !address.is_empty() {
            break address;
        }
        assert!(started.elapsed() < PATIENCE, "no pod has an address");
    };
    let name = "jsonpath={.items[0].metadata.name}";
    let web = sample.run(&["get", "pods", "-l", "app=web", "-o", name]);
    let namespace = &sample.namespace;
    sample.kubectl().apply(&format!(
        r#"
apiVersion: v1
kind: Endpoints
metadata: {{name: picked, namespace: {namespace}}}
subsets:
- addresses: [{{ip: {address}, targetRef: {{kind: Pod, name: {web}, namespace: {namespace}}}}}]
  ports: [{{port: 8080}}]
"#
    ));
    let engine = sample.engine();
    for (target, port, pod) in [
        ("svc/web", RemotePort::Name("http".into()), "web-"),
        ("svc/picked", RemotePort::Number(80), &*web),
        ("pod/WEB", RemotePort::Name("http".into()), &*web),
        ("deployment/web", RemotePort::Name("http".into()), "web-"),
        ("statefulset/db", RemotePort::Name("http".into()), "db-0"),
        ("daemonset/agent", RemotePort::Number(8080), "agent-"),
        ("replicaset/plain", RemotePort::Number(8080), "plain-"),
        ("job/once", RemotePort::Number(8080), "once-"),
    ] {
        let word = target.replace("WEB", &web);
        let target = ForwardTarget::parse(namespace, &word).expect("a target");
        let (id, local) = forward(&engine, target, port);
        // A client waits for a pod, but not for as long as an image may take to start.
        engine.wait("a pod to be ready", |scene| {
            let status = scene.forwards.iter().find(|status| status.id == id);
            status.is_some_and(|status| status.state == ForwardState::Listening)
        });
        let answered = answering_pod(local);
        assert!(answered.starts_with(pod), "{word}: {answered}");
    }
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn a_balanced_forward_reaches_all_ready_pods_and_no_other() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "balance");
    let engine = sample.engine();
    let balanced = ForwardSpec {
        spread: SpreadPolicy::Balanced,
        ..ForwardSpec::new(
            ForwardTarget::Service(ObjectKey::new(&*sample.namespace, "web")),
            RemotePort::Number(80),
        )
    };
    let (_, local) = start(&engine, balanced.clone());
    let both: BTreeSet<_> = (0..6).map(|_| answering_pod(local)).collect();
    assert_eq!(both.len(), 2, "{both:?}");
    for pod in &both {
        let pinned = ForwardSpec {
            spread: SpreadPolicy::Pinned(pod.as_str().into()),
            ..balanced.clone()
        };
        let (_, local) = start(&engine, pinned);
        assert!((0..3).all(|_| answering_pod(local) == *pod));
    }
}

/// Asks one request after the other until it is told to stop; counts the answers and those that
/// did not come.
fn keep_asking(local: SocketAddr, stop: Arc<AtomicBool>) -> thread::JoinHandle<(usize, usize)> {
    thread::spawn(move || {
        let (mut good, mut bad) = (0, 0);
        while !stop.load(Ordering::Relaxed) {
            match ask(local) {
                Ok(_pod) => good += 1,
                Err(error) => {
                    bad += 1;
                    eprintln!("no answer: {error}");
                }
            }
        }
        (good, bad)
    })
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn a_rollout_costs_only_what_was_under_way_on_a_pod_that_died() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "rollout");
    let engine = sample.engine();
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = [SpreadPolicy::Sticky, SpreadPolicy::Balanced]
        .map(|spread| {
            let spec = ForwardSpec {
                spread: spread.clone(),
                ..ForwardSpec::new(
                    ForwardTarget::Service(ObjectKey::new(&*sample.namespace, "web")),
                    RemotePort::Number(80),
                )
            };
            let (_, local) = start(&engine, spec);
            (spread, local, keep_asking(local, stop.clone()))
        })
        .into();
    sample.run(&["rollout", "restart", "deployment/web"]);
    sample.run(&["rollout", "status", "deployment/web", "--timeout=90s"]);
    let name = "jsonpath={.items[0].metadata.name}";
    let pod = sample.run(&["get", "pods", "-l", "app=web", "-o", name]);
    sample.run(&["delete", "pod", &pod]);
    sample.run(&["rollout", "status", "deployment/web", "--timeout=90s"]);
    stop.store(true, Ordering::Relaxed);
    for (spread, local, client) in clients {
        let (good, bad) = client.join().expect("the client ends");
        eprintln!("{spread:?}: {good} answered, {bad} not");
        // Each client has one request under way at a time, and three pods died.
        assert!(bad <= 3, "{spread:?}: {good} answered, {bad} not");
        assert!(good > 0);
        answering_pod(local);
    }
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn a_request_is_answered_by_window_and_by_command_line() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "curl");
    let engine = sample.engine();
    let id = RequestId(engine.handle.next_id());
    engine.send(EngineCommand::SendRequest(
        id,
        Box::new(CurlRequest {
            path: "/status?code=418".to_owned(),
            timeout: PATIENCE,
            ..CurlRequest::new(
                ForwardTarget::Service(ObjectKey::new(&*sample.namespace, "web")),
                RemotePort::Number(80),
            )
        }),
        None,
    ));
    let (response, _) = engine.find("an answer", |scene| {
        let status = scene.requests.iter().find(|status| status.id == id)?;
        match &status.state {
            RequestState::Running | RequestState::Receiving(_) => None,
            RequestState::Done(response) => Some(response.clone()),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(response.status(), Some(418));

    let output = run_svcscope(
        &[
            &["curl", "svc/web:http", "/hello", "-i"],
            &sample.flags()[..],
        ]
        .concat(),
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(
        text.contains("hello from web-") && text.contains("/hello"),
        "{text}"
    );

    let output = run_svcscope(
        &[
            &["curl", "svc/web", "/status?code=500", "--fail"],
            &sample.flags()[..],
        ]
        .concat(),
    );
    assert_eq!(output.status.code(), Some(22), "{}", stderr(&output));
    let output = run_svcscope(&[&["curl", "svc/absent"], &sample.flags()[..]].concat());
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn the_command_line_forwards_as_kubectl_does() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "cli");
    let mut child = svcscope(&[&["forward", "svc/web", "0:http"], &sample.flags()[..]].concat())
        .stdout(Stdio::piped())
        .spawn()
        .expect("svcscope runs");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let first = lines.next().expect("a line").expect("text");
    assert!(first.ends_with(" -> 8080"), "{first}");
    let local: SocketAddr = first
        .strip_prefix("Forwarding from ")
        .and_then(|rest| rest.split(' ').next())
        .unwrap_or_else(|| panic!("{first}"))
        .parse()
        .expect("an address");
    assert!(answering_pod(local).starts_with("web-"));
    let handling = format!("Handling connection for {}", local.port());
    // Where there is IPv6 its address stands in between.
    assert!(lines.take(2).any(|line| line.expect("text") == handling));
    child.kill().expect("killed");
    child.wait().expect("ended");
}
