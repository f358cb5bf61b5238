//! Which doors a target has.

use super::{AccessPath, http::ConnectAddress};
use crate::forward::{ForwardTarget, RemotePort, service_port};
use svcscope_model::inventory::{Inventory, ObjectKey, PodRecord, ServiceRecord, ServiceType};

/// A door that a request could go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPathChoice {
    /// The door.
    pub access_path: AccessPath,
    /// In words: `NodePort on node-a, 10.0.0.7:30080`.
    pub label: String,
}

/// A menu of more pods than this helps nobody: a pod's own console leads to it.
const MOST_PODS: usize = 100;

/// The doors from this machine and through the API server, the usual one first. Those from inside
/// the cluster depend on who sends: see [`AccessPath::Inside`].
pub fn access_path_choices(
    target: &ForwardTarget,
    port: &RemotePort,
    inventory: &Inventory,
) -> Vec<AccessPathChoice> {
    let choice = |vantage, label: String| AccessPathChoice {
        access_path: vantage,
        label,
    };
    let service = match target {
        ForwardTarget::Service(key) => inventory.service(key),
        ForwardTarget::Pod(_) => {
            return vec![
                choice(AccessPath::Forward, "Port-forward to the pod".to_owned()),
                choice(
                    AccessPath::ServiceProxy,
                    "API server's proxy to the pod".to_owned(),
                ),
            ];
        }
        ForwardTarget::Workload { .. } => None,
    };
    let Some(service) = service else {
        return vec![choice(
            AccessPath::Forward,
            "Port-forward to the next pod".to_owned(),
        )];
    };
    if service.service_type == ServiceType::ExternalName {
        let name = service.external_name.as_deref().unwrap_or_default();
        return vec![choice(
            AccessPath::ExternalName,
            format!("External name {name}"),
        )];
    }
    let mut found = vec![
        choice(
            AccessPath::Forward,
            "Port-forward to the next pod".to_owned(),
        ),
        choice(
            AccessPath::ServiceProxy,
            "API server's proxy to the Service".to_owned(),
        ),
    ];
    let number = service_port(service, port).ok();
    if let Some(node_port) = number.as_ref().and_then(|port| port.node_port) {
        let addresses = inventory.node_port_addresses(service).into_iter();
        found.extend(addresses.map(|(node, address)| {
            let to = ConnectAddress::at(address, node_port);
            let label = format!("NodePort on {}, {to}", node.name);
            let (node, address) = (node.name.clone(), address.clone());
            choice(AccessPath::NodePort { node, address }, label)
        }));
    }
    for point in &service.load_balancer {
        if let Some(address) = point.address() {
            let label = format!("Load balancer {address}");
            found.push(choice(AccessPath::LoadBalancer(address.clone()), label));
        }
    }
    for address in service.served_external_ips() {
        let label = format!("External IP {address}");
        found.push(choice(AccessPath::ExternalIp(address.clone()), label));
    }
    for pod in pods_of(service, inventory) {
        let label = format!("Port-forward to pod {}", pod.key.name);
        found.push(choice(AccessPath::ForwardPod(pod.key.name.clone()), label));
    }
    for pod in pods_of(service, inventory) {
        let label = format!("API server's proxy to pod {}", pod.key.name);
        found.push(choice(AccessPath::PodProxy(pod.key.name.clone()), label));
    }
    found
}

/// The first pods behind a Service by name, ready or not.
fn pods_of<'a>(
    service: &'a ServiceRecord,
    inventory: &'a Inventory,
) -> impl Iterator<Item = &'a PodRecord> {
    let listed = inventory.endpoint_pods_of(&service.key).into_iter();
    let namespace = &service.key.namespace;
    listed.take(MOST_PODS).filter_map(move |(name, _)| {
        let key = ObjectKey::new(namespace.clone(), name.clone());
        inventory.pod(&key).map(|pod| &**pod)
    })
}
