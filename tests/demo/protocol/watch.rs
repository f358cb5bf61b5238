//! Watches: resuming, selectors, bookmarks, streaming lists, 410.

use std::time::Duration;

use serde_json::{Value, json};
use svcscope_demo::DemoOptions;

use super::client::{DemoApiClient, items};

fn service(name: &str, labels: Value) -> Value {
    json!({
        "kind": "Service", "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"ports": [{"port": 80}]},
    })
}

#[tokio::test]
async fn a_watch_resumes_after_a_list_without_a_gap() {
    let cluster = DemoApiClient::without_activity().await;
    let list = cluster.get("/api/v1/services").await;
    let from = list["metadata"]["resourceVersion"].as_str().unwrap();
    cluster
        .server
        .control()
        .apply(service("new", json!({})))
        .unwrap();
    cluster
        .server
        .control()
        .delete("Service", "shop", "new")
        .unwrap();
    let mut watch = cluster
        .watch(&format!(
            "/api/v1/services?watch=true&resourceVersion={from}"
        ))
        .await;
    let added = watch.next().await.unwrap();
    assert_eq!(
        (&added["type"], &added["object"]["metadata"]["name"]),
        (&json!("ADDED"), &json!("new"))
    );
    assert_eq!(added["object"]["kind"], "Service");
    let deleted = watch.next().await.unwrap();
    assert_eq!(deleted["type"], "DELETED");
    let revision = |line: &Value| {
        line["object"]["metadata"]["resourceVersion"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    assert!(
        revision(&deleted) > revision(&added),
        "a deletion has a revision of its own"
    );
}

#[tokio::test]
async fn an_object_enters_and_leaves_what_a_selector_shows() {
    let cluster = DemoApiClient::without_activity().await;
    let from = cluster.server.control().revision();
    let mut watch = cluster
        .watch(&format!("/api/v1/namespaces/shop/services?watch=true&labelSelector=tier%3Dfront&resourceVersion={from}"))
        .await;
    let control = cluster.server.control();
    control
        .apply(service("new", json!({"tier": "back"})))
        .unwrap();
    for tier in ["front", "front2", "front", "back"] {
        control.apply(json!({"kind": "Service", "apiVersion": "v1", "metadata": {"name": "new", "namespace": "shop", "labels": {"tier": tier}}})).unwrap();
    }
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(
            watch.next().await.unwrap()["type"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(seen, ["ADDED", "DELETED", "ADDED", "DELETED"]);
}

#[tokio::test]
async fn a_streaming_list_ends_with_its_bookmark() {
    let cluster = DemoApiClient::without_activity().await;
    let path = "/api/v1/services?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = cluster.watch(path).await;
    let mut count = 0;
    let end = loop {
        let line = watch.next().await.unwrap();
        if line["type"] == "BOOKMARK" {
            break line;
        }
        assert_eq!(line["type"], "ADDED");
        count += 1;
    };
    assert_eq!(count, items(&cluster.get("/api/v1/services").await).len());
    assert_eq!(
        end["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"],
        "true"
    );
    cluster
        .server
        .control()
        .apply(service("new", json!({})))
        .unwrap();
    assert_eq!(
        watch.next().await.unwrap()["object"]["metadata"]["name"],
        "new"
    );
}

#[tokio::test]
async fn without_watch_list_it_is_422_with_its_cause() {
    let cluster = DemoApiClient::without_activity().await;
    cluster.server.control().set_watch_list(false);
    let path = "/api/v1/services?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let (code, status) = cluster.send("GET", path, None).await;
    assert_eq!(code, 422);
    assert_eq!(status["details"]["causes"][0]["field"], "sendInitialEvents");
}

#[tokio::test]
async fn bookmarks_come_and_the_timeout_ends_the_stream() {
    let cluster = DemoApiClient::start(DemoOptions {
        scripted_activity: false,
        bookmark_every: Duration::from_millis(50),
        ..DemoOptions::default()
    })
    .await;
    let from = cluster.server.control().revision();
    let mut watch = cluster
        .watch(&format!("/api/v1/nodes?watch=true&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion={from}"))
        .await;
    let first = watch.next().await.unwrap();
    assert_eq!(first["type"], "BOOKMARK");
    assert_eq!(
        first["object"]["metadata"]["resourceVersion"],
        from.to_string()
    );
    while let Some(line) = watch.next().await {
        assert_eq!(line["type"], "BOOKMARK");
    }
}

#[tokio::test]
async fn a_watch_from_before_the_history_is_410_in_the_stream() {
    let cluster = DemoApiClient::without_activity().await;
    let from = cluster.server.control().revision();
    cluster.server.control().compact();
    let mut watch = cluster
        .watch(&format!("/api/v1/pods?watch=true&resourceVersion={from}"))
        .await;
    let line = watch.next().await.unwrap();
    assert_eq!(line["type"], "ERROR");
    assert_eq!(line["object"]["code"], 410);
    assert_eq!(line["object"]["reason"], "Expired");
    assert_eq!(watch.next().await, None);
}

#[tokio::test]
async fn a_small_history_forgets_by_itself() {
    let cluster = DemoApiClient::start(DemoOptions {
        scripted_activity: false,
        history_limit: 2,
        ..DemoOptions::default()
    })
    .await;
    let from = cluster.server.control().revision();
    for name in ["a", "b", "c"] {
        cluster
            .server
            .control()
            .apply(service(name, json!({})))
            .unwrap();
    }
    let mut watch = cluster
        .watch(&format!(
            "/api/v1/services?watch=true&resourceVersion={from}"
        ))
        .await;
    assert_eq!(watch.next().await.unwrap()["object"]["code"], 410);
}
