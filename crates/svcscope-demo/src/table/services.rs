//! `kubectl get services`.

use serde_json::Value;

use super::super::json;
use super::{AGE, NAME, PrinterColumn, age, name, or_none, pairs};

pub(super) const COLUMNS: [PrinterColumn; 7] = [
    NAME,
    ("Type", "string", 0),
    ("Cluster-IP", "string", 0),
    ("External-IP", "string", 0),
    ("Port(s)", "string", 0),
    AGE,
    ("Selector", "string", 1),
];

pub(super) fn cells(service: &Value) -> Vec<Value> {
    vec![
        name(service),
        json::text(service, "spec/type").into(),
        cluster_ip(service),
        external_ip(service),
        ports(service),
        age(service),
        pairs(service, "spec/selector"),
    ]
}

fn cluster_ip(service: &Value) -> Value {
    or_none(json::text(service, "spec/clusterIP"))
}

fn external_ip(service: &Value) -> Value {
    let mut outside = json::list(service, "spec/externalIPs")
        .iter()
        .filter_map(Value::as_str)
        .collect::<Vec<_>>();
    match json::text(service, "spec/type") {
        "ExternalName" => or_none(json::text(service, "spec/externalName")),
        "LoadBalancer" => {
            let ingress = json::list(service, "status/loadBalancer/ingress");
            let granted = ingress.iter().map(|entry| match json::text(entry, "ip") {
                "" => json::text(entry, "hostname"),
                ip => ip,
            });
            outside.splice(0..0, granted);
            if outside.is_empty() {
                "<pending>".into()
            } else {
                outside.join(",").into()
            }
        }
        _ => or_none(outside.join(",")),
    }
}

fn ports(service: &Value) -> Value {
    let ports = json::list(service, "spec/ports")
        .iter()
        .map(|port| {
            let (number, protocol) = (json::number(port, "port"), json::text(port, "protocol"));
            match json::number(port, "nodePort") {
                0 => format!("{number}/{protocol}"),
                node_port => format!("{number}:{node_port}/{protocol}"),
            }
        })
        .collect::<Vec<_>>();
    or_none(ports.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pending_load_balancer_says_so() {
        let service = json!({"metadata": {"name": "web"}, "spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.9", "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}]}});
        let cells = cells(&service);
        assert_eq!(cells[3], "<pending>");
        assert_eq!(cells[4], "80:30080/TCP");
        assert_eq!(cells[6], "<none>");
    }
}
