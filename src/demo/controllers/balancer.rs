//! The cloud's load balancers: a Service of type LoadBalancer is granted an address after a while.

use serde_json::{Value, json};

use super::super::app::App;
use super::super::json;
use super::super::resource::Kind;
use super::super::store::{Event, Key, State};
use super::jobs::{Job, Schedule};
use super::{record_event, seconds};

const COMPONENT: &str = "service-controller";
/// The annotation by which a Service of the sample asks for a slower cloud, in seconds.
pub(in crate::demo) const DELAY: &str = "demo.svcscope/balancer-seconds";
/// How long the cloud takes unless told.
const USUAL_SECONDS: u64 = 8;

/// A Service that wants a load balancer and has none is put on the list.
pub(super) fn observe(schedule: &mut Schedule, event: &Event, service: &Value) {
    let wanted = |service: &Value| {
        json::text(service, "spec/type") == "LoadBalancer"
            // Another controller's class is not ours: without one it stays pending for ever.
            && json::text(service, "spec/loadBalancerClass").is_empty()
    };
    let before = event.before.as_ref().map(|before| before.read());
    if wanted(service)
        && json::list(service, "status/loadBalancer/ingress").is_empty()
        && !before.as_ref().is_some_and(wanted)
    {
        schedule.after(
            std::time::Duration::ZERO,
            Job::EnsureBalancer(event.object.key.clone()),
        );
    }
}

/// The controller begins to ask the cloud.
pub(super) fn ensure(app: &App, schedule: &mut Schedule, key: &Key) {
    let mut state = app.registry.store.lock();
    let Some(service) = pending(&state, key) else {
        return;
    };
    let told = ("Normal", "EnsuringLoadBalancer", "Ensuring load balancer");
    record_event(&mut state, &service, told, COMPONENT);
    let delay = json::object(&service, "metadata/annotations")
        .and_then(|annotations| annotations.get(DELAY)?.as_str()?.parse().ok())
        .unwrap_or(USUAL_SECONDS);
    schedule.after(seconds(delay), Job::GrantAddress(key.clone()));
}

/// The cloud answers with an address.
pub(in crate::demo) fn grant(app: &App, key: &Key) {
    let mut state = app.registry.store.lock();
    let Some(mut service) = pending(&state, key) else {
        return;
    };
    let taken = state
        .list(Kind::Service, None)
        .iter()
        .flat_map(|object| {
            let service = object.read();
            json::list(&service, "status/loadBalancer/ingress")
                .iter()
                .map(|entry| json::text(entry, "ip").to_owned())
                .collect::<Vec<_>>()
        })
        .collect::<Vec<_>>();
    let free = (8..255)
        .map(|last| app.network.balancer(last))
        .find(|ip| !taken.contains(ip));
    let Some(ip) = free else {
        let told = (
            "Warning",
            "SyncLoadBalancerFailed",
            "Error syncing load balancer: failed to ensure load balancer: quota of 247 addresses exceeded",
        );
        record_event(&mut state, &service, told, COMPONENT);
        return;
    };
    json::set(
        &mut service,
        "status/loadBalancer/ingress",
        json!([{"ip": ip, "ipMode": "VIP"}]),
    );
    state.put(Kind::Service, service.clone());
    let told = ("Normal", "EnsuredLoadBalancer", "Ensured load balancer");
    record_event(&mut state, &service, told, COMPONENT);
}

/// The Service, if it still waits.
fn pending(state: &State, key: &Key) -> Option<Value> {
    let service = state.get(Kind::Service, key)?.read();
    let waits = json::text(&service, "spec/type") == "LoadBalancer"
        && json::list(&service, "status/loadBalancer/ingress").is_empty();
    waits.then_some(service)
}
