//! `v1` Service.

use crate::{
    load_balancer::{PartialBalancedStatus, PartialLoadBalancerIngress},
    meta::PartialObject,
    partial::partial,
    port::{IntOrString, protocol},
    resource::watched_resource,
    text::{JsonText, JsonTextMap, TextInterner, port_number, to_addresses, to_non_empty_texts},
};
use svcscope_model::inventory::{
    LoadBalancerIngress, ServicePort, ServiceRecord, ServiceType, SharedStr, TargetPort,
    TrafficPolicy,
};

watched_resource! {
    /// Services.
    ServiceResource: Service = "/api/v1" "Service",
    PartialService<'json> => ServiceRecord by service,
}

type PartialService<'json> =
    PartialObject<'json, PartialServiceSpec<'json>, PartialBalancedStatus<'json>>;

partial! {
    pub struct PartialServiceSpec<'json> {
        service_type as "type": JsonText<'json>,
        cluster_ip as "clusterIP": JsonText<'json>,
        cluster_ips as "clusterIPs": Vec<JsonText<'json>>,
        selector: JsonTextMap<'json>,
        ports: Vec<PartialServicePort<'json>>,
        external_name: JsonText<'json>,
        external_ips as "externalIPs": Vec<JsonText<'json>>,
        load_balancer_class: JsonText<'json>,
        load_balancer_ip as "loadBalancerIP": JsonText<'json>,
        load_balancer_source_ranges: Vec<JsonText<'json>>,
        session_affinity: JsonText<'json>,
        session_affinity_config: PartialSessionAffinityConfig,
        external_traffic_policy: JsonText<'json>,
        internal_traffic_policy: JsonText<'json>,
        traffic_distribution: JsonText<'json>,
        publish_not_ready_addresses: bool,
        health_check_node_port: Option<i64>,
        allocate_load_balancer_node_ports: Option<bool>,
        ip_families: Vec<JsonText<'json>>,
        ip_family_policy: JsonText<'json>,
    }

    struct PartialServicePort<'json> {
        name: JsonText<'json>,
        protocol: JsonText<'json>,
        port: Option<i64>,
        target_port: Option<IntOrString<'json>>,
        node_port: Option<i64>,
        app_protocol: JsonText<'json>,
    }
}

#[derive(Debug, Default, serde::Deserialize)]
struct PartialSessionAffinityConfig {
    #[serde(rename = "clientIP")]
    client_ip: Option<PartialClientIpConfig>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialClientIpConfig {
    timeout_seconds: Option<u32>,
}

fn service(object: &PartialService<'_>, texts: &mut TextInterner) -> Option<ServiceRecord> {
    let PartialService {
        metadata,
        spec,
        status,
    } = object;
    let affinity = spec.session_affinity_config.client_ip.as_ref();
    let balancer = status.load_balancer.ingress.iter();
    Some(ServiceRecord {
        key: metadata.key(texts),
        uid: metadata.uid.to_shared(),
        resource_version: metadata.resource_version.to_shared(),
        created: metadata.created(),
        deleting: metadata.deleting(),
        load_balancer_cleanup: metadata
            .has_finalizer("service.kubernetes.io/load-balancer-cleanup"),
        labels: texts.intern_map(&metadata.labels),
        annotations: texts.intern_map(&metadata.annotations),
        service_type: service_type(&spec.service_type),
        cluster_ips: cluster_ips(spec),
        selector: texts.intern_map(&spec.selector),
        ports: spec
            .ports
            .iter()
            .filter_map(|port| service_port(port, texts))
            .collect(),
        external_name: spec.external_name.to_non_empty(),
        // Old objects may hold addresses in other forms than their canonical one (KEP-4858). A
        // change of a Service reads the object itself, so that it leaves them as they are.
        external_ips: to_addresses(&spec.external_ips),
        load_balancer: balancer.map(load_balancer_ingress).collect(),
        load_balancer_class: texts.intern_non_empty(&spec.load_balancer_class),
        load_balancer_ip: spec.load_balancer_ip.to_non_empty_address(),
        source_ranges: to_non_empty_texts(&spec.load_balancer_source_ranges),
        session_affinity_client_ip: spec.session_affinity == "ClientIP",
        session_affinity_timeout_secs: affinity.and_then(|config| config.timeout_seconds),
        external_traffic_policy: policy(&spec.external_traffic_policy),
        internal_traffic_policy: policy(&spec.internal_traffic_policy),
        traffic_distribution: texts.intern_non_empty(&spec.traffic_distribution),
        publish_not_ready_addresses: spec.publish_not_ready_addresses,
        health_check_node_port: port_number(spec.health_check_node_port),
        allocate_load_balancer_node_ports: spec.allocate_load_balancer_node_ports,
        ip_families: spec
            .ip_families
            .iter()
            .map(|family| texts.intern(family.as_str()))
            .collect(),
        ip_family_policy: texts.intern_non_empty(&spec.ip_family_policy),
        managers: metadata.spec_managers(texts),
    })
}

fn service_type(text: &JsonText<'_>) -> ServiceType {
    ServiceType::ALL
        .into_iter()
        .find(|known| text == known.as_str())
        .unwrap_or_default()
}

/// Servers before 1.20 know only `clusterIP`.
fn cluster_ips(spec: &PartialServiceSpec<'_>) -> Vec<SharedStr> {
    let all = to_addresses(&spec.cluster_ips);
    if all.is_empty() {
        return spec.cluster_ip.to_non_empty_address().into_iter().collect();
    }
    all
}

fn load_balancer_ingress(found: &PartialLoadBalancerIngress<'_>) -> LoadBalancerIngress {
    let ports = found.ports.iter();
    LoadBalancerIngress {
        ip: found.ip.to_non_empty_address(),
        hostname: found.hostname.to_non_empty(),
        proxied: found.ip_mode == "Proxy",
        errors: ports
            .filter_map(|status| Some((port_number(status.port)?, status.error.to_non_empty()?)))
            .collect(),
    }
}

fn policy(text: &JsonText<'_>) -> Option<TrafficPolicy> {
    match text.as_str() {
        "Cluster" => Some(TrafficPolicy::Cluster),
        "Local" => Some(TrafficPolicy::Local),
        _ => None,
    }
}

fn service_port(found: &PartialServicePort<'_>, texts: &mut TextInterner) -> Option<ServicePort> {
    let Some(number) = texts.port("spec.ports[].port", found.port) else {
        if found.port.unwrap_or_default() == 0 {
            texts.add_decode_problem("spec.ports[].port is missing or 0".to_owned());
        }
        return None;
    };
    let target_port = match &found.target_port {
        None | Some(IntOrString::Int(0)) => TargetPort::Number(number),
        Some(IntOrString::Int(target)) => {
            TargetPort::Number(texts.port("spec.ports[].targetPort", Some(*target))?)
        }
        Some(IntOrString::String(name)) if name == "" => TargetPort::Number(number),
        Some(IntOrString::String(name)) => TargetPort::Name(texts.intern(name.as_str())),
    };
    Some(ServicePort {
        name: texts.intern_non_empty(&found.name),
        protocol: protocol(&found.protocol),
        port: number,
        target_port,
        node_port: texts.port("spec.ports[].nodePort", found.node_port),
        app_protocol: texts.intern_non_empty(&found.app_protocol),
    })
}
