//! An Event about a Service.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ObjectKey, SharedStr};

/// A `v1` Event whose `involvedObject` is a Service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    /// Namespace and name of the Event itself.
    pub key: ObjectKey,
    /// The Service that it is about.
    pub service: ObjectKey,
    /// `type` is `Warning` (else `Normal`).
    pub warning: bool,
    /// `reason`: `EnsuringLoadBalancer`, `PortAlreadyAllocated`, …
    pub reason: SharedStr,
    /// `message`, in the reporter's words.
    pub message: SharedStr,
    /// How often it was seen.
    pub count: u32,
    /// When it was last seen.
    pub last_seen: Option<Timestamp>,
    /// Who reported it.
    pub source: SharedStr,
}
