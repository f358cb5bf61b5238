//! The traffic of one Service, from its entry points to its backends.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{EntryPointId, EntryPointKind, IngressHost, NodeId, PortId, WorkloadId};
use crate::inventory::{ObjectKey, Protocol, ServicePort, ServiceRecord, SharedStr};

/// Everything that is drawn of one Service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceTraffic {
    /// The Service.
    pub service: Arc<ServiceRecord>,
    /// `name.namespace.svc.cluster.local`; the cluster's own domain may be another.
    pub dns_name: SharedStr,
    /// Ways in, and the far end of an ExternalName, sorted.
    pub entry_points: Vec<EntryPoint>,
    /// Its ports in the order of the object.
    pub ports: Vec<PortTraffic>,
}

/// A way into a Service with what is needed to use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPoint {
    /// Which one it is.
    pub id: EntryPointId,
    /// The addresses or names it answers at: the nodes of a NodePort, the virtual addresses of a
    /// DNS name; none while a load balancer is pending.
    pub addresses: Vec<SharedStr>,
    /// The Service ports it leads to: `(protocol, port)`.
    pub ports: Vec<(Protocol, u16)>,
    /// What is more of an ingress host.
    pub ingress: Option<Arc<IngressHost>>,
    /// What has to be known of it, in sentences.
    pub notes: Vec<SharedStr>,
}

impl EntryPoint {
    /// A load balancer that has no address yet.
    pub fn is_pending(&self) -> bool {
        self.id.kind == EntryPointKind::LoadBalancer && self.id.address.is_empty()
    }
}

/// One port of a Service and the backends that serve it.
#[derive(Clone, Debug, PartialEq)]
pub struct PortTraffic {
    /// The port.
    pub port: ServicePort,
    /// Its endpoints from all slices, sorted, each once.
    pub backends: Vec<PortBackend>,
    /// The BackendTLSPolicy by which Gateways speak TLS to it.
    pub backend_tls: Option<BackendTls>,
}

/// TLS to the pods of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendTls {
    /// The BackendTLSPolicy.
    pub policy: ObjectKey,
    /// The name that is asked for and verified.
    pub hostname: SharedStr,
}

impl BackendTls {
    /// "TLS to the pods as pods.example.com (BackendTLSPolicy shop/web)".
    pub fn words(&self) -> String {
        format!(
            "TLS to the pods as {} (BackendTLSPolicy {})",
            self.hostname, self.policy
        )
    }
}

impl PortTraffic {
    /// The identity of this port of `service`.
    pub fn id(&self, service: &ObjectKey) -> PortId {
        PortId {
            service: service.clone(),
            protocol: self.port.protocol,
            port: self.port.port,
        }
    }

    /// How many pods and addresses take new traffic. A pod has an endpoint in each address family,
    /// and counts once.
    pub fn ready(&self) -> usize {
        let is_ready = |backend: &&PortBackend| backend.state() == BackendState::Ready;
        each_once(self.backends.iter().filter(is_ready))
    }

    /// How many there are.
    pub fn all(&self) -> usize {
        each_once(self.backends.iter())
    }
}

/// The different targets of backends, which are sorted by them.
fn each_once<'a>(backends: impl Iterator<Item = &'a PortBackend>) -> usize {
    let mut last = None;
    backends
        .filter(|backend| last.replace(&backend.target) != Some(&backend.target))
        .count()
}

/// What stands behind an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BackendTarget {
    /// A pod.
    Pod(ObjectKey),
    /// An address that somebody wrote by hand.
    Address(SharedStr),
}

impl BackendTarget {
    /// The node of the graph that it is, as a backend of `service`.
    pub fn node_id(&self, service: &ObjectKey) -> NodeId {
        match self {
            Self::Pod(key) => NodeId::Pod(key.clone()),
            Self::Address(address) => NodeId::Address {
                service: service.clone(),
                address: address.clone(),
            },
        }
    }
}

/// What the conditions of an endpoint mean for traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BackendState {
    /// Takes new connections.
    Ready,
    /// Terminating, yet still serving: kube-proxy uses it only when nothing is ready.
    Draining,
    /// Takes nothing.
    NotReady,
}

/// One endpoint of a Service port: the edge from the port to a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortBackend {
    /// What stands there.
    pub target: BackendTarget,
    /// The endpoint's address.
    pub address: SharedStr,
    /// The port of the backend after translation.
    pub port: Option<u16>,
    /// The node it runs on.
    pub node: Option<SharedStr>,
    /// The workload that owns the pod.
    pub workload: Option<WorkloadId>,
    /// `conditions.ready` (null is true).
    pub ready: bool,
    /// `conditions.serving`.
    pub serving: bool,
    /// `conditions.terminating`.
    pub terminating: bool,
    /// `hints.forZones`: the zones whose traffic it is meant for.
    pub zone_hints: Box<[SharedStr]>,
    /// `hints.forNodes`: the nodes whose traffic it is meant for.
    pub node_hints: Box<[SharedStr]>,
}

impl PortBackend {
    /// What its conditions mean for traffic.
    pub fn state(&self) -> BackendState {
        if self.ready {
            BackendState::Ready
        } else if self.serving && self.terminating {
            BackendState::Draining
        } else {
            BackendState::NotReady
        }
    }
}
