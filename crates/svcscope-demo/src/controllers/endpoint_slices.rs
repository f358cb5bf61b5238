//! The EndpointSlice and Endpoints controllers: writes what `endpoints` works out, changing as little as
//! it can.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::endpoints::{self, ComputedEndpoint, ComputedEndpointPort, EndpointsByPorts};
use super::super::json;
use super::super::random::SeededRandom;
use super::super::registry::ObjectRegistry;
use super::super::resource::ServedKind;
use super::super::store::{NamespacedName, StoreState};
use super::super::time;

pub(super) const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const CONTROLLER: &str = "endpointslice-controller.k8s.io";
const HEADLESS: &str = "service.kubernetes.io/headless";
const TRIGGER: &str = "endpoints.kubernetes.io/last-change-trigger-time";
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";
/// The most endpoints of a slice (`--max-endpoints-per-slice`).
const MAX_ENDPOINTS_PER_SLICE: usize = 100;
/// The most addresses of a legacy Endpoints object.
const MAX_LEGACY_ADDRESSES: usize = 1000;

/// Whether a selector matches; an empty one matches nothing.
pub(super) fn matches(
    selector: &BTreeMap<String, String>,
    labels: &BTreeMap<String, String>,
) -> bool {
    !selector.is_empty()
        && selector
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
}

/// Brings the slices and Endpoints of one Service up to date. Returns the revision up to which they are, or
/// `None` when the Service is gone.
pub(super) fn reconcile_service(registry: &ObjectRegistry, key: &NamespacedName) -> Option<u64> {
    let mut state = registry.store.lock();
    let Some(service) = state
        .get(ServedKind::Service, key)
        .map(|service| service.to_value())
    else {
        remove_endpoints(&mut state, key);
        return None;
    };
    let selector = super::super::store::labels(&service, "spec/selector");
    // An ExternalName Service gets none, and what it had stays: the real controller just returns.
    if json::text(&service, "spec/type") == "ExternalName" || selector.is_empty() {
        return Some(state.revision());
    }
    let pods = state
        .list(ServedKind::Pod, Some(&key.namespace))
        .into_iter()
        .filter(|pod| matches(&selector, &pod.labels))
        .map(|pod| pod.to_value())
        .collect::<Vec<_>>();
    let families = match json::list(&service, "spec/ipFamilies") {
        [] => vec!["IPv4"],
        families => families.iter().filter_map(Value::as_str).collect(),
    };
    for family in &families {
        let groups = endpoints::endpoint_groups(&service, &pods, family);
        sync_slices(registry, &mut state, &service, key, family, groups);
    }
    let legacy =
        endpoints::endpoint_groups(&service, &pods, families.first().copied().unwrap_or("IPv4"));
    sync_legacy(registry, &mut state, &service, key, &legacy);
    Some(state.revision())
}

/// The Service is gone, and with it what was made for it.
fn remove_endpoints(state: &mut StoreState, key: &NamespacedName) {
    for slice in managed_slices(state, key) {
        state.delete(ServedKind::EndpointSlice, &NamespacedName::of(&slice));
    }
    let legacy = state.get(ServedKind::Endpoints, key);
    if legacy.is_some_and(|legacy| {
        legacy
            .labels
            .contains_key("endpoints.kubernetes.io/managed-by")
    }) {
        state.delete(ServedKind::Endpoints, key);
    }
}

fn managed_slices(state: &StoreState, key: &NamespacedName) -> Vec<Value> {
    state
        .list(ServedKind::EndpointSlice, Some(&key.namespace))
        .into_iter()
        .filter(|slice| {
            slice.labels.get(SERVICE_NAME_LABEL) == Some(&key.name)
                && slice
                    .labels
                    .get(MANAGED_BY)
                    .is_some_and(|by| by == CONTROLLER)
        })
        .map(|slice| slice.to_value())
        .collect()
}

