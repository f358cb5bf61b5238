//! The traffic of all Services as plain nodes and edges.

use std::collections::BTreeSet;

use super::{
    BackendState, BackendTarget, EntryPoint, EntryPointKind, NodeId, PortBackend, PortId,
    ServiceTraffic, Topology,
};
use crate::inventory::TargetPort;

/// What an edge says of the way from one node to the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrafficEdgeKind {
    /// From a way in to a port that it leads to; to the Service where it has no ports.
    Enters,
    /// From a Service to its port.
    Offers,
    /// From a port to a backend, with the translation.
    Forwards {
        /// `targetPort` as the Service says it.
        target_port: TargetPort,
        /// The number that it is on this backend.
        port: Option<u16>,
        /// Whether traffic goes there.
        state: BackendState,
    },
    /// From an ExternalName Service to the name elsewhere.
    Aliases,
    /// From a workload to its pod.
    Owns,
    /// From a pod to its node.
    RunsOn,
}

/// An edge of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrafficEdge {
    /// Where it leaves.
    pub from: NodeId,
    /// Where it arrives.
    pub to: NodeId,
    /// What it is.
    pub kind: TrafficEdgeKind,
}

impl Topology {
    /// Every node of the graph; costs what the graph holds.
    pub fn nodes(&self) -> BTreeSet<NodeId> {
        let services = self
            .services()
            .map(|traffic| NodeId::Service(traffic.service.key.clone()));
        self.edges()
            .into_iter()
            .flat_map(|edge| [edge.from, edge.to])
            .chain(services)
            .collect()
    }

    /// Every edge of the graph, each once; costs what the graph holds.
    pub fn edges(&self) -> BTreeSet<TrafficEdge> {
        self.services()
            .flat_map(|traffic| edges_of(traffic))
            .collect()
    }
}

fn edges_of(traffic: &ServiceTraffic) -> impl Iterator<Item = TrafficEdge> {
    let key = &traffic.service.key;
    let service = NodeId::Service(key.clone());
    let entry_points = traffic
        .entry_points
        .iter()
        .flat_map(|entry| entry_point_edges(traffic, entry));
    let ports = traffic.ports.iter().flat_map(move |port| {
        let id = NodeId::Port(port.id(key));
        let offer = TrafficEdge {
            from: service.clone(),
            to: id.clone(),
            kind: TrafficEdgeKind::Offers,
        };
        let backends = port.backends.iter().flat_map(move |backend| {
            let forward = TrafficEdge {
                from: id.clone(),
                to: backend.target.node_id(key),
                kind: TrafficEdgeKind::Forwards {
                    target_port: port.port.target_port.clone(),
                    port: backend.port,
                    state: backend.state(),
                },
            };
            std::iter::once(forward).chain(owner_and_node_edges(backend))
        });
        std::iter::once(offer).chain(backends)
    });
    entry_points.chain(ports)
}

fn entry_point_edges(traffic: &ServiceTraffic, entry: &EntryPoint) -> Vec<TrafficEdge> {
    let service = NodeId::Service(traffic.service.key.clone());
    let entry_point = NodeId::EntryPoint(entry.id.clone());
    if entry.id.kind == EntryPointKind::ExternalName {
        return vec![TrafficEdge {
            from: service,
            to: entry_point,
            kind: TrafficEdgeKind::Aliases,
        }];
    }
    let enters = |to| TrafficEdge {
        from: entry_point.clone(),
        to,
        kind: TrafficEdgeKind::Enters,
    };
    if entry.ports.is_empty() {
        return vec![enters(service)];
    }
    entry
        .ports
        .iter()
        .map(|&(protocol, port)| {
            enters(NodeId::Port(PortId {
                service: traffic.service.key.clone(),
                protocol,
                port,
            }))
        })
        .collect()
}

fn owner_and_node_edges(backend: &PortBackend) -> impl Iterator<Item = TrafficEdge> {
    let pod = match &backend.target {
        BackendTarget::Pod(key) => Some(NodeId::Pod(key.clone())),
        BackendTarget::Address(_) => None,
    };
    let owner = pod
        .clone()
        .zip(backend.workload.clone())
        .map(|(pod, owner)| TrafficEdge {
            from: NodeId::Workload(owner),
            to: pod,
            kind: TrafficEdgeKind::Owns,
        });
    let place = pod
        .zip(backend.node.clone())
        .map(|(pod, node)| TrafficEdge {
            from: pod,
            to: NodeId::Node(node),
            kind: TrafficEdgeKind::RunsOn,
        });
    owner.into_iter().chain(place)
}
