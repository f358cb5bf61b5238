//! The endpoints of a Service: the pure part of the EndpointSlice and Endpoints controllers.
//!
//! In come a Service and the pods its selector matches; out go groups of endpoints that share a set of ports.
//! Rules: pkg/controller/util/endpointslice and staging/src/k8s.io/endpointslice of Kubernetes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::json;
use super::pod_status;

/// A resolved port of a slice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ComputedEndpointPort {
    name: String,
    protocol: String,
    number: i64,
    app_protocol: Option<String>,
}

impl ComputedEndpointPort {
    pub(super) fn to_value(&self) -> Value {
        let mut port = json!({"name": self.name, "port": self.number, "protocol": self.protocol});
        if let Some(app_protocol) = &self.app_protocol {
            json::set(&mut port, "appProtocol", app_protocol.as_str());
        }
        port
    }

    /// In legacy Endpoints an empty name is left out.
    pub(super) fn to_legacy(&self) -> Value {
        let mut port = self.to_value();
        if self.name.is_empty() {
            json::remove(&mut port, "name");
        }
        port
    }
}

/// One pod behind a Service.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ComputedEndpoint {
    pub(super) address: String,
    pub(super) ready: bool,
    pub(super) serving: bool,
    pub(super) terminating: bool,
    node: String,
    hostname: Option<String>,
    target: Value,
}

impl ComputedEndpoint {
    pub(super) fn to_value(&self) -> Value {
        let mut endpoint = json!({
            "addresses": [self.address],
            "conditions": {"ready": self.ready, "serving": self.serving, "terminating": self.terminating},
        });
        if let Some(hostname) = &self.hostname {
            json::set(&mut endpoint, "hostname", hostname.as_str());
        }
        json::set(&mut endpoint, "targetRef", self.target.clone());
        if !self.node.is_empty() {
            json::set(&mut endpoint, "nodeName", self.node.as_str());
        }
        endpoint
    }

    pub(super) fn to_legacy(&self) -> Value {
        let mut address = json!({"ip": self.address});
        if let Some(hostname) = &self.hostname {
            json::set(&mut address, "hostname", hostname.as_str());
        }
        if !self.node.is_empty() {
            json::set(&mut address, "nodeName", self.node.as_str());
        }
        json::set(&mut address, "targetRef", self.target.clone());
        address
    }

    /// What distinguishes this endpoint from the others of its Service.
    pub(super) fn identity(&self) -> &str {
        json::text(&self.target, "uid")
    }
}

/// Endpoints by the ports they share.
pub(super) type EndpointsByPorts = BTreeMap<Vec<ComputedEndpointPort>, Vec<ComputedEndpoint>>;

/// The endpoints of a Service for one address family (`IPv4` or `IPv6`).
pub(super) fn endpoint_groups(service: &Value, pods: &[Value], family: &str) -> EndpointsByPorts {
    let publish = json::boolean(service, "spec/publishNotReadyAddresses");
    let mut groups = EndpointsByPorts::new();
    for one in pods {
        let Some(address) = address(one, family).filter(|_| !pod_status::is_finished(one)) else {
            continue;
        };
        // A port that this pod does not have is dropped for this pod only: slices split by port set.
        let ports = json::list(service, "spec/ports")
            .iter()
            .filter_map(|port| resolve_target_port(port, one))
            .collect::<Vec<_>>();
        let (serving, terminating) = (pod_status::is_ready(one), pod_status::is_terminating(one));
        let own = json::text(one, "spec/hostname");
        let named = !own.is_empty()
            && json::text(one, "spec/subdomain") == json::text(service, "metadata/name");
        groups.entry(ports).or_default().push(ComputedEndpoint {
            address,
            ready: publish || (serving && !terminating),
            serving,
            terminating,
            node: json::text(one, "spec/nodeName").to_owned(),
            hostname: named.then(|| own.to_owned()),
            target: json!({
                "kind": "Pod",
                "namespace": json::text(one, "metadata/namespace"),
                "name": json::text(one, "metadata/name"),
                "uid": json::text(one, "metadata/uid"),
            }),
        });
    }
    groups
}

fn address(pod: &Value, family: &str) -> Option<String> {
    let fits = |ip: &&str| match ip.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => family == "IPv4",
        Ok(IpAddr::V6(_)) => family == "IPv6",
        Err(_) => false,
    };
    let many = json::list(pod, "status/podIPs")
        .iter()
        .map(|entry| json::text(entry, "ip"));
    many.chain(std::iter::once(json::text(pod, "status/podIP")))
        .find(fits)
        .map(str::to_owned)
}

