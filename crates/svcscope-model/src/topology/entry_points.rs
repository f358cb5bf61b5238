//! The ways into a Service.

use super::{EntryPoint, EntryPointId, EntryPointKind};
use crate::inventory::{LoadBalancerIngress, Protocol, ServiceRecord, ServiceType, SharedStr};

/// The name by which pods find a Service, in a cluster that keeps the usual domain.
pub(super) fn dns_name(service: &ServiceRecord) -> SharedStr {
    let key = &service.key;
    SharedStr::from(format!("{}.{}.svc.cluster.local", key.name, key.namespace))
}

/// All ways into a Service, and the far end of an ExternalName, sorted, each once.
///
/// `nodes` are the addresses at which its nodePorts answer, `fronts` the ingress hosts.
pub(super) fn entry_points(
    service: &ServiceRecord,
    dns_name: &SharedStr,
    nodes: &[SharedStr],
    ingress_entry_points: Vec<EntryPoint>,
) -> Vec<EntryPoint> {
    let every_port = ports(service);
    let entry = |kind, address: &SharedStr, addresses| EntryPoint {
        id: EntryPointId {
            service: service.key.clone(),
            kind,
            address: address.clone(),
            node_port: None,
            object: None,
        },
        addresses,
        ports: every_port.clone(),
        ingress: None,
        notes: Vec::new(),
    };
    let virtual_ips = service.virtual_ips().cloned().collect();
    let mut found = vec![entry(EntryPointKind::ClusterDns, dns_name, virtual_ips)];
    let kind = service.service_type;
    if kind == ServiceType::ExternalName
        && let Some(name) = &service.external_name
    {
        found.push(EntryPoint {
            ports: Vec::new(),
            ..entry(EntryPointKind::ExternalName, name, vec![name.clone()])
        });
    }
    for ip in service.served_external_ips() {
        found.push(EntryPoint {
            notes: vec![EXTERNAL_IPS.into()],
            ..entry(EntryPointKind::ExternalIp, ip, vec![ip.clone()])
        });
    }
    if kind == ServiceType::LoadBalancer {
        let before = found.len();
        for point in &service.load_balancer {
            let Some(address) = point.address() else {
                continue;
            };
            found.push(EntryPoint {
                notes: in_cluster_note(point)
                    .map(SharedStr::from)
                    .into_iter()
                    .collect(),
                ..entry(EntryPointKind::LoadBalancer, address, vec![address.clone()])
            });
        }
        if found.len() == before {
            found.push(entry(
                EntryPointKind::LoadBalancer,
                &SharedStr::from(""),
                Vec::new(),
            ));
        }
    }
    if matches!(kind, ServiceType::NodePort | ServiceType::LoadBalancer) {
        found.extend(node_ports(service, nodes));
    }
    found.extend(ingress_entry_points);
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found.dedup_by(|later, first| later.id == first.id);
    found
}

fn node_ports<'a>(
    service: &'a ServiceRecord,
    nodes: &'a [SharedStr],
) -> impl Iterator<Item = EntryPoint> + 'a {
    service
        .ports
        .iter()
        .filter(|port| port.node_port.is_some())
        .map(|port| EntryPoint {
            id: EntryPointId {
                service: service.key.clone(),
                kind: EntryPointKind::NodePort,
                address: SharedStr::from(""),
                node_port: port.node_port,
                object: None,
            },
            addresses: nodes.to_vec(),
            // TCP and UDP of one number may share a nodePort: they are one entry point.
            ports: service
                .ports
                .iter()
                .filter(|other| other.node_port == port.node_port)
                .map(|port| (port.protocol, port.port))
                .collect(),
            ingress: None,
            notes: Vec::new(),
        })
}

/// KEP-5707: a server of 1.36 warns of the field, and kube-proxy has the gate by which it goes
/// (`AllowServiceExternalIPs` in pkg/features/kube_features.go, read in pkg/proxy/serviceport.go).
const EXTERNAL_IPS: &str = "deprecated since Kubernetes 1.36: kube-proxy serves it only while its \
                            feature gate AllowServiceExternalIPs is on";

/// Where the address of a load balancer leads a pod, if that is not the usual place: kube-proxy
/// takes it for its own unless `ipMode` is `Proxy` (pkg/proxy/serviceport.go, newBaseServiceInfo).
fn in_cluster_note(point: &LoadBalancerIngress) -> Option<&'static str> {
    let says = "ipMode Proxy: traffic from inside the cluster goes through the load balancer, too";
    point.is_proxied().then_some(says)
}

fn ports(service: &ServiceRecord) -> Vec<(Protocol, u16)> {
    service
        .ports
        .iter()
        .map(|port| (port.protocol, port.port))
        .collect()
}
