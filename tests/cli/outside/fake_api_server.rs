//! An API server of which every text is hostile.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Writes the clipboard (OSC 52), clears the screen, forges a line, returns to the start of one,
/// starts a sequence by C1, turns the direction of writing.
pub const HOSTILE: &str =
    "quota\x1b]52;c;ZWNobw==\x07\x1b[2J\nforged: line\rforged\u{9b}31m\u{202e}gnp\x7f";

/// How the server answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FakeServerBehaviour {
    /// It serves two Services.
    Serves,
    /// As [`Self::Serves`], but refuses what is written.
    RefusesWrites,
    /// Everything gets this status.
    Refuses(u16),
    /// What it answers is text with this status.
    AnswersPlainText(u16),
}

/// A server until the test ends, and its kubeconfig.
pub struct FakeApiServer {
    _folder: TempDir,
    pub kubeconfig: PathBuf,
}

impl FakeApiServer {
    pub fn start(behaviour: FakeServerBehaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let server = format!("http://{}", listener.local_addr().expect("an address"));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // Who hangs up has heard enough.
                thread::spawn(move || answer(client, behaviour).ok());
            }
        });
        let folder = tempfile::tempdir().expect("a folder");
        let kubeconfig = folder.path().join("config");
        let config = json!({
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "namespace": "shop"}}],
            "current-context": "c",
        });
        std::fs::write(&kubeconfig, config.to_string()).expect("written");
        Self {
            _folder: folder,
            kubeconfig,
        }
    }
}

fn answer(mut client: TcpStream, manner: FakeServerBehaviour) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        let line = line.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = first.split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let serves = matches!(
        manner,
        FakeServerBehaviour::Serves | FakeServerBehaviour::RefusesWrites
    );
    if query.contains("watch=true") && serves {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
        client.write_all(head.as_bytes())?;
        // Until the client hangs up.
        return client.read(&mut [0]).map(drop);
    }
    let (status, answer) = match (manner, method) {
        (FakeServerBehaviour::AnswersPlainText(status), _) => (status, HOSTILE.to_owned()),
        (FakeServerBehaviour::Refuses(status), _) => (status, refusal(status)),
        (FakeServerBehaviour::RefusesWrites, "PUT" | "PATCH" | "POST" | "DELETE")
            if !path.contains("selfsubject") =>
        {
            (422, refusal(422))
        }
        _ => match object(path, &body) {
            Some(object) => (200, object.to_string()),
            // No group is discovered, and no other kind may be seen.
            None if path.split('/').count() < 5 => (404, refusal(404)),
            None => (403, refusal(403)),
        },
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Warning: 299 - \"beware {WARNING}\"\r\nContent-Length: {}\r\n\r\n",
        answer.len()
    );
    client.write_all(head.as_bytes())?;
    client.write_all(answer.as_bytes())
}

/// What a header can carry of it.
const WARNING: &str = "\u{9b}31m\u{202e}gnp";

fn refusal(status: u16) -> String {
    let cause = json!({"field": "spec.type", "message": HOSTILE, "reason": HOSTILE});
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status,
        "message": format!("admission webhook \"x\" denied the request: {HOSTILE}"),
        "reason": HOSTILE, "details": {"causes": [cause], "name": HOSTILE},
    })
    .to_string()
}

fn object(path: &str, body: &[u8]) -> Option<Value> {
    let list = |kind: &str, items: Value| json!({"kind": kind, "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": items});
    let last = path.rsplit('/').next().unwrap_or_default();
    Some(match last {
        "version" => {
            json!({"major": "1", "minor": "25", "gitVersion": format!("v1.25.2{HOSTILE}")})
        }
        "services" => list(
            "ServiceList",
            json!([service("web"), service("ok"), service(HOSTILE)]),
        ),
        "web" | "ok" if path.contains("/services/") => service(last),
        "pods" => list("PodList", json!([pod("web", false), pod("ok", true)])),
        "endpointslices" => list(
            "EndpointSliceList",
            json!([slice("web", false), slice("ok", true)]),
        ),
        "nodes" => list("NodeList", json!([node()])),
        "namespaces" => list("NamespaceList", json!([{"metadata": {"name": "shop"}}])),
        "events" => list("EventList", json!([event("Service"), event("Pod")])),
        "selfsubjectaccessreviews" => {
            let mut review: Value = serde_json::from_slice(body).ok()?;
            review["status"] = json!({"allowed": true, "reason": HOSTILE});
            review
        }
        _ => return None,
    })
}

