//! What the checks say, in the order in which it is printed.

use std::{collections::BTreeMap, sync::Arc};

use imbl::OrdMap;

use super::super::terminal::TerminalLines;
use svcscope_check::{Finding, FindingLocation, Health, ServiceReport, Severity};
use svcscope_model::inventory::ObjectKey;

/// Reports by Service, and where each Service was read from.
pub(super) struct CheckResults {
    pub reports: BTreeMap<ObjectKey, Arc<ServiceReport>>,
    /// Files, where there are any.
    pub files: BTreeMap<ObjectKey, String>,
}

impl CheckResults {
    /// Of all Services, or of one.
    pub fn new(reports: &OrdMap<ObjectKey, Arc<ServiceReport>>, only: Option<&ObjectKey>) -> Self {
        let wanted = reports
            .iter()
            .filter(|(key, _)| only.is_none_or(|only| only == *key));
        Self {
            reports: wanted
                .map(|(key, report)| (key.clone(), report.clone()))
                .collect(),
            files: BTreeMap::new(),
        }
    }

    /// Everything found, with its Service.
    pub fn findings(&self) -> impl Iterator<Item = (&ObjectKey, &Finding)> {
        self.reports
            .iter()
            .flat_map(|(key, report)| report.findings.iter().map(move |found| (key, found)))
    }

    /// Whether something at least this bad was found.
    pub fn has_at_least(&self, limit: Severity) -> bool {
        self.findings().any(|(_, found)| found.severity >= limit)
    }

    /// As text: each Service with its findings, and a last line with the counts.
    pub fn lines(&self, notes: bool) -> TerminalLines {
        let mut lines = TerminalLines::default();
        let least = if notes {
            Severity::Note
        } else {
            Severity::Warning
        };
        for (key, report) in &self.reports {
            let told = report
                .findings
                .iter()
                .filter(|found| found.severity >= least);
            let mut told = told.peekable();
            if told.peek().is_none() {
                continue;
            }
            lines.add(&format!("{key}  {}", report.health.word()));
            for found in told {
                let (severity, place) = (found.severity.word(), location_text(found));
                lines.add(&format!("  {severity:<8}{}{place}", found.id));
                lines.add(&format!("          {}", found.message));
                if let Some(hint) = &found.hint {
                    lines.add(&format!("          → {hint}"));
                }
            }
        }
        lines.add(&self.summary(notes));
        lines
    }

    fn summary(&self, notes: bool) -> String {
        let count = |severity| {
            let found = self.findings();
            found
                .filter(|(_, found)| found.severity == severity)
                .count()
        };
        let verdicts = Health::ALL
            .into_iter()
            .map(|verdict| {
                let of = |report: &&Arc<ServiceReport>| report.health == verdict;
                (verdict, self.reports.values().filter(of).count())
            })
            .filter(|(_, count)| *count > 0)
            .map(|(verdict, count)| format!("{count} {}", verdict.word()));
        let verdicts = Vec::from_iter(verdicts).join(", ");
        let suppressed: usize = self.reports.values().map(|one| one.suppressed.len()).sum();
        // One name that is asked for may have no report yet: of it nothing is known.
        if self.reports.is_empty() {
            return "no Services".to_owned();
        }
        let mut words = format!(
            "{}: {verdicts}; {}, {}, {}",
            count_text(self.reports.len(), "Service"),
            count_text(count(Severity::Error), "error"),
            count_text(count(Severity::Warning), "warning"),
            count_text(count(Severity::Note), "note"),
        );
        if !notes && count(Severity::Note) > 0 {
            words.push_str(" (--notes shows them)");
        }
        if suppressed > 0 {
            words.push_str(&format!(", {suppressed} suppressed"));
        }
        words
    }
}

fn count_text(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

fn location_text(found: &Finding) -> String {
    match &found.location {
        FindingLocation::Service => String::new(),
        place => format!("  at {place}"),
    }
}

/// `80/TCP`, of what is found at a port.
pub(super) fn port(found: &Finding) -> Option<String> {
    match &found.location {
        FindingLocation::Port(id) => Some(format!("{}/{}", id.port, id.protocol)),
        _ => None,
    }
}
