//! `v1` Service.

use serde::Deserialize;

use super::{
    Described, Interner, Resource,
    endpoint_slice::protocol,
    meta::Meta,
    port,
    text::{Pairs, Str, address_some, own, own_some},
};
use crate::inventory::{
    Change, Delta, Kind, LoadBalancerPoint, ServicePort, ServiceRecord, ServiceType, TargetPort,
    Text, TrafficPolicy,
};

/// Services.
pub struct Services;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Service<'json> {
    #[serde(borrow)]
    metadata: Meta<'json>,
    #[serde(borrow)]
    spec: Spec<'json>,
    #[serde(borrow)]
    status: Option<Status<'json>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'json> {
    #[serde(borrow, rename = "type")]
    service_type: Option<Str<'json>>,
    #[serde(borrow, rename = "clusterIP")]
    cluster_ip: Option<Str<'json>>,
    #[serde(borrow, rename = "clusterIPs")]
    cluster_ips: Option<Vec<Str<'json>>>,
    #[serde(borrow)]
    selector: Option<Pairs<'json>>,
    #[serde(borrow)]
    ports: Option<Vec<Port<'json>>>,
    #[serde(borrow)]
    external_name: Option<Str<'json>>,
    #[serde(borrow, rename = "externalIPs")]
    external_ips: Option<Vec<Str<'json>>>,
    #[serde(borrow)]
    load_balancer_class: Option<Str<'json>>,
    #[serde(borrow, rename = "loadBalancerIP")]
    load_balancer_ip: Option<Str<'json>>,
    #[serde(borrow)]
    load_balancer_source_ranges: Option<Vec<Str<'json>>>,
    #[serde(borrow)]
    session_affinity: Option<Str<'json>>,
    session_affinity_config: Option<AffinityConfig>,
    #[serde(borrow)]
    external_traffic_policy: Option<Str<'json>>,
    #[serde(borrow)]
    internal_traffic_policy: Option<Str<'json>>,
    #[serde(borrow)]
    traffic_distribution: Option<Str<'json>>,
    publish_not_ready_addresses: Option<bool>,
    health_check_node_port: Option<i64>,
    allocate_load_balancer_node_ports: Option<bool>,
    #[serde(borrow)]
    ip_families: Option<Vec<Str<'json>>>,
    #[serde(borrow)]
    ip_family_policy: Option<Str<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AffinityConfig {
    #[serde(rename = "clientIP")]
    client_ip: Option<ClientIp>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientIp {
    timeout_seconds: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port<'json> {
    #[serde(borrow)]
    name: Option<Str<'json>>,
    #[serde(borrow)]
    protocol: Option<Str<'json>>,
    port: Option<i64>,
    #[serde(borrow)]
    target_port: Option<IntOrString<'json>>,
    node_port: Option<i64>,
    #[serde(borrow)]
    app_protocol: Option<Str<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum IntOrString<'json> {
    Int(i64),
    #[serde(borrow)]
    String(Str<'json>),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status<'json> {
    #[serde(borrow)]
    load_balancer: Option<LoadBalancer<'json>>,
}

#[derive(Debug, Deserialize)]
struct LoadBalancer<'json> {
    #[serde(borrow)]
    ingress: Option<Vec<Ingress<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ingress<'json> {
    #[serde(borrow)]
    ip: Option<Str<'json>>,
    #[serde(borrow)]
    hostname: Option<Str<'json>>,
    #[serde(borrow)]
    ip_mode: Option<Str<'json>>,
    #[serde(borrow)]
    ports: Option<Vec<PortStatus<'json>>>,
}

#[derive(Debug, Deserialize)]
struct PortStatus<'json> {
    port: Option<i64>,
    #[serde(borrow)]
    error: Option<Str<'json>>,
}

impl Described for Service<'_> {
    fn metadata(&self) -> &Meta<'_> {
        &self.metadata
    }
}

impl Resource for Services {
    type Object<'json> = Service<'json>;
    type Record = ServiceRecord;

    const KIND: Kind = Kind::Service;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "services";

    fn records(object: &Service<'_>, texts: &mut Interner, records: &mut Vec<ServiceRecord>) {
        records.push(record(object, texts));
    }

    fn change(delta: Delta<ServiceRecord>) -> Change {
        Change::Service(delta)
    }
}

