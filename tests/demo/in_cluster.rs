//! Commands in containers and probe pods, against the demo cluster.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use svcscope_demo::{DemoServer, DenyRule, DenyScope};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::probe::in_cluster::{
    PodAccess, PodCommand, PodError, PodErrorKind, PodOutput, ProbeImage, ProbePodFactory,
    ProbePodStore,
};
use tokio_util::task::TaskTracker;

use crate::connection::{connect, static_demo};

/// What was noted and not struck.
#[derive(Default)]
struct RecordedProbePods(Mutex<Vec<ObjectKey>>);

impl ProbePodStore for RecordedProbePods {
    fn add(&self, pod: &ObjectKey) {
        self.0.lock().unwrap().push(pod.clone());
    }

    fn remove(&self, pod: &ObjectKey) {
        self.0.lock().unwrap().retain(|noted| noted != pod);
    }
}

async fn probes(server: &DemoServer) -> (ProbePodFactory, Arc<RecordedProbePods>) {
    let notebook = Arc::new(RecordedProbePods::default());
    let with = ProbePodFactory {
        access: connect(server).await.pods(),
        image: ProbeImage::default(),
        session: "s1".into(),
        store: notebook.clone(),
        tracker: TaskTracker::new(),
    };
    (with, notebook)
}

async fn run(
    access: &dyn PodAccess,
    pod: &ObjectKey,
    words: &[&str],
) -> Result<PodOutput, PodError> {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    access
        .run(&PodCommand::new(
            pod.clone(),
            words,
            Duration::from_secs(10),
        ))
        .await
}

fn said(output: &PodOutput) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.code, text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_pod_reaches_services_by_address_and_name_and_is_removed() {
    let server = static_demo().await;
    let control = server.control();
    let (with, noted) = probes(&server).await;
    let pod = with.start("shop", 1).await.unwrap();
    let curl = async |words: &[&str]| {
        let words = [
            &["curl", "-sSi", "-m", "3", "--connect-timeout", "1"],
            words,
        ]
        .concat();
        said(&run(&*with.access, pod.key(), &words).await.unwrap())
    };

    let ready = control.list("Service", Some("shop"));
    let ready = ready
        .iter()
        .find(|service| {
            let ports = &service["spec"]["ports"];
            let endpoints = control.get(
                "Endpoints",
                "shop",
                service["metadata"]["name"].as_str().unwrap(),
            );
            ports[0]["name"] == "http"
                && endpoints.is_some_and(|it| it["subsets"][0]["addresses"][0]["ip"].is_string())
                && service["spec"]["clusterIP"] != "None"
        })
        .expect("a Service with endpoints");
    let name = ready["metadata"]["name"].as_str().unwrap();
    let address = ready["spec"]["clusterIP"].as_str().unwrap();
    let port = ready["spec"]["ports"][0]["port"].as_u64().unwrap();
    for host in [
        address.to_owned(),
        name.to_owned(),
        format!("{name}.shop"),
        format!("{name}.shop.svc.cluster.local"),
    ] {
        let url = format!("http://{host}:{port}/");
        let (code, out, err) = curl(&["-w", "%{stderr}%{http_code} %{size_header}", &url]).await;
        assert_eq!(code, Some(0), "{url}: {err}");
        assert!(out.starts_with("HTTP/1.1 200 OK\r\n"), "{url}: {out}");
        let head = out.find("\r\n\r\n").unwrap() + 4;
        assert_eq!(err, format!("200 {head}"), "{url}");
    }
    let (code, _, err) = curl(&["http://no-such-name/"]).await;
    assert_eq!(code, Some(6), "{err}");
    // Only the ports of a Service have rules.
    let (code, _, err) = curl(&[&format!("http://{address}:4321/")]).await;
    assert_eq!(code, Some(28), "{err}");
    // A pod's own address answers where something listens, and refuses elsewhere.
    let endpoints = control.get("Endpoints", "shop", name).unwrap();
    let pod_ip = endpoints["subsets"][0]["addresses"][0]["ip"]
        .as_str()
        .unwrap()
        .to_owned();
    let (code, _, err) = curl(&[&format!("http://{pod_ip}:4321/")]).await;
    assert_eq!(code, Some(7), "{err}");

    let key = pod.key().clone();
    pod.remove().await.unwrap();
    assert!(noted.0.lock().unwrap().is_empty());
    assert!(control.get("Pod", "shop", &key.name).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_hold_what_their_image_holds() {
    let server = static_demo().await;
    let access = connect(&server).await.pods();
    let pods = server.control().list("Pod", Some("shop"));
    let running = pods
        .iter()
        .find(|pod| pod["status"]["containerStatuses"][0]["state"]["running"].is_object())
        .unwrap();
    let key = ObjectKey::new("shop", running["metadata"]["name"].as_str().unwrap());
    let error = run(&*access, &key, &["curl", "--version"])
        .await
        .unwrap_err();
    assert_eq!(error.kind, PodErrorKind::NoProgram, "{error}");
    let (code, _, err) = said(&run(&*access, &key, &["wget", "--version"]).await.unwrap());
    assert_eq!(code, Some(1));
    assert!(err.contains("BusyBox"), "{err}");
    let other = PodCommand {
        container: Some("other".into()),
        ..PodCommand::new(key, vec!["true".to_owned()], Duration::from_secs(5))
    };
    let error = access.run(&other).await.unwrap_err();
    assert_eq!(error.kind, PodErrorKind::NoContainer, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_reported_and_leave_nothing_behind() {
    let server = static_demo().await;
    let (with, noted) = probes(&server).await;
    server.control().deny(DenyRule::new(
        "create",
        "pods",
        DenyScope::Namespace("shop".to_owned()),
    ));
    let refused = with.start("shop", 1).await.err().expect("it is refused");
    assert_eq!(refused.kind, PodErrorKind::Forbidden, "{refused}");
    assert!(
        refused.message.contains("cannot create resource"),
        "{refused}"
    );
    assert!(noted.0.lock().unwrap().is_empty());

    server.control().allow_all();
    let pod = with.start("shop", 2).await.unwrap();
    server
        .control()
        .deny(DenyRule::new("create", "pods/exec", DenyScope::Everywhere));
    let refused = run(&*with.access, pod.key(), &["true"]).await.unwrap_err();
    assert_eq!(refused.kind, PodErrorKind::Forbidden, "{refused}");
    assert!(refused.message.contains("pods/exec"), "{refused}");
    drop(pod);
    with.tracker.close();
    with.tracker.wait().await;
    let selector = "app.kubernetes.io/managed-by=svcscope";
    assert_eq!(
        with.access.list(None, selector).await.unwrap(),
        [json!(null); 0]
    );
    assert!(noted.0.lock().unwrap().is_empty());
}
