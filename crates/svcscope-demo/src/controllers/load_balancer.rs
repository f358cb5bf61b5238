//! The cloud's load balancers: a Service of type LoadBalancer is granted an address after a while.

use serde_json::{Value, json};

use super::super::cluster::DemoCluster;
use super::super::json;
use super::super::resource::ServedKind;
use super::super::store::{NamespacedName, StoreEvent, StoreState};
use super::delayed_tasks::{DelayedTask, DelayedTaskQueue, seconds};
use super::record_event;

const COMPONENT: &str = "service-controller";
/// The annotation by which a Service of the sample asks for a slower cloud, in seconds.
pub(crate) const DELAY_ANNOTATION: &str = "demo.svcscope/balancer-seconds";
/// How long the cloud takes by default.
const DEFAULT_DELAY_SECONDS: u64 = 8;

/// A Service that wants a load balancer and has none is put on the list.
pub(super) fn observe(schedule: &mut DelayedTaskQueue, event: &StoreEvent, service: &Value) {
    let wanted = |service: &Value| {
        json::text(service, "spec/type") == "LoadBalancer"
            // Another controller's class is not ours: without one it stays pending for ever.
            && json::text(service, "spec/loadBalancerClass").is_empty()
    };
    let before = event.before.as_ref().map(|before| before.to_value());
    if wanted(service)
        && json::list(service, "status/loadBalancer/ingress").is_empty()
        && !before.as_ref().is_some_and(wanted)
    {
        schedule.after(
            std::time::Duration::ZERO,
            DelayedTask::EnsureLoadBalancer(event.object.key.clone()),
        );
    }
}

/// The controller begins to ask the cloud.
pub(super) fn ensure_load_balancer(
    app: &DemoCluster,
    schedule: &mut DelayedTaskQueue,
    key: &NamespacedName,
) {
    let mut state = app.registry.store.lock();
    let Some(service) = pending_service(&state, key) else {
        return;
    };
    let event_fields = ("Normal", "EnsuringLoadBalancer", "Ensuring load balancer");
    record_event(&mut state, &service, event_fields, COMPONENT);
    let delay = json::object(&service, "metadata/annotations")
        .and_then(|annotations| annotations.get(DELAY_ANNOTATION)?.as_str()?.parse().ok())
        .unwrap_or(DEFAULT_DELAY_SECONDS);
    schedule.after(
        seconds(delay),
        DelayedTask::AssignLoadBalancerAddress(key.clone()),
    );
}

/// The cloud answers with an address.
pub(crate) fn assign_address(app: &DemoCluster, key: &NamespacedName) {
    let mut state = app.registry.store.lock();
    let Some(mut service) = pending_service(&state, key) else {
        return;
    };
    let taken = state
        .list(ServedKind::Service, None)
        .iter()
        .flat_map(|object| {
            let service = object.to_value();
            json::list(&service, "status/loadBalancer/ingress")
                .iter()
                .map(|entry| json::text(entry, "ip").to_owned())
                .collect::<Vec<_>>()
        })
        .collect::<Vec<_>>();
    let free = (8..255)
        .map(|last| app.network.load_balancer_address(last))
        .find(|ip| !taken.contains(ip));
    let Some(ip) = free else {
        let event_fields = (
            "Warning",
            "SyncLoadBalancerFailed",
            "Error syncing load balancer: failed to ensure load balancer: quota of 247 addresses exceeded",
        );
        record_event(&mut state, &service, event_fields, COMPONENT);
        return;
    };
    json::set(
        &mut service,
        "status/loadBalancer/ingress",
        json!([{"ip": ip, "ipMode": "VIP"}]),
    );
    state.put(ServedKind::Service, service.clone());
    let event_fields = ("Normal", "EnsuredLoadBalancer", "Ensured load balancer");
    record_event(&mut state, &service, event_fields, COMPONENT);
}

/// The Service, if it still waits.
fn pending_service(state: &StoreState, key: &NamespacedName) -> Option<Value> {
    let service = state.get(ServedKind::Service, key)?.to_value();
    let waits = json::text(&service, "spec/type") == "LoadBalancer"
        && json::list(&service, "status/loadBalancer/ingress").is_empty();
    waits.then_some(service)
}
