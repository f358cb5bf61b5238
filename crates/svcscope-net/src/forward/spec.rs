//! What the user asks for.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use svcscope_model::inventory::{ObjectKey, SharedStr};

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
        kind: SharedStr,
        /// Namespace and name.
        key: ObjectKey,
    },
}

impl ForwardTarget {
    /// Reads what [`fmt::Display`] writes, and kubectl's other words for the same kinds.
    pub fn parse(namespace: &str, word: &str) -> Option<Self> {
        let (kind, name) = word.split_once('/')?;
        let kind = Self::kind(kind)?;
        (!name.is_empty()).then(|| Self::from_kind(kind, ObjectKey::new(namespace, name)))
    }

    /// Kubernetes' spelling of a kind that can be forwarded to, from any of kubectl's words for it.
    pub fn kind(word: &str) -> Option<&'static str> {
        Some(match word.to_ascii_lowercase().as_str() {
            "svc" | "service" | "services" => "Service",
            "po" | "pod" | "pods" => "Pod",
            "deploy" | "deployment" | "deployments" => "Deployment",
            "sts" | "statefulset" | "statefulsets" => "StatefulSet",
            "ds" | "daemonset" | "daemonsets" => "DaemonSet",
            "rs" | "replicaset" | "replicasets" => "ReplicaSet",
            "job" | "jobs" => "Job",
            _ => return None,
        })
    }

    /// The object of this kind, in Kubernetes' spelling.
    pub fn from_kind(kind: &str, key: ObjectKey) -> Self {
        match kind {
            "Service" => Self::Service(key),
            "Pod" => Self::Pod(key),
            _ => Self::Workload {
                kind: SharedStr::from(kind),
                key,
            },
        }
    }

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
    Name(SharedStr),
}

impl fmt::Display for RemotePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Which of the pods that could take a connection gets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpreadPolicy {
    /// The pod of the last connection, as long as no other is better.
    #[default]
    Sticky,
    /// The one with the fewest open connections, in turn.
    Balanced,
    /// The pod of this name and no other.
    Pinned(SharedStr),
}

/// A forward as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ForwardSpec {
    /// What the user calls it, where it has a name.
    pub name: Option<SharedStr>,
    /// Where it leads.
    pub target: ForwardTarget,
    /// Which port there.
    pub port: RemotePort,
    /// The local address to listen at; none means both loopback addresses, which is what
    /// `localhost` may stand for.
    pub local_address: Option<IpAddr>,
    /// The local port; none means any free one.
    pub local_port: Option<u16>,
    /// Where any free port would do: the one to try first, because it was in use the last time.
    pub last_port: Option<u16>,
    /// How connections are spread over pods.
    pub spread: SpreadPolicy,
}

impl ForwardSpec {
    /// Whether other machines can reach it: it listens at another address than loopback.
    pub fn listens_beyond_loopback(&self) -> bool {
        self.local_address
            .is_some_and(|address| !address.to_canonical().is_loopback())
    }

    /// A forward from a free port of loopback.
    pub fn new(target: ForwardTarget, port: RemotePort) -> Self {
        Self {
            name: None,
            target,
            port,
            local_address: None,
            local_port: None,
            last_port: None,
            spread: SpreadPolicy::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_as_it_is_written() {
        for word in ["svc/web", "pod/web-0", "deployment/web", "job/once"] {
            let target = ForwardTarget::parse("shop", word).unwrap();
            assert_eq!(target.to_string(), word);
            assert_eq!(&*target.key().namespace, "shop");
        }
        let short = ForwardTarget::parse("shop", "sts/db").unwrap();
        assert_eq!(short.to_string(), "statefulset/db");
        for wrong in ["web", "cm/web", "svc/"] {
            assert_eq!(ForwardTarget::parse("shop", wrong), None, "{wrong}");
        }
    }
}
