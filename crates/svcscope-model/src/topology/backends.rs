//! The backends of a Service's ports, from all of its slices.

use std::sync::Arc;

use super::{BackendTarget, BackendTls, PortBackend, PortTraffic, WorkloadId};
use crate::inventory::{
    EndpointSliceRecord, Inventory, ListedEndpoint, ObjectKey, ServicePort, ServiceRecord,
    ServiceType, endpoints_of_port,
};

/// Every port of a Service with its backends. To those of an ExternalName nothing leads: DNS answers
/// with another name, and kube-proxy skips the Service (pkg/proxy/util ShouldSkipService), whatever
/// endpoints a selector of former times keeps alive.
pub(super) fn ports(service: &ServiceRecord, inventory: &Inventory) -> Vec<PortTraffic> {
    let is_alias = service.service_type == ServiceType::ExternalName;
    let slices: Vec<_> = inventory
        .usable_slices_of(&service.key)
        .filter(|_| !is_alias)
        .collect();
    // DNS leads to the pods of a headless Service, whatever their port is.
    let any_port = service.is_headless();
    service
        .ports
        .iter()
        .map(|port| PortTraffic {
            port: port.clone(),
            backends: backends(port, &slices, any_port, inventory),
            backend_tls: inventory
                .backend_tls(&service.key, port)
                .map(|policy| BackendTls {
                    policy: policy.key.clone(),
                    hostname: policy.hostname.clone(),
                }),
        })
        .collect()
}

fn backends(
    port: &ServicePort,
    slices: &[&Arc<EndpointSliceRecord>],
    any_port: bool,
    inventory: &Inventory,
) -> Vec<PortBackend> {
    let mut found: Vec<_> = endpoints_of_port(slices, port, any_port)
        .into_iter()
        .map(|listed| backend(listed, inventory))
        .collect();
    found.sort_by(|a, b| (&a.target, &a.address, a.port).cmp(&(&b.target, &b.address, b.port)));
    found
}

fn backend(listed: ListedEndpoint<'_>, inventory: &Inventory) -> PortBackend {
    let ListedEndpoint {
        slice, endpoint, ..
    } = listed;
    let key = endpoint
        .pod
        .as_ref()
        .map(|name| ObjectKey::new(slice.key.namespace.clone(), name.clone()));
    let pod = key.as_ref().and_then(|key| inventory.pod(key));
    PortBackend {
        node: endpoint
            .node
            .clone()
            .or_else(|| pod.and_then(|pod| pod.node.clone())),
        workload: pod.and_then(|pod| {
            pod.workload().map(|owner| WorkloadId {
                namespace: pod.key.namespace.clone(),
                kind: owner.kind,
                name: owner.name,
            })
        }),
        target: key.map_or_else(
            || BackendTarget::Address(endpoint.address.clone()),
            BackendTarget::Pod,
        ),
        address: endpoint.address.clone(),
        port: listed.port,
        ready: endpoint.ready,
        serving: endpoint.serving,
        terminating: endpoint.terminating,
        zone_hints: endpoint.zone_hints.clone(),
        node_hints: endpoint.node_hints.clone(),
    }
}
