//! Bad days on demand.

use serde_json::json;

use super::client::DemoApiClient;

#[tokio::test]
async fn the_next_requests_fail_as_configured() {
    let cluster = DemoApiClient::without_activity().await;
    let control = cluster.server.control();
    control.fail(Some("GET"), "/api/v1/pods", 503, Some(2));
    for _ in 0..2 {
        assert_eq!(cluster.send("GET", "/api/v1/pods", None).await.0, 503);
    }
    assert_eq!(cluster.send("GET", "/api/v1/pods", None).await.0, 200);
    control.fail(None, "/api/v1/services", 429, None);
    let response = cluster
        .request("GET", "/api/v1/services")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()["retry-after"]
        ),
        (429, &"1".parse().unwrap())
    );
    control.clear_faults();
    assert_eq!(cluster.send("GET", "/api/v1/services", None).await.0, 200);
}

#[tokio::test]
async fn a_rotated_token_leaves_the_old_one_out() {
    let cluster = DemoApiClient::without_activity().await;
    let old = cluster.server.token();
    cluster.server.control().rotate_token();
    assert_ne!(cluster.server.token(), old);
    let request = cluster.request("GET", "/api/v1/pods");
    let (client, request) = request.build_split();
    let mut request = request.unwrap();
    request
        .headers_mut()
        .insert("authorization", format!("Bearer {old}").parse().unwrap());
    assert_eq!(client.execute(request).await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_restart_cuts_watches_keeps_objects_and_forgets_history() {
    let cluster = DemoApiClient::without_activity().await;
    let from = cluster.server.control().revision();
    let mut watch = cluster
        .watch(&format!("/api/v1/pods?watch=true&resourceVersion={from}"))
        .await;
    cluster.server.control().restart();
    while watch.next().await.is_some() {}
    assert_eq!(
        cluster
            .send("GET", "/api/v1/namespaces/shop/services/web", None)
            .await
            .0,
        200
    );
    let mut watch = cluster
        .watch(&format!("/api/v1/pods?watch=true&resourceVersion={from}"))
        .await;
    assert_eq!(watch.next().await.unwrap()["object"]["code"], 410);
}

#[tokio::test]
async fn down_refuses_connections_and_up_is_the_same_port() {
    let cluster = DemoApiClient::without_activity().await;
    let control = cluster.server.control();
    cluster.get("/version").await;
    control.close_port();
    // The port closes within moments; until then an answer may still come.
    while cluster.request("GET", "/version").send().await.is_ok() {
        tokio::task::yield_now().await;
    }
    control.reopen_port();
    while cluster.request("GET", "/version").send().await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn silence_is_lifted() {
    let cluster = DemoApiClient::without_activity().await;
    let control = cluster.server.control();
    let mut watch = cluster
        .watch(&format!(
            "/api/v1/services?watch=true&resourceVersion={}",
            control.revision()
        ))
        .await;
    control.set_unresponsive(true);
    control
        .apply(json!({"kind": "Service", "apiVersion": "v1", "metadata": {"name": "quiet", "namespace": "shop"}, "spec": {"ports": [{"port": 80}]}}))
        .unwrap();
    let asked = tokio::spawn(cluster.request("GET", "/version").send());
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!asked.is_finished());
    control.set_unresponsive(false);
    assert_eq!(asked.await.unwrap().unwrap().status(), 200);
    assert_eq!(
        watch.next().await.unwrap()["object"]["metadata"]["name"],
        "quiet"
    );
}
