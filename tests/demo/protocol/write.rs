//! Creating, patching in four ways, conflicts, dry runs, reviews.

use serde_json::{Value, json};

use super::client::DemoApiClient;

const WEB: &str = "/api/v1/namespaces/shop/services/web";
const MERGE: &str = "merge-patch+json";

#[tokio::test]
async fn every_kind_of_patch() {
    let cluster = DemoApiClient::without_activity().await;
    let (code, merged) = cluster
        .patch(MERGE, WEB, &json!({"metadata": {"labels": {"a": "1"}}}))
        .await;
    assert_eq!(
        (code, &merged["metadata"]["labels"]["a"]),
        (200, &json!("1"))
    );
    let revision = merged["metadata"]["resourceVersion"].clone();
    let patch = json!([
        {"op": "test", "path": "/metadata/resourceVersion", "value": revision},
        {"op": "remove", "path": "/metadata/labels/a"},
    ]);
    let (code, _) = cluster.patch("json-patch+json", WEB, &patch).await;
    assert_eq!(code, 200);
    let (code, status) = cluster.patch("json-patch+json", WEB, &patch).await;
    assert_eq!(
        (code, &status["reason"]),
        (422, &json!("Invalid")),
        "a failed test is 422, not 409"
    );
    let patch = json!({"spec": {"ports": [{"port": 443, "targetPort": 9443}]}});
    let (_, patched) = cluster
        .patch("strategic-merge-patch+json", WEB, &patch)
        .await;
    assert_eq!(patched["spec"]["ports"][0]["targetPort"], 9443);
    assert_eq!(
        patched["spec"]["ports"][1]["port"], 80,
        "the other port stays"
    );
    let (code, status) = cluster.patch("unknown+json", WEB, &json!({})).await;
    assert_eq!(
        (code, &status["reason"]),
        (415, &json!("UnsupportedMediaType"))
    );
}

#[tokio::test]
async fn server_side_apply_creates_conflicts_and_takes_over() {
    let cluster = DemoApiClient::without_activity().await;
    let path = "/api/v1/namespaces/shop/services/applied";
    let object = |kind: &str| json!({"kind": "Service", "apiVersion": "v1", "metadata": {"name": "applied"}, "spec": {"type": kind, "ports": [{"port": 80}]}});
    let apply = |manager: &str, force: bool, object: Value| {
        let path = format!("{path}?fieldManager={manager}&force={force}");
        let cluster = &cluster;
        async move { cluster.patch("apply-patch+yaml", &path, &object).await }
    };
    let (code, _) = apply("helm", false, object("ClusterIP")).await;
    assert_eq!(code, 200);
    let (code, status) = apply("argocd", false, object("NodePort")).await;
    assert_eq!(code, 409);
    let cause = &status["details"]["causes"][0];
    assert_eq!(
        (&cause["reason"], &cause["field"]),
        (&json!("FieldManagerConflict"), &json!(".spec.type"))
    );
    let (code, taken) = apply("argocd", true, object("NodePort")).await;
    assert_eq!((code, &taken["spec"]["type"]), (200, &json!("NodePort")));
}

#[tokio::test]
async fn a_stale_revision_is_409_and_an_equal_write_changes_nothing() {
    let cluster = DemoApiClient::without_activity().await;
    let web = cluster.get(WEB).await;
    let stale = json!({"metadata": {"resourceVersion": "1", "labels": {"a": "b"}}});
    let (code, status) = cluster.patch(MERGE, WEB, &stale).await;
    assert_eq!((code, &status["reason"]), (409, &json!("Conflict")));
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .contains("the object has been modified")
    );
    let (code, same) = cluster.send("PUT", WEB, Some(&web)).await;
    assert_eq!((code, &same), (200, &web));
}

#[tokio::test]
async fn a_dry_run_stores_nothing() {
    let cluster = DemoApiClient::without_activity().await;
    let before = cluster.get(WEB).await;
    let path = format!("{WEB}?dryRun=All");
    let (code, shown) = cluster
        .patch(MERGE, &path, &json!({"spec": {"type": "NodePort"}}))
        .await;
    assert_eq!((code, &shown["spec"]["type"]), (200, &json!("NodePort")));
    assert_eq!(cluster.get(WEB).await, before);
    let (code, _) = cluster.send("DELETE", &path, None).await;
    assert_eq!(code, 200);
    assert_eq!(cluster.get(WEB).await, before);
}

#[tokio::test]
async fn names_that_are_taken_or_missing() {
    let cluster = DemoApiClient::without_activity().await;
    let body = json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    let (code, status) = cluster
        .send("POST", "/api/v1/namespaces/shop/services", Some(&body))
        .await;
    assert_eq!((code, &status["reason"]), (409, &json!("AlreadyExists")));
    let (code, status) = cluster
        .send("POST", "/api/v1/namespaces/nowhere/services", Some(&body))
        .await;
    assert_eq!(
        (code, &status["message"]),
        (404, &json!("namespaces \"nowhere\" not found"))
    );
    let (code, status) = cluster
        .send("GET", "/api/v1/namespaces/shop/services/none", None)
        .await;
    assert_eq!(
        (code, &status["message"]),
        (404, &json!("services \"none\" not found"))
    );
}

#[tokio::test]
async fn reviews_agree_with_what_is_refused() {
    let cluster = DemoApiClient::without_activity().await;
    use svcscope_demo::{DenyRule, DenyScope};
    let control = cluster.server.control();
    control.deny(DenyRule::new("list", "pods", DenyScope::ClusterWide));
    control.deny(DenyRule::new(
        "patch",
        "services",
        DenyScope::Namespace("shop".to_owned()),
    ));
    let (code, status) = cluster.send("GET", "/api/v1/pods", None).await;
    assert_eq!(code, 403);
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .contains("cannot list resource \"pods\"")
    );
    cluster.get("/api/v1/namespaces/shop/pods").await;
    let (code, _) = cluster.patch(MERGE, WEB, &json!({})).await;
    assert_eq!(code, 403);
    for (namespace, verb, resource, allowed) in [
        ("", "list", "pods", false),
        ("shop", "list", "pods", true),
        ("shop", "patch", "services", false),
        ("infra", "patch", "services", true),
    ] {
        let body = json!({"spec": {"resourceAttributes": {"namespace": namespace, "verb": verb, "resource": resource}}});
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let (code, review) = cluster.send("POST", path, Some(&body)).await;
        assert_eq!(code, 201);
        assert_eq!(
            review["status"]["allowed"], allowed,
            "{verb} {resource} in {namespace:?}"
        );
    }
}
