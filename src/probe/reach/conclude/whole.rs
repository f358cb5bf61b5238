//! What is said of a port where no single place is to blame.

use std::fmt::Write as _;

use super::{
    super::{Reach, evidence::Evidence},
    Meaning, Word, unknown, wrong,
};

pub(super) fn untried(evidence: &Evidence<'_>) -> Option<Word> {
    if evidence.tried().next().is_some() {
        return None;
    }
    let first = evidence.all().next();
    let why = first.map_or("there is no path", |result| &*result.note);
    unknown("untried", format!("nothing could be tried: {why}"))
}

pub(super) fn reached(evidence: &Evidence<'_>) -> Option<Word> {
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
            Reach::Status(status) => Some(status),
            _ => None,
        })
        .collect();
    if let Some(worst) = statuses.iter().max().filter(|status| **status >= 500) {
        write!(text, ", which answers {worst} itself").ok();
        return wrong("error-status", text);
    }
    if let Some(to) = evidence.tried().find_map(|it| it.clues.redirect.as_ref()) {
        write!(text, ", which redirects to {to}, another host").ok();
    }
    if evidence.tried().any(|result| result.clues.is_long) {
        text.push_str(", with a body that is long or has no end");
    }
    wrong("reached", text).map(|word| word.means(Meaning::Works))
}

/// No rule knows more.
pub(super) fn unclear(evidence: &Evidence<'_>) -> Word {
    let tried = evidence.tried().count();
    let failed: Vec<_> = evidence
        .tried()
        .filter(|result| !result.reach.is_reached())
        .collect();
    let mut ways: Vec<String> = failed.iter().map(|result| result.reach.words()).collect();
    ways.sort();
    ways.dedup();
    Word {
        rule: "unclear",
        text: format!(
            "{} of {tried} paths that were tried do not lead to the application ({})",
            failed.len(),
            ways.join(", ")
        ),
        means: Meaning::Affected,
    }
}
