//! The pods behind a port of a Service.

use super::{
    CandidateEndpoint, CandidateSet, EndpointReadiness, NoEndpointReason,
    pod_lookup::{PodLookup, absent, is_readable, look_up_pod, not_visible},
};
use crate::forward::{RemotePort, service_port};
use svcscope_model::inventory::{
    EndpointRecord, Inventory, ListedEndpoint, ObjectKey, ResourceKind, ServicePort, ServiceRecord,
    ServiceType, SharedStr, TargetPort, endpoints_of_port,
    ports::{resolve_target_port, should_be_endpoint},
};

pub fn candidates(
    inventory: &Inventory,
    key: &ObjectKey,
    wanted: &RemotePort,
) -> Result<Vec<CandidateEndpoint>, NoEndpointReason> {
    let Some(service) = inventory.service(key) else {
        return Err(absent(inventory, ResourceKind::Service, key));
    };
    if service.service_type == ServiceType::ExternalName {
        let host = service.external_name.as_deref().unwrap_or("a name outside");
        return Err(NoEndpointReason::refused(format!(
            "svc/{} is an ExternalName: a DNS alias of {host} with no pods behind it; connect to \
             {host} itself",
            key.name
        )));
    }
    let port = service_port(service, wanted).map_err(NoEndpointReason::Refused)?;
    let slices_known = is_readable(inventory, ResourceKind::EndpointSlice, &key.namespace);
    if slices_known || inventory.slices_of(key).next().is_some() {
        from_slices(inventory, service, &port)
    } else {
        from_selector(inventory, service, &port)
    }
}

/// Asks the slices, which have resolved targetPort for each pod already. That serves Services
/// without a selector too, if their endpoints name pods.
fn from_slices(
    inventory: &Inventory,
    service: &ServiceRecord,
    port: &ServicePort,
) -> Result<Vec<CandidateEndpoint>, NoEndpointReason> {
    let mut found = CandidateSet::default();
    let mut addresses_only: Option<&SharedStr> = None;
    let slices: Vec<_> = inventory.usable_slices_of(&service.key).collect();
    let listed = if service.ports.is_empty() {
        // A headless Service may name no ports: its pods are reached at any.
        inventory.endpoints_of(&service.key)
    } else {
        endpoints_of_port(&slices, port, true)
    };
    for ListedEndpoint {
        endpoint,
        port: number,
        ..
    } in listed
    {
        let Some(number) = number.or_else(|| any_port(service, port)) else {
            continue;
        };
        let Some(name) = &endpoint.pod else {
            addresses_only = addresses_only.or(Some(&endpoint.address));
            continue;
        };
        let key = ObjectKey::new(service.key.namespace.clone(), name.clone());
        match look_up_pod(inventory, &key) {
            PodLookup::Absent => {}
            // What a slice says holds without the pod: it may be dialled by its name.
            PodLookup::Unlisted | PodLookup::Unreadable => {
                found.add(key, None, number, readiness(endpoint, false))
            }
            // What a slice that was written by hand says of a finished pod is old.
            PodLookup::Present(pod) if !pod.is_active() => {}
            PodLookup::Present(pod) => {
                let uid = Some(pod.uid.clone());
                found.add(
                    key,
                    uid,
                    number,
                    readiness(endpoint, pod.deleting.is_some()),
                );
            }
        }
    }
    found.best_first().ok_or_else(|| {
        let behind = label(port);
        NoEndpointReason::waiting(match (found.unusable, addresses_only) {
            (0, Some(address)) => format!(
                "the endpoints behind {behind} are addresses without a pod ({address}), and \
                 port-forward reaches pods only; connect to the address itself"
            ),
            (0, None) => format!("no pod behind {behind}"),
            (1, _) => format!("no ready pod behind {behind}: 1 pod is not ready"),
            (unfit, _) => format!("no ready pod behind {behind}: {unfit} pods are not ready"),
        })
    })
}

fn readiness(endpoint: &EndpointRecord, deleting: bool) -> Option<EndpointReadiness> {
    if endpoint.ready && !endpoint.terminating && !deleting {
        Some(EndpointReadiness::Ready)
    } else if endpoint.ready || (endpoint.serving && endpoint.terminating) {
        Some(EndpointReadiness::Serving)
    } else {
        None
    }
}

/// The pods' number where the slice has none: it serves every port.
fn any_port(service: &ServiceRecord, port: &ServicePort) -> Option<u16> {
    match port.target_port {
        _ if service.ports.is_empty() => Some(port.port),
        TargetPort::Number(number) => Some(number),
        TargetPort::Name(_) => None,
    }
}

/// Does the EndpointSlice controller's work where slices can't be read.
fn from_selector(
    inventory: &Inventory,
    service: &ServiceRecord,
    port: &ServicePort,
) -> Result<Vec<CandidateEndpoint>, NoEndpointReason> {
    let namespace = &service.key.namespace;
    if !is_readable(inventory, ResourceKind::Pod, namespace) {
        let kinds = [ResourceKind::EndpointSlice, ResourceKind::Pod];
        return Err(not_visible(inventory, &kinds, namespace));
    }
    let mut found = CandidateSet::default();
    for pod in inventory.pods_selected_by(service) {
        if !should_be_endpoint(pod) {
            continue;
        }
        let Some(number) = resolve_target_port(port, pod) else {
            continue;
        };
        let ready = pod.ready || service.publish_not_ready_addresses;
        let fitness = match (ready, pod.deleting.is_some()) {
            (true, false) => Some(EndpointReadiness::Ready),
            (true, true) => Some(EndpointReadiness::Serving),
            (false, _) => None,
        };
        found.add(pod.key.clone(), Some(pod.uid.clone()), number, fitness);
    }
    found.best_first().ok_or_else(|| {
        NoEndpointReason::waiting(format!(
            "no ready pod matches the selector of svc/{} and has {}",
            service.key.name,
            label(port)
        ))
    })
}

/// `http 80`, or `80` where the port has no name.
fn label(port: &ServicePort) -> String {
    match &port.name {
        Some(name) => format!("{name} {}", port.port),
        None => format!("port {}", port.port),
    }
}
