//! What happens in the run that is recorded: something to every kind.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use svcscope_demo::DemoControl;

/// Where it happens.
pub(super) const NAMESPACE: &str = "sieve";

/// A pod of the demo is ready, or gone, after so long.
const SETTLED: Duration = Duration::from_secs(8);

fn apply(control: &DemoControl, object: Value) {
    control.apply(object).expect("the demo takes it");
}

fn delete(control: &DemoControl, kind: &str, name: &str) {
    control.delete(kind, NAMESPACE, name).expect("it is there");
}

fn object(kind: &str, api: &str, name: &str, rest: Value) -> Value {
    let mut object = json!({
        "kind": kind,
        "apiVersion": api,
        "metadata": {"name": name, "namespace": NAMESPACE},
    });
    for (field, value) in rest.as_object().into_iter().flatten() {
        object[field.as_str()] = value.clone();
    }
    object
}

/// An object without a namespace.
fn whole(kind: &str, api: &str, name: &str, rest: Value) -> Value {
    let mut object = object(kind, api, name, rest);
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.shift_remove("namespace");
    }
    object
}

fn service(name: &str, spec: Value) -> Value {
    object("Service", "v1", name, json!({"spec": spec}))
}

fn web(service_type: &str) -> Value {
    service(
        "web",
        json!({
            "type": service_type,
            "selector": {"app": "web"},
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        }),
    )
}

