//! What a change of type gives and takes, in sentences with the actual values.

use super::{
    TypeChange, external_name, owners,
    planner::{has_node_ports, node_ports},
};
use crate::inventory::{ServicePort, ServiceRecord, ServiceType, Text, TrafficPolicy};

/// The range of nodePorts of an API server that was not told another
/// (`--service-node-port-range`).
const USUAL_NODE_PORTS: std::ops::RangeInclusive<u16> = 30000..=32767;

/// What a change means.
#[derive(Default)]
pub(crate) struct Consequences {
    pub(crate) gains: Vec<Text>,
    pub(crate) losses: Vec<Text>,
    pub(crate) notes: Vec<Text>,
}

impl Consequences {
    fn gain(&mut self, sentence: impl Into<Text>) {
        self.gains.push(sentence.into());
    }

    fn lose(&mut self, sentence: impl Into<Text>) {
        self.losses.push(sentence.into());
    }

    fn note(&mut self, sentence: impl Into<Text>) {
        self.notes.push(sentence.into());
    }
}

/// What the change, which the API server would allow, means for the Service.
pub(crate) fn consequences(service: &ServiceRecord, change: &TypeChange) -> Consequences {
    let mut all = Consequences::default();
    let (from, to) = (service.service_type, change.to);
    cluster_ip(&mut all, service, to);
    nodes(&mut all, service, change);
    load_balancer(&mut all, service, to);
    if from == ServiceType::ExternalName || to == ServiceType::ExternalName {
        alias(&mut all, service, change);
    }
    if has_node_ports(from) && !has_node_ports(to) {
        traffic_policy(&mut all, service);
    }
    all.notes.extend(owners::warnings(service));
    all
}

fn cluster_ip(all: &mut Consequences, service: &ServiceRecord, to: ServiceType) {
    let addresses: Vec<_> = service.virtual_ips().map(|ip| &**ip).collect();
    match (service.service_type, to) {
        (ServiceType::ExternalName, ServiceType::ExternalName) => {}
        (ServiceType::ExternalName, _) => {
            all.gain("a clusterIP, allocated by the cluster");
            if service.selector.is_empty() {
                all.note(
                    "it has no selector, so nothing stands behind it until somebody writes \
                     endpoints",
                );
            }
        }
        (_, ServiceType::ExternalName) if service.is_headless() => {
            all.lose("its DNS name no longer answers with the pods' addresses");
        }
        (_, ServiceType::ExternalName) if !addresses.is_empty() => {
            all.lose(format!(
                "clusterIP {} is released; changing back gives another one",
                addresses.join(", ")
            ));
        }
        _ => {}
    }
}

fn nodes(all: &mut Consequences, service: &ServiceRecord, change: &TypeChange) {
    if !has_node_ports(change.to) {
        for port in &service.ports {
            if let Some(number) = port.node_port {
                all.lose(format!(
                    "nodePort {number} ({}) is released and may be taken by another Service",
                    label(port)
                ));
            }
        }
        return;
    }
    // A load balancer that reaches pods directly may be told to go without.
    let allocated = change.to == ServiceType::NodePort
        || service.service_type != ServiceType::LoadBalancer
        || service.allocate_load_balancer_node_ports != Some(false);
    for (port, wanted) in node_ports(service, change) {
        match (port.node_port, wanted) {
            (None, None) if allocated => all.gain(format!(
                "a port on every node for {}, allocated when the change is applied",
                label(port)
            )),
            (None, None) => {}
            (Some(held), Some(wanted)) if held == wanted => {
                if service.service_type != change.to {
                    all.note(format!("nodePort {held} ({}) stays", label(port)));
                }
            }
            (held, wanted) => {
                if let Some(held) = held {
                    all.lose(format!(
                        "nodePort {held} ({}) is released and may be taken by another Service",
                        label(port)
                    ));
                }
                if let Some(wanted) = wanted {
                    all.gain(format!(
                        "nodePort {wanted} on every node for {}",
                        label(port)
                    ));
                    range(all, wanted);
                }
            }
        }
    }
}

fn range(all: &mut Consequences, wanted: u16) {
    if !USUAL_NODE_PORTS.contains(&wanted) {
        all.note(format!(
            "nodePort {wanted} lies outside {}-{}, the usual range: unless this cluster has \
             another, the API server refuses it, and only when the change is applied, for a dry \
             run does not check the range",
            USUAL_NODE_PORTS.start(),
            USUAL_NODE_PORTS.end()
        ));
    }
}

fn load_balancer(all: &mut Consequences, service: &ServiceRecord, to: ServiceType) {
    let from = service.service_type;
    if from != ServiceType::LoadBalancer && to == ServiceType::LoadBalancer {
        all.gain("an external address, as soon as the cluster's load balancer grants one");
        all.note(
            "without a load balancer controller the address stays pending; with a cloud's it may \
             cost money",
        );
    }
    if from != ServiceType::LoadBalancer || to == ServiceType::LoadBalancer {
        return;
    }
    let addresses: Vec<_> = service
        .load_balancer
        .iter()
        .filter_map(|point| point.address().map(|address| &**address))
        .collect();
    if addresses.is_empty() {
        all.lose("the load balancer, which has no address yet, is no longer asked for");
    } else {
        all.lose(format!(
            "external address {} is gone at once, and the load balancer is deleted a little \
             later; changing back may give another address",
            addresses.join(", ")
        ));
    }
    if !service.source_ranges.is_empty() {
        all.lose(format!(
            "loadBalancerSourceRanges ({}) are removed, which only a LoadBalancer may have",
            service.source_ranges.join(", ")
        ));
    }
    if let Some(class) = &service.load_balancer_class {
        all.lose(format!("loadBalancerClass {class} is dropped"));
    }
    if let Some(port) = service.health_check_node_port {
        all.lose(format!("healthCheckNodePort {port} is released"));
    }
}

fn alias(all: &mut Consequences, service: &ServiceRecord, change: &TypeChange) {
    let old = service.external_name.as_deref().unwrap_or_default();
    if change.to != ServiceType::ExternalName {
        all.lose(format!("its DNS name is no longer an alias of {old}"));
        return;
    }
    let new = change.external_name.as_deref().unwrap_or_default();
    all.gain(format!("its DNS name becomes an alias of {new}"));
    if service.service_type == ServiceType::ExternalName {
        all.lose(format!("its DNS name is no longer an alias of {old}"));
    } else {
        all.lose("its pods are no longer reached through it; open connections break");
        if !service.selector.is_empty() {
            all.note("the selector stays in the object and has no effect");
        }
    }
    if external_name::is_address(new) {
        all.note(format!(
            "{new} is an address: the API server accepts it, but DNS never answers it, because an \
             alias leads to a name"
        ));
    }
}

fn traffic_policy(all: &mut Consequences, service: &ServiceRecord) {
    // With externalIPs the Service stays reachable from outside and keeps its policy.
    if service.external_traffic_policy == Some(TrafficPolicy::Local)
        && service.external_ips.is_empty()
    {
        all.lose("externalTrafficPolicy Local is dropped; changing back gives Cluster");
    }
}

fn label(port: &ServicePort) -> String {
    match &port.name {
        Some(name) => format!("{name} {}", port.port),
        None => format!("port {}", port.port),
    }
}
