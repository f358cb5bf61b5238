//! The sample cluster: every type of Service, and one example each of the common mistakes.

mod ingress_objects;
mod object_builders;
mod pod_template;

use serde_json::{Value, json};

use super::controllers::BALANCER_DELAY;
use super::json;
use super::node_network::NodeNetwork;
use super::pod_status::{self, BEHAVIOUR_ANNOTATION};
use super::registry::{ObjectRegistry, ObjectWriteOptions};
use super::resource::{ServedKind, ServedResource};
use super::store::NamespacedName;

use object_builders::{external_name, manual_slice};

pub(super) use object_builders::{
    ServicePortBuilder, WorkloadBuilder, cluster_ip, headless, load_balancer, namespace, node,
    node_port,
};

/// How old the sample is, in seconds: three days and some hours.
const AGE_SECONDS: i64 = 283_140;

/// Creates all objects of the sample but those that controllers make.
pub(super) fn build(registry: &ObjectRegistry, network: &NodeNetwork) {
    registry.backdate(AGE_SECONDS);
    for name in ["default", "kube-system", "shop", "infra"] {
        create_object(registry, namespace(name));
    }
    for (index, name) in ["node-a", "node-b", "node-c"].into_iter().enumerate() {
        create_object(registry, node(name, index, network.node_address(index)));
    }
    let all = shop_objects()
        .into_iter()
        .chain(infra_objects())
        .chain(system_objects());
    for object in all.chain(ingress_objects::all(network)) {
        create_object(registry, object);
    }
    assign_load_balancer_address(registry, "web", &network.load_balancer_address(7));
}

/// After the controllers have made the pods: those of the sample that are not ready.
pub(super) fn mark_some_pods_unready(registry: &ObjectRegistry) {
    for (namespace, app, count) in [("shop", "api", 1), ("infra", "queue", 2)] {
        let ready = super::controllers::ready_pods(&registry.store.lock(), namespace, app);
        for key in ready.iter().take(count) {
            let mut state = registry.store.lock();
            let Some(mut value) = state.get(ServedKind::Pod, key).map(|pod| pod.to_value()) else {
                continue;
            };
            pod_status::set_ready(&mut value, false);
            state.put(ServedKind::Pod, value.clone());
            let event_fields = (
                "Warning",
                "Unhealthy",
                "Readiness probe failed: HTTP probe failed with statuscode: 503",
            );
            super::controllers::record_event(&mut state, &value, event_fields, "kubelet");
        }
    }
    registry.backdate(0);
}

fn shop_objects() -> Vec<Value> {
    let mut web = load_balancer(
        "web",
        &[
            ServicePortBuilder::new("https", 443).target_port(8443),
            ServicePortBuilder::new("http", 80)
                .target_name("http")
                .node_port(31_200),
        ],
    );
    json::set(
        &mut web,
        "metadata/annotations",
        json!({"meta.helm.sh/release-name": "web"}),
    );
    json::object_mut(&mut web, "metadata/labels")
        .insert("app.kubernetes.io/managed-by".to_owned(), "Helm".into());
    let mut payments = load_balancer(
        "payments",
        &[ServicePortBuilder::new("https", 443)
            .target_port(8443)
            .node_port(30_558)],
    );
    json::object_mut(&mut payments, "metadata/annotations")
        .insert(BALANCER_DELAY.to_owned(), "25".into());
    // Pending for ever: no controller serves this class.
    let mut edge = load_balancer(
        "edge",
        &[ServicePortBuilder::new("http", 80).target_name("http")],
    );
    json::set(&mut edge, "spec/loadBalancerClass", "example.com/nobody");
    // The selector says "orfan", the pods "orphan-worker".
    let mut orphan = cluster_ip(
        "orphan",
        &[ServicePortBuilder::new("", 80).target_port(8080)],
    );
    json::set(&mut orphan, "spec/selector", json!({"app": "orfan"}));
    let all = [
        web,
        node_port(
            "api",
            &[ServicePortBuilder::new("http", 8081)
                .target_name("http")
                .node_port(30_080)],
        ),
        payments,
        edge,
        orphan,
        // No container declares a port of this name.
        cluster_ip(
            "wrongport",
            &[ServicePortBuilder::new("web", 80).target_name("web-ui")],
        ),
        cluster_ip(
            "cache",
            &[ServicePortBuilder::new("redis", 6379).target_name("redis")],
        ),
        // No such name can ever exist (RFC 6761), so that no foreign server is asked for it.
        external_name("legacy", "legacy.example.invalid"),
        // Its Deployment is scaled to 0.
        cluster_ip(
            "reports",
            &[ServicePortBuilder::new("http", 80).target_name("http")],
        ),
        WorkloadBuilder::new("web", 3, &[("http", 8080), ("https", 8443)]).deployment(),
        WorkloadBuilder::new("api", 2, &[("http", 8080)]).deployment(),
        WorkloadBuilder::new("payments", 1, &[("https", 8443)]).deployment(),
        WorkloadBuilder::new("edge", 1, &[("http", 8080)]).deployment(),
        WorkloadBuilder::new("orphan-worker", 2, &[("http", 8080)]).deployment(),
        WorkloadBuilder::new("wrongport", 2, &[("http", 8080)]).deployment(),
        WorkloadBuilder::new("cache", 2, &[("redis", 6379)]).deployment(),
        WorkloadBuilder::new("reports", 0, &[("http", 8080)]).deployment(),
        WorkloadBuilder::new("mailer", 6, &[]).deployment(),
    ];
    all.into_iter()
        .map(|object| in_namespace("shop", object))
        .collect()
}

