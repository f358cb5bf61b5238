//! The sample cluster: every type of Service, and one example each of the common mistakes.

mod fronts;
mod objects;
mod template;

use serde_json::{Value, json};

use super::controllers::BALANCER_DELAY;
use super::json;
use super::node_ports::NodeNetwork;
use super::pod::{self, BEHAVIOUR};
use super::registry::{Intent, Registry};
use super::resource::{Kind, Resource};
use super::store::Key;

use objects::{external_name, manual_slice};

pub(super) use objects::{
    Port, Workload, cluster_ip, headless, load_balancer, namespace, node, node_port,
};

/// How old the sample is, in seconds: three days and some hours.
const AGE: i64 = 283_140;

/// Creates all objects of the sample but those that controllers make.
pub(super) fn build(registry: &Registry, network: &NodeNetwork) {
    registry.backdate(AGE);
    for name in ["default", "kube-system", "shop", "infra"] {
        make(registry, namespace(name));
    }
    for (index, name) in ["node-a", "node-b", "node-c"].into_iter().enumerate() {
        make(registry, node(name, index, network.address(index)));
    }
    let all = shop().into_iter().chain(infra()).chain(system());
    for object in all.chain(fronts::all(network)) {
        make(registry, object);
    }
    grant(registry, "web", &network.balancer(7));
}

/// After the controllers have made the pods: those of the sample that are not ready.
pub(super) fn spoil(registry: &Registry) {
    for (namespace, app, count) in [("shop", "api", 1), ("infra", "queue", 2)] {
        let ready = super::controllers::ready_pods(&registry.store.lock(), namespace, app);
        for key in ready.iter().take(count) {
            let mut state = registry.store.lock();
            let Some(mut value) = state.get(Kind::Pod, key).map(|pod| pod.read()) else {
                continue;
            };
            pod::set_ready(&mut value, false);
            state.put(Kind::Pod, value.clone());
            let told = (
                "Warning",
                "Unhealthy",
                "Readiness probe failed: HTTP probe failed with statuscode: 503",
            );
            super::controllers::record_event(&mut state, &value, told, "kubelet");
        }
    }
    registry.backdate(0);
}

