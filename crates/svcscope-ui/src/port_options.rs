//! The ports of a target that a forward or a request may lead to.

use std::{collections::BTreeSet, sync::Arc};

use crate::formatting;
use svcscope_engine::Scene;
use svcscope_model::{
    inventory::{ObjectKey, PodRecord, Protocol, SharedStr},
    topology::{BackendTarget, ServiceTraffic},
};
use svcscope_net::forward::{ForwardTarget, RemotePort};

/// One port of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortOption {
    /// What a forward or a request names it by.
    pub port: RemotePort,
    /// What the user calls it: `https 443 → 8443`.
    pub label: String,
    /// The number to suggest for the local side.
    pub number: u16,
    /// Whether a port-forward can carry it.
    pub is_tcp: bool,
    /// Whether it likely speaks TLS.
    pub likely_https: bool,
    /// The name to ask for by TLS, where a BackendTLSPolicy says one.
    pub server_name: Option<SharedStr>,
}

/// The ports of a Service, or those that a pod's containers declare.
pub fn ports_of(scene: &Scene, target: &ForwardTarget) -> Vec<PortOption> {
    match target {
        ForwardTarget::Service(key) => service_ports(scene, key),
        ForwardTarget::Pod(key) => scene
            .inventory
            .pod(key)
            .map(|pod| pod_ports(pod))
            .unwrap_or_default(),
        ForwardTarget::Workload { kind, key } => scene
            .topology
            .services()
            .filter(|traffic| traffic.service.key.namespace == key.namespace)
            .flat_map(|traffic| &traffic.ports)
            .flat_map(|port| &port.backends)
            .filter(|backend| {
                backend
                    .workload
                    .as_ref()
                    .is_some_and(|owner| owner.kind == *kind && owner.name == key.name)
            })
            .find_map(|backend| match &backend.target {
                BackendTarget::Pod(pod) => scene.inventory.pod(pod),
                BackendTarget::Address(_) => None,
            })
            .map(|pod| pod_ports(pod))
            .unwrap_or_default(),
    }
}

/// The pods that a target leads to, by name: those behind a Service or of a workload.
pub fn pods_of(scene: &Scene, target: &ForwardTarget) -> Vec<SharedStr> {
    let backends = |key: &ObjectKey| {
        let same = |traffic: &&Arc<ServiceTraffic>| match target {
            ForwardTarget::Service(service) => traffic.service.key == *service,
            _ => traffic.service.key.namespace == key.namespace,
        };
        scene
            .topology
            .services()
            .filter(same)
            .flat_map(|traffic| &traffic.ports)
            .flat_map(|port| &port.backends)
            .filter(|backend| match target {
                ForwardTarget::Workload { kind, key } => backend
                    .workload
                    .as_ref()
                    .is_some_and(|owner| owner.kind == *kind && owner.name == key.name),
                _ => true,
            })
            .filter_map(|backend| match &backend.target {
                BackendTarget::Pod(pod) => Some(pod.name.clone()),
                BackendTarget::Address(_) => None,
            })
            .collect::<BTreeSet<_>>()
    };
    match target {
        ForwardTarget::Pod(_) => Vec::new(),
        other => backends(other.key()).into_iter().collect(),
    }
}

fn service_ports(scene: &Scene, key: &ObjectKey) -> Vec<PortOption> {
    let Some(traffic) = scene.topology.service(key) else {
        return Vec::new();
    };
    traffic
        .ports
        .iter()
        .map(|port| {
            let spec = &port.port;
            let name = spec.name.as_deref().unwrap_or_default();
            let app = spec.app_protocol.as_deref().unwrap_or_default();
            PortOption {
                port: RemotePort::Number(spec.port),
                label: format!("{} → {}", formatting::port_label(spec), spec.target_port),
                number: spec.port,
                is_tcp: spec.protocol == Protocol::Tcp,
                likely_https: port.backend_tls.is_some()
                    || is_https(name, spec.port)
                    || app.eq_ignore_ascii_case("https"),
                server_name: port.backend_tls.as_ref().map(|tls| tls.hostname.clone()),
            }
        })
        .collect()
}

fn pod_ports(pod: &PodRecord) -> Vec<PortOption> {
    let mut options: Vec<PortOption> = Vec::new();
    for container in &pod.containers {
        for port in &container.ports {
            let name = port.name.as_deref().unwrap_or_default();
            let label = format!("{} {name}", port.port);
            let option = PortOption {
                port: RemotePort::Number(port.port),
                label: format!("{} ({})", label.trim_end(), container.name),
                number: port.port,
                is_tcp: port.protocol == Protocol::Tcp,
                likely_https: is_https(name, port.port),
                server_name: None,
            };
            if !options
                .iter()
                .any(|known| known.port == option.port && known.is_tcp == option.is_tcp)
            {
                options.push(option);
            }
        }
    }
    options
}

/// By the conventions that browsers, meshes and charts share.
fn is_https(name: &str, port: u16) -> bool {
    name == "https" || name.starts_with("https-") || matches!(port, 443 | 6443 | 8443)
}

#[cfg(test)]
mod tests {
    use super::is_https;

    #[test]
    fn https_is_guessed_by_name_and_number() {
        assert!(is_https("https", 9000));
        assert!(is_https("https-admin", 9000));
        assert!(is_https("", 8443));
        assert!(!is_https("http", 80));
        assert!(!is_https("httpsish", 80));
    }
}
