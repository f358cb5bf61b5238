//! `kubectl get` of nodes, namespaces, events and configmaps.

use serde_json::Value;

use super::super::json;
use super::super::time;
use super::{AGE, NAME, PrinterColumn, age, name, or_none};

pub(super) const NODE_COLUMNS: [PrinterColumn; 10] = [
    NAME,
    ("Status", "string", 0),
    ("Roles", "string", 0),
    AGE,
    ("Version", "string", 0),
    ("Internal-IP", "string", 1),
    ("External-IP", "string", 1),
    ("OS-Image", "string", 1),
    ("Kernel-Version", "string", 1),
    ("Container-Runtime", "string", 1),
];
pub(super) const NAMESPACE_COLUMNS: [PrinterColumn; 3] = [NAME, ("Status", "string", 0), AGE];
pub(super) const EVENT_COLUMNS: [PrinterColumn; 8] = [
    ("Last Seen", "string", 0),
    ("Type", "string", 0),
    ("Reason", "string", 0),
    ("Object", "string", 0),
    ("Message", "string", 0),
    ("First Seen", "string", 1),
    ("Count", "string", 1),
    ("Name", "string", 1),
];
pub(super) const CONFIG_MAP_COLUMNS: [PrinterColumn; 3] = [NAME, ("Data", "string", 0), AGE];

pub(super) fn node(node: &Value) -> Vec<Value> {
    let ready = json::list(node, "status/conditions")
        .iter()
        .any(|condition| {
            json::text(condition, "type") == "Ready" && json::text(condition, "status") == "True"
        });
    let mut status = if ready { "Ready" } else { "NotReady" }.to_owned();
    if json::boolean(node, "spec/unschedulable") {
        status.push_str(",SchedulingDisabled");
    }
    let roles = json::object(node, "metadata/labels")
        .into_iter()
        .flatten()
        .filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/"))
        .collect::<Vec<_>>()
        .join(",");
    let address = |wanted: &str| {
        json::list(node, "status/addresses")
            .iter()
            .find(|address| json::text(address, "type") == wanted)
            .map(|address| json::text(address, "address").to_owned())
            .unwrap_or_default()
    };
    let info = |field: &str| json::text(node, &format!("status/nodeInfo/{field}"));
    vec![
        name(node),
        status.into(),
        or_none(roles),
        age(node),
        info("kubeletVersion").into(),
        or_none(address("InternalIP")),
        or_none(address("ExternalIP")),
        info("osImage").into(),
        info("kernelVersion").into(),
        info("containerRuntimeVersion").into(),
    ]
}

pub(super) fn namespace(namespace: &Value) -> Vec<Value> {
    vec![
        name(namespace),
        json::text(namespace, "status/phase").into(),
        age(namespace),
    ]
}

/// Reads both forms of Events: core/v1 and events.k8s.io/v1.
pub(super) fn event(event: &Value) -> Vec<Value> {
    let either = |one: &str, other: &str| match json::text(event, one) {
        "" => json::text(event, other).to_owned(),
        text => text.to_owned(),
    };
    let object = format!(
        "{}/{}",
        either("involvedObject/kind", "regarding/kind").to_lowercase(),
        either("involvedObject/name", "regarding/name")
    );
    let count = json::number(event, "count")
        .max(json::number(event, "deprecatedCount"))
        .max(1);
    vec![
        time::age(&either("lastTimestamp", "deprecatedLastTimestamp")).into(),
        json::text(event, "type").into(),
        json::text(event, "reason").into(),
        object.into(),
        either("message", "note").into(),
        time::age(&either("firstTimestamp", "deprecatedFirstTimestamp")).into(),
        count.into(),
        name(event),
    ]
}

pub(super) fn config_map(map: &Value) -> Vec<Value> {
    let entries = json::object(map, "data").map_or(0, serde_json::Map::len);
    vec![name(map), entries.to_string().into(), age(map)]
}
