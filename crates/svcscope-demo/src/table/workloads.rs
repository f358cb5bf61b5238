//! `kubectl get` of deployments, replicasets, statefulsets and daemonsets.

use serde_json::Value;

use super::super::json;
use super::{AGE, NAME, PrinterColumn, age, name, pairs};

const CONTAINERS: PrinterColumn = ("Containers", "string", 1);
const IMAGES: PrinterColumn = ("Images", "string", 1);
const SELECTOR: PrinterColumn = ("Selector", "string", 1);

pub(super) const DEPLOYMENT_COLUMNS: [PrinterColumn; 8] = [
    NAME,
    ("Ready", "string", 0),
    ("Up-to-date", "string", 0),
    ("Available", "string", 0),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];
pub(super) const REPLICA_SET_COLUMNS: [PrinterColumn; 8] = [
    NAME,
    ("Desired", "integer", 0),
    ("Current", "integer", 0),
    ("Ready", "integer", 0),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];
pub(super) const STATEFUL_SET_COLUMNS: [PrinterColumn; 5] =
    [NAME, ("Ready", "string", 0), AGE, CONTAINERS, IMAGES];
pub(super) const DAEMON_SET_COLUMNS: [PrinterColumn; 11] = [
    NAME,
    ("Desired", "integer", 0),
    ("Current", "integer", 0),
    ("Ready", "integer", 0),
    ("Up-to-date", "integer", 0),
    ("Available", "integer", 0),
    ("Node Selector", "string", 0),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) fn deployment(object: &Value) -> Vec<Value> {
    let count = |path: &str| json::number(object, path);
    let mut cells = vec![
        name(object),
        format!(
            "{}/{}",
            count("status/readyReplicas"),
            count("spec/replicas")
        )
        .into(),
        count("status/updatedReplicas").into(),
        count("status/availableReplicas").into(),
        age(object),
    ];
    cells.extend(template(object));
    cells
}

pub(super) fn replica_set(object: &Value) -> Vec<Value> {
    let count = |path: &str| json::number(object, path);
    let mut cells = vec![
        name(object),
        count("spec/replicas").into(),
        count("status/replicas").into(),
        count("status/readyReplicas").into(),
        age(object),
    ];
    cells.extend(template(object));
    cells
}

pub(super) fn stateful_set(object: &Value) -> Vec<Value> {
    let count = |path: &str| json::number(object, path);
    let ready = format!(
        "{}/{}",
        count("status/readyReplicas"),
        count("spec/replicas")
    );
    let mut cells = vec![name(object), ready.into(), age(object)];
    cells.extend(template(object).into_iter().take(2));
    cells
}

pub(super) fn daemon_set(object: &Value) -> Vec<Value> {
    let count = |path: &str| Value::from(json::number(object, path));
    let mut cells = vec![
        name(object),
        count("status/desiredNumberScheduled"),
        count("status/currentNumberScheduled"),
        count("status/numberReady"),
        count("status/updatedNumberScheduled"),
        count("status/numberAvailable"),
        pairs(object, "spec/template/spec/nodeSelector"),
        age(object),
    ];
    cells.extend(template(object));
    cells
}

/// Container names, images and the selector.
fn template(object: &Value) -> Vec<Value> {
    let of = |field: &str| {
        let containers = json::list(object, "spec/template/spec/containers");
        let texts = containers
            .iter()
            .map(|container| json::text(container, field));
        Value::from(texts.collect::<Vec<_>>().join(","))
    };
    vec![
        of("name"),
        of("image"),
        pairs(object, "spec/selector/matchLabels"),
    ]
}
