//! All writes of a session, with what was before and after.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{ChangeOutcome, ChangePlan, EditError, ExecutedStep};
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// One request of an applied plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditStep {
    /// What it was for.
    pub sentence: SharedStr,
    /// `patch`, `delete` or `create`.
    pub verb: &'static str,
    /// What was sent.
    pub sent: Option<Value>,
    /// The server's words, if it refused.
    pub error: Option<SharedStr>,
}

/// How a write ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum AuditOutcome {
    /// Written, read back, as wanted.
    Applied {
        /// The server's warnings.
        warnings: Vec<SharedStr>,
    },
    /// Not, or not whole.
    Failed {
        /// Why, and what to do next.
        error: SharedStr,
        /// The object that could not be created.
        manifest: Option<Value>,
    },
}

/// One applied plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditRecord {
    /// Counts up from 1.
    pub number: u64,
    /// When it was applied.
    pub time: Timestamp,
    /// In which context of the kubeconfig.
    pub context: SharedStr,
    /// The Service.
    pub service: ObjectKey,
    /// What was done: `change Service shop/web from ClusterIP to NodePort`.
    pub title: SharedStr,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// What was sent.
    pub steps: Vec<AuditStep>,
    /// The whole object before; none for a new one.
    pub before: Option<Arc<Value>>,
    /// The whole object as read back; none where it is gone or could not be read.
    pub after: Option<Arc<Value>>,
    /// What to undo, where it was applied.
    #[serde(skip)]
    pub applied: Option<Arc<ChangeOutcome>>,
}

/// All writes of a session, the newest last.
#[derive(Clone, Debug, Default)]
pub struct AuditLog {
    entries: Vec<Arc<AuditRecord>>,
}

impl AuditLog {
    /// Notes what became of a plan; gives back the number of the entry.
    pub fn record(
        &mut self,
        time: Timestamp,
        context: SharedStr,
        plan: &ChangePlan,
        steps: Vec<ExecutedStep>,
        result: Result<Arc<ChangeOutcome>, &EditError>,
    ) -> u64 {
        let number = self.entries.len() as u64 + 1;
        let entry = AuditRecord {
            number,
            time,
            context,
            service: plan.service.clone(),
            title: plan.title.clone(),
            steps: steps
                .into_iter()
                .map(|step| AuditStep {
                    sentence: step.sentence,
                    verb: step.verb,
                    sent: step.sent,
                    error: step.error,
                })
                .collect(),
            before: plan.before.as_ref().map(|known| known.object.clone()),
            after: match &result {
                Ok(outcome) => outcome.after.as_ref().map(|known| known.object.clone()),
                Err(_) => None,
            },
            outcome: match &result {
                Ok(outcome) => AuditOutcome::Applied {
                    warnings: outcome.warnings.clone(),
                },
                Err(error) => AuditOutcome::Failed {
                    error: error.to_string().into(),
                    manifest: match error {
                        EditError::PartlyApplied { manifest, .. } => manifest.as_deref().cloned(),
                        _ => None,
                    },
                },
            },
            applied: result.ok(),
        };
        self.entries.push(Arc::new(entry));
        number
    }

    /// All entries.
    pub fn entries(&self) -> &[Arc<AuditRecord>] {
        &self.entries
    }

    /// One of them.
    pub fn entry(&self, number: u64) -> Option<&Arc<AuditRecord>> {
        self.entries.iter().find(|entry| entry.number == number)
    }

    /// All of it as JSON, for a file.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(&self.entries)
    }
}
