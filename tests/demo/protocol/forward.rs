//! Port-forward over WebSocket, and the proxies.

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use svcscope_demo::DemoOptions;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

use super::client::{DemoApiClient, PATIENCE, items};

type PortForwardSocket = WebSocketStream<TcpStream>;

async fn forward(
    cluster: &DemoApiClient,
    namespace: &str,
    pod: &str,
    port: u16,
) -> Result<PortForwardSocket, tungstenite::Error> {
    let url = format!(
        "ws://{}/api/v1/namespaces/{namespace}/pods/{pod}/portforward?&ports={port}",
        cluster.server.address()
    );
    let mut request = url.into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert(
        "authorization",
        format!("Bearer {}", cluster.server.token())
            .parse()
            .unwrap(),
    );
    headers.insert(
        "sec-websocket-protocol",
        "v5.channel.k8s.io, v4.channel.k8s.io".parse().unwrap(),
    );
    let stream = TcpStream::connect(cluster.server.address()).await.unwrap();
    let (socket, response) = tokio_tungstenite::client_async(request, stream).await?;
    assert_eq!(
        response.headers()["sec-websocket-protocol"],
        "v4.channel.k8s.io"
    );
    Ok(socket)
}

/// The next data message: its channel and bytes; `None` at the end.
async fn next(socket: &mut PortForwardSocket) -> Option<(u8, Vec<u8>)> {
    loop {
        match tokio::time::timeout(PATIENCE, socket.next())
            .await
            .expect("a message or the end")
        {
            Some(Ok(Message::Binary(bytes))) => return Some((bytes[0], bytes[1..].to_vec())),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            Some(Ok(_)) => {}
        }
    }
}

async fn opened(socket: &mut PortForwardSocket, port: u16) {
    for channel in [0, 1] {
        assert_eq!(
            next(socket).await,
            Some((channel, port.to_le_bytes().to_vec()))
        );
    }
}

