//! Changes of the cluster are in the graph at once. How soon is printed, in milliseconds from the
//! moment when the API server (or the kubelet) had done it.

use svcscope_engine::Scene;
use svcscope_model::{
    inventory::{ObjectKey, ServiceType},
    topology::{BackendState, BackendTarget, PortBackend},
};

use crate::{kubeconfig, sample::WebSampleNamespace};

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn pods_readiness_and_types_are_followed() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "live");
    let engine = sample.engine();
    let web = ObjectKey::new(&*sample.namespace, "web");
    let gated = ObjectKey::new(&*sample.namespace, "gated");
    assert_eq!(ready(&engine.handle.scene(), &web), 2);
    assert_eq!(ready(&engine.handle.scene(), &gated), 1);

    sample.run(&["scale", "deployment/web", "--replicas=3"]);
    sample.run(&["rollout", "status", "deployment/web", "--timeout=60s"]);
    let took = engine.wait("a third ready pod", |scene| ready(scene, &web) == 3);
    eprintln!(
        "a new pod was in the graph {} ms after its rollout",
        took.as_millis()
    );

    let victim = sample.run(&[
        "get",
        "pods",
        "-l",
        "app=web",
        "-o",
        "jsonpath={.items[0].metadata.name}",
    ]);
    sample.run(&["delete", "pod", &victim, "--wait=false"]);
    let took = engine.wait("the deleted pod to leave", |scene| {
        !backends(scene, &web).iter().any(|backend| {
            backend.state() == BackendState::Ready
                && backend.target
                    == BackendTarget::Pod(ObjectKey::new(&*sample.namespace, &*victim))
        })
    });
    eprintln!(
        "a deleted pod left the graph {} ms after the delete",
        took.as_millis()
    );

    sample.run(&["exec", "gated-0", "--", "sh", "-c", "echo no > /tmp/ready"]);
    sample.run(&[
        "wait",
        "pod/gated-0",
        "--for=condition=Ready=false",
        "--timeout=60s",
    ]);
    let took = engine.wait("the pod to be not ready", |scene| ready(scene, &gated) == 0);
    eprintln!(
        "a lost readiness was in the graph after {} ms",
        took.as_millis()
    );
    sample.run(&["exec", "gated-0", "--", "sh", "-c", "echo yes > /tmp/ready"]);
    sample.run(&[
        "wait",
        "pod/gated-0",
        "--for=condition=Ready",
        "--timeout=60s",
    ]);
    let took = engine.wait("the pod to be ready again", |scene| {
        ready(scene, &gated) == 1
    });
    eprintln!(
        "a regained readiness was in the graph after {} ms",
        took.as_millis()
    );

    sample.run(&[
        "patch",
        "service",
        "web",
        "-p",
        r#"{"spec":{"type":"NodePort"}}"#,
    ]);
    let took = engine.wait("the new type", |scene| {
        scene.topology.service(&web).is_some_and(|traffic| {
            traffic.service.service_type == ServiceType::NodePort
                && traffic
                    .ports
                    .iter()
                    .all(|port| port.port.node_port.is_some())
        })
    });
    eprintln!(
        "a changed type was in the graph after {} ms",
        took.as_millis()
    );
}

fn backends(scene: &Scene, service: &ObjectKey) -> Vec<PortBackend> {
    scene
        .topology
        .service(service)
        .and_then(|traffic| traffic.ports.first())
        .map(|port| port.backends.clone())
        .unwrap_or_default()
}

fn ready(scene: &Scene, service: &ObjectKey) -> usize {
    backends(scene, service)
        .iter()
        .filter(|backend| backend.state() == BackendState::Ready)
        .count()
}
