//! What jobs of the engine report back to it.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc::UnboundedSender;

use super::{
    ContextSummary, EditId, EditState, ForwardImportPreview, PathTestId, UserPermissions,
    connect_retry::ConnectFailure, path_test::PathTestEvent,
};
use crate::settings::{LoadedSettings, SavedForward, SavedForwards};
use svcscope_cluster::{
    ClusterClient, ConnectionStepResult, KubeconfigChange, LoginEvent, SecurityNotice,
};
use svcscope_edit::{ChangeOutcome, ChangePlan, EditError, ExecutedStep};
use svcscope_model::inventory::{NodePortRules, ObjectKey, ServiceRecord, SharedStr};
use svcscope_net::{
    forward::ForwardStatus,
    probe::{CurlError, CurlResponse, RepeatStatistics, RequestId, ResumableResponse},
};

/// Result of a job.
pub(super) enum WorkerEvent {
    /// Something that belongs to one cluster: dropped once that cluster was left.
    Cluster {
        generation: u64,
        event: ClusterEvent,
    },
    /// A login goes on.
    Login(LoginEvent),
    /// A request ended.
    RequestFinished {
        id: RequestId,
        outcome: Result<Box<ResumableResponse>, Box<CurlError>>,
    },
    /// A request was sent once more.
    RequestRepeated {
        id: RequestId,
        so_far: Arc<RepeatStatistics>,
    },
    /// More of an answer came.
    RequestProgressed {
        id: RequestId,
        so_far: Arc<CurlResponse>,
    },
    /// A test of paths went on.
    PathTestProgressed {
        id: PathTestId,
        event: PathTestEvent,
    },
    /// A step of the test of the connection is done, or, without one, the test has ended.
    ConnectionTestProgressed {
        number: u64,
        step: Option<ConnectionStepResult>,
    },
    /// The settings could not be written.
    SettingsNotSaved(SharedStr),
    /// What the settings' file holds now.
    SettingsReloaded(Box<LoadedSettings>),
    /// Forwards of a file that may be imported.
    ForwardImportPreviewed(Box<ForwardImportPreview>),
    /// What the file of saved forwards holds now.
    SavedForwardsWritten(Box<SavedForwards>),
    /// What became of something that has no other place to say it.
    BackgroundJobFinished(Result<String, String>),
    /// An edit went a step further.
    EditProgressed { id: EditId, step: EditState },
    /// A plan was applied, or failed to be.
    EditApplied(Box<AppliedEdit>),
}

/// Result of a job on the cluster that is, or is to be, connected.
pub(super) enum ClusterEvent {
    /// The kubeconfig was read; its contexts are known whether or not one of them answers.
    KubeconfigContexts {
        contexts: Vec<ContextSummary>,
        /// The one that is connected to.
        selected: Option<SharedStr>,
    },
    /// An attempt to connect ended.
    ConnectFinished {
        outcome: Result<(ClusterClient, Duration), ConnectFailure>,
    },
    /// A request waits because the API server is busy, and how long.
    RequestDelayed { message: SharedStr },
    /// How a connection that is tried would be protected.
    SecurityWarnings { warnings: Vec<SecurityNotice> },
    /// Credentials were read and the client built anew, because the user asked to reconnect.
    CredentialsRenewed { outcome: Result<(), SharedStr> },
    /// What was read of one Service, because they may not be listed; none where it does not exist.
    ServiceLookedUp {
        service: ObjectKey,
        outcome: Result<Option<Box<ServiceRecord>>, SharedStr>,
    },
    /// The kubeconfig was read again after it was written.
    KubeconfigReloaded { change: KubeconfigChange },
    /// The client was built anew, because what it was made from had changed.
    KubeconfigApplied { outcome: Result<(), SharedStr> },
    /// What the user may do.
    Permissions { rights: UserPermissions },
    /// What was read of the cluster's nodePorts, because something wanted it.
    NodePortRulesRead { rules: NodePortRules },
    /// The YAML of the inspected Service.
    ServiceYamlRead {
        service: ObjectKey,
        text: Result<SharedStr, SharedStr>,
    },
    /// A forward came up, or failed to.
    ForwardStarted { status: Box<ForwardStatus> },
    /// The way to the cluster is lost, and why, or it is there.
    ConnectivityChecked {
        unreachable_reason: Option<SharedStr>,
    },
    /// Forwards from a file that is imported.
    ForwardsImported(Result<Vec<SavedForward>, String>),
}

/// Reports for jobs that belong to one cluster.
#[derive(Clone)]
pub(super) struct ClusterEventSender {
    /// Counts connections, so that a late result of the last cluster is not taken for this one's.
    pub generation: u64,
    pub events: UnboundedSender<WorkerEvent>,
}

impl ClusterEventSender {
    /// Reports something; whether the engine is still there.
    pub fn send(&self, event: ClusterEvent) -> bool {
        let generation = self.generation;
        let event = WorkerEvent::Cluster { generation, event };
        self.events.send(event).is_ok()
    }
}

/// What became of a plan.
pub(super) struct AppliedEdit {
    pub id: EditId,
    pub context: SharedStr,
    pub plan: Arc<ChangePlan>,
    pub executed_steps: Vec<ExecutedStep>,
    pub result: Result<Arc<ChangeOutcome>, EditError>,
}
