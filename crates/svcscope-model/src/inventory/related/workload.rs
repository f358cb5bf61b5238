//! What makes pods, and small things that are looked up by name.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::inventory::{ObjectKey, SharedStr};

/// A workload that is not yet as it was asked to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RolloutStatus {
    /// When something last moved, where it is said (`Progressing.lastUpdateTime`).
    pub moved: Option<Timestamp>,
    /// Whether the controller has given up (`ProgressDeadlineExceeded`).
    pub stuck: bool,
}

/// A Deployment or StatefulSet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkloadRecord {
    /// Whether it is a StatefulSet.
    pub stateful: bool,
    /// Namespace and name.
    pub key: ObjectKey,
    /// `spec.replicas`; 1 where nothing is said.
    pub replicas: u32,
    /// `spec.template.metadata.labels`.
    pub template: BTreeMap<SharedStr, SharedStr>,
    /// `spec.serviceName` of a StatefulSet.
    pub service_name: Option<SharedStr>,
    /// Set while pods are being replaced or added.
    pub rollout: Option<RolloutStatus>,
}

impl WorkloadRecord {
    /// Kubernetes' own spelling of its kind.
    pub fn kind_word(&self) -> &'static str {
        if self.stateful {
            "StatefulSet"
        } else {
            "Deployment"
        }
    }
}

/// That there is a Secret of type `kubernetes.io/tls`; nothing of what is in it is ever read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSecretRecord {
    /// Namespace and name.
    pub key: ObjectKey,
}

/// A ServiceCIDR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceCidrRecord {
    /// Its name.
    pub key: ObjectKey,
    /// `spec.cidrs`.
    pub cidrs: Vec<SharedStr>,
}
