//! What of the cluster a request asks for, or that there is no such thing.

use super::{CurlError, CurlRequest, FailureKind};
use crate::forward::{ForwardTarget, RemotePort, service_port};
use svcscope_model::inventory::{
    Inventory, ObjectKey, PodRecord, ServicePort, ServiceRecord, ports::resolve_target_port,
};

/// There is nothing to send the request to.
pub(super) fn no_target(words: impl Into<String>) -> CurlError {
    CurlError::new(FailureKind::NoTarget, words.into())
}

/// The Service that the request goes to: only Services have doors of their own.
pub(super) fn service<'a>(
    request: &CurlRequest,
    inventory: &'a Inventory,
) -> Result<&'a ServiceRecord, CurlError> {
    let ForwardTarget::Service(key) = &request.target else {
        return Err(no_target(format!(
            "only a Service has this access path; use a port-forward to reach {}",
            request.target
        )));
    };
    let found = inventory.service(key);
    found
        .map(|service| &**service)
        .ok_or_else(|| no_target(format!("there is no Service {key}")))
}

/// The TCP port of the Service that the request goes to.
pub(super) fn port(
    request: &CurlRequest,
    service: &ServiceRecord,
) -> Result<ServicePort, CurlError> {
    service_port(service, &request.port).map_err(|reason| no_target(&*reason))
}

/// The number to connect to under an external name: DNS hands out a name and no port, so whatever
/// the client asks for is the port.
pub(super) fn external_port(request: &CurlRequest, service: &ServiceRecord) -> u16 {
    match (service_port(service, &request.port), &request.port) {
        (Ok(port), _) => port.port,
        (Err(_), RemotePort::Number(number)) => *number,
        (Err(_), RemotePort::Name(_)) => request.scheme.usual_port(),
    }
}

/// Where an ExternalName Service leads.
pub(super) fn external_name(service: &ServiceRecord) -> Result<&str, CurlError> {
    let name = service.external_name.as_deref();
    name.map(|name| name.trim_end_matches('.')).ok_or_else(|| {
        no_target(format!(
            "svc/{} is no ExternalName Service",
            service.key.name
        ))
    })
}

/// A pod of the request's namespace.
pub(super) fn pod<'a>(
    request: &CurlRequest,
    name: &str,
    inventory: &'a Inventory,
) -> Result<&'a PodRecord, CurlError> {
    let key = ObjectKey::new(request.target.key().namespace.clone(), name);
    let found = inventory.pod(&key);
    found
        .map(|pod| &**pod)
        .ok_or_else(|| no_target(format!("there is no pod {key}")))
}

/// The pod's own port behind a port of the Service.
pub(super) fn port_of_pod(port: &ServicePort, pod: &PodRecord) -> Result<u16, CurlError> {
    resolve_target_port(port, pod).ok_or_else(|| {
        no_target(format!(
            "pod {} declares no container port named {}",
            pod.key.name, port.target_port
        ))
    })
}