fn pod_of(cluster: &DemoApiClient, namespace: &str, app: &str) -> String {
    let pods = cluster.server.control().list("Pod", Some(namespace));
    let pod = pods
        .iter()
        .find(|pod| pod["metadata"]["labels"]["app"] == app)
        .unwrap();
    pod["metadata"]["name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_pod_answers_http_through_the_forward() {
    let cluster = DemoApiClient::without_activity().await;
    let pod = pod_of(&cluster, "shop", "web");
    let mut socket = forward(&cluster, "shop", &pod, 8080).await.unwrap();
    opened(&mut socket, 8080).await;
    let request = b"\0GET /bytes?n=300000 HTTP/1.0\r\nhost: web\r\n\r\n".to_vec();
    socket.send(Message::Binary(request.into())).await.unwrap();
    let mut got = Vec::new();
    while let Some((channel, bytes)) = next(&mut socket).await {
        assert_eq!(channel, 0);
        got.extend(bytes);
    }
    let head = got
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let body = &got[head + 4..];
    assert_eq!(body.len(), 300_000);
    assert!(
        body.iter()
            .enumerate()
            .all(|(place, byte)| usize::from(*byte) == place % 251)
    );
}

#[tokio::test]
async fn an_echo_sends_back_what_it_gets() {
    let cluster = DemoApiClient::without_activity().await;
    let pod = pod_of(&cluster, "infra", "echo");
    let mut socket = forward(&cluster, "infra", &pod, 9000).await.unwrap();
    opened(&mut socket, 9000).await;
    let mut sent = vec![0_u8];
    sent.extend(b"hello".repeat(1000));
    socket
        .send(Message::Binary(sent.clone().into()))
        .await
        .unwrap();
    let mut got = Vec::new();
    while got.len() < 5000 {
        got.extend(next(&mut socket).await.unwrap().1);
    }
    assert_eq!(got, sent[1..]);
}

#[tokio::test]
async fn a_port_where_nothing_listens_is_reported_on_the_error_channel() {
    let cluster = DemoApiClient::without_activity().await;
    let pod = pod_of(&cluster, "shop", "web");
    let mut socket = forward(&cluster, "shop", &pod, 1).await.unwrap();
    opened(&mut socket, 1).await;
    let (channel, bytes) = next(&mut socket).await.unwrap();
    let said = String::from_utf8(bytes).unwrap();
    assert_eq!(channel, 1);
    assert!(
        said.starts_with("error forwarding port 1 to pod "),
        "{said}"
    );
    assert!(
        said.contains("dial tcp4 127.0.0.1:1: connect: connection refused"),
        "{said}"
    );
    assert_eq!(next(&mut socket).await, None);
}

#[tokio::test]
async fn a_forward_ends_with_its_pod() {
    let cluster = DemoApiClient::without_activity().await;
    let pod = pod_of(&cluster, "infra", "echo");
    let mut socket = forward(&cluster, "infra", &pod, 9000).await.unwrap();
    opened(&mut socket, 9000).await;
    cluster
        .server
        .control()
        .delete("Pod", "infra", &pod)
        .unwrap();
    assert_eq!(next(&mut socket).await, None);
}

#[tokio::test]
async fn a_missing_pod_is_404_and_a_missing_right_is_403() {
    let cluster = DemoApiClient::without_activity().await;
    let code = |result: Result<PortForwardSocket, tungstenite::Error>| match result {
        Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    };
    assert_eq!(code(forward(&cluster, "shop", "none", 80).await), 404);
    use svcscope_demo::{DenyRule, DenyScope};
    cluster.server.control().deny(DenyRule::new(
        "create",
        "pods/portforward",
        DenyScope::Everywhere,
    ));
    let pod = pod_of(&cluster, "shop", "web");
    assert_eq!(code(forward(&cluster, "shop", &pod, 8080).await), 403);
}

#[tokio::test]
async fn the_service_proxy_has_its_quirks() {
    let cluster = DemoApiClient::without_activity().await;
    let proxy = |id: &str, path: &str| format!("/api/v1/namespaces/shop/services/{id}/proxy{path}");
    let request = cluster
        .request("GET", &proxy("web:http", "/hello?x=1"))
        .header("accept", "application/json");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let page = serde_json::from_slice::<Value>(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(
        (&page["app"], &page["path"], &page["query"]),
        (&"web".into(), &"/hello".into(), &"x=1".into())
    );
    assert!(
        page["headers"].get("authorization").is_none(),
        "the token stays with the API server"
    );
    for (id, said) in [
        ("orphan:80", "no endpoints available for service \"orphan\""),
        ("web", "no endpoints available for service \"web\""),
        ("web:81", "no service port 81 found for service \"web\""),
        ("legacy", "no endpoints available for service \"legacy\""),
    ] {
        let (code, status) = cluster.send("GET", &proxy(id, "/"), None).await;
        assert_eq!((code, status["message"].as_str().unwrap()), (503, said));
    }
    let (code, _) = cluster
        .send("GET", &proxy("web:80", "/status?code=418"), None)
        .await;
    assert_eq!(code, 418, "the application's own answer passes through");
    for (id, expected) in [
        ("https:web:443", 200),
        ("web:443", 400),
        ("https:web:80", 503),
    ] {
        let (code, _) = cluster.send("GET", &proxy(id, "/"), None).await;
        assert_eq!(code, expected, "{id}");
    }
    let pods = cluster
        .get("/api/v1/namespaces/shop/pods?labelSelector=app%3Dapi")
        .await;
    let name = items(&pods)[0]["metadata"]["name"].as_str().unwrap();
    let (code, _) = cluster
        .send(
            "GET",
            &format!("/api/v1/namespaces/shop/pods/{name}:8080/proxy/"),
            None,
        )
        .await;
    assert_eq!(code, 200);
}

#[tokio::test]
async fn kube_itself_lists_watches_and_forwards() {
    use k8s_openapi::api::core::v1::{Pod, Service};
    use kube::api::{Api, ListParams};
    svcscope_net::tls::install_crypto_provider();
    let cluster = DemoApiClient::start(DemoOptions {
        scripted_activity: false,
        ..DemoOptions::default()
    })
    .await;
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&cluster.server.kubeconfig()).unwrap();
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default())
        .await
        .unwrap();
    config.proxy_url = None;
    assert_eq!(config.default_namespace, "shop");
    let client = kube::Client::try_from(config).unwrap();
    let services = Api::<Service>::default_namespaced(client.clone());
    assert!(services.get("web").await.unwrap().spec.is_some());
    let pods = Api::<Pod>::default_namespaced(client);
    let web = pods
        .list(&ListParams::default().labels("app=web"))
        .await
        .unwrap();
    let name = web.items[0].metadata.name.clone().unwrap();
    let mut forwarder = pods.portforward(&name, &[8080]).await.unwrap();
    let mut stream = forwarder.take_stream(8080).unwrap();
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains(&name), "{answer}");
}