fn sync_slices(
    registry: &ObjectRegistry,
    state: &mut StoreState,
    service: &Value,
    key: &NamespacedName,
    family: &str,
    groups: EndpointsByPorts,
) {
    let mut existing = managed_slices(state, key);
    existing.retain(|slice| json::text(slice, "addressType") == family);
    let mut groups = groups;
    if groups.is_empty() {
        // A Service without pods has one empty slice, so that one can see that it was looked at.
        groups.insert(Vec::new(), Vec::new());
    }
    let mut wanted = Vec::new();
    for (ports, endpoints) in groups {
        let ports = ports_of(&ports);
        let (own, others) = existing
            .into_iter()
            .partition::<Vec<_>, _>(|slice| slice.get("ports").unwrap_or(&Value::Null) == &ports);
        existing = others;
        wanted.extend(distribute_endpoints(own, endpoints, &ports));
    }
    // A placeholder whose time is over becomes a real slice, as the real reconciler reuses slices.
    for (old, _, _) in &mut wanted {
        if old.is_none() {
            *old = existing.pop();
        }
    }
    for gone in existing {
        state.delete(ServedKind::EndpointSlice, &NamespacedName::of(&gone));
    }
    for (old, endpoints, ports) in wanted {
        let slice = build_slice(
            registry,
            service,
            key,
            family,
            old.as_ref(),
            endpoints,
            ports,
        );
        put_if_changed(state, ServedKind::EndpointSlice, old.as_ref(), slice);
    }
}

/// A slice to write: the one it replaces, its endpoints, its ports.
type PlannedEndpointSlice = (Option<Value>, Vec<Value>, Value);

/// Distributes endpoints over slices: each stays in the slice where it is, new ones fill what is not full,
/// the rest opens new slices.
fn distribute_endpoints(
    own: Vec<Value>,
    endpoints: Vec<ComputedEndpoint>,
    ports: &Value,
) -> Vec<PlannedEndpointSlice> {
    let mut left = endpoints
        .iter()
        .map(|endpoint| (endpoint.identity().to_owned(), endpoint.to_value()))
        .collect::<Vec<_>>();
    let mut filled = Vec::new();
    for slice in own {
        let existing = json::list(&slice, "endpoints")
            .iter()
            .map(|endpoint| json::text(endpoint, "targetRef/uid"))
            .collect::<BTreeSet<_>>();
        let (kept, others) = left
            .into_iter()
            .partition::<Vec<_>, _>(|(uid, _)| existing.contains(uid.as_str()));
        left = others;
        let kept = kept
            .into_iter()
            .map(|(_, endpoint)| endpoint)
            .collect::<Vec<_>>();
        filled.push((Some(slice), kept, ports.clone()));
    }
    for (_, kept, _) in &mut filled {
        while kept.len() < MAX_ENDPOINTS_PER_SLICE
            && let Some((_, endpoint)) = left.pop()
        {
            kept.push(endpoint);
        }
    }
    for chunk in left.chunks(MAX_ENDPOINTS_PER_SLICE) {
        let endpoints = chunk.iter().map(|(_, endpoint)| endpoint.clone()).collect();
        filled.push((None, endpoints, ports.clone()));
    }
    // Emptied slices go, but a Service keeps at least its placeholder.
    if endpoints.is_empty() {
        filled.truncate(1);
        if filled.is_empty() {
            filled.push((None, Vec::new(), ports.clone()));
        }
        return filled;
    }
    let (full, mut empty) = filled
        .into_iter()
        .partition::<Vec<_>, _>(|(_, kept, _)| !kept.is_empty());
    empty.clear();
    full
}

/// `null` when there are none: an empty list does not survive the real server's storage.
fn ports_of(ports: &[ComputedEndpointPort]) -> Value {
    if ports.is_empty() {
        return Value::Null;
    }
    ports.iter().map(ComputedEndpointPort::to_value).collect()
}

