//! NetworkPolicy.

use serde::{Deserialize, Serialize};

use super::LabelSelector;
use crate::inventory::{ObjectKey, Protocol, SharedStr, TargetPort};

/// One entry of `from` or `to`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PolicyPeer {
    /// Pods.
    Pods {
        /// `namespaceSelector`; none means the policy's own namespace.
        namespaces: Option<LabelSelector>,
        /// `podSelector`; none means all of these namespaces.
        pods: Option<LabelSelector>,
    },
    /// Addresses.
    Block {
        /// `cidr`.
        cidr: SharedStr,
        /// `except`.
        except: Vec<SharedStr>,
    },
}

/// One entry of `ports`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PolicyPort {
    /// TCP, UDP or SCTP.
    pub protocol: Protocol,
    /// The pod's port by number or name; none means every one.
    pub port: Option<TargetPort>,
    /// `endPort`: the last of a range.
    pub end: Option<u16>,
}

/// One entry of `ingress` or `egress`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PolicyRule {
    /// Who; none means everybody.
    pub peers: Vec<PolicyPeer>,
    /// At which ports; none means all.
    pub ports: Vec<PolicyPort>,
}

/// A NetworkPolicy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkPolicyRecord {
    /// Namespace and name.
    pub key: ObjectKey,
    /// `spec.podSelector`: the pods that it holds for.
    pub pods: LabelSelector,
    /// What may come in, where it isolates that direction.
    pub ingress: Option<Vec<PolicyRule>>,
    /// What may go out, where it isolates that direction.
    pub egress: Option<Vec<PolicyRule>>,
}
