//! What one rule concludes.

use serde::Serialize;

/// What a conclusion means for the Service, the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConclusionSeverity {
    /// It works by every path that was tried.
    Works,
    /// Nobody knows: nothing could be tried, or it is not known who answered.
    Unknown,
    /// A path, a pod or a client is affected, or how it is asked.
    Affected,
    /// No client gets an answer from it.
    Broken,
}

/// What a rule concludes.
pub(super) struct RuleConclusion {
    pub rule: &'static str,
    pub text: String,
    pub severity: ConclusionSeverity,
}

impl RuleConclusion {
    pub fn with_severity(self, means: ConclusionSeverity) -> Self {
        Self {
            severity: means,
            ..self
        }
    }
}

/// Something of it does not work.
pub(super) fn affected(rule: &'static str, text: impl Into<String>) -> Option<RuleConclusion> {
    Some(RuleConclusion {
        rule,
        text: text.into(),
        severity: ConclusionSeverity::Affected,
    })
}

/// Nothing of it works.
pub(super) fn broken(rule: &'static str, text: impl Into<String>) -> Option<RuleConclusion> {
    affected(rule, text).map(|word| word.with_severity(ConclusionSeverity::Broken))
}

/// What can't be known.
pub(super) fn unknown(rule: &'static str, text: impl Into<String>) -> Option<RuleConclusion> {
    affected(rule, text).map(|word| word.with_severity(ConclusionSeverity::Unknown))
}
