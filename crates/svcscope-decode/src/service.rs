//! `v1` Service.

use serde::Deserialize;

use super::{
    HasMetadata, TextInterner, WatchedResource,
    endpoint_slice::protocol,
    meta::PartialObjectMeta,
    port,
    text::{JsonText, JsonTextMap, canonical_non_empty_address, owned_non_empty, owned_text},
};
use svcscope_model::inventory::{
    InventoryChange, LoadBalancerIngress, RecordDelta, ResourceKind, ServicePort, ServiceRecord,
    ServiceType, SharedStr, TargetPort, TrafficPolicy,
};

/// Services.
pub struct ServiceResource;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PartialService<'json> {
    #[serde(borrow)]
    metadata: PartialObjectMeta<'json>,
    #[serde(borrow)]
    spec: PartialServiceSpec<'json>,
    #[serde(borrow)]
    status: Option<PartialServiceStatus<'json>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PartialServiceSpec<'json> {
    #[serde(borrow, rename = "type")]
    service_type: Option<JsonText<'json>>,
    #[serde(borrow, rename = "clusterIP")]
    cluster_ip: Option<JsonText<'json>>,
    #[serde(borrow, rename = "clusterIPs")]
    cluster_ips: Option<Vec<JsonText<'json>>>,
    #[serde(borrow)]
    selector: Option<JsonTextMap<'json>>,
    #[serde(borrow)]
    ports: Option<Vec<PartialServicePort<'json>>>,
    #[serde(borrow)]
    external_name: Option<JsonText<'json>>,
    #[serde(borrow, rename = "externalIPs")]
    external_ips: Option<Vec<JsonText<'json>>>,
    #[serde(borrow)]
    load_balancer_class: Option<JsonText<'json>>,
    #[serde(borrow, rename = "loadBalancerIP")]
    load_balancer_ip: Option<JsonText<'json>>,
    #[serde(borrow)]
    load_balancer_source_ranges: Option<Vec<JsonText<'json>>>,
    #[serde(borrow)]
    session_affinity: Option<JsonText<'json>>,
    session_affinity_config: Option<PartialSessionAffinityConfig>,
    #[serde(borrow)]
    external_traffic_policy: Option<JsonText<'json>>,
    #[serde(borrow)]
    internal_traffic_policy: Option<JsonText<'json>>,
    #[serde(borrow)]
    traffic_distribution: Option<JsonText<'json>>,
    publish_not_ready_addresses: Option<bool>,
    health_check_node_port: Option<i64>,
    allocate_load_balancer_node_ports: Option<bool>,
    #[serde(borrow)]
    ip_families: Option<Vec<JsonText<'json>>>,
    #[serde(borrow)]
    ip_family_policy: Option<JsonText<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialSessionAffinityConfig {
    #[serde(rename = "clientIP")]
    client_ip: Option<PartialClientIpConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialClientIpConfig {
    timeout_seconds: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialServicePort<'json> {
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
    #[serde(borrow)]
    protocol: Option<JsonText<'json>>,
    port: Option<i64>,
    #[serde(borrow)]
    target_port: Option<IntOrString<'json>>,
    node_port: Option<i64>,
    #[serde(borrow)]
    app_protocol: Option<JsonText<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum IntOrString<'json> {
    Int(i64),
    #[serde(borrow)]
    String(JsonText<'json>),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialServiceStatus<'json> {
    #[serde(borrow)]
    load_balancer: Option<PartialLoadBalancerStatus<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialLoadBalancerStatus<'json> {
    #[serde(borrow)]
    ingress: Option<Vec<PartialLoadBalancerIngress<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialLoadBalancerIngress<'json> {
    #[serde(borrow)]
    ip: Option<JsonText<'json>>,
    #[serde(borrow)]
    hostname: Option<JsonText<'json>>,
    #[serde(borrow)]
    ip_mode: Option<JsonText<'json>>,
    #[serde(borrow)]
    ports: Option<Vec<PartialPortStatus<'json>>>,
}

#[derive(Debug, Deserialize)]
struct PartialPortStatus<'json> {
    port: Option<i64>,
    #[serde(borrow)]
    error: Option<JsonText<'json>>,
}

impl HasMetadata for PartialService<'_> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

impl WatchedResource for ServiceResource {
    type Object<'json> = PartialService<'json>;
    type Record = ServiceRecord;

    const KIND: ResourceKind = ResourceKind::Service;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "services";

    fn records(
        object: &PartialService<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<ServiceRecord>,
    ) {
        records.push(record(object, texts));
    }

    fn change(delta: RecordDelta<ServiceRecord>) -> InventoryChange {
        InventoryChange::Service(delta)
    }
}

fn record(object: &PartialService<'_>, texts: &mut TextInterner) -> ServiceRecord {
    let PartialService {
        metadata,
        spec,
        status,
    } = object;
    let ingress = status
        .as_ref()
        .and_then(|status| status.load_balancer.as_ref()?.ingress.as_ref());
    let affinity = spec.session_affinity_config.as_ref();
    ServiceRecord {
        key: metadata.key(texts),
        uid: owned_text(metadata.uid.as_ref()),
        resource_version: owned_text(metadata.resource_version.as_ref()),
        created: metadata.created(),
        deleting: metadata.deleting(),
        load_balancer_cleanup: metadata
            .has_finalizer("service.kubernetes.io/load-balancer-cleanup"),
        labels: texts.intern_map(metadata.labels.as_ref()),
        annotations: texts.intern_map(metadata.annotations.as_ref()),
        service_type: service_type(spec.service_type.as_ref()),
        cluster_ips: cluster_ips(spec),
        selector: texts.intern_map(spec.selector.as_ref()),
        ports: spec
            .ports
            .iter()
            .flatten()
            .filter_map(|port| service_port(port, texts))
            .collect(),
        external_name: owned_non_empty(spec.external_name.as_ref()),
        external_ips: addresses(spec.external_ips.as_ref()),
        load_balancer: ingress
            .into_iter()
            .flatten()
            .map(|point| LoadBalancerIngress {
                ip: canonical_non_empty_address(point.ip.as_ref()),
                hostname: owned_non_empty(point.hostname.as_ref()),
                proxied: point.ip_mode.as_ref().map(JsonText::as_str) == Some("Proxy"),
                errors: point
                    .ports
                    .iter()
                    .flatten()
                    .filter_map(|status| {
                        Some((port(status.port)?, owned_non_empty(status.error.as_ref())?))
                    })
                    .collect(),
            })
            .collect(),
        load_balancer_class: texts.intern_non_empty(spec.load_balancer_class.as_ref()),
        load_balancer_ip: canonical_non_empty_address(spec.load_balancer_ip.as_ref()),
        source_ranges: owned(spec.load_balancer_source_ranges.as_ref()),
        session_affinity_client_ip: spec
            .session_affinity
            .as_ref()
            .is_some_and(|affinity| affinity.as_str() == "ClientIP"),
        session_affinity_timeout_secs: affinity
            .and_then(|config| config.client_ip.as_ref()?.timeout_seconds),
        external_traffic_policy: policy(spec.external_traffic_policy.as_ref()),
        internal_traffic_policy: policy(spec.internal_traffic_policy.as_ref()),
        traffic_distribution: texts.intern_non_empty(spec.traffic_distribution.as_ref()),
        publish_not_ready_addresses: spec.publish_not_ready_addresses.unwrap_or(false),
        health_check_node_port: port(spec.health_check_node_port),
        allocate_load_balancer_node_ports: spec.allocate_load_balancer_node_ports,
        ip_families: spec
            .ip_families
            .iter()
            .flatten()
            .map(|family| texts.intern(family.as_str()))
            .collect(),
        ip_family_policy: texts.intern_non_empty(spec.ip_family_policy.as_ref()),
        managers: metadata.spec_managers(texts),
    }
}

fn service_type(text: Option<&JsonText<'_>>) -> ServiceType {
    let text = text.map(JsonText::as_str);
    ServiceType::ALL
        .into_iter()
        .find(|known| Some(known.as_str()) == text)
        .unwrap_or_default()
}

/// Servers before 1.20 know only `clusterIP`.
fn cluster_ips(spec: &PartialServiceSpec<'_>) -> Vec<SharedStr> {
    let all = addresses(spec.cluster_ips.as_ref());
    if all.is_empty() {
        return canonical_non_empty_address(spec.cluster_ip.as_ref())
            .into_iter()
            .collect();
    }
    all
}

/// Old objects may hold addresses in other forms than their canonical one (KEP-4858). A change of
/// a Service reads the object itself, so that it leaves them as they are.
fn addresses(all: Option<&Vec<JsonText<'_>>>) -> Vec<SharedStr> {
    all.into_iter()
        .flatten()
        .filter_map(|text| canonical_non_empty_address(Some(text)))
        .collect()
}

fn owned(all: Option<&Vec<JsonText<'_>>>) -> Vec<SharedStr> {
    all.into_iter()
        .flatten()
        .filter_map(|text| owned_non_empty(Some(text)))
        .collect()
}

fn policy(text: Option<&JsonText<'_>>) -> Option<TrafficPolicy> {
    match text?.as_str() {
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
        Some(IntOrString::String(name)) if name.as_str().is_empty() => TargetPort::Number(number),
        Some(IntOrString::String(name)) => TargetPort::Name(texts.intern(name.as_str())),
    };
    Some(ServicePort {
        name: texts.intern_non_empty(found.name.as_ref()),
        protocol: protocol(found.protocol.as_ref()),
        port: number,
        target_port,
        node_port: texts.port("spec.ports[].nodePort", found.node_port),
        app_protocol: texts.intern_non_empty(found.app_protocol.as_ref()),
    })
}
