//! `kubectl get endpoints` and `kubectl get endpointslices`.

use serde_json::Value;

use super::super::json;
use super::{AGE, NAME, PrinterColumn, age, name, or_none};

pub(super) const COLUMNS: [PrinterColumn; 3] = [NAME, ("Endpoints", "string", 0), AGE];
pub(super) const SLICE_COLUMNS: [PrinterColumn; 5] = [
    NAME,
    ("AddressType", "string", 0),
    ("Ports", "string", 0),
    ("Endpoints", "string", 0),
    AGE,
];

pub(super) fn cells(endpoints: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for subset in json::list(endpoints, "subsets") {
        let ports = json::list(subset, "ports");
        for address in json::list(subset, "addresses") {
            let ip = json::text(address, "ip");
            if ports.is_empty() {
                all.push(ip.to_owned());
            }
            all.extend(
                ports
                    .iter()
                    .map(|port| format!("{ip}:{}", json::number(port, "port"))),
            );
        }
    }
    vec![
        name(endpoints),
        shortened(&all, " + ", "more..."),
        age(endpoints),
    ]
}

pub(super) fn slice_cells(slice: &Value) -> Vec<Value> {
    let ports = json::list(slice, "ports")
        .iter()
        .map(|port| match json::number(port, "port") {
            0 => "*".to_owned(),
            number => number.to_string(),
        })
        .collect::<Vec<_>>();
    let addresses = json::list(slice, "endpoints")
        .iter()
        .filter_map(|endpoint| json::list(endpoint, "addresses").first()?.as_str())
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let unset = |cell: Value| {
        if cell == "<none>" {
            "<unset>".into()
        } else {
            cell
        }
    };
    vec![
        name(slice),
        json::text(slice, "addressType").into(),
        unset(shortened(&ports, " + ", "more...")),
        unset(shortened(&addresses, " + ", "more...")),
        age(slice),
    ]
}

/// The first three, and how many more there are.
fn shortened(all: &[String], plus: &str, more: &str) -> Value {
    match all.len() {
        0 => or_none(""),
        1..=3 => all.join(",").into(),
        count => {
            let first = all.iter().take(3).cloned().collect::<Vec<_>>().join(",");
            format!("{first}{plus}{} {more}", count - 3).into()
        }
    }
}