fn shop() -> Vec<Value> {
    let mut web = load_balancer(
        "web",
        &[
            Port::new("https", 443).target(8443),
            Port::new("http", 80).named("http").node(31_200),
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
        &[Port::new("https", 443).target(8443).node(30_558)],
    );
    json::object_mut(&mut payments, "metadata/annotations")
        .insert(BALANCER_DELAY.to_owned(), "25".into());
    // Pending for ever: no controller serves this class.
    let mut edge = load_balancer("edge", &[Port::new("http", 80).named("http")]);
    json::set(&mut edge, "spec/loadBalancerClass", "example.com/nobody");
    // The selector says "orfan", the pods "orphan-worker".
    let mut orphan = cluster_ip("orphan", &[Port::new("", 80).target(8080)]);
    json::set(&mut orphan, "spec/selector", json!({"app": "orfan"}));
    let all = [
        web,
        node_port("api", &[Port::new("http", 8081).named("http").node(30_080)]),
        payments,
        edge,
        orphan,
        // No container declares a port of this name.
        cluster_ip("wrongport", &[Port::new("web", 80).named("web-ui")]),
        cluster_ip("cache", &[Port::new("redis", 6379).named("redis")]),
        // No such name can ever exist (RFC 6761), so that nobody is asked for it.
        external_name("legacy", "legacy.example.invalid"),
        // Its Deployment is scaled to 0.
        cluster_ip("reports", &[Port::new("http", 80).named("http")]),
        Workload::new("web", 3, &[("http", 8080), ("https", 8443)]).deployment(),
        Workload::new("api", 2, &[("http", 8080)]).deployment(),
        Workload::new("payments", 1, &[("https", 8443)]).deployment(),
        Workload::new("edge", 1, &[("http", 8080)]).deployment(),
        Workload::new("orphan-worker", 2, &[("http", 8080)]).deployment(),
        Workload::new("wrongport", 2, &[("http", 8080)]).deployment(),
        Workload::new("cache", 2, &[("redis", 6379)]).deployment(),
        Workload::new("reports", 0, &[("http", 8080)]).deployment(),
        Workload::new("mailer", 6, &[]).deployment(),
    ];
    all.into_iter()
        .map(|object| within("shop", object))
        .collect()
}

fn infra() -> Vec<Value> {
    let statsd = Workload::new("statsd", 2, &[]).udp("statsd", 8125);
    let mut crashing = Workload::new("crashing", 1, &[("http", 8080)]).deployment();
    json::object_mut(&mut crashing, "spec/template/metadata/annotations")
        .insert(BEHAVIOUR.to_owned(), "crash-loop".into());
    let mut mainframe = cluster_ip("mainframe", &[Port::new("tn3270", 23).target(992)]);
    json::remove(&mut mainframe, "spec/selector");
    let slice = manual_slice(
        "mainframe",
        "mainframe-manual",
        &["10.88.7.21", "10.88.7.22"],
        ("tn3270", 992),
    );
    let all = [
        headless("db", &[Port::new("pg", 5432).target(5432)]),
        cluster_ip("queue", &[Port::new("amqp", 5672).named("amqp")]),
        cluster_ip("crashing", &[Port::new("http", 80).named("http")]),
        node_port("metrics", &[Port::new("http", 9090).named("http")]),
        // The pods listen for UDP, the Service asks for TCP.
        cluster_ip("statsd", &[Port::new("statsd", 8125).named("statsd")]),
        cluster_ip("echo", &[Port::new("echo", 9000).named("echo")]),
        mainframe,
        slice,
        Workload::new("db", 2, &[("pg", 5432)]).stateful_set(),
        Workload::new("queue", 24, &[("amqp", 5672)]).deployment(),
        crashing,
        Workload::new("metrics", 1, &[("http", 9090)]).deployment(),
        statsd.deployment(),
        Workload::new("echo", 2, &[("echo", 9000)]).deployment(),
    ];
    all.into_iter()
        .map(|object| within("infra", object))
        .collect()
}

fn system() -> Vec<Value> {
    let mut dns = cluster_ip(
        "kube-dns",
        &[
            Port::new("dns", 53).udp().named("dns"),
            Port::new("dns-tcp", 53).named("dns-tcp"),
            Port::new("metrics", 9153).named("metrics"),
        ],
    );
    json::set(&mut dns, "spec/clusterIP", "10.96.0.10");
    let coredns =
        Workload::new("kube-dns", 2, &[("dns-tcp", 53), ("metrics", 9153)]).udp("dns", 53);
    let mut coredns = coredns.deployment();
    json::set(&mut coredns, "metadata/name", "coredns");
    let mut kubernetes = cluster_ip("kubernetes", &[Port::new("https", 443).target(6443)]);
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
        Workload::new("kube-proxy", 0, &[("metrics", 10_249)]).daemon_set(),
    ];
    let default = [
        kubernetes,
        manual_slice("kubernetes", "kubernetes", &["10.88.0.10"], ("https", 6443)),
    ];
    system
        .into_iter()
        .map(|object| within("kube-system", object))
        .chain(default.into_iter().map(|object| within("default", object)))
        .collect()
}

fn within(namespace: &str, mut object: Value) -> Value {
    json::set(&mut object, "metadata/namespace", namespace);
    object
}

/// Creates an object as a client would.
pub(super) fn make(registry: &Registry, object: Value) {
    let Some(resource) = Resource::of(&object) else {
        tracing::error!("an object of the sample has no kind");
        return;
    };
    let namespace = json::text(&object, "metadata/namespace").to_owned();
    let status = json::at(&object, "status").cloned();
    let manager = match json::text(&object, "metadata/labels/app.kubernetes.io~1managed-by") {
        "" => "kubectl-create",
        _ => "helm",
    };
    let intent = Intent {
        manager: manager.to_owned(),
        ..Intent::default()
    };
    match registry.create(resource, &namespace, object, &intent) {
        Ok(mut made) => {
            if let Some(status) = status.filter(|_| fronts::keeps_status(resource.kind)) {
                json::set(&mut made, "status", status);
                registry.store.lock().put(resource.kind, made);
            }
        }
        Err(status) => tracing::error!(?status, "an object of the sample was refused"),
    }
}

fn grant(registry: &Registry, name: &str, ip: &str) {
    let mut state = registry.store.lock();
    let service = state
        .get(Kind::Service, &Key::new("shop", name))
        .map(|service| service.read());
    if let Some(mut service) = service {
        json::set(
            &mut service,
            "status/loadBalancer/ingress",
            json!([{"ip": ip, "ipMode": "VIP"}]),
        );
        state.put(Kind::Service, service);
    }
}
