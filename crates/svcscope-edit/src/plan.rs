//! What will be sent, step by step, and what it means.

use std::sync::Arc;

use serde_json::Value;

use super::{DesiredServiceState, MigrationPath, ServiceSnapshot};
use svcscope_model::inventory::{ObjectKey, ServiceRecord, SharedStr};

/// What the user asks of one Service.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestedChange {
    /// Change it.
    Change(Box<DesiredServiceState>),
    /// Create it from this object.
    Create(Value),
    /// Delete it.
    Delete,
}

/// One request to the API server.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteAction {
    /// A JSON merge patch. It is sent with `metadata.resourceVersion` as its precondition: that of
    /// the Service as planned with, or as the step before left it.
    Patch(Value),
    /// A deletion, with uid and resourceVersion of the Service as planned with as preconditions.
    Delete,
    /// A new object.
    Create(Value),
}

impl WriteAction {
    /// What is sent, as an access review names it.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Patch(_) => "patch",
            Self::Delete => "delete",
            Self::Create(_) => "create",
        }
    }

    /// The body, where there is one.
    pub fn body(&self) -> Option<&Value> {
        match self {
            Self::Patch(body) | Self::Create(body) => Some(body),
            Self::Delete => None,
        }
    }
}

/// A request and what it does.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanStep {
    /// What is sent.
    pub action: WriteAction,
    /// What it does, in a sentence.
    pub sentence: SharedStr,
}

/// One of the two ways to headless or away from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationOption {
    /// Which.
    pub path: MigrationPath,
    /// What it costs beside what the change itself does.
    pub costs: Vec<SharedStr>,
}

/// How an applied plan can be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoAssessment {
    /// Whether it can be taken back, and how, in a sentence.
    pub sentence: SharedStr,
    /// What does not come back, or only with luck.
    pub losses: Vec<SharedStr>,
}

/// What will be sent and what it means.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangePlan {
    /// The Service.
    pub service: ObjectKey,
    /// What is done, in a sentence without its end: `change Service shop/web from ClusterIP to
    /// NodePort`.
    pub title: SharedStr,
    /// As the server said it when the plan was made; none for a new Service.
    pub before: Option<ServiceSnapshot>,
    /// As it will be, without what the server allocates; none where it is deleted.
    pub projected_service: Option<Arc<ServiceRecord>>,
    /// The requested change.
    pub requested_change: RequestedChange,
    /// What is sent, in this order.
    pub steps: Vec<PlanStep>,
    /// The object that more than one step lead to: a server can try only the first of them.
    pub final_manifest: Option<Value>,
    /// What the Service gains: `a port on every node, allocated by the cluster`.
    pub gains: Vec<SharedStr>,
    /// What it loses: `nodePort 30080 is released and may be taken by another Service`.
    pub losses: Vec<SharedStr>,
    /// What else to know: who manages the Service and may revert the change.
    pub notes: Vec<SharedStr>,
    /// How it can be taken back.
    pub undo_assessment: UndoAssessment,
}

impl ChangePlan {
    /// What must hold when all is done, as a merge patch: what is set is there, what is null is not.
    pub fn goal(&self) -> Value {
        let mut goal = Value::Object(serde_json::Map::new());
        for body in self.steps.iter().filter_map(|step| step.action.body()) {
            super::snapshot::join_patch(&mut goal, body);
        }
        goal
    }

    /// The rights on Services that it takes, each once.
    pub fn verbs(&self) -> Vec<&'static str> {
        let mut verbs: Vec<_> = self.steps.iter().map(|step| step.action.verb()).collect();
        verbs.sort_unstable();
        verbs.dedup();
        verbs
    }

    /// The first step's patch, where it is one.
    pub fn patch(&self) -> Option<&Value> {
        match &self.steps.first()?.action {
            WriteAction::Patch(patch) => Some(patch),
            _ => None,
        }
    }
}

/// What an applied plan really did.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeOutcome {
    /// What was applied.
    pub plan: Arc<ChangePlan>,
    /// The Service as read back; none where it was deleted.
    pub after: Option<ServiceSnapshot>,
    /// `Warning` headers of the API server, and what else was noticed on the way.
    pub warnings: Vec<SharedStr>,
}
