//! What a check says.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::inventory::{ObjectKey, Text};
use crate::topology::PortId;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, nothing is wrong.
    Note,
    /// Works in part, or soon will not.
    Warning,
    /// Does not work.
    Error,
}

/// How a Service stands, the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every port has a ready backend and nothing was found.
    Healthy,
    /// Something is under way, such as a load balancer without an address.
    Pending,
    /// Works in part.
    Degraded,
    /// At least one port leads nowhere.
    Broken,
    /// Not permitted to see, not yet synced, stale, or beyond what can be seen (ExternalName).
    /// Unknown wins over healthy.
    Unknown,
}

impl Verdict {
    /// Every verdict, in the order of a menu.
    pub const ALL: [Self; 5] = [
        Self::Healthy,
        Self::Pending,
        Self::Degraded,
        Self::Broken,
        Self::Unknown,
    ];

    /// The word that says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Pending => "pending",
            Self::Degraded => "degraded",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        }
    }
}

/// A word that names no verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no state; use healthy, pending, degraded, broken or unknown")]
pub struct ParseVerdictError(String);

impl FromStr for Verdict {
    type Err = ParseVerdictError;

    /// Reads the word in any case.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|known| known.word().eq_ignore_ascii_case(word))
            .ok_or_else(|| ParseVerdictError(word.to_owned()))
    }
}

/// Where a packet dies: what a finding is drawn at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Place {
    /// The Service as a whole.
    Service,
    /// One of its ports.
    Port(PortId),
    /// One pod.
    Pod(ObjectKey),
    /// A way in.
    Entry,
}

/// One thing that a rule found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's stable identifier: `selector-matches-nothing`.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where to draw it.
    pub place: Place,
    /// What is wrong, short enough for the graph: `app=orfan matches no pod`.
    pub message: Text,
    /// What to look at or do next.
    pub hint: Option<Text>,
}

/// All that the checks say about one Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How it stands.
    pub verdict: Verdict,
    /// Ready endpoints, counting a pod once.
    pub ready: usize,
    /// Pods that should be endpoints: selected ones, or addresses written by hand.
    pub wanted: usize,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether something is wrong that a person should look at: it works in part or not at all,
    /// or a finding warns.
    pub fn is_wrong(&self) -> bool {
        matches!(self.verdict, Verdict::Degraded | Verdict::Broken)
            || self
                .findings
                .iter()
                .any(|finding| finding.severity >= Severity::Warning)
    }
}
