//! What a person asks for.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
};

use serde::{Deserialize, Serialize};

use crate::inventory::{ObjectKey, Text};

/// Names a forward as long as the engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForwardId(pub u64);

/// Where a forward leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ForwardTarget {
    /// A Service: each connection picks a ready pod behind the port.
    Service(ObjectKey),
    /// One pod, as long as it lives.
    Pod(ObjectKey),
    /// The pods of a workload: `kind` is `Deployment`, `StatefulSet`, `DaemonSet`, `ReplicaSet`
    /// or `Job`.
    Workload {
        /// Kubernetes' spelling of the kind.
        kind: Text,
        /// Namespace and name.
        key: ObjectKey,
    },
}

impl ForwardTarget {
    /// Namespace and name of what it leads to.
    pub fn key(&self) -> &ObjectKey {
        match self {
            Self::Service(key) | Self::Pod(key) | Self::Workload { key, .. } => key,
        }
    }
}

/// `svc/web`, `pod/web-0`, `deployment/web`, as kubectl spells it, without the namespace.
impl fmt::Display for ForwardTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(key) => write!(f, "svc/{}", key.name),
            Self::Pod(key) => write!(f, "pod/{}", key.name),
            Self::Workload { kind, key } => write!(f, "{}/{}", kind.to_lowercase(), key.name),
        }
    }
}

/// A port of the target: of the Service where the target is one, else of the pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RemotePort {
    /// By number.
    Number(u16),
    /// By name.
    Name(Text),
}

impl fmt::Display for RemotePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A forward as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ForwardSpec {
    /// Where it leads.
    pub target: ForwardTarget,
    /// Which port there.
    pub port: RemotePort,
    /// The local address to listen at; loopback unless a person asked for another.
    pub local_address: IpAddr,
    /// The local port; none means any free one.
    pub local_port: Option<u16>,
}

impl ForwardSpec {
    /// A forward from a free port of 127.0.0.1.
    pub fn new(target: ForwardTarget, port: RemotePort) -> Self {
        Self {
            target,
            port,
            local_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            local_port: None,
        }
    }
}
