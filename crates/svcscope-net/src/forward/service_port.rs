//! Which port of a Service is meant.

use super::RemotePort;
use svcscope_model::inventory::{Protocol, ServicePort, ServiceRecord, SharedStr, TargetPort};

/// The TCP port of a Service by number or name, or why it can't be forwarded.
pub(crate) fn service_port(
    service: &ServiceRecord,
    wanted: &RemotePort,
) -> Result<ServicePort, SharedStr> {
    if let (RemotePort::Number(number), true) = (wanted, service.ports.is_empty()) {
        return Ok(portless(*number));
    }
    let named = |port: &&ServicePort| match wanted {
        RemotePort::Number(number) => port.port == *number,
        RemotePort::Name(name) => port.name.as_ref() == Some(name),
    };
    let mut other = None;
    for port in service.ports.iter().filter(named) {
        // DNS has one number for TCP and UDP: the one that can be carried is meant.
        if port.protocol == Protocol::Tcp {
            return Ok(port.clone());
        }
        other = Some(port);
    }
    let name = &service.key.name;
    Err(SharedStr::from(match other {
        Some(port) => format!(
            "port {wanted} of svc/{name} is {protocol}, and port-forward carries TCP only; reach it \
             from a pod inside the cluster (kubectl debug) or through a {protocol} nodePort or load \
             balancer",
            protocol = port.protocol
        ),
        None => format!(
            "svc/{name} has no port {wanted}; it has {}",
            ports_in_words(service)
        ),
    }))
}

fn ports_in_words(service: &ServiceRecord) -> String {
    if service.ports.is_empty() {
        return "none, so give a pod's port by number".to_owned();
    }
    let words: Vec<_> = service
        .ports
        .iter()
        .map(|port| match &port.name {
            Some(name) => format!("{name} {}/{}", port.port, port.protocol),
            None => format!("{}/{}", port.port, port.protocol),
        })
        .collect();
    words.join(", ")
}

/// A headless Service may leave ports out; its pods then answer at any number.
fn portless(number: u16) -> ServicePort {
    ServicePort {
        name: None,
        protocol: Protocol::Tcp,
        port: number,
        target_port: TargetPort::Number(number),
        node_port: None,
        app_protocol: None,
    }
}
