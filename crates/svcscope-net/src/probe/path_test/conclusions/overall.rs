//! What is said of a port where no single place is to blame.

use std::fmt::Write as _;

use super::{
    super::{PathTestOutcome, port_evidence::PortEvidence},
    ConclusionSeverity, RuleConclusion, affected, unknown,
};

pub(super) fn nothing_tested(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    if evidence.tried().next().is_some() {
        return None;
    }
    let first = evidence.all().next();
    let why = first.map_or("there is no path", |result| &*result.note);
    unknown("untried", format!("nothing could be tried: {why}"))
}

pub(super) fn reached(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let tried = evidence.tried().count();
    if !evidence.tried().all(|result| result.reach.is_reached()) {
        return None;
    }
    let mut text = match tried {
        1 => "the one path that was tried leads to the application".to_owned(),
        _ => format!("all {tried} paths that were tried lead to the application"),
    };
    let statuses: Vec<_> = evidence
        .tried()
        .filter_map(|result| match result.reach {
            PathTestOutcome::Status(status) => Some(status),
            _ => None,
        })
        .collect();
    if let Some(worst) = statuses.iter().max().filter(|status| **status >= 500) {
        write!(text, ", which answers {worst} itself").ok();
        return affected("error-status", text);
    }
    if let Some(to) = evidence.tried().find_map(|it| it.clues.redirect.as_ref()) {
        write!(text, ", which redirects to {to}, another host").ok();
    }
    if evidence.tried().any(|result| result.clues.is_long) {
        text.push_str(", with a body that is long or has no end");
    }
    affected("reached", text).map(|word| word.with_severity(ConclusionSeverity::Works))
}

/// No rule knows more.
pub(super) fn unclear(evidence: &PortEvidence<'_>) -> RuleConclusion {
    let tried = evidence.tried().count();
    let failed: Vec<_> = evidence
        .tried()
        .filter(|result| !result.reach.is_reached())
        .collect();
    let mut ways: Vec<String> = failed.iter().map(|result| result.reach.label()).collect();
    ways.sort();
    ways.dedup();
    RuleConclusion {
        rule: "unclear",
        text: format!(
            "{} of {tried} tested paths do not reach the application ({})",
            failed.len(),
            ways.join(", ")
        ),
        severity: ConclusionSeverity::Affected,
    }
}
