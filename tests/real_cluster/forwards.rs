//! Forwards and requests into real pods.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    process::Stdio,
    time::Instant,
};

use svcscope::{
    engine::{Command, RequestState},
    forward::{ForwardId, ForwardSpec, ForwardState, ForwardTarget, RemotePort},
    inventory::ObjectKey,
    probe::{CurlRequest, RequestId, Scheme},
};

use crate::{
    common::{Driven, PATIENCE, run_svcscope, stderr, stdout, svcscope},
    kubeconfig,
    sample::Sample,
};

fn forward(engine: &Driven, target: ForwardTarget, port: RemotePort) -> (ForwardId, SocketAddr) {
    let id = ForwardId(engine.handle.next_id());
    engine.send(Command::StartForward(id, ForwardSpec::new(target, port)));
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
fn a_forward_carries_100_mb_whole() {
    let Some(file) = kubeconfig() else { return };
    let sample = Sample::deploy(&file, "bulk");
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
fn a_half_closed_request_is_answered_whole() {
    let Some(file) = kubeconfig() else { return };
    let sample = Sample::deploy(&file, "half");
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
fn pods_and_deployments_are_targets_too_and_a_dead_pod_is_replaced() {
    let Some(file) = kubeconfig() else { return };
    let sample = Sample::deploy(&file, "targets");
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

    engine.send(Command::StopForward(id));
    engine.wait("the forward to stop", |scene| {
        scene
            .forwards
            .iter()
            .any(|status| status.id == id && status.state == ForwardState::Stopped)
    });
}

/// The pod that answers, by its own word: `hello from NAME /`.
fn answering_pod(local: SocketAddr) -> String {
    let mut stream = connect(local);
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read");
    let (_, rest) = answer
        .split_once("hello from ")
        .unwrap_or_else(|| panic!("{answer}"));
    rest.split_whitespace().next().expect("a name").to_owned()
}

#[test]
fn a_request_is_answered_by_window_and_by_command_line() {
    let Some(file) = kubeconfig() else { return };
    let sample = Sample::deploy(&file, "curl");
    let engine = sample.engine();
    let id = RequestId(engine.handle.next_id());
    engine.send(Command::Curl(
        id,
        CurlRequest {
            target: ForwardTarget::Service(ObjectKey::new(&*sample.namespace, "web")),
            port: RemotePort::Number(80),
            scheme: Scheme::Http,
            method: "GET".to_owned(),
            path: "/status?code=418".to_owned(),
            headers: Vec::new(),
            body: None,
            timeout: PATIENCE,
        },
    ));
    let (response, _) = engine.find("an answer", |scene| {
        let status = scene.requests.iter().find(|status| status.id == id)?;
        match &status.state {
            RequestState::Running => None,
            RequestState::Done(response) => Some(response.clone()),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(response.status, 418);

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
fn the_command_line_forwards_as_kubectl_does() {
    let Some(file) = kubeconfig() else { return };
    let sample = Sample::deploy(&file, "cli");
    let mut child = svcscope(&[&["forward", "svc/web", "0:http"], &sample.flags()[..]].concat())
        .stdout(Stdio::piped())
        .spawn()
        .expect("svcscope runs");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let first = lines.next().expect("a line").expect("text");
    assert!(first.ends_with(" -> 8080"), "{first}");
    let local = first
        .strip_prefix("Forwarding from ")
        .and_then(|rest| rest.split(' ').next())
        .unwrap_or_else(|| panic!("{first}"))
        .parse()
        .expect("an address");
    assert!(answering_pod(local).starts_with("web-"));
    let second = lines.next().expect("a line").expect("text");
    assert!(second.starts_with("Handling connection for "), "{second}");
    child.kill().expect("killed");
    child.wait().expect("ended");
}
