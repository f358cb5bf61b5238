//! What jobs of the engine report back to it.

use std::{sync::Arc, time::Duration};

use super::{ContextInfo, EditId, EditStep, Rights};
use crate::{
    cluster::Cluster,
    inventory::{ObjectKey, Text},
    probe::{CurlResponse, RequestId},
};

/// Result of a job. Those of a cluster that was left carry an old generation and are dropped.
pub(super) enum Event {
    /// The kubeconfig was read; its contexts are known whether or not one of them answers.
    Contexts(Vec<ContextInfo>),
    /// An attempt to connect ended.
    Connected {
        generation: u64,
        outcome: Result<(Cluster, Duration), Text>,
    },
    /// Credentials were read and the client built anew, because a person asked to reconnect.
    Renewed {
        generation: u64,
        outcome: Result<(), Text>,
    },
    /// What the person may do.
    Rights { generation: u64, rights: Rights },
    /// The YAML of the inspected Service.
    Yaml {
        generation: u64,
        service: ObjectKey,
        text: Result<Text, Text>,
    },
    /// A request ended.
    Curl {
        id: RequestId,
        outcome: Result<Arc<CurlResponse>, Text>,
    },
    /// The settings could not be written.
    NotSaved(Text),
    /// An edit went a step further.
    Edit { id: EditId, step: EditStep },
}
