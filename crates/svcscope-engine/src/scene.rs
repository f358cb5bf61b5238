//! What the engine shows: one immutable picture of everything.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use imbl::OrdMap;
use jiff::Timestamp;

use super::{ConnectionTestStatus, EditId, LoginStatus, MapView, PathTestStatus};
use crate::settings::{ProtectedContexts, SavedForward};
use svcscope_check::{FindingHistory, ServiceReport};
use svcscope_edit::{
    AuditRecord, ChangeOutcome, ChangePlan, EditConflict, FieldError, MigrationOption,
    WriteResponse,
};
use svcscope_filter::FilterCounts;
use svcscope_model::{
    inventory::{Inventory, ListCompleteness, ObjectKey, ResourceKind, SharedStr},
    layout::MapLayout,
    topology::Topology,
};
use svcscope_net::{
    forward::ForwardStatus,
    probe::{CurlError, CurlRequest, CurlResponse, RepeatStatistics, RequestId},
};

/// How the connection to the cluster stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// Nothing was asked yet.
    #[default]
    Idle,
    /// The kubeconfig is read, the server asked who it is.
    Connecting,
    /// The server answered; each kind's own state says how well it is known.
    Connected,
    /// Was connected; the watches are lost and tried again.
    Lost {
        /// Since when what is drawn may be old.
        since: Timestamp,
        /// What the other side said.
        reason: SharedStr,
    },
    /// Could not connect.
    Failed {
        /// What was tried, what was said, what to do next.
        reason: SharedStr,
    },
}

/// When a connection that could not be made is tried again without being asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NextAttempt {
    /// Not by itself.
    #[default]
    Never,
    /// Now: it is under way.
    Now,
    /// At this time.
    At(Timestamp),
    /// Once the kubeconfig is another one.
    AfterKubeconfigChange,
}

/// A context of the kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextSummary {
    /// Its name.
    pub name: SharedStr,
    /// Its cluster's name.
    pub cluster: SharedStr,
    /// Its default namespace.
    pub namespace: Option<SharedStr>,
    /// The file it comes from, where it comes from one.
    pub file: Option<PathBuf>,
}

/// A way in which the connection is less protected than it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionSecurityWarning {
    /// In two or three words.
    pub label: SharedStr,
    /// In a sentence.
    pub sentence: SharedStr,
}

/// What the user may do, as far as the API server said; unknown until it did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserPermissions {
    /// Why forwarding is not possible, where it is not.
    pub forward_denied_reason: Option<SharedStr>,
    /// Why changing Services is not possible, where it is not.
    pub edit_denied_reason: Option<SharedStr>,
}

/// How a request stands.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestState {
    /// Under way.
    Running,
    /// The answer is coming in: what came so far.
    Receiving(Arc<CurlResponse>),
    /// Answered.
    Done(Arc<CurlResponse>),
    /// Not answered, or not to the end.
    Failed(Arc<CurlError>),
    /// Given up by the user.
    Cancelled,
}

impl RequestState {
    /// Whether it is not at its end.
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Running | Self::Receiving(_))
    }

    /// The answer, as far as it came.
    pub fn response(&self) -> Option<&CurlResponse> {
        match self {
            Self::Receiving(response) | Self::Done(response) => Some(response),
            Self::Failed(error) => error.progress.partial.as_ref(),
            Self::Running | Self::Cancelled => None,
        }
    }
}

/// A request and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestStatus {
    /// Which one.
    pub id: RequestId,
    /// What was asked.
    pub request: Arc<CurlRequest>,
    /// When.
    pub started: Timestamp,
    /// How it stands.
    pub state: RequestState,
    /// What came of it so far, where it is sent many times.
    pub repeat_statistics: Option<Arc<RepeatStatistics>>,
    /// Whether the rest of a cut body is still to be had: see [`super::Command::SaveBody`].
    pub has_unread_body: bool,
}

