//! What follows from a write: pods come and go, slices follow, balancers grant addresses.

use serde_json::{Value, json};

use super::client::{DemoApiClient, items};

fn endpoints(slice: &Value) -> Vec<(String, bool)> {
    let endpoints = slice["endpoints"].as_array().cloned().unwrap_or_default();
    let one = |endpoint: &Value| {
        let name = endpoint["targetRef"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (name, endpoint["conditions"]["ready"].as_bool().unwrap())
    };
    endpoints.iter().map(one).collect()
}

fn of_service(name: &str, from: u64) -> String {
    format!(
        "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices?watch=true&labelSelector=kubernetes.io%2Fservice-name%3D{name}&resourceVersion={from}"
    )
}

#[tokio::test]
async fn a_flip_of_readiness_is_in_the_slice() {
    let cluster = DemoApiClient::without_activity().await;
    let pods = cluster
        .get("/api/v1/namespaces/shop/pods?labelSelector=app%3Dweb")
        .await;
    let name = items(&pods)[0]["metadata"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let control = cluster.server.control();
    let mut watch = cluster.watch(&of_service("web", control.revision())).await;
    control.set_pod_ready("shop", &name, false).unwrap();
    watch
        .until(|line| endpoints(&line["object"]).contains(&(name.clone(), false)))
        .await;
    control.set_pod_ready("shop", &name, true).unwrap();
    watch
        .until(|line| endpoints(&line["object"]).contains(&(name.clone(), true)))
        .await;
}

#[tokio::test]
async fn a_deleted_pod_is_replaced_and_the_new_one_becomes_ready() {
    let cluster = DemoApiClient::without_activity().await;
    let pods = cluster
        .get("/api/v1/namespaces/shop/pods?labelSelector=app%3Dpayments")
        .await;
    let old = items(&pods)[0]["metadata"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut watch = cluster
        .watch(&of_service("payments", cluster.server.control().revision()))
        .await;
    let (code, answer) = cluster
        .send(
            "DELETE",
            &format!("/api/v1/namespaces/shop/pods/{old}"),
            None,
        )
        .await;
    assert_eq!((code, &answer["kind"]), (200, &json!("Pod")));
    assert!(
        answer["metadata"]["deletionTimestamp"].is_string(),
        "it ends after its grace"
    );
    let terminating = watch
        .until(|line| line["object"]["endpoints"][0]["conditions"]["terminating"] == true)
        .await;
    assert_eq!(
        terminating["object"]["endpoints"][0]["conditions"]["serving"],
        true
    );
    watch
        .until(|line| {
            let now = endpoints(&line["object"]);
            now.len() == 1 && now[0].0 != old && now[0].1
        })
        .await;
}

#[tokio::test]
async fn slices_split_by_the_ports_that_pods_really_have() {
    let cluster = DemoApiClient::without_activity().await;
    let pod = |name: &str, port: u16| {
        json!({
            "kind": "Pod", "apiVersion": "v1",
            "metadata": {"name": name, "namespace": "shop", "labels": {"app": "mixed"}},
            "spec": {"containers": [{"name": "c", "image": "c", "ports": [{"name": "http", "containerPort": port}]}]},
        })
    };
    let control = cluster.server.control();
    control
        .apply(json!({"kind": "Service", "apiVersion": "v1", "metadata": {"name": "mixed", "namespace": "shop"},
            "spec": {"selector": {"app": "mixed"}, "ports": [{"port": 80, "targetPort": "http"}]}}))
        .unwrap();
    control.apply(pod("one", 8080)).unwrap();
    control.apply(pod("two", 9090)).unwrap();
    let mut watch = cluster
        .watch(&of_service("mixed", control.revision()))
        .await;
    let (mut low, mut high) = (false, false);
    while !(low && high) {
        let line = watch.next().await.unwrap();
        let slice = &line["object"];
        low |= slice["ports"][0]["port"] == 8080 && endpoints(slice) == [("one".to_owned(), true)];
        high |= slice["ports"][0]["port"] == 9090 && endpoints(slice) == [("two".to_owned(), true)];
    }
}

#[tokio::test]
async fn more_than_a_hundred_pods_take_several_slices() {
    let cluster = DemoApiClient::start(svcscope_demo::DemoOptions {
        services: Some(1),
        pods: Some(230),
        ..svcscope_demo::DemoOptions::default()
    })
    .await;
    let slices = cluster
        .get("/apis/discovery.k8s.io/v1/endpointslices")
        .await;
    let sizes = items(&slices)
        .iter()
        .map(|slice| endpoints(slice).len())
        .collect::<Vec<_>>();
    assert_eq!(sizes.iter().sum::<usize>(), 230);
    assert!(
        sizes.iter().all(|size| (1..=100).contains(size)),
        "{sizes:?}"
    );
    assert_eq!(items(&cluster.get("/api/v1/pods").await).len(), 230);
}

#[tokio::test]
async fn the_examples_of_mistakes_look_as_they_should() {
    let cluster = DemoApiClient::without_activity().await;
    let slice_of = |name: &'static str| {
        let control = cluster.server.control();
        let slices = control.list("EndpointSlice", None);
        slices
            .into_iter()
            .find(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == name)
            .unwrap()
    };
    assert_eq!(
        slice_of("orphan")["endpoints"],
        Value::Null,
        "no pod matches the selector"
    );
    assert_eq!(
        slice_of("wrongport")["ports"],
        Value::Null,
        "no container declares the name"
    );
    assert_eq!(
        slice_of("statsd")["ports"],
        Value::Null,
        "the protocol is another"
    );
    assert_eq!(slice_of("reports")["endpoints"], Value::Null, "scaled to 0");
    assert_eq!(
        endpoints(&slice_of("crashing"))
            .iter()
            .filter(|(_, ready)| *ready)
            .count(),
        0
    );
    let api = endpoints(&slice_of("api"));
    assert_eq!(
        (api.len(), api.iter().filter(|(_, ready)| *ready).count()),
        (2, 1)
    );
    let queue = endpoints(&slice_of("queue"));
    assert_eq!(
        (
            queue.len(),
            queue.iter().filter(|(_, ready)| *ready).count()
        ),
        (24, 22)
    );
}

#[tokio::test]
async fn a_scaled_deployment_gets_its_pods() {
    let cluster = DemoApiClient::without_activity().await;
    let mut watch = cluster
        .watch(&of_service("reports", cluster.server.control().revision()))
        .await;
    let path = "/apis/apps/v1/namespaces/shop/deployments/reports/scale";
    let (code, scale) = cluster
        .patch("merge-patch+json", path, &json!({"spec": {"replicas": 2}}))
        .await;
    assert_eq!((code, &scale["spec"]["replicas"]), (200, &json!(2)));
    watch
        .until(|line| {
            endpoints(&line["object"])
                .iter()
                .filter(|(_, ready)| *ready)
                .count()
                == 2
        })
        .await;
}

#[tokio::test]
async fn a_service_that_becomes_a_load_balancer_is_granted_an_address() {
    let cluster = DemoApiClient::without_activity().await;
    let from = cluster.server.control().revision();
    let mut watch = cluster
        .watch(&format!(
            "/api/v1/namespaces/shop/services?watch=true&resourceVersion={from}"
        ))
        .await;
    let path = "/api/v1/namespaces/shop/services/cache";
    cluster
        .patch(
            "merge-patch+json",
            path,
            &json!({"spec": {"type": "LoadBalancer"}}),
        )
        .await;
    let granted = watch
        .until(|line| {
            let ingress = &line["object"]["status"]["loadBalancer"]["ingress"];
            line["object"]["metadata"]["name"] == "cache" && ingress.is_array()
        })
        .await;
    let ip = granted["object"]["status"]["loadBalancer"]["ingress"][0]["ip"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(ip.starts_with("127."), "{ip}");
    let events = cluster
        .get("/api/v1/namespaces/shop/events?fieldSelector=involvedObject.name%3Dcache")
        .await;
    let reasons = items(&events)
        .iter()
        .map(|event| event["reason"].as_str().unwrap())
        .collect::<Vec<_>>();
    assert!(reasons.contains(&"EnsuringLoadBalancer"), "{reasons:?}");
}

#[tokio::test]
async fn a_deleted_service_takes_its_slices_along() {
    let cluster = DemoApiClient::without_activity().await;
    let mut watch = cluster
        .watch(&of_service("cache", cluster.server.control().revision()))
        .await;
    cluster
        .server
        .control()
        .delete("Service", "shop", "cache")
        .unwrap();
    watch.until(|line| line["type"] == "DELETED").await;
}
