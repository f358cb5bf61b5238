//! What jobs of the engine report back to it.

use std::{sync::Arc, time::Duration};

use super::{
    ContextInfo, EditId, EditStep, ImportOffer, ReachId, Rights, first_connection::NotConnected,
    reaching::ReachNews,
};
use crate::edit::{EditError, Outcome, Plan, StepDone};
use crate::{
    cluster::{Cluster, KubeconfigNews, LoginEvent, SecurityNotice, StepResult},
    forward::ForwardStatus,
    inventory::{NodePortRules, ObjectKey, ServiceRecord, Text},
    probe::{Answer, CurlError, CurlResponse, Repeated, RequestId},
    session::{ForwardBook, Loaded, SavedForward},
};

/// Result of a job. Those of a cluster that was left carry an old generation and are dropped.
pub(super) enum Event {
    /// The kubeconfig was read; its contexts are known whether or not one of them answers.
    Contexts {
        generation: u64,
        contexts: Vec<ContextInfo>,
        /// The one that is connected to.
        chosen: Option<Text>,
    },
    /// An attempt to connect ended.
    Connected {
        generation: u64,
        outcome: Result<(Cluster, Duration), NotConnected>,
    },
    /// A request waits because the API server is busy, and how long.
    Waits { generation: u64, words: Text },
    /// How a connection that is tried would be protected.
    Notices {
        generation: u64,
        notices: Vec<SecurityNotice>,
    },
    /// A login goes on.
    Login(LoginEvent),
    /// Credentials were read and the client built anew, because a person asked to reconnect.
    Renewed {
        generation: u64,
        outcome: Result<(), Text>,
    },
    /// What was read of one Service, because they may not be listed; none where it does not exist.
    LookedUp {
        generation: u64,
        service: ObjectKey,
        outcome: Result<Option<Box<ServiceRecord>>, Text>,
    },
    /// The kubeconfig was read again after it was written.
    KubeconfigRead {
        generation: u64,
        news: KubeconfigNews,
    },
    /// The client was built anew, because what it was made from had changed.
    KubeconfigTaken {
        generation: u64,
        outcome: Result<(), Text>,
    },
    /// What the person may do.
    Rights { generation: u64, rights: Rights },
    /// What was read of the cluster's nodePorts, because something wanted it.
    NodePorts {
        generation: u64,
        rules: NodePortRules,
    },
    /// The YAML of the inspected Service.
    Yaml {
        generation: u64,
        service: ObjectKey,
        text: Result<Text, Text>,
    },
    /// A request ended.
    Curl {
        id: RequestId,
        outcome: Result<Box<Answer>, Box<CurlError>>,
    },
    /// A request was sent once more.
    CurlRepeated {
        id: RequestId,
        so_far: Arc<Repeated>,
    },
    /// More of an answer came.
    CurlProgress {
        id: RequestId,
        so_far: Arc<CurlResponse>,
    },
    /// A test of paths went on.
    Reach { id: ReachId, news: ReachNews },
    /// A step of the test of the connection is done, or, without one, the test has ended.
    ConnectionTested {
        number: u64,
        step: Option<StepResult>,
    },
    /// The settings could not be written.
    NotSaved(Text),
    /// What the settings' file holds now.
    SettingsRead(Box<Loaded>),
    /// Forwards of a file that may be imported.
    ForwardsOffered(Box<ImportOffer>),
    /// A forward came up, or failed to.
    ForwardStarted {
        generation: u64,
        status: Box<ForwardStatus>,
    },
    /// The way to the cluster is lost, and why, or it is there.
    Way { generation: u64, lost: Option<Text> },
    /// What the file of saved forwards holds now.
    ForwardsWritten(Box<ForwardBook>),
    /// Forwards from a file that was imported.
    ForwardsImported {
        generation: u64,
        forwards: Vec<SavedForward>,
    },
    /// What became of something that has no other place to say it.
    Said(Result<String, String>),
    /// An edit went a step further.
    Edit { id: EditId, step: EditStep },
    /// A plan was applied, or failed to be.
    Written(Box<Written>),
}

/// What became of a plan.
pub(super) struct Written {
    pub id: EditId,
    pub context: Text,
    pub plan: Arc<Plan>,
    pub log: Vec<StepDone>,
    pub result: Result<Arc<Outcome>, EditError>,
}
