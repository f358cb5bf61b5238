//! The way into pods and the way to change Services, against the demo cluster.

use serde_json::json;
use svcscope_demo::{DemoServer, DenyRule, DenyScope};
use svcscope_edit::{ServiceWriteError, WriteMode};
use svcscope_model::inventory::{ObjectKey, ServiceType};
use svcscope_net::forward::DialErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::connection::{connect, static_demo};

/// A pod that is ready, and the first port that it declares.
fn ready_pod(server: &DemoServer) -> (ObjectKey, u16) {
    let pods = server.control().list("Pod", None);
    pods.iter()
        .find_map(|pod| {
            let ready = pod["status"]["conditions"]
                .as_array()?
                .iter()
                .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
            let port = pod["spec"]["containers"][0]["ports"][0]["containerPort"].as_u64()?;
            let text = |field: &str| pod["metadata"][field].as_str().unwrap().to_owned();
            ready.then(|| {
                (
                    ObjectKey::new(text("namespace"), text("name")),
                    u16::try_from(port).unwrap(),
                )
            })
        })
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_goes_in_and_its_answer_comes_out_after_the_half_close() {
    let server = static_demo().await;
    let dialer = connect(&server).await.dialer();
    let (pod, port) = ready_pod(&server);
    let mut stream = dialer.dial(&pod, port).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1."), "{answer}");
    assert!(answer.contains("\r\n\r\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_pod_is_not_reached_is_known() {
    let server = static_demo().await;
    let dialer = connect(&server).await.dialer();
    let (pod, port) = ready_pod(&server);
    let gone = ObjectKey::new(pod.namespace.clone(), "no-such-pod");
    let error = dialer.dial(&gone, port).await.err().unwrap();
    assert_eq!(error.kind, DialErrorKind::PodGone);
    assert!(error.message.contains("no-such-pod"), "{error}");
    let error = dialer.dial(&pod, 1).await.err().unwrap();
    assert_eq!(error.kind, DialErrorKind::Refused, "{error}");
    assert!(error.message.contains("nothing listens"), "{error}");
    // A session that is open stays open, whatever becomes of rights: begin without one.
    let dialer = connect(&server).await.dialer();
    server.control().deny(DenyRule::new(
        "*",
        "pods/portforward",
        DenyScope::Everywhere,
    ));
    let error = dialer.dial(&pod, port).await.err().unwrap();
    assert_eq!(error.kind, DialErrorKind::Forbidden);
    assert!(error.message.contains("pods/portforward"), "{error}");
    server.control().allow_all();
    server.control().rotate_token();
    let error = dialer.dial(&pod, port).await.err().unwrap();
    assert_eq!(error.kind, DialErrorKind::Unauthorized);
    server.control().close_port();
    let error = dialer.dial(&pod, port).await.err().unwrap();
    assert_eq!(error.kind, DialErrorKind::Unreachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_type_is_tried_then_made_and_a_stale_one_refused() {
    let server = static_demo().await;
    let writer = connect(&server).await.writer();
    let key = ObjectKey::new("shop", "web");
    let before = writer.read(&key).await.unwrap().service;
    let to = |service_type: &str| {
        json!({
            "metadata": {"resourceVersion": &*before.resource_version},
            "spec": {"type": service_type},
        })
    };
    let wanted = match before.service_type {
        ServiceType::NodePort => ServiceType::LoadBalancer,
        _ => ServiceType::NodePort,
    };
    let tried = writer
        .patch(&key, &to(wanted.as_str()), WriteMode::DryRun)
        .await
        .unwrap();
    assert_eq!(tried.service.service_type, wanted);
    assert_eq!(
        writer.read(&key).await.unwrap().service,
        before,
        "a dry run changes nothing"
    );
    writer
        .patch(&key, &to(wanted.as_str()), WriteMode::Apply)
        .await
        .unwrap();
    let after = writer.read(&key).await.unwrap().service;
    assert_eq!(after.service_type, wanted);
    assert!(after.ports.iter().all(|port| port.node_port.is_some()));
    assert!(
        after
            .managers
            .iter()
            .any(|manager| &**manager == "svcscope"),
        "{:?}",
        after.managers
    );
    let error = writer
        .patch(&key, &to("ClusterIP"), WriteMode::Apply)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ServiceWriteError::Conflict { .. }),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_complains_of_is_known_by_field() {
    let server = static_demo().await;
    let writer = connect(&server).await.writer();
    let key = ObjectKey::new("shop", "web");
    let nonsense = json!({"spec": {"type": "Nonsense"}});
    let error = writer
        .patch(&key, &nonsense, WriteMode::DryRun)
        .await
        .unwrap_err();
    let ServiceWriteError::Invalid { message, fields } = error else {
        panic!("{error:?}");
    };
    assert!(message.contains("Nonsense"), "{message}");
    assert!(
        fields.iter().any(|field| &*field.field == "spec.type"),
        "{fields:?}"
    );
    let missing = ObjectKey::new("shop", "no-such-service");
    let error = writer.read(&missing).await.unwrap_err();
    assert!(
        matches!(error, ServiceWriteError::NotFound { .. }),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_shown_whole_and_without_managed_fields() {
    let server = static_demo().await;
    let cluster = connect(&server).await;
    let yaml = cluster
        .service_yaml(&ObjectKey::new("shop", "web"))
        .await
        .unwrap();
    assert!(
        yaml.contains("name: web") && yaml.contains("spec:"),
        "{yaml}"
    );
    assert!(!yaml.contains("managedFields"), "{yaml}");
}