fn workload(kind: &str, app: &str, replicas: u32) -> Value {
    object(
        kind,
        "apps/v1",
        app,
        json!({"spec": {
            "replicas": replicas,
            "serviceName": app,
            "selector": {"matchLabels": {"app": app}},
            "template": {
                "metadata": {"labels": {"app": app}},
                "spec": {"containers": [{
                    "name": app,
                    "image": "registry.example.com/app:1",
                    "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                }]},
            },
        }}),
    )
}

/// What is there before the recording begins.
pub(super) async fn prepare(control: &DemoControl) {
    apply(control, whole("Namespace", "v1", NAMESPACE, json!({})));
    apply(control, workload("Deployment", "web", 2));
    apply(control, workload("StatefulSet", "db", 1));
    apply(control, web("ClusterIP"));
    sleep(SETTLED).await;
}

/// What is recorded.
pub(super) async fn run(control: &DemoControl) {
    services(control).await;
    pods(control).await;
    ingresses(control).await;
    gateways(control).await;
    cluster(control).await;
    ends(control).await;
    sleep(SETTLED).await;
}

/// Created, changed, of every type, deleted, and there again.
async fn services(control: &DemoControl) {
    for service_type in ["NodePort", "LoadBalancer", "ClusterIP"] {
        apply(control, web(service_type));
        sleep(SETTLED).await;
    }
    let ports = json!([
        {"name": "http", "port": 8080, "targetPort": "http", "protocol": "TCP"},
        {"name": "admin", "port": 9090, "targetPort": 9090, "protocol": "TCP"},
    ]);
    let selector = json!({"app": "web"});
    let api = |selector: &Value| {
        service(
            "api",
            json!({"type": "ClusterIP", "selector": selector, "ports": ports}),
        )
    };
    apply(control, api(&selector));
    apply(control, api(&json!({"app": "nobody"})));
    sleep(SETTLED).await;
    apply(control, api(&selector));
    let alias = |name: &str| {
        service(
            "alias",
            json!({"type": "ExternalName", "externalName": name}),
        )
    };
    apply(control, alias("db.example.org"));
    apply(control, alias("db.example.net"));
    apply(
        control,
        service(
            "db",
            json!({
                "type": "ClusterIP", "clusterIP": "None", "selector": {"app": "db"},
                "ports": [{"name": "db", "port": 8080, "targetPort": "http", "protocol": "TCP"}],
            }),
        ),
    );
    sleep(SETTLED).await;
    for (name, reason) in [("web", "Synced"), ("db", "FailedToUpdateEndpoint")] {
        let about = json!({
            "involvedObject": {"kind": "Service", "namespace": NAMESPACE, "name": name},
            "type": "Warning", "reason": reason, "message": "it went wrong", "count": 1,
        });
        apply(
            control,
            object("Event", "v1", &format!("{name}.1"), about.clone()),
        );
        let again = object("Event", "v1", &format!("{name}.1"), json!({"count": 2}));
        apply(control, again);
    }
    delete(control, "Event", "web.1");
}

/// Created, ready, not ready, terminating, deleted, created again.
async fn pods(control: &DemoControl) {
    let names = |control: &DemoControl| -> Vec<String> {
        let pods = control.list("pods", Some(NAMESPACE));
        let name = |pod: &Value| pod["metadata"]["name"].as_str().map(str::to_owned);
        pods.iter().filter_map(name).collect()
    };
    for name in names(control) {
        for ready in [false, true] {
            let set = control.set_pod_ready(NAMESPACE, &name, ready);
            set.expect("the pod is there");
            sleep(Duration::from_millis(300)).await;
        }
    }
    for replicas in [5, 1, 3] {
        apply(control, workload("Deployment", "web", replicas));
        sleep(SETTLED).await;
    }
    apply(control, workload("StatefulSet", "db", 2));
    sleep(SETTLED).await;
    if let Some(first) = names(control).first() {
        delete(control, "Pod", first);
        sleep(SETTLED).await;
    }
    let mut other = workload("Deployment", "web", 3);
    other["spec"]["template"]["metadata"]["annotations"] = json!({"rolled": "out"});
    apply(control, other);
    sleep(SETTLED * 3).await;
}

async fn ingresses(control: &DemoControl) {
    let networking = "networking.k8s.io/v1";
    let class = |name: &str| {
        let spec = json!({"spec": {"controller": format!("example.com/{name}")}});
        whole("IngressClass", networking, "edge", spec)
    };
    apply(control, class("one"));
    let secret = object(
        "Secret",
        "v1",
        "cert",
        json!({"type": "kubernetes.io/tls", "data": {"tls.crt": "", "tls.key": ""}}),
    );
    apply(control, secret);
    let front_ingress = |port: u16| {
        let backend = json!({"service": {"name": "web", "port": {"number": port}}});
        object(
            "Ingress",
            networking,
            "front",
            json!({"spec": {
                "ingressClassName": "edge",
                "tls": [{"hosts": ["sieve.example.com"], "secretName": "cert"}],
                "rules": [{"host": "sieve.example.com", "http": {"paths": [
                    {"path": "/", "pathType": "Prefix", "backend": backend},
                ]}}],
            }}),
        )
    };
    apply(control, front_ingress(80));
    apply(control, front_ingress(81));
    apply(control, class("two"));
    let policy = |app: &str| {
        let spec = json!({"spec": {
            "podSelector": {"matchLabels": {"app": app}}, "policyTypes": ["Ingress"],
        }});
        object("NetworkPolicy", networking, "closed", spec)
    };
    apply(control, policy("web"));
    apply(control, policy("db"));
    apply(control, front_ingress(80));
    let cidr = |labels: Value| {
        let spec = json!({"spec": {"cidrs": ["10.200.0.0/16"]}});
        let mut cidr = whole("ServiceCIDR", networking, "more", spec);
        cidr["metadata"]["labels"] = labels;
        cidr
    };
    apply(control, cidr(json!({})));
    apply(control, cidr(json!({"of": "sieve"})));
    delete(control, "Secret", "cert");
}

async fn gateways(control: &DemoControl) {
    let gateway = "gateway.networking.k8s.io/v1";
    let class = whole(
        "GatewayClass",
        gateway,
        "mesh",
        json!({"spec": {"controllerName": "example.com/mesh"}}),
    );
    apply(control, class);
    let front_ingress = |port: u16| {
        let listener = json!({"name": "http", "port": port, "protocol": "HTTP"});
        let spec = json!({"spec": {"gatewayClassName": "mesh", "listeners": [listener]}});
        object("Gateway", gateway, "edge", spec)
    };
    apply(control, front_ingress(80));
    let route = |kind: &str, to: &str| {
        let rule = json!({"backendRefs": [{"name": to, "port": 80}]});
        let spec = json!({"spec": {
            "parentRefs": [{"name": "edge"}], "hostnames": ["r.example.com"], "rules": [rule],
        }});
        object(kind, gateway, "route", spec)
    };
    for kind in ["HTTPRoute", "GRPCRoute"] {
        apply(control, route(kind, "web"));
        apply(control, route(kind, "absent"));
    }
    apply(control, front_ingress(8080));
    apply(
        control,
        object(
            "ReferenceGrant",
            "gateway.networking.k8s.io/v1beta1",
            "grant",
            json!({"spec": {
                "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "shop"}],
                "to": [{"group": "", "kind": "Service"}],
            }}),
        ),
    );
    delete(control, "GRPCRoute", "route");
    sleep(SETTLED).await;
}

/// What belongs to no namespace.
async fn cluster(control: &DemoControl) {
    let hook = |kind: &str, name: &str| {
        let client = json!({"service": {"namespace": NAMESPACE, "name": name, "port": 443}});
        let hook = json!({
            "name": "hook.example.com", "clientConfig": client, "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        });
        let hooks = json!({"webhooks": [hook]});
        whole(kind, "admissionregistration.k8s.io/v1", "sieve-hook", hooks)
    };
    for kind in [
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
    ] {
        apply(control, hook(kind, "absent"));
        apply(control, hook(kind, "web"));
    }
    let served = |name: &str| {
        let spec = json!({"spec": {
            "group": "sieve.example.com", "version": "v1", "groupPriorityMinimum": 100,
            "versionPriority": 100, "service": {"namespace": NAMESPACE, "name": name, "port": 443},
        }});
        whole(
            "APIService",
            "apiregistration.k8s.io/v1",
            "v1.sieve.example.com",
            spec,
        )
    };
    apply(control, served("absent"));
    apply(control, served("web"));
    let label = |kind: &str, name: &str, value: &str| {
        let mut object = whole(kind, "v1", name, json!({}));
        object["metadata"]["labels"] = json!({"sieve": value});
        object
    };
    apply(control, label("Namespace", NAMESPACE, "one"));
    apply(control, label("Namespace", "sieve-other", "one"));
    let nodes = control.list("nodes", None);
    for node in nodes
        .iter()
        .filter_map(|node| node["metadata"]["name"].as_str())
    {
        apply(control, label("Node", node, "one"));
    }
}

/// Everything ends.
async fn ends(control: &DemoControl) {
    control
        .delete("Namespace", "", "sieve-other")
        .expect("it is there");
    for (kind, name) in [
        ("Ingress", "front"),
        ("NetworkPolicy", "closed"),
        ("HTTPRoute", "route"),
        ("Gateway", "edge"),
        ("Service", "alias"),
        ("Service", "web"),
    ] {
        delete(control, kind, name);
    }
    sleep(SETTLED).await;
    apply(control, web("ClusterIP"));
    sleep(SETTLED).await;
    delete(control, "StatefulSet", "db");
    sleep(SETTLED).await;
    delete(control, "Deployment", "web");
}