/// `FindPort`: a number needs no declaration; a name must be declared with the same protocol, by a container
/// or by a sidecar.
fn resolve_target_port(port: &Value, pod: &Value) -> Option<ComputedEndpointPort> {
    let protocol = match json::text(port, "protocol") {
        "" => "TCP",
        protocol => protocol,
    };
    let number = match port.get("targetPort") {
        Some(Value::String(name)) => declared_port(pod, name, protocol)?,
        Some(Value::Number(number)) if number.as_i64() != Some(0) => number.as_i64()?,
        _ => json::number(port, "port"),
    };
    Some(ComputedEndpointPort {
        name: json::text(port, "name").to_owned(),
        protocol: protocol.to_owned(),
        number,
        app_protocol: json::at(port, "appProtocol")
            .and_then(Value::as_str)
            .map(str::to_owned),
    })
}

fn declared_port(pod: &Value, name: &str, protocol: &str) -> Option<i64> {
    let sidecars = json::list(pod, "spec/initContainers")
        .iter()
        .filter(|container| json::text(container, "restartPolicy") == "Always");
    json::list(pod, "spec/containers")
        .iter()
        .chain(sidecars)
        .flat_map(|container| json::list(container, "ports"))
        .find(|declared| {
            let said = match json::text(declared, "protocol") {
                "" => "TCP",
                said => said,
            };
            json::text(declared, "name") == name && said == protocol
        })
        .map(|declared| json::number(declared, "containerPort"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, ports: Value, ready: bool) -> Value {
        json!({
            "metadata": {"name": name, "namespace": "shop", "uid": name},
            "spec": {"nodeName": "node-a", "containers": [{"name": "c", "ports": ports}]},
            "status": {"podIP": "10.244.0.5", "podIPs": [{"ip": "10.244.0.5"}], "phase": "Running",
                "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]},
        })
    }

    fn service(ports: Value) -> Value {
        json!({"metadata": {"name": "web"}, "spec": {"ports": ports}})
    }

    #[test]
    fn a_name_must_match_with_its_protocol() {
        let service =
            service(json!([{"name": "dns", "port": 53, "protocol": "TCP", "targetPort": "dns"}]));
        let pods = [
            pod(
                "udp",
                json!([{"name": "dns", "containerPort": 53, "protocol": "UDP"}]),
                true,
            ),
            pod(
                "tcp",
                json!([{"name": "dns", "containerPort": 5353, "protocol": "TCP"}]),
                true,
            ),
        ];
        let groups = endpoint_groups(&service, &pods, "IPv4");
        assert_eq!(groups.len(), 2);
        let (ports, endpoints) = groups.iter().next().unwrap();
        assert!(ports.is_empty());
        assert_eq!(endpoints[0].identity(), "udp");
        assert_eq!(groups.keys().nth(1).unwrap()[0].number, 5353);
    }

    #[test]
    fn sidecars_count_and_plain_init_containers_do_not() {
        let service = service(json!([{"port": 80, "targetPort": "web"}]));
        let mut one = pod("a", json!([]), true);
        json::set(
            &mut one,
            "spec/initContainers",
            json!([
                {"name": "init", "ports": [{"name": "web", "containerPort": 1}]},
                {"name": "side", "restartPolicy": "Always", "ports": [{"name": "web", "containerPort": 2}]},
            ]),
        );
        let groups = endpoint_groups(&service, &[one], "IPv4");
        assert_eq!(groups.keys().next().unwrap()[0].number, 2);
    }

    #[test]
    fn terminating_pods_serve_but_are_not_ready() {
        let service = service(json!([{"port": 80}]));
        let mut one = pod("a", json!([]), true);
        json::set(
            &mut one,
            "metadata/deletionTimestamp",
            "2026-01-01T00:00:00Z",
        );
        let groups = endpoint_groups(&service, &[one], "IPv4");
        let endpoint = &groups.values().next().unwrap()[0];
        assert!(!endpoint.ready && endpoint.serving && endpoint.terminating);
    }

    #[test]
    fn finished_pods_and_pods_without_address_are_left_out() {
        let service = service(json!([{"port": 80}]));
        let mut done = pod("a", json!([]), false);
        json::set(&mut done, "status/phase", "Succeeded");
        let mut new = pod("b", json!([]), false);
        json::set(&mut new, "status", json!({"phase": "Pending"}));
        assert!(endpoint_groups(&service, &[done, new], "IPv4").is_empty());
    }
}
