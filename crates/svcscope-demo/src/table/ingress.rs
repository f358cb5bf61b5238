//! `kubectl get` of Ingresses, Gateways and routes.

use serde_json::Value;

use super::super::json;
use super::{AGE, NAME, PrinterColumn, age, name, or_none};

pub(super) const INGRESS_COLUMNS: [PrinterColumn; 6] = [
    NAME,
    ("Class", "string", 0),
    ("Hosts", "string", 0),
    ("Address", "string", 0),
    ("Ports", "string", 0),
    AGE,
];
pub(super) const GATEWAY_COLUMNS: [PrinterColumn; 5] = [
    NAME,
    ("Class", "string", 0),
    ("Address", "string", 0),
    ("Programmed", "string", 0),
    AGE,
];
pub(super) const ROUTE_COLUMNS: [PrinterColumn; 3] = [NAME, ("Hostnames", "string", 0), AGE];

pub(super) fn ingress_cells(ingress: &Value) -> Vec<Value> {
    let hosts = joined(ingress, "spec/rules", "host");
    let tls = !json::list(ingress, "spec/tls").is_empty();
    vec![
        name(ingress),
        or_none(json::text(ingress, "spec/ingressClassName")),
        if hosts.is_empty() {
            "*".into()
        } else {
            hosts.into()
        },
        joined(ingress, "status/loadBalancer/ingress", "ip").into(),
        if tls { "80, 443" } else { "80" }.into(),
        age(ingress),
    ]
}

pub(super) fn gateway_cells(gateway: &Value) -> Vec<Value> {
    let programmed = json::list(gateway, "status/conditions")
        .iter()
        .find(|condition| json::text(condition, "type") == "Programmed")
        .map_or("", |condition| json::text(condition, "status"));
    vec![
        name(gateway),
        json::text(gateway, "spec/gatewayClassName").into(),
        joined(gateway, "status/addresses", "value").into(),
        programmed.into(),
        age(gateway),
    ]
}

pub(super) fn route_cells(route: &Value) -> Vec<Value> {
    let hosts = json::list(route, "spec/hostnames");
    vec![
        name(route),
        serde_json::to_string(hosts).unwrap_or_default().into(),
        age(route),
    ]
}

fn joined(object: &Value, list: &str, field: &str) -> String {
    let words: Vec<&str> = json::list(object, list)
        .iter()
        .map(|entry| json::text(entry, field))
        .filter(|word| !word.is_empty())
        .collect();
    words.join(",")
}
