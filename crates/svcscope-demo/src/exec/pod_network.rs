//! Where a connection from a pod leads: the demo's DNS and its kube-proxy.

use std::net::IpAddr;

use serde_json::Value;

use super::super::cluster::DemoCluster;
use super::super::json;
use super::super::pod_backend::PodBackend;
use super::super::resource::ServedKind;
use super::super::store::NamespacedName;

/// The cluster's domain.
const DOMAIN: &str = "cluster.local";

/// What a name leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ClusterDnsAnswer {
    Address(String),
    /// The cluster's DNS knows no such name, and there is nothing outside of it.
    NoSuchName,
}

/// What becomes of a connection.
pub(crate) enum KubeProxyDecision {
    Connect(Box<PodBackend>),
    /// Nothing listens there, or the Service has no endpoints.
    Refused,
    /// No packet comes back.
    Dropped,
}

/// Resolves a name as a pod in `namespace` does, with its search domains.
pub(super) fn resolve_host(app: &DemoCluster, namespace: &str, host: &str) -> ClusterDnsAnswer {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_ok() {
        return ClusterDnsAnswer::Address(bare.to_owned());
    }
    let host = host.trim_end_matches('.');
    let host = host
        .strip_suffix(DOMAIN)
        .map_or(host, |rest| rest.trim_end_matches('.'));
    let key = match host.split('.').collect::<Vec<_>>().as_slice() {
        [name] | [name, "svc"] => NamespacedName::new(namespace, name),
        [name, namespace] | [name, namespace, "svc"] => NamespacedName::new(namespace, name),
        _ => return ClusterDnsAnswer::NoSuchName,
    };
    let Some(service) = find(app, ServedKind::Service, &key) else {
        return ClusterDnsAnswer::NoSuchName;
    };
    match json::text(&service, "spec/clusterIP") {
        "" => ClusterDnsAnswer::NoSuchName,
        "None" => ready_addresses(app, &key, None)
            .into_iter()
            .next()
            .map_or(ClusterDnsAnswer::NoSuchName, |(address, _)| {
                ClusterDnsAnswer::Address(address)
            }),
        address => ClusterDnsAnswer::Address(address.to_owned()),
    }
}

/// Leads a connection to an address, as kube-proxy's rules on the pod's node would.
pub(crate) fn route_connection(app: &DemoCluster, address: &str, port: u16) -> KubeProxyDecision {
    let services = app.registry.store.lock().list(ServedKind::Service, None);
    let services = services.iter().map(|object| object.to_value());
    let by_ip = |service: &Value| {
        json::text(service, "spec/clusterIP") == address
            || json::list(service, "spec/externalIPs")
                .iter()
                .chain(json::list(service, "status/loadBalancer/ingress"))
                .any(|one| one == address || json::text(one, "ip") == address)
    };
    let is_node = is_node(app, address);
    for service in services {
        let is_meant = by_ip(&service);
        let found = json::list(&service, "spec/ports").iter().find(|one| {
            (is_meant && json::number(one, "port") == i64::from(port))
                || (is_node && json::number(one, "nodePort") == i64::from(port))
        });
        match found {
            Some(found) if json::text(found, "protocol") != "UDP" => {
                return pick_endpoint(app, &service, json::text(found, "name"));
            }
            // Only ports of a Service have rules; its address answers to nothing else.
            None if is_meant => return KubeProxyDecision::Dropped,
            _ => {}
        }
    }
    match pod_at(app, address) {
        Some(pod) => PodBackend::find(&pod, port).map_or(KubeProxyDecision::Refused, |it| {
            KubeProxyDecision::Connect(Box::new(it))
        }),
        None if is_node => KubeProxyDecision::Refused,
        None => KubeProxyDecision::Dropped,
    }
}

/// One ready endpoint, each as likely as the next.
fn pick_endpoint(app: &DemoCluster, service: &Value, port: &str) -> KubeProxyDecision {
    let choices = ready_addresses(app, &NamespacedName::of(service), Some(port));
    let turn = app.registry.draw(|random| random.below(choices.len()));
    let Some((address, number)) = choices.get(turn) else {
        // kube-proxy rejects what has no endpoints.
        return KubeProxyDecision::Refused;
    };
    let Some(pod) = pod_at(app, address) else {
        return KubeProxyDecision::Dropped;
    };
    PodBackend::find(&pod, *number).map_or(KubeProxyDecision::Refused, |it| {
        KubeProxyDecision::Connect(Box::new(it))
    })
}

/// Whether a port of a Service has a ready endpoint.
pub(crate) fn has_endpoints(app: &DemoCluster, service: &Value, port: &str) -> bool {
    !ready_addresses(app, &NamespacedName::of(service), Some(port)).is_empty()
}

/// The nodes with a ready endpoint of a port of a Service.
pub(crate) fn nodes_with_endpoints(app: &DemoCluster, service: &Value, port: &str) -> Vec<String> {
    let ready = ready_addresses(app, &NamespacedName::of(service), Some(port));
    let pods = ready.iter().filter_map(|(address, _)| pod_at(app, address));
    pods.map(|pod| json::text(&pod, "spec/nodeName").to_owned())
        .collect()
}

/// Ready addresses of a Service with the number of the named port, or of any.
fn ready_addresses(
    app: &DemoCluster,
    service: &NamespacedName,
    port: Option<&str>,
) -> Vec<(String, u16)> {
    let Some(endpoints) = find(app, ServedKind::Endpoints, service) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for subset in json::list(&endpoints, "subsets") {
        let number = match port {
            None => Some(0),
            Some(port) => json::list(subset, "ports")
                .iter()
                .find(|one| json::text(one, "name") == port)
                .and_then(|one| u16::try_from(json::number(one, "port")).ok()),
        };
        let Some(number) = number else { continue };
        found.extend(
            json::list(subset, "addresses")
                .iter()
                .map(|address| (json::text(address, "ip").to_owned(), number)),
        );
    }
    found
}

fn pod_at(app: &DemoCluster, address: &str) -> Option<Value> {
    let pods = app.registry.store.lock().list(ServedKind::Pod, None);
    pods.iter()
        .map(|object| object.to_value())
        .find(|pod| json::text(pod, "status/podIP") == address)
}

fn is_node(app: &DemoCluster, address: &str) -> bool {
    let nodes = app.registry.store.lock().list(ServedKind::Node, None);
    nodes.iter().map(|object| object.to_value()).any(|node| {
        json::list(&node, "status/addresses")
            .iter()
            .any(|one| json::text(one, "address") == address)
    })
}

fn find(app: &DemoCluster, kind: ServedKind, key: &NamespacedName) -> Option<Value> {
    let state = app.registry.store.lock();
    state.get(kind, key).map(|object| object.to_value())
}
