//! What a real API server (1.36.2) did when a Service's type was changed, row by row
//! (facts/service-types.md §4.4).

use serde_json::{Value, json};

use super::client::DemoApiClient;

struct ServiceTypeFixture(DemoApiClient);

impl ServiceTypeFixture {
    async fn with(spec: Value) -> Self {
        let cluster = DemoApiClient::without_activity().await;
        let body = json!({"metadata": {"name": "tried"}, "spec": spec});
        let (code, made) = cluster
            .send("POST", "/api/v1/namespaces/shop/services", Some(&body))
            .await;
        assert_eq!(code, 201, "{made}");
        Self(cluster)
    }

    async fn patch_at(&self, query: &str, spec: Value) -> (u16, Value) {
        let path = format!("/api/v1/namespaces/shop/services/tried{query}");
        self.0
            .patch("merge-patch+json", &path, &json!({"spec": spec}))
            .await
    }

    async fn done(&self, spec: Value) -> Value {
        let (code, service) = self.patch_at("", spec).await;
        assert_eq!(code, 200, "{service}");
        service["spec"].clone()
    }

    async fn refused(&self, spec: Value) -> String {
        let (code, status) = self.patch_at("", spec).await;
        assert_eq!(code, 422, "{status}");
        assert_eq!(status["reason"], "Invalid");
        assert!(status["details"]["causes"][0]["field"].is_string());
        status["message"].as_str().unwrap().to_owned()
    }
}

fn plain() -> Value {
    json!({"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]})
}

fn headless() -> Value {
    json!({"selector": {"app": "web"}, "clusterIP": "None", "ports": [{"name": "http", "port": 80}]})
}

#[tokio::test]
async fn cluster_ip_to_node_port() {
    let desk = ServiceTypeFixture::with(plain()).await;
    let before = desk.0.get("/api/v1/namespaces/shop/services/tried").await;
    let spec = desk.done(json!({"type": "NodePort"})).await;
    assert_eq!(spec["clusterIP"], before["spec"]["clusterIP"]);
    assert_eq!(spec["externalTrafficPolicy"], "Cluster");
    assert!((30_000..=32_767).contains(&spec["ports"][0]["nodePort"].as_i64().unwrap()));
}

#[tokio::test]
async fn node_port_to_load_balancer_and_back_to_cluster_ip() {
    let desk = ServiceTypeFixture::with(plain()).await;
    let spec = desk.done(json!({"type": "NodePort"})).await;
    let node_port = spec["ports"][0]["nodePort"].clone();
    let ranges = json!({"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]});
    let spec = desk.done(ranges).await;
    assert_eq!(spec["ports"][0]["nodePort"], node_port);
    let said = desk.refused(json!({"type": "ClusterIP"})).await;
    assert!(said.contains("spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"), "{said}");
    let spec = desk
        .done(json!({"type": "ClusterIP", "loadBalancerSourceRanges": null}))
        .await;
    assert!(spec["ports"][0].get("nodePort").is_none());
}

#[tokio::test]
async fn cluster_ip_to_headless_takes_two_steps() {
    let desk = ServiceTypeFixture::with(plain()).await;
    let said = desk
        .refused(json!({"clusterIP": "None", "clusterIPs": ["None"]}))
        .await;
    assert!(said.contains("may not change once set"), "{said}");
    let spec = desk
        .done(json!({"type": "ExternalName", "externalName": "a.example.com"}))
        .await;
    assert!(spec.get("clusterIP").is_none());
    let spec = desk
        .done(json!({"type": "ClusterIP", "clusterIP": "None", "externalName": null}))
        .await;
    assert_eq!(spec["clusterIP"], "None");
}

#[tokio::test]
async fn headless_to_cluster_ip_is_200_and_nothing_changed() {
    let desk = ServiceTypeFixture::with(headless()).await;
    let before = desk.0.get("/api/v1/namespaces/shop/services/tried").await;
    let (code, after) = desk
        .patch_at("", json!({"clusterIP": "", "clusterIPs": []}))
        .await;
    assert_eq!((code, after), (200, before));
    let said = desk.refused(json!({"type": "NodePort"})).await;
    assert!(
        said.contains("may not be set to 'None' for NodePort services"),
        "{said}"
    );
    desk.done(json!({"type": "ExternalName", "externalName": "a.example.com"}))
        .await;
    let spec = desk
        .done(json!({"type": "NodePort", "externalName": null}))
        .await;
    assert!(spec["clusterIP"].as_str().unwrap().starts_with("10."));
    assert!(spec["ports"][0]["nodePort"].is_i64());
}

#[tokio::test]
async fn node_ports_out_of_range_and_taken() {
    let desk = ServiceTypeFixture::with(plain()).await;
    desk.done(json!({"type": "NodePort"})).await;
    let port = |number: u16| json!({"ports": [{"name": "http", "port": 80, "nodePort": number}]});
    let said = desk.refused(port(29_999)).await;
    assert!(
        said.contains(
            "provided port is not in the valid range. The range of valid ports is 30000-32767"
        ),
        "{said}"
    );
    let (code, _) = desk.patch_at("?dryRun=All", port(29_999)).await;
    assert_eq!(code, 200, "the dry run does not check the range");
    // The sample's api has this one.
    let said = desk.refused(port(30_080)).await;
    assert!(
        said.contains("provided port is already allocated"),
        "{said}"
    );
}

#[tokio::test]
async fn an_ip_literal_is_accepted_as_external_name() {
    let desk = ServiceTypeFixture::with(plain()).await;
    let spec = desk
        .done(json!({"type": "ExternalName", "externalName": "10.1.2.3"}))
        .await;
    assert_eq!(spec["externalName"], "10.1.2.3");
}

#[tokio::test]
async fn freed_addresses_and_ports_can_be_taken_again() {
    let desk = ServiceTypeFixture::with(
        json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30_999}]}),
    )
    .await;
    let service = desk.0.get("/api/v1/namespaces/shop/services/tried").await;
    let (code, _) = desk
        .0
        .send("DELETE", "/api/v1/namespaces/shop/services/tried", None)
        .await;
    assert_eq!(code, 200);
    let again = json!({"metadata": {"name": "again"}, "spec": {
        "type": "NodePort", "clusterIP": service["spec"]["clusterIP"], "ports": [{"port": 80, "nodePort": 30_999}],
    }});
    let (code, made) = desk
        .0
        .send("POST", "/api/v1/namespaces/infra/services", Some(&again))
        .await;
    assert_eq!(code, 201, "{made}");
}
