//! A wanted change and what it means.

use std::sync::Arc;

use crate::inventory::{ObjectKey, ServiceRecord, ServiceType, Text};

/// A wanted type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeChange {
    /// The type that the Service shall have.
    pub to: ServiceType,
    /// Where an ExternalName shall point.
    pub external_name: Option<String>,
    /// A wanted nodePort for each Service port (by position), where the new type has nodePorts.
    pub node_ports: Vec<Option<u16>>,
}

/// What will be sent and what it means.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The Service.
    pub service: ObjectKey,
    /// As the person saw it; its resourceVersion is the precondition of the write.
    pub before: Arc<ServiceRecord>,
    /// What is wanted.
    pub change: TypeChange,
    /// The JSON merge patch, `metadata.resourceVersion` included.
    pub patch: serde_json::Value,
    /// What the Service gains: `a port on every node, allocated by the cluster`.
    pub gains: Vec<Text>,
    /// What it loses: `nodePort 30080 is released and may be taken by another Service`.
    pub losses: Vec<Text>,
    /// What else to know: who manages the Service and may revert the change.
    pub notes: Vec<Text>,
}

/// What an applied plan really did.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The Service before.
    pub before: Arc<ServiceRecord>,
    /// The Service as read back.
    pub after: Arc<ServiceRecord>,
    /// `Warning` headers of the API server.
    pub warnings: Vec<Text>,
}
