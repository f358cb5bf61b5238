//! What jobs of the engine report back to it.

use std::{sync::Arc, time::Duration};

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

/// Result of a job. Those of a cluster that was left carry an old generation and are dropped.
pub(super) enum WorkerEvent {
    /// The kubeconfig was read; its contexts are known whether or not one of them answers.
    KubeconfigContexts {
        generation: u64,
        contexts: Vec<ContextSummary>,
        /// The one that is connected to.
        selected: Option<SharedStr>,
    },
    /// An attempt to connect ended.
    ConnectFinished {
        generation: u64,
        outcome: Result<(ClusterClient, Duration), ConnectFailure>,
    },
    /// A request waits because the API server is busy, and how long.
    RequestDelayed { generation: u64, message: SharedStr },
    /// How a connection that is tried would be protected.
    SecurityWarnings {
        generation: u64,
        warnings: Vec<SecurityNotice>,
    },
    /// A login goes on.
    Login(LoginEvent),
    /// Credentials were read and the client built anew, because the user asked to reconnect.
    CredentialsRenewed {
        generation: u64,
        outcome: Result<(), SharedStr>,
    },
    /// What was read of one Service, because they may not be listed; none where it does not exist.
    ServiceLookedUp {
        generation: u64,
        service: ObjectKey,
        outcome: Result<Option<Box<ServiceRecord>>, SharedStr>,
    },
    /// The kubeconfig was read again after it was written.
    KubeconfigReloaded {
        generation: u64,
        change: KubeconfigChange,
    },
    /// The client was built anew, because what it was made from had changed.
    KubeconfigApplied {
        generation: u64,
        outcome: Result<(), SharedStr>,
    },
    /// What the user may do.
    Permissions {
        generation: u64,
        rights: UserPermissions,
    },
    /// What was read of the cluster's nodePorts, because something wanted it.
    NodePortRulesRead {
        generation: u64,
        rules: NodePortRules,
    },
    /// The YAML of the inspected Service.
    ServiceYamlRead {
        generation: u64,
        service: ObjectKey,
        text: Result<SharedStr, SharedStr>,
    },
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
    /// A forward came up, or failed to.
    ForwardStarted {
        generation: u64,
        status: Box<ForwardStatus>,
    },
    /// The way to the cluster is lost, and why, or it is there.
    ConnectivityChecked {
        generation: u64,
        unreachable_reason: Option<SharedStr>,
    },
    /// What the file of saved forwards holds now.
    SavedForwardsWritten(Box<SavedForwards>),
    /// Forwards from a file that was imported.
    ForwardsImported {
        generation: u64,
        forwards: Vec<SavedForward>,
    },
    /// What became of something that has no other place to say it.
    BackgroundJobFinished(Result<String, String>),
    /// An edit went a step further.
    EditProgressed { id: EditId, step: EditState },
    /// A plan was applied, or failed to be.
    EditApplied(Box<AppliedEdit>),
}

/// What became of a plan.
pub(super) struct AppliedEdit {
    pub id: EditId,
    pub context: SharedStr,
    pub plan: Arc<ChangePlan>,
    pub executed_steps: Vec<ExecutedStep>,
    pub result: Result<Arc<ChangeOutcome>, EditError>,
}
