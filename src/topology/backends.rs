//! The backends of a Service's ports, from all of its slices.

use std::sync::Arc;

use super::{Backend, BackendTarget, PortTraffic, WorkloadId};
use crate::inventory::{
    Endpoint, EndpointSliceRecord, Inventory, ObjectKey, ServicePort, ServiceRecord, ServiceType,
    SlicePort,
};

/// Every port of a Service with its backends. To those of an ExternalName nothing leads: DNS answers
/// with another name, and kube-proxy skips the Service (pkg/proxy/util ShouldSkipService), whatever
/// endpoints a selector of former times keeps alive.
pub(super) fn ports(service: &ServiceRecord, inventory: &Inventory) -> Vec<PortTraffic> {
    let is_alias = service.service_type == ServiceType::ExternalName;
    let slices: Vec<_> = inventory
        .slices_of(&service.key)
        // Deprecated; kube-proxy ignores them.
        .filter(|slice| !is_alias && &*slice.address_type != "FQDN")
        .collect();
    service
        .ports
        .iter()
        .map(|port| PortTraffic {
            port: port.clone(),
            backends: backends(port, &slices, inventory),
        })
        .collect()
}

fn backends(
    port: &ServicePort,
    slices: &[&Arc<EndpointSliceRecord>],
    inventory: &Inventory,
) -> Vec<Backend> {
    let mut found = Vec::new();
    for slice in slices {
        for served in slice.ports.iter().filter(|served| serves(served, port)) {
            for endpoint in &slice.endpoints {
                found.push(backend(endpoint, served, slice, inventory));
            }
        }
    }
    // An endpoint that moves between slices is in both for a moment: it counts once, and the
    // better of what the slices say of it.
    found.sort_by(|a, b| {
        (&a.target, &a.address, a.port, a.state()).cmp(&(&b.target, &b.address, b.port, b.state()))
    });
    found.dedup_by(|later, first| {
        (&later.target, &later.address, later.port) == (&first.target, &first.address, first.port)
    });
    found
}

/// A slice carries resolved numbers under the names of the Service's ports; an unnamed Service
/// port is the empty name.
fn serves(served: &SlicePort, port: &ServicePort) -> bool {
    *served.name == *port.name.as_deref().unwrap_or_default() && served.protocol == port.protocol
}

fn backend(
    endpoint: &Endpoint,
    served: &SlicePort,
    slice: &EndpointSliceRecord,
    inventory: &Inventory,
) -> Backend {
    let key = endpoint
        .pod
        .as_ref()
        .map(|name| ObjectKey::new(slice.key.namespace.clone(), name.clone()));
    let pod = key.as_ref().and_then(|key| inventory.pod(key));
    Backend {
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
        port: served.port,
        ready: endpoint.ready,
        serving: endpoint.serving,
        terminating: endpoint.terminating,
    }
}
