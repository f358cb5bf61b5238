//! Lists, pages, selectors, tables, discovery and the token.

use serde_json::Value;

use super::client::{DemoApiClient, items, names};

#[tokio::test]
async fn without_the_token_there_is_no_answer() {
    let cluster = DemoApiClient::without_activity().await;
    let bare = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = bare
        .get(format!("{}/api/v1/pods", cluster.server.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 401);
    let status = serde_json::from_slice::<Value>(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(status["kind"], "Status");
    assert_eq!(status["reason"], "Unauthorized");
    // kubectl sends no header over plain HTTP, so the token may lead the path.
    let path = format!(
        "{}/{}/api/v1/pods",
        cluster.server.url(),
        cluster.server.token()
    );
    assert_eq!(bare.get(path).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_list_in_pages_is_the_list_as_it_was() {
    let cluster = DemoApiClient::without_activity().await;
    let whole = cluster.get("/api/v1/pods").await;
    assert!(items(&whole).len() > 50);
    assert!(
        items(&whole)[0].get("kind").is_none(),
        "items of a list carry no kind"
    );
    let mut page = cluster.get("/api/v1/pods?limit=20").await;
    let revision = page["metadata"]["resourceVersion"].clone();
    assert_eq!(
        page["metadata"]["remainingItemCount"],
        items(&whole).len() - 20
    );
    let mut seen = names(&page);
    cluster
        .server
        .control()
        .delete("Pod", "infra", "db-0")
        .unwrap();
    while let Some(token) = page["metadata"]["continue"].as_str() {
        page = cluster
            .get(&format!("/api/v1/pods?limit=20&continue={token}"))
            .await;
        assert_eq!(page["metadata"]["resourceVersion"], revision);
        seen.extend(names(&page));
    }
    assert_eq!(seen, names(&whole));
}

#[tokio::test]
async fn an_old_continue_is_expired() {
    let cluster = DemoApiClient::without_activity().await;
    let page = cluster.get("/api/v1/pods?limit=5").await;
    let token = page["metadata"]["continue"].as_str().unwrap();
    cluster.server.control().compact();
    let path = format!("/api/v1/pods?limit=5&continue={token}");
    let (code, status) = cluster.send("GET", &path, None).await;
    assert_eq!((code, &status["reason"]), (410, &Value::from("Expired")));
}

#[tokio::test]
async fn selectors_by_label_and_field() {
    let cluster = DemoApiClient::without_activity().await;
    let web = cluster
        .get("/api/v1/pods?labelSelector=app%20in%20(web)%2Cpod-template-hash")
        .await;
    assert_eq!(items(&web).len(), 3);
    let one = cluster
        .get("/api/v1/namespaces/infra/pods?fieldSelector=metadata.name%3Ddb-0")
        .await;
    assert_eq!(names(&one), ["db-0"]);
    let node = cluster
        .get("/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-a")
        .await;
    assert!(
        items(&node)
            .iter()
            .all(|pod| pod["spec"]["nodeName"] == "node-a")
    );
    assert!(!items(&node).is_empty());
    let (code, _) = cluster
        .send("GET", "/api/v1/pods?fieldSelector=spec.image%3Da", None)
        .await;
    assert_eq!(code, 400);
}

#[tokio::test]
async fn tables_and_metadata_on_request() {
    let cluster = DemoApiClient::without_activity().await;
    let ask = |accept: &'static str| {
        let request = cluster
            .request("GET", "/api/v1/namespaces/shop/services")
            .header("accept", accept);
        async move {
            let body = request.send().await.unwrap().bytes().await.unwrap();
            serde_json::from_slice::<Value>(&body).unwrap()
        }
    };
    let table = ask("application/json;as=Table;v=v1;g=meta.k8s.io,application/json").await;
    assert_eq!(table["kind"], "Table");
    let columns = table["columnDefinitions"].as_array().unwrap();
    assert_eq!(columns[4]["name"], "Port(s)");
    let rows = table["rows"].as_array().unwrap();
    let payments = rows
        .iter()
        .find(|row| row["cells"][0] == "payments")
        .unwrap();
    assert_eq!(payments["cells"][3], "<pending>");
    assert_eq!(payments["object"]["kind"], "PartialObjectMetadata");
    let metadata = ask("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io").await;
    assert_eq!(metadata["kind"], "PartialObjectMetadataList");
    assert!(items(&metadata)[0].get("spec").is_none());
}

#[tokio::test]
async fn events_are_served_by_both_groups() {
    let cluster = DemoApiClient::without_activity().await;
    let path = "/api/v1/namespaces/shop/events?fieldSelector=involvedObject.kind%3DPod";
    let core = cluster.get(path).await;
    assert_eq!(items(&core)[0]["reason"], "Unhealthy");
    let path = "/apis/events.k8s.io/v1/namespaces/shop/events?fieldSelector=regarding.kind%3DPod";
    let newer = cluster.get(path).await;
    assert_eq!(
        items(&newer)[0]["regarding"],
        items(&core)[0]["involvedObject"]
    );
    assert_eq!(items(&newer)[0]["note"], items(&core)[0]["message"]);
}

#[tokio::test]
async fn discovery_tells_what_is_served() {
    let cluster = DemoApiClient::without_activity().await;
    assert_eq!(cluster.get("/version").await["gitVersion"], "v1.36.0-demo");
    let groups = cluster.get("/apis").await;
    let served = |groups: &Value| {
        groups["groups"]
            .as_array()
            .unwrap()
            .iter()
            .any(|group| group["name"] == "discovery.k8s.io")
    };
    assert!(served(&groups));
    cluster.server.control().serve_endpoint_slices(false);
    assert!(!served(&cluster.get("/apis").await));
    let (code, _) = cluster
        .send("GET", "/apis/discovery.k8s.io/v1/endpointslices", None)
        .await;
    assert_eq!(code, 404);
}