fn record(object: &Service<'_>, texts: &mut Interner) -> ServiceRecord {
    let Service {
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
        uid: own(metadata.uid.as_ref()),
        resource_version: own(metadata.resource_version.as_ref()),
        created: metadata.created(),
        deleting: metadata.deleting(),
        load_balancer_cleanup: metadata
            .has_finalizer("service.kubernetes.io/load-balancer-cleanup"),
        labels: texts.map(metadata.labels.as_ref()),
        annotations: texts.map(metadata.annotations.as_ref()),
        service_type: service_type(spec.service_type.as_ref()),
        cluster_ips: cluster_ips(spec),
        selector: texts.map(spec.selector.as_ref()),
        ports: spec
            .ports
            .iter()
            .flatten()
            .filter_map(|port| service_port(port, texts))
            .collect(),
        external_name: own_some(spec.external_name.as_ref()),
        external_ips: addresses(spec.external_ips.as_ref()),
        load_balancer: ingress
            .into_iter()
            .flatten()
            .map(|point| LoadBalancerPoint {
                ip: address_some(point.ip.as_ref()),
                hostname: own_some(point.hostname.as_ref()),
                proxied: point.ip_mode.as_ref().map(Str::as_str) == Some("Proxy"),
                errors: point
                    .ports
                    .iter()
                    .flatten()
                    .filter_map(|status| {
                        Some((port(status.port)?, own_some(status.error.as_ref())?))
                    })
                    .collect(),
            })
            .collect(),
        load_balancer_class: texts.common_some(spec.load_balancer_class.as_ref()),
        load_balancer_ip: address_some(spec.load_balancer_ip.as_ref()),
        source_ranges: owned(spec.load_balancer_source_ranges.as_ref()),
        session_affinity_client_ip: spec
            .session_affinity
            .as_ref()
            .is_some_and(|affinity| affinity.as_str() == "ClientIP"),
        session_affinity_timeout_secs: affinity
            .and_then(|config| config.client_ip.as_ref()?.timeout_seconds),
        external_traffic_policy: policy(spec.external_traffic_policy.as_ref()),
        internal_traffic_policy: policy(spec.internal_traffic_policy.as_ref()),
        traffic_distribution: texts.common_some(spec.traffic_distribution.as_ref()),
        publish_not_ready_addresses: spec.publish_not_ready_addresses.unwrap_or(false),
        health_check_node_port: port(spec.health_check_node_port),
        allocate_load_balancer_node_ports: spec.allocate_load_balancer_node_ports,
        ip_families: spec
            .ip_families
            .iter()
            .flatten()
            .map(|family| texts.common(family.as_str()))
            .collect(),
        ip_family_policy: texts.common_some(spec.ip_family_policy.as_ref()),
        managers: metadata.spec_managers(texts),
    }
}

fn service_type(text: Option<&Str<'_>>) -> ServiceType {
    let text = text.map(Str::as_str);
    ServiceType::ALL
        .into_iter()
        .find(|known| Some(known.as_str()) == text)
        .unwrap_or_default()
}

/// Servers before 1.20 know only `clusterIP`.
fn cluster_ips(spec: &Spec<'_>) -> Vec<Text> {
    let all = addresses(spec.cluster_ips.as_ref());
    if all.is_empty() {
        return address_some(spec.cluster_ip.as_ref()).into_iter().collect();
    }
    all
}

/// Old objects may hold addresses in other forms than their canonical one (KEP-4858). A change of
/// a Service reads the object itself, so that it leaves them as they are.
fn addresses(all: Option<&Vec<Str<'_>>>) -> Vec<Text> {
    all.into_iter()
        .flatten()
        .filter_map(|text| address_some(Some(text)))
        .collect()
}

fn owned(all: Option<&Vec<Str<'_>>>) -> Vec<Text> {
    all.into_iter()
        .flatten()
        .filter_map(|text| own_some(Some(text)))
        .collect()
}

fn policy(text: Option<&Str<'_>>) -> Option<TrafficPolicy> {
    match text?.as_str() {
        "Cluster" => Some(TrafficPolicy::Cluster),
        "Local" => Some(TrafficPolicy::Local),
        _ => None,
    }
}

fn service_port(found: &Port<'_>, texts: &mut Interner) -> Option<ServicePort> {
    let Some(number) = texts.port("spec.ports[].port", found.port) else {
        if found.port.unwrap_or_default() == 0 {
            texts.odd("spec.ports[].port is missing or 0".to_owned());
        }
        return None;
    };
    let target_port = match &found.target_port {
        None | Some(IntOrString::Int(0)) => TargetPort::Number(number),
        Some(IntOrString::Int(target)) => {
            TargetPort::Number(texts.port("spec.ports[].targetPort", Some(*target))?)
        }
        Some(IntOrString::String(name)) if name.as_str().is_empty() => TargetPort::Number(number),
        Some(IntOrString::String(name)) => TargetPort::Name(texts.common(name.as_str())),
    };
    Some(ServicePort {
        name: texts.common_some(found.name.as_ref()),
        protocol: protocol(found.protocol.as_ref()),
        port: number,
        target_port,
        node_port: texts.port("spec.ports[].nodePort", found.node_port),
        app_protocol: texts.common_some(found.app_protocol.as_ref()),
    })
}
