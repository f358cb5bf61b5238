//! What the engine shows: one immutable picture of everything.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use imbl::OrdMap;
use jiff::Timestamp;

use super::{ConnectionTestStatus, EditId, LoginStatus, MapView, ReachStatus};
use crate::{
    check::{History, Report},
    edit::{Conflict, FieldError, JournalEntry, Outcome, Plan, Way, Written},
    filter::Shown,
    forward::ForwardStatus,
    inventory::{Completeness, Inventory, Kind, ObjectKey, Text},
    layout::Layout,
    probe::{CurlError, CurlRequest, CurlResponse, Repeated, RequestId},
    session::{ProtectedContexts, SavedForward},
    topology::Topology,
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
        reason: Text,
    },
    /// Could not connect.
    Failed {
        /// What was tried, what was said, what to do next.
        reason: Text,
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
    WhenChanged,
}

/// A context of the kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextInfo {
    /// Its name.
    pub name: Text,
    /// Its cluster's name.
    pub cluster: Text,
    /// Its default namespace.
    pub namespace: Option<Text>,
    /// The file it comes from, where it comes from one.
    pub file: Option<PathBuf>,
}

/// A way in which the connection is less protected than it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityNotice {
    /// In two or three words.
    pub label: Text,
    /// In a sentence.
    pub sentence: Text,
}

/// What the person may do, as far as the API server said; unknown until it did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Why forwarding is not possible, where it is not.
    pub no_forward: Option<Text>,
    /// Why changing Services is not possible, where it is not.
    pub no_edit: Option<Text>,
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
    /// Given up by the person.
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
            Self::Failed(error) => error.so_far.partial.as_ref(),
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
    pub repeated: Option<Arc<Repeated>>,
    /// Whether the rest of a cut body is still to be had: see [`super::Command::SaveBody`].
    pub has_rest: bool,
}

/// How an edit stands.
#[derive(Clone, Debug, PartialEq)]
pub enum EditStep {
    /// The Service is read and the plan made.
    Planning,
    /// The plan is dry-run at the server.
    Trying {
        /// The plan.
        plan: Arc<Plan>,
    },
    /// The server would accept it.
    Ready {
        /// The plan.
        plan: Arc<Plan>,
        /// What the server says the Service would be.
        preview: Arc<Written>,
    },
    /// It is being written.
    Applying {
        /// The plan.
        plan: Arc<Plan>,
    },
    /// Written and read back.
    Applied(Arc<Outcome>),
    /// Impossible, refused by the server, or changed nothing.
    Failed {
        /// Who said what, and what to do next.
        reason: Text,
        /// Complaints by field, ours or the server's.
        fields: Vec<FieldError>,
        /// Where a person has to choose: the ways that there are.
        ways: Vec<Way>,
        /// Where somebody else changed the Service: who changed what.
        conflict: Option<Arc<Conflict>>,
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
    pub step: EditStep,
    /// Its entry in the journal, once something was sent.
    pub entry: Option<u64>,
}

/// How much an [`Activity`] matters.
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
pub struct Activity {
    /// Counts up from 1: what the window has shown already, it does not show again.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// How much it matters.
    pub level: ActivityLevel,
    /// In a sentence.
    pub text: Text,
    /// It is of the connection or its kubeconfig, which commands say as well.
    pub is_of_connection: bool,
}

/// The YAML of the inspected Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Yaml {
    /// Whose it is.
    pub service: ObjectKey,
    /// The text without managedFields, or why it can't be had.
    pub text: Result<Text, Text>,
}

