//! `kubectl get pods`.

use serde_json::Value;

use super::super::json;
use super::super::time;
use super::{AGE, NAME, PrinterColumn, age, name, or_none};

pub(super) const COLUMNS: [PrinterColumn; 9] = [
    NAME,
    ("Ready", "string", 0),
    ("Status", "string", 0),
    ("Restarts", "string", 0),
    AGE,
    ("IP", "string", 1),
    ("Node", "string", 1),
    ("Nominated Node", "string", 1),
    ("Readiness Gates", "string", 1),
];

pub(super) fn cells(pod: &Value) -> Vec<Value> {
    let statuses = json::list(pod, "status/containerStatuses");
    let ready = statuses
        .iter()
        .filter(|status| json::boolean(status, "ready"))
        .count();
    let all = json::list(pod, "spec/containers").len();
    let gates = json::list(pod, "spec/readinessGates").len();
    vec![
        name(pod),
        format!("{ready}/{all}").into(),
        status(pod).into(),
        restarts(statuses).into(),
        age(pod),
        or_none(json::text(pod, "status/podIP")),
        or_none(json::text(pod, "spec/nodeName")),
        or_none(json::text(pod, "status/nominatedNodeName")),
        if gates == 0 {
            "<none>".into()
        } else {
            format!("0/{gates}").into()
        },
    ]
}

fn status(pod: &Value) -> String {
    if json::at(pod, "metadata/deletionTimestamp").is_some() {
        return "Terminating".to_owned();
    }
    for status in json::list(pod, "status/containerStatuses") {
        for state in ["state/waiting/reason", "state/terminated/reason"] {
            let reason = json::text(status, state);
            if !reason.is_empty() {
                return reason.to_owned();
            }
        }
    }
    match json::text(pod, "status/reason") {
        "" => json::text(pod, "status/phase").to_owned(),
        reason => reason.to_owned(),
    }
}

fn restarts(statuses: &[Value]) -> String {
    let count = statuses
        .iter()
        .map(|status| json::number(status, "restartCount"))
        .sum::<i64>();
    let last = statuses
        .iter()
        .map(|status| json::text(status, "lastState/terminated/finishedAt"))
        .max()
        .unwrap_or_default();
    if count == 0 || last.is_empty() {
        count.to_string()
    } else {
        format!("{count} ({} ago)", time::age(last))
    }
}
