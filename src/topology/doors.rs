//! The ways into a Service.

use super::{Entry, EntryId, EntryKind};
use crate::inventory::{LoadBalancerPoint, Protocol, ServiceRecord, ServiceType, Text};

/// The name by which pods find a Service, in a cluster that keeps the usual domain.
pub(super) fn dns_name(service: &ServiceRecord) -> Text {
    let key = &service.key;
    Text::from(format!("{}.{}.svc.cluster.local", key.name, key.namespace))
}

/// All ways into a Service, and the far end of an ExternalName, sorted, each once.
///
/// `nodes` are the addresses at which its nodePorts answer, `fronts` the front doors.
pub(super) fn entries(
    service: &ServiceRecord,
    dns_name: &Text,
    nodes: &[Text],
    fronts: Vec<Entry>,
) -> Vec<Entry> {
    let every_port = ports(service);
    let entry = |kind, address: &Text, addresses| Entry {
        id: EntryId {
            service: service.key.clone(),
            kind,
            address: address.clone(),
            node_port: None,
            object: None,
        },
        addresses,
        ports: every_port.clone(),
        front: None,
        notes: Vec::new(),
    };
    let virtual_ips = service.virtual_ips().cloned().collect();
    let mut found = vec![entry(EntryKind::ClusterDns, dns_name, virtual_ips)];
    let kind = service.service_type;
    if kind == ServiceType::ExternalName
        && let Some(name) = &service.external_name
    {
        found.push(Entry {
            ports: Vec::new(),
            ..entry(EntryKind::ExternalName, name, vec![name.clone()])
        });
    }
    for ip in service.served_external_ips() {
        found.push(Entry {
            notes: vec![EXTERNAL_IPS.into()],
            ..entry(EntryKind::ExternalIp, ip, vec![ip.clone()])
        });
    }
    if kind == ServiceType::LoadBalancer {
        let before = found.len();
        for point in &service.load_balancer {
            let Some(address) = point.address() else {
                continue;
            };
            found.push(Entry {
                notes: from_inside(point).map(Text::from).into_iter().collect(),
                ..entry(EntryKind::LoadBalancer, address, vec![address.clone()])
            });
        }
        if found.len() == before {
            found.push(entry(EntryKind::LoadBalancer, &Text::from(""), Vec::new()));
        }
    }
    if matches!(kind, ServiceType::NodePort | ServiceType::LoadBalancer) {
        found.extend(node_ports(service, nodes));
    }
    found.extend(fronts);
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found.dedup_by(|later, first| later.id == first.id);
    found
}

fn node_ports<'a>(
    service: &'a ServiceRecord,
    nodes: &'a [Text],
) -> impl Iterator<Item = Entry> + 'a {
    service
        .ports
        .iter()
        .filter(|port| port.node_port.is_some())
        .map(|port| Entry {
            id: EntryId {
                service: service.key.clone(),
                kind: EntryKind::NodePort,
                address: Text::from(""),
                node_port: port.node_port,
                object: None,
            },
            addresses: nodes.to_vec(),
            // TCP and UDP of one number may share a nodePort: they are one door.
            ports: service
                .ports
                .iter()
                .filter(|other| other.node_port == port.node_port)
                .map(|port| (port.protocol, port.port))
                .collect(),
            front: None,
            notes: Vec::new(),
        })
}

/// KEP-5707: a server of 1.36 warns of the field, and kube-proxy has the gate by which it goes
/// (`AllowServiceExternalIPs` in pkg/features/kube_features.go, read in pkg/proxy/serviceport.go).
const EXTERNAL_IPS: &str = "deprecated since Kubernetes 1.36: kube-proxy serves it only while its \
                            feature gate AllowServiceExternalIPs is on";

/// Where the address of a load balancer leads a pod, if that is not the usual place: kube-proxy
/// takes it for its own unless `ipMode` is `Proxy` (pkg/proxy/serviceport.go, newBaseServiceInfo).
fn from_inside(point: &LoadBalancerPoint) -> Option<&'static str> {
    let says = "ipMode Proxy: from inside the cluster too, it leads to the load balancer";
    point.is_proxied().then_some(says)
}

fn ports(service: &ServiceRecord) -> Vec<(Protocol, u16)> {
    service
        .ports
        .iter()
        .map(|port| (port.protocol, port.port))
        .collect()
}