fn build_slice(
    registry: &ObjectRegistry,
    service: &Value,
    key: &NamespacedName,
    family: &str,
    old: Option<&Value>,
    endpoints: Vec<Value>,
    ports: Value,
) -> Value {
    let mut labels = super::super::store::labels(service, "metadata/labels");
    labels.insert(MANAGED_BY.to_owned(), CONTROLLER.to_owned());
    labels.insert(SERVICE_NAME_LABEL.to_owned(), key.name.clone());
    if json::text(service, "spec/clusterIP") == "None" {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    let mut slice = match old {
        Some(old) => old.clone(),
        None => {
            let (name, uid) =
                registry.draw(|random: &mut SeededRandom| (random.suffix(5), random.uid()));
            json!({"metadata": {
                "name": format!("{}-{name}", key.name),
                "generateName": format!("{}-", key.name),
                "namespace": key.namespace,
                "uid": uid,
                "creationTimestamp": registry.creation_timestamp(),
                "generation": 0,
                "ownerReferences": [{
                    "apiVersion": "v1",
                    "kind": "Service",
                    "name": key.name,
                    "uid": json::text(service, "metadata/uid"),
                    "controller": true,
                    "blockOwnerDeletion": true,
                }],
            }})
        }
    };
    json::set(&mut slice, "metadata/labels", json!(labels));
    json::set(&mut slice, "addressType", family);
    let endpoints = if endpoints.is_empty() {
        Value::Null
    } else {
        endpoints.into()
    };
    json::set(&mut slice, "endpoints", endpoints);
    json::set(&mut slice, "ports", ports);
    slice
}

fn put_if_changed(state: &mut StoreState, kind: ServedKind, old: Option<&Value>, mut new: Value) {
    if old == Some(&new) {
        return;
    }
    json::object_mut(&mut new, "metadata/annotations")
        .insert(TRIGGER.to_owned(), time::now().into());
    if kind == ServedKind::EndpointSlice {
        let generation = json::number(&new, "metadata/generation") + 1;
        json::set(&mut new, "metadata/generation", generation);
    }
    state.put(kind, new);
}

fn sync_legacy(
    registry: &ObjectRegistry,
    state: &mut StoreState,
    service: &Value,
    key: &NamespacedName,
    groups: &EndpointsByPorts,
) {
    let publish = json::boolean(service, "spec/publishNotReadyAddresses");
    let headless = json::text(service, "spec/clusterIP") == "None";
    let mut room = MAX_LEGACY_ADDRESSES;
    let mut truncated = false;
    let mut subsets = Vec::new();
    for (ports, endpoints) in groups {
        // A pod without any of the ports is in no subset, unless the Service asks for none.
        if ports.is_empty() && !json::list(service, "spec/ports").is_empty() {
            continue;
        }
        let mut addresses = (Vec::new(), Vec::new());
        for endpoint in endpoints
            .iter()
            .filter(|endpoint| publish || !endpoint.terminating)
        {
            if room == 0 {
                truncated = true;
                break;
            }
            room -= 1;
            let side = if endpoint.ready {
                &mut addresses.0
            } else {
                &mut addresses.1
            };
            side.push(endpoint.to_legacy());
        }
        let mut subset = json!({});
        if !addresses.0.is_empty() {
            json::set(&mut subset, "addresses", addresses.0);
        }
        if !addresses.1.is_empty() {
            json::set(&mut subset, "notReadyAddresses", addresses.1);
        }
        if subset == json!({}) {
            continue;
        }
        if !ports.is_empty() {
            json::set(
                &mut subset,
                "ports",
                ports
                    .iter()
                    .map(ComputedEndpointPort::to_legacy)
                    .collect::<Vec<_>>(),
            );
        }
        subsets.push(subset);
    }
    let old = state
        .get(ServedKind::Endpoints, key)
        .map(|endpoints| endpoints.to_value());
    let mut new = old.clone().unwrap_or_else(|| {
        json!({"metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "uid": registry.draw(SeededRandom::uid),
            "creationTimestamp": registry.creation_timestamp(),
        }})
    });
    let mut labels = super::super::store::labels(service, "metadata/labels");
    labels.insert(
        "endpoints.kubernetes.io/managed-by".to_owned(),
        "endpoint-controller".to_owned(),
    );
    if headless {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    json::set(&mut new, "metadata/labels", json!(labels));
    if truncated {
        json::object_mut(&mut new, "metadata/annotations")
            .insert(OVER_CAPACITY.to_owned(), "truncated".into());
    } else if let Some(Value::Object(annotations)) = new.pointer_mut("/metadata/annotations") {
        annotations.shift_remove(OVER_CAPACITY);
    }
    if subsets.is_empty() {
        json::remove(&mut new, "subsets");
    } else {
        json::set(&mut new, "subsets", subsets);
    }
    put_if_changed(state, ServedKind::Endpoints, old.as_ref(), new);
}