/// How an edit stands.
#[derive(Clone, Debug, PartialEq)]
pub enum EditState {
    /// The Service is read and the plan made.
    Planning,
    /// The plan is dry-run at the server.
    DryRunning {
        /// The plan.
        plan: Arc<ChangePlan>,
    },
    /// The server would accept it.
    Ready {
        /// The plan.
        plan: Arc<ChangePlan>,
        /// What the server says the Service would be.
        preview: Arc<WriteResponse>,
    },
    /// It is being written.
    Applying {
        /// The plan.
        plan: Arc<ChangePlan>,
    },
    /// Written and read back.
    Applied(Arc<ChangeOutcome>),
    /// Impossible, refused by the server, or changed nothing.
    Failed {
        /// Who said what, and what to do next.
        reason: SharedStr,
        /// Complaints by field, ours or the server's.
        fields: Vec<FieldError>,
        /// Where the user has to choose: the ways that there are.
        migration_options: Vec<MigrationOption>,
        /// Where somebody else changed the Service: who changed what.
        conflict: Option<Arc<EditConflict>>,
    },
}

/// An edit and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct EditStatus {
    /// Which one.
    pub id: EditId,
    /// The Service; until it is planned, what is to be exposed.
    pub service: ObjectKey,
    /// How it stands.
    pub step: EditState,
    /// Its entry in the journal, once something was sent.
    pub audit_number: Option<u64>,
}

/// How much an [`ActivityMessage`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActivityLevel {
    /// Went as asked.
    Info,
    /// Worth a look.
    Warning,
    /// Went wrong.
    Error,
}

/// Something that happened, for the activity list and for toasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityMessage {
    /// Counts up from 1: what the window has shown already, it does not show again.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// How much it matters.
    pub level: ActivityLevel,
    /// In a sentence.
    pub text: SharedStr,
    /// It is of the connection or its kubeconfig, which commands say as well.
    pub is_of_connection: bool,
}

/// The YAML of the inspected Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceYaml {
    /// Whose it is.
    pub service: ObjectKey,
    /// The text without managedFields, or why it can't be had.
    pub text: Result<SharedStr, SharedStr>,
}

/// The saved forwards that a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ForwardImportPreview {
    /// The file.
    pub file: PathBuf,
    /// What it holds.
    pub forwards: Vec<SavedForward>,
}