fn infra_objects() -> Vec<Value> {
    let statsd = WorkloadBuilder::new("statsd", 2, &[]).udp("statsd", 8125);
    let mut crashing = WorkloadBuilder::new("crashing", 1, &[("http", 8080)]).deployment();
    json::object_mut(&mut crashing, "spec/template/metadata/annotations")
        .insert(BEHAVIOUR_ANNOTATION.to_owned(), "crash-loop".into());
    let mut mainframe = cluster_ip(
        "mainframe",
        &[ServicePortBuilder::new("tn3270", 23).target_port(992)],
    );
    json::remove(&mut mainframe, "spec/selector");
    let slice = manual_slice(
        "mainframe",
        "mainframe-manual",
        &["10.88.7.21", "10.88.7.22"],
        ("tn3270", 992),
    );
    let all = [
        headless(
            "db",
            &[ServicePortBuilder::new("pg", 5432).target_port(5432)],
        ),
        cluster_ip(
            "queue",
            &[ServicePortBuilder::new("amqp", 5672).target_name("amqp")],
        ),
        cluster_ip(
            "crashing",
            &[ServicePortBuilder::new("http", 80).target_name("http")],
        ),
        node_port(
            "metrics",
            &[ServicePortBuilder::new("http", 9090).target_name("http")],
        ),
        // The pods listen for UDP, the Service asks for TCP.
        cluster_ip(
            "statsd",
            &[ServicePortBuilder::new("statsd", 8125).target_name("statsd")],
        ),
        cluster_ip(
            "echo",
            &[ServicePortBuilder::new("echo", 9000).target_name("echo")],
        ),
        mainframe,
        slice,
        WorkloadBuilder::new("db", 2, &[("pg", 5432)]).stateful_set(),
        WorkloadBuilder::new("queue", 24, &[("amqp", 5672)]).deployment(),
        crashing,
        WorkloadBuilder::new("metrics", 1, &[("http", 9090)]).deployment(),
        statsd.deployment(),
        WorkloadBuilder::new("echo", 2, &[("echo", 9000)]).deployment(),
    ];
    all.into_iter()
        .map(|object| in_namespace("infra", object))
        .collect()
}

fn system_objects() -> Vec<Value> {
    let mut dns = cluster_ip(
        "kube-dns",
        &[
            ServicePortBuilder::new("dns", 53).udp().target_name("dns"),
            ServicePortBuilder::new("dns-tcp", 53).target_name("dns-tcp"),
            ServicePortBuilder::new("metrics", 9153).target_name("metrics"),
        ],
    );
    json::set(&mut dns, "spec/clusterIP", "10.96.0.10");
    let coredns =
        WorkloadBuilder::new("kube-dns", 2, &[("dns-tcp", 53), ("metrics", 9153)]).udp("dns", 53);
    let mut coredns = coredns.deployment();
    json::set(&mut coredns, "metadata/name", "coredns");
    let mut kubernetes = cluster_ip(
        "kubernetes",
        &[ServicePortBuilder::new("https", 443).target_port(6443)],
    );
    json::remove(&mut kubernetes, "spec/selector");
    json::set(&mut kubernetes, "spec/clusterIP", "10.96.0.1");
    json::set(
        &mut kubernetes,
        "metadata/labels",
        json!({"component": "apiserver", "provider": "kubernetes"}),
    );
    let system = [
        dns,
        coredns,
        WorkloadBuilder::new("kube-proxy", 0, &[("metrics", 10_249)]).daemon_set(),
    ];
    let default = [
        kubernetes,
        manual_slice("kubernetes", "kubernetes", &["10.88.0.10"], ("https", 6443)),
    ];
    system
        .into_iter()
        .map(|object| in_namespace("kube-system", object))
        .chain(
            default
                .into_iter()
                .map(|object| in_namespace("default", object)),
        )
        .collect()
}

fn in_namespace(namespace: &str, mut object: Value) -> Value {
    json::set(&mut object, "metadata/namespace", namespace);
    object
}

/// Creates an object as a client would.
pub(super) fn create_object(registry: &ObjectRegistry, object: Value) {
    let Some(resource) = ServedResource::of(&object) else {
        tracing::error!("an object of the sample has no kind");
        return;
    };
    let namespace = json::text(&object, "metadata/namespace").to_owned();
    let status = json::at(&object, "status").cloned();
    let manager = match json::text(&object, "metadata/labels/app.kubernetes.io~1managed-by") {
        "" => "kubectl-create",
        _ => "helm",
    };
    let intent = ObjectWriteOptions {
        manager: manager.to_owned(),
        ..ObjectWriteOptions::default()
    };
    match registry.create(resource, &namespace, object, &intent) {
        Ok(mut made) => {
            if let Some(status) = status.filter(|_| ingress_objects::keeps_status(resource.kind)) {
                json::set(&mut made, "status", status);
                registry.store.lock().put(resource.kind, made);
            }
        }
        Err(status) => tracing::error!(?status, "an object of the sample was refused"),
    }
}

fn assign_load_balancer_address(registry: &ObjectRegistry, name: &str, ip: &str) {
    let mut state = registry.store.lock();
    let service = state
        .get(ServedKind::Service, &NamespacedName::new("shop", name))
        .map(|service| service.to_value());
    if let Some(mut service) = service {
        json::set(
            &mut service,
            "status/loadBalancer/ingress",
            json!([{"ip": ip, "ipMode": "VIP"}]),
        );
        state.put(ServedKind::Service, service);
    }
}