fn meta(name: &str, app: &str) -> Value {
    json!({
        "name": name, "namespace": "shop", "resourceVersion": "7", "uid": format!("{name}-uid"),
        "labels": {"app": app, "note": HOSTILE},
        "annotations": {"note": HOSTILE, "svcscope.dev/ignore": HOSTILE},
        "creationTimestamp": "2026-01-01T00:00:00Z",
    })
}

fn service(name: &str) -> Value {
    let port = json!({"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP", "nodePort": 30080});
    json!({
        "kind": "Service", "apiVersion": "v1", "metadata": meta(name, name),
        "spec": {
            "type": "LoadBalancer", "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"],
            "selector": {"app": name, "note": HOSTILE}, "ports": [port],
            "externalIPs": [HOSTILE], "loadBalancerClass": HOSTILE,
        },
        "status": {"loadBalancer": {}, "conditions": [
            {"type": HOSTILE, "status": "False", "reason": HOSTILE, "message": HOSTILE},
        ]},
    })
}

fn pod(app: &str, is_ready: bool) -> Value {
    let status = if is_ready { "True" } else { "False" };
    let state = match is_ready {
        true => json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}),
        false => json!({"waiting": {"reason": HOSTILE, "message": HOSTILE}}),
    };
    let condition = |kind: &str| {
        json!({"type": kind, "status": status, "reason": HOSTILE, "message": HOSTILE,
               "lastTransitionTime": "2026-01-01T00:00:00Z"})
    };
    json!({
        "metadata": meta(&format!("{app}-1"), app),
        "spec": {
            "nodeName": HOSTILE,
            "containers": [{
                "name": "main", "image": HOSTILE,
                "ports": [{"name": "http", "containerPort": 8080}],
            }],
        },
        "status": {
            "phase": if is_ready { "Running" } else { "Pending" },
            "podIP": "10.1.0.1", "podIPs": [{"ip": "10.1.0.1"}],
            "reason": HOSTILE, "message": HOSTILE,
            "conditions": [condition("Ready"), condition("ContainersReady"), condition("PodScheduled")],
            "containerStatuses": [{
                "name": "main", "ready": is_ready, "restartCount": 9, "state": state,
                "image": HOSTILE, "imageID": "",
                "lastState": {"terminated": {"exitCode": 1, "reason": HOSTILE, "message": HOSTILE}},
            }],
        },
    })
}

fn slice(app: &str, is_ready: bool) -> Value {
    let mut metadata = meta(&format!("{app}-x"), app);
    metadata["labels"]["kubernetes.io/service-name"] = app.into();
    json!({
        "metadata": metadata, "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{
            "addresses": ["10.1.0.1"], "nodeName": HOSTILE, "zone": HOSTILE,
            "conditions": {"ready": is_ready, "serving": is_ready, "terminating": false},
            "targetRef": {"kind": "Pod", "namespace": "shop", "name": format!("{app}-1")},
        }],
    })
}

fn node() -> Value {
    json!({
        "metadata": {"name": HOSTILE, "labels": {"topology.kubernetes.io/zone": HOSTILE}},
        "status": {"addresses": [{"type": "InternalIP", "address": HOSTILE}]},
    })
}

fn event(kind: &str) -> Value {
    let name = if kind == "Pod" { "web-1" } else { "web" };
    json!({
        "metadata": {"name": format!("{name}.1"), "namespace": "shop"},
        "involvedObject": {"kind": kind, "namespace": "shop", "name": name, "uid": format!("{name}-uid")},
        "type": "Warning", "reason": "SyncLoadBalancerFailed", "message": HOSTILE, "count": 3,
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-11-01T00:00:00Z",
    })
}
