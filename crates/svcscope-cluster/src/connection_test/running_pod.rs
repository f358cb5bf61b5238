//! The pod with which port-forwards and commands are tested.

use crate::CallError;
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// A running pod: what to test with.
pub(super) struct RunningPod {
    pub key: ObjectKey,
    /// A port of a container.
    pub port: u16,
    /// Its first container: old servers choose none by themselves.
    pub container: Option<SharedStr>,
}

/// None where there is none, or why it can't be known.
pub(super) type RunningPodLookup = Result<Option<RunningPod>, CallError>;