/// One immutable picture of everything; a clone costs a few counters.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// Counts up with every published scene.
    pub revision: u64,
    /// Counts up whenever [`Self::topology`], [`Self::reports`], [`Self::layout`] or what is shown
    /// changed.
    pub map_revision: u64,
    /// How the connection stands.
    pub connection: ConnectionState,
    /// When connecting is tried again, while it has failed.
    pub next_attempt: NextAttempt,
    /// The last time that a request waited because the API server asked for it: for what, how long.
    pub retry_wait: Option<SharedStr>,
    /// A login that is under way and may be waiting for the user.
    pub login: Option<Arc<LoginStatus>>,
    /// The context in use, or the one that is tried.
    pub context: Option<SharedStr>,
    /// The address of the API server.
    pub server: Option<SharedStr>,
    /// The server's version: `v1.36.2`, or that it is unknown.
    pub version: Option<SharedStr>,
    /// All contexts of the kubeconfig, in its order.
    pub contexts: Arc<[ContextSummary]>,
    /// The context that another program made the current one of the kubeconfig meanwhile: to be
    /// offered, not taken.
    pub suggested_context: Option<SharedStr>,
    /// How the connection is less protected than it looks.
    pub notices: Arc<[ConnectionSecurityWarning]>,
    /// The namespaces watched; none means all.
    pub namespaces: Arc<[SharedStr]>,
    /// Whether the engine refuses every write.
    pub read_only: bool,
    /// Why, where that is known.
    pub read_only_reason: Option<SharedStr>,
    /// The context is marked as production: whoever changes something there is asked twice.
    pub production: bool,
    /// The user has allowed, in this production context, commands in pods and requests that could
    /// change something.
    pub production_changes_allowed: bool,
    /// Every context that is protected.
    pub protected_contexts: Arc<ProtectedContexts>,
    /// Forwards of a file, as they may be imported.
    pub import_offer: Option<Arc<ForwardImportPreview>>,
    /// What to know about how the cluster is watched: that Endpoints stand in for EndpointSlices,
    /// that only one namespace is permitted.
    pub watch_notes: Arc<[SharedStr]>,
    /// What the user may do.
    pub permissions: UserPermissions,
    /// The last Service that was read alone because Services may not be listed, and why it could not
    /// be read.
    pub last_service_lookup: Option<(ObjectKey, Option<SharedStr>)>,
    /// All records.
    pub inventory: Inventory,
    /// The graph.
    pub topology: Topology,
    /// What the checks say, by Service.
    pub reports: OrdMap<ObjectKey, Arc<ServiceReport>>,
    /// Services of which the user wants to be told when they break or heal.
    pub alert_services: Arc<BTreeSet<ObjectKey>>,
    /// Since when findings are there, and which are gone.
    pub history: FindingHistory,
    /// Where everything stands that is shown.
    pub layout: Arc<MapLayout>,
    /// What the user wants the map to show.
    pub map_view: Arc<MapView>,
    /// How much of [`Self::topology`] is shown, and what hides the rest.
    pub filter_counts: FilterCounts,
    /// How many places that things were put to by hand the last tidying up took away: they can be
    /// had back.
    pub reset_pin_count: usize,
    /// How often something of the cluster changed since it was connected to. What the first lists
    /// brought is no change.
    pub change_count: u64,
    /// Forwards in the order of their start.
    pub forwards: Arc<[ForwardStatus]>,
    /// Forwards of this context that are kept for the next start.
    pub saved_forwards: Arc<[SavedForward]>,
    /// Nothing outlives the process, as with `--demo`: saved forwards are kept until it ends.
    pub is_ephemeral: bool,
    /// Requests, the newest last.
    pub requests: Arc<[RequestStatus]>,
    /// The newest test of all paths to a Service.
    pub path_test: Option<Arc<PathTestStatus>>,
    /// The newest test of the connection.
    pub connection_test: Option<Arc<ConnectionTestStatus>>,
    /// The last finished test of each Service that has not changed since: see
    /// [`svcscope_check::way_of`].
    pub path_tests: OrdMap<ObjectKey, Arc<PathTestStatus>>,
    /// Edits that are not discarded.
    pub edits: Arc<[EditStatus]>,
    /// All writes of the session, the newest last.
    pub audit_log: Arc<[Arc<AuditRecord>]>,
    /// The newest activities, the newest last.
    pub activity: Arc<[ActivityMessage]>,
    /// The last change of the map: when, and in words.
    pub last_change: Option<(Timestamp, SharedStr)>,
    /// The YAML of the inspected Service.
    pub yaml: Option<Arc<ServiceYaml>>,
    /// The round trip of the last small request to the API server, in milliseconds.
    pub api_millis: Option<u32>,
}

impl Scene {
    /// What a test of paths says of a Service as it is now: of the one under way, else of the last
    /// one since which the Service has not changed.
    pub fn path_test_of(&self, service: &ObjectKey) -> Option<&Arc<PathTestStatus>> {
        let is_of =
            |status: &&Arc<PathTestStatus>| status.request.service == *service && status.is_running;
        let under_way = self.path_test.as_ref().filter(is_of);
        under_way.or_else(|| self.path_tests.get(service))
    }

    /// How completely the lists are that the map is made of.
    pub fn completeness(&self) -> ListCompleteness {
        let known = self.inventory.completeness_of(ResourceKind::MAP_KINDS);
        match self.connection {
            ConnectionState::Lost { .. } => known.min(ListCompleteness::Stale),
            _ => known,
        }
    }

    /// Whether what is drawn may be old.
    pub fn is_stale(&self) -> bool {
        let lost = matches!(self.connection, ConnectionState::Lost { .. });
        lost || self.completeness() == ListCompleteness::Stale
    }

    /// The newest change of the session that can be undone in this context.
    pub fn latest_undoable(&self) -> Option<&Arc<AuditRecord>> {
        let is_here = |entry: &&Arc<AuditRecord>| {
            entry.applied.is_some() && self.context.as_ref() == Some(&entry.context)
        };
        self.audit_log.iter().rev().find(is_here)
    }
}
