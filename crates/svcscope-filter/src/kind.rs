//! The kinds of Services as the user tells them apart.

use std::{fmt, str::FromStr};

use svcscope_model::inventory::{ServiceRecord, ServiceType};

/// A type of Service; headless is one of its own, as it is on the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ServiceKind {
    /// Reached inside the cluster at a virtual address.
    ClusterIP,
    /// A ClusterIP Service without an address: DNS answers with the pods themselves.
    Headless,
    /// Reached at a port of every node as well.
    NodePort,
    /// Reached through a load balancer as well.
    LoadBalancer,
    /// A DNS alias of a name elsewhere.
    ExternalName,
}

impl ServiceKind {
    /// Every kind, in the order of a menu.
    pub const ALL: [Self; 5] = [
        Self::ClusterIP,
        Self::Headless,
        Self::NodePort,
        Self::LoadBalancer,
        Self::ExternalName,
    ];

    /// The kind of a Service.
    pub fn of(service: &ServiceRecord) -> Self {
        match service.service_type {
            ServiceType::ClusterIP if service.is_headless() => Self::Headless,
            ServiceType::ClusterIP => Self::ClusterIP,
            ServiceType::NodePort => Self::NodePort,
            ServiceType::LoadBalancer => Self::LoadBalancer,
            ServiceType::ExternalName => Self::ExternalName,
        }
    }

    /// The word that the map and the list use: [`ServiceRecord::type_word`].
    pub fn word(self) -> &'static str {
        match self {
            Self::ClusterIP => "ClusterIP",
            Self::Headless => "headless",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
            Self::ExternalName => "ExternalName",
        }
    }
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that names no kind of Service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no type; use ClusterIP, headless, NodePort, LoadBalancer or ExternalName")]
pub struct ParseServiceKindError(String);

impl FromStr for ServiceKind {
    type Err = ParseServiceKindError;

    /// Reads the word in any case.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|known| known.word().eq_ignore_ascii_case(word))
            .ok_or_else(|| ParseServiceKindError(word.to_owned()))
    }
}
