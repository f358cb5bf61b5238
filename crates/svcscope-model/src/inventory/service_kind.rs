//! The kinds of Services as the user tells them apart: the types, and headless as one of its own.

use std::{fmt, str::FromStr};

use serde::Serialize;

use super::{ServiceRecord, ServiceType};

/// How a Service is published: `spec.type`, and headless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum ServiceKind {
    /// Reached inside the cluster at a virtual address.
    ClusterIP,
    /// `ClusterIP` whose `clusterIP` is `None`: DNS answers with the pods themselves.
    Headless,
    /// Reached at a port of every node as well.
    NodePort,
    /// Reached through a load balancer outside the cluster as well.
    LoadBalancer,
    /// A DNS alias of a name elsewhere.
    ExternalName,
}

impl ServiceKind {
    /// Every kind, in the order in which each adds an entry point to the one before.
    pub const ALL: [Self; 5] = [
        Self::ClusterIP,
        Self::Headless,
        Self::NodePort,
        Self::LoadBalancer,
        Self::ExternalName,
    ];

    /// The kind of a Service.
    pub fn of(service: &ServiceRecord) -> Self {
        if service.is_headless() {
            return Self::Headless;
        }
        service.service_type.into()
    }

    /// Its `spec.type`.
    pub fn service_type(self) -> ServiceType {
        match self {
            Self::ClusterIP | Self::Headless => ServiceType::ClusterIP,
            Self::NodePort => ServiceType::NodePort,
            Self::LoadBalancer => ServiceType::LoadBalancer,
            Self::ExternalName => ServiceType::ExternalName,
        }
    }

    /// Kubernetes' own spelling; `Headless` for what has none.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Headless => "Headless",
            other => other.service_type().as_str(),
        }
    }

    /// The word that the map and the list use: [`ServiceRecord::type_word`].
    pub fn word(self) -> &'static str {
        match self {
            Self::Headless => "headless",
            other => other.as_str(),
        }
    }

    /// Whether its ports may have nodePorts.
    pub fn has_node_ports(self) -> bool {
        matches!(self, Self::NodePort | Self::LoadBalancer)
    }

    /// Whether it has a virtual address.
    pub fn has_virtual_ip(self) -> bool {
        matches!(self, Self::ClusterIP | Self::NodePort | Self::LoadBalancer)
    }

    /// Whether a change from this to that is refused in one step: `spec.clusterIP` keeps its
    /// `None`, or its address, for as long as the type needs one
    /// (`validateUpgradeDowngradeClusterIPs` and `patchAllocatedValues` of the API server).
    pub fn needs_migration_path(self, to: Self) -> bool {
        (self == Self::Headless && to.has_virtual_ip())
            || (self.has_virtual_ip() && to == Self::Headless)
    }
}

impl From<ServiceType> for ServiceKind {
    fn from(service_type: ServiceType) -> Self {
        match service_type {
            ServiceType::ClusterIP => Self::ClusterIP,
            ServiceType::NodePort => Self::NodePort,
            ServiceType::LoadBalancer => Self::LoadBalancer,
            ServiceType::ExternalName => Self::ExternalName,
        }
    }
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no kind of Service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no Service type; use ClusterIP, NodePort, LoadBalancer, ExternalName or Headless"
)]
pub struct ParseServiceKindError(String);

impl FromStr for ServiceKind {
    type Err = ParseServiceKindError;

    /// Reads any case, so that `nodeport` does on a command line.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| ParseServiceKindError(word.to_owned()))
    }
}