/// The saved forwards that a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportOffer {
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
    pub waited: Option<Text>,
    /// A login that is under way and may be waiting for the user.
    pub login: Option<Arc<LoginStatus>>,
    /// The context in use, or the one that is tried.
    pub context: Option<Text>,
    /// The address of the API server.
    pub server: Option<Text>,
    /// The server's version: `v1.36.2`, or that it is unknown.
    pub version: Option<Text>,
    /// All contexts of the kubeconfig, in its order.
    pub contexts: Arc<[ContextInfo]>,
    /// The context that another program made the current one of the kubeconfig meanwhile: to be
    /// offered, not taken.
    pub offered_context: Option<Text>,
    /// How the connection is less protected than it looks.
    pub notices: Arc<[SecurityNotice]>,
    /// The namespaces watched; none means all.
    pub namespaces: Arc<[Text]>,
    /// Whether the engine refuses every write.
    pub read_only: bool,
    /// Why, where that is known.
    pub read_only_reason: Option<Text>,
    /// The context is marked as production: whoever changes something there is asked twice.
    pub production: bool,
    /// The user has allowed, in this production context, commands in pods and requests that could
    /// change something.
    pub is_allowed: bool,
    /// Every context that is protected.
    pub protected: Arc<ProtectedContexts>,
    /// Forwards of a file, as they may be imported.
    pub import_offer: Option<Arc<ImportOffer>>,
    /// What to know about how the cluster is watched: that Endpoints stand in for EndpointSlices,
    /// that only one namespace is permitted.
    pub notes: Arc<[Text]>,
    /// What the person may do.
    pub rights: Rights,
    /// The last Service that was read alone because Services may not be listed, and why it could not
    /// be read.
    pub looked_up: Option<(ObjectKey, Option<Text>)>,
    /// All records.
    pub inventory: Inventory,
    /// The graph.
    pub topology: Topology,
    /// What the checks say, by Service.
    pub reports: OrdMap<ObjectKey, Arc<Report>>,
    /// Services of which a person wants to be told when they break or heal.
    pub bells: Arc<BTreeSet<ObjectKey>>,
    /// Since when findings are there, and which are gone.
    pub history: History,
    /// Where everything stands that is shown.
    pub layout: Arc<Layout>,
    /// What a person wants the map to show.
    pub map_view: Arc<MapView>,
    /// How much of [`Self::topology`] is shown, and what hides the rest.
    pub shown: Shown,
    /// How many places that things were put to by hand the last tidying up took away: they can be
    /// had back.
    pub tidied: usize,
    /// How often something of the cluster changed since it was connected to. What the first lists
    /// brought is no change.
    pub changes: u64,
    /// Forwards in the order of their start.
    pub forwards: Arc<[ForwardStatus]>,
    /// Forwards of this context that are kept for the next start.
    pub saved: Arc<[SavedForward]>,
    /// Nothing outlives the process, as with `--demo`: saved forwards are kept until it ends.
    pub is_forgetful: bool,
    /// Requests, the newest last.
    pub requests: Arc<[RequestStatus]>,
    /// The newest test of all paths to a Service.
    pub reach: Option<Arc<ReachStatus>>,
    /// The newest test of the connection.
    pub connection_test: Option<Arc<ConnectionTestStatus>>,
    /// The last finished test of each Service that has not changed since: see
    /// [`crate::check::way_of`].
    pub tested: OrdMap<ObjectKey, Arc<ReachStatus>>,
    /// Edits that are not discarded.
    pub edits: Arc<[EditStatus]>,
    /// All writes of the session, the newest last.
    pub journal: Arc<[Arc<JournalEntry>]>,
    /// The newest activities, the newest last.
    pub activity: Arc<[Activity]>,
    /// The last change of the map: when, and in words.
    pub last_change: Option<(Timestamp, Text)>,
    /// The YAML of the inspected Service.
    pub yaml: Option<Arc<Yaml>>,
    /// The round trip of the last small request to the API server, in milliseconds.
    pub api_millis: Option<u32>,
}

impl Scene {
    /// What a test of paths says of a Service as it is now: of the one under way, else of the last
    /// one since which the Service has not changed.
    pub fn test_of(&self, service: &ObjectKey) -> Option<&Arc<ReachStatus>> {
        let is_of =
            |status: &&Arc<ReachStatus>| status.asked.service == *service && status.is_running;
        let under_way = self.reach.as_ref().filter(is_of);
        under_way.or_else(|| self.tested.get(service))
    }

    /// How completely the lists are that the map is made of.
    pub fn completeness(&self) -> Completeness {
        let known = self.inventory.completeness_of(Kind::DRAWN);
        match self.connection {
            ConnectionState::Lost { .. } => known.min(Completeness::Stale),
            _ => known,
        }
    }

    /// Whether what is drawn may be old.
    pub fn is_stale(&self) -> bool {
        let lost = matches!(self.connection, ConnectionState::Lost { .. });
        lost || self.completeness() == Completeness::Stale
    }

    /// The newest change of the session that can be undone in this context.
    pub fn undoable(&self) -> Option<&Arc<JournalEntry>> {
        let is_here = |entry: &&Arc<JournalEntry>| {
            entry.applied.is_some() && self.context.as_ref() == Some(&entry.context)
        };
        self.journal.iter().rev().find(is_here)
    }
}
