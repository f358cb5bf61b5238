//! What a node of the graph is, in a form that stays the same while the thing lives.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::inventory::{ObjectKey, Protocol, SharedStr};

/// A port of a Service: the API server allows a number once for each protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortId {
    /// The Service.
    pub service: ObjectKey,
    /// TCP, UDP or SCTP.
    pub protocol: Protocol,
    /// `port`.
    pub port: u16,
}

/// The kind of a way into a Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EntryPointKind {
    /// A host of an Ingress.
    Ingress,
    /// A host of an HTTPRoute.
    HttpRoute,
    /// A host of a GRPCRoute.
    GrpcRoute,
    /// A host of a TLSRoute.
    TlsRoute,
    /// The address of a TCPRoute.
    TcpRoute,
    /// The address of a UDPRoute.
    UdpRoute,
    /// The load balancer's address, or that it has none yet.
    LoadBalancer,
    /// A port of every node.
    NodePort,
    /// One of `spec.externalIPs`.
    ExternalIp,
    /// The DNS name (and virtual address) inside the cluster.
    ClusterDns,
    /// The name elsewhere that an ExternalName Service is an alias of. It stands at the far end:
    /// traffic leaves the cluster there.
    ExternalName,
}

impl EntryPointKind {
    /// Whether it is a host of something that leads to the Service.
    pub fn is_ingress_or_route(self) -> bool {
        matches!(
            self,
            Self::Ingress
                | Self::HttpRoute
                | Self::GrpcRoute
                | Self::TlsRoute
                | Self::TcpRoute
                | Self::UdpRoute
        )
    }

    /// What the user calls it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::HttpRoute => "HTTPRoute",
            Self::GrpcRoute => "GRPCRoute",
            Self::TlsRoute => "TLSRoute",
            Self::TcpRoute => "TCPRoute",
            Self::UdpRoute => "UDPRoute",
            Self::LoadBalancer => "load balancer",
            Self::NodePort => "any node",
            Self::ExternalIp => "external IP",
            Self::ClusterDns => "in cluster",
            Self::ExternalName => "external name",
        }
    }
}

/// A way into a Service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntryPointId {
    /// The Service that it leads to.
    pub service: ObjectKey,
    /// Of what kind it is.
    pub kind: EntryPointKind,
    /// The address or name; empty while a load balancer is pending, for a NodePort, which answers
    /// at every node, and for an ingress host that takes every host.
    pub address: SharedStr,
    /// The nodePort of a NodePort entry, which is an entry of its own for each port.
    pub node_port: Option<u16>,
    /// The Ingress or route of an ingress host.
    pub object: Option<ObjectKey>,
}

/// What owns pods: a Deployment, a StatefulSet, …
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkloadId {
    /// Its namespace.
    pub namespace: SharedStr,
    /// `Deployment`, `StatefulSet`, `DaemonSet`, `ReplicaSet`, `Job`, …
    pub kind: SharedStr,
    /// Its name.
    pub name: SharedStr,
}

/// `deployment/web`, as kubectl spells it.
impl fmt::Display for WorkloadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.to_lowercase(), self.name)
    }
}

/// A node of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NodeId {
    /// A way in from outside the Service.
    #[serde(rename = "Entry")]
    EntryPoint(EntryPointId),
    /// A Service.
    Service(ObjectKey),
    /// A port of a Service.
    Port(PortId),
    /// A pod.
    Pod(ObjectKey),
    /// An endpoint address that no pod stands behind.
    Address {
        /// The Service whose endpoint it is.
        service: ObjectKey,
        /// The address.
        address: SharedStr,
    },
    /// The workload that owns pods.
    Workload(WorkloadId),
    /// A node of the cluster.
    Node(SharedStr),
}
