//! Services for tests, as a server would hold them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    ServiceKind, ServiceSnapshot, SessionAffinity, patch::merged_port_json,
    projection::SOURCE_RANGES_ANNOTATION,
};
use svcscope_model::inventory::{
    LoadBalancerIngress, ObjectKey, Protocol, ServicePort, ServiceRecord, SharedStr, TargetPort,
    TrafficPolicy,
};

pub(crate) fn text(word: &str) -> SharedStr {
    SharedStr::from(word)
}

/// A port whose target is its name.
pub(crate) fn port(name: &str, protocol: Protocol, port: u16) -> ServicePort {
    ServicePort {
        name: Some(text(name)),
        protocol,
        port,
        target_port: TargetPort::Name(text(name)),
        node_port: None,
        app_protocol: None,
    }
}

/// shop/web at resourceVersion 41 with two ports (TCP and UDP on one number), and all that its type
/// may carry.
pub(crate) fn service(from: ServiceKind) -> ServiceRecord {
    let mut service = ServiceRecord {
        uid: text("u1"),
        resource_version: text("41"),
        selector: [(text("app"), text("web"))].into(),
        service_type: from.service_type(),
        ports: vec![
            port("http", Protocol::Tcp, 80),
            port("quic", Protocol::Udp, 80),
        ],
        cluster_ips: vec![text("10.96.57.1")],
        ip_families: vec![text("IPv4")],
        ip_family_policy: Some(text("SingleStack")),
        ..ServiceRecord::new(ObjectKey::new("shop", "web"))
    };
    if from.has_node_ports() {
        service.ports[0].node_port = Some(30080);
        service.ports[1].node_port = Some(30081);
    }
    match from {
        ServiceKind::ClusterIP => {}
        ServiceKind::NodePort => service.external_traffic_policy = Some(TrafficPolicy::Local),
        ServiceKind::LoadBalancer => {
            service.external_traffic_policy = Some(TrafficPolicy::Cluster);
            service.source_ranges = vec![text("192.0.2.0/24")];
            service
                .annotations
                .insert(text(SOURCE_RANGES_ANNOTATION), text("192.0.2.0/24"));
            service.load_balancer_class = Some(text("example.com/lb"));
            service.allocate_load_balancer_node_ports = Some(true);
            service.load_balancer = vec![LoadBalancerIngress {
                ip: Some(text("203.0.113.7")),
                hostname: None,
                proxied: false,
                errors: Vec::new(),
            }];
        }
        ServiceKind::ExternalName => {
            service.cluster_ips = Vec::new();
            service.ip_families = Vec::new();
            service.ip_family_policy = None;
            service.external_name = Some(text("old.example.com"));
        }
        ServiceKind::Headless => service.cluster_ips = vec![text("None")],
    }
    service
}

/// The whole of a record.
pub(crate) fn snapshot(record: ServiceRecord) -> ServiceSnapshot {
    ServiceSnapshot {
        object: Arc::new(object(&record)),
        record: Arc::new(record),
    }
}

/// The object of a record, in the server's form.
pub(crate) fn object(record: &ServiceRecord) -> Value {
    let mut spec = Map::new();
    let mut set = |field: &str, value: Value| {
        let is_empty =
            value.is_null() || value == json!([]) || value == json!({}) || value == json!(false);
        if !is_empty {
            spec.insert(field.to_owned(), value);
        }
    };
    set("type", json!(record.service_type.as_str()));
    set("clusterIP", json!(record.cluster_ips.first()));
    set("clusterIPs", json!(record.cluster_ips));
    set("ipFamilies", json!(record.ip_families));
    set("ipFamilyPolicy", json!(record.ip_family_policy));
    set("selector", json!(record.selector));
    set("externalName", json!(record.external_name));
    set("externalIPs", json!(record.external_ips));
    set("loadBalancerClass", json!(record.load_balancer_class));
    set("loadBalancerSourceRanges", json!(record.source_ranges));
    set("healthCheckNodePort", json!(record.health_check_node_port));
    set(
        "publishNotReadyAddresses",
        json!(record.publish_not_ready_addresses),
    );
    let policy = |policy: Option<TrafficPolicy>| json!(policy.map(TrafficPolicy::as_str));
    set(
        "externalTrafficPolicy",
        policy(record.external_traffic_policy),
    );
    set(
        "internalTrafficPolicy",
        policy(record.internal_traffic_policy),
    );
    let ports: Vec<_> = record
        .ports
        .iter()
        .map(|port| merged_port_json(Map::new(), port))
        .collect();
    set("ports", json!(ports));
    if let Some(allocate) = record.allocate_load_balancer_node_ports {
        spec.insert("allocateLoadBalancerNodePorts".to_owned(), json!(allocate));
    }
    let affinity = match SessionAffinity::of(record) {
        SessionAffinity::None => "None",
        SessionAffinity::ClientIP { .. } => "ClientIP",
    };
    spec.insert("sessionAffinity".to_owned(), json!(affinity));
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": record.key.name, "namespace": record.key.namespace, "uid": record.uid,
            "resourceVersion": record.resource_version, "labels": record.labels,
            "annotations": record.annotations,
        },
        "spec": spec,
    })
}
