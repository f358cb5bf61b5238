//! What the checks say, in the order in which it is printed.

use std::{collections::BTreeMap, sync::Arc};

use imbl::OrdMap;

use super::{super::terminal::TerminalLines, refused::ObjectFinding};
use svcscope_check::{Finding, FindingLocation, Health, ServiceReport, Severity};
use svcscope_model::inventory::ObjectKey;

/// Reports by Service, and where each Service was read from.
pub(super) struct CheckResults {
    pub reports: BTreeMap<ObjectKey, Arc<ServiceReport>>,
    /// Files, where there are any.
    pub files: BTreeMap<ObjectKey, String>,
    /// What is found of other objects in files.
    pub objects: Vec<ObjectFinding>,
}

/// A finding, and what it is about.
pub(super) struct FindingRow<'a> {
    /// Its Service, where it is about one.
    pub service: Option<&'a ObjectKey>,
    /// The Service's namespace and name, or another object's with its kind.
    pub subject: String,
    /// Where that was read.
    pub file: Option<&'a str>,
    pub finding: &'a Finding,
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
            objects: Vec::new(),
        }
    }

    /// Everything found: of Services first, then of other objects.
    pub fn findings(&self) -> impl Iterator<Item = FindingRow<'_>> {
        let of_services = self.reports.iter().flat_map(move |(key, report)| {
            report.findings.iter().map(move |finding| FindingRow {
                service: Some(key),
                subject: key.to_string(),
                file: self.files.get(key).map(String::as_str),
                finding,
            })
        });
        let of_objects = self.objects.iter().map(|of| FindingRow {
            service: Some(&of.object.key).filter(|_| &*of.object.kind == "Service"),
            subject: of.object.to_string(),
            file: Some(&of.file),
            finding: &of.finding,
        });
        of_services.chain(of_objects)
    }

    /// Whether something at least this bad was found.
    pub fn has_at_least(&self, limit: Severity) -> bool {
        self.findings().any(|row| row.finding.severity >= limit)
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
                add_lines(&mut lines, found, &location_text(found));
            }
        }
        for of in &self.objects {
            if of.finding.severity >= least {
                lines.add(&format!("{}  {}", of.object, of.file));
                add_lines(&mut lines, &of.finding, "");
            }
        }
        lines.add(&self.summary(notes));
        lines
    }

    fn summary(&self, notes: bool) -> String {
        let count = |severity| {
            let found = self.findings();
            found.filter(|row| row.finding.severity == severity).count()
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
        let services = match self.reports.len() {
            0 if self.objects.is_empty() => return "no Services".to_owned(),
            0 => "no Services".to_owned(),
            count => format!("{}: {verdicts}", count_text(count, "Service")),
        };
        let mut words = format!(
            "{services}; {}, {}, {}",
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

fn add_lines(lines: &mut TerminalLines, found: &Finding, place: &str) {
    lines.add(&format!(
        "  {:<8}{}{place}",
        found.severity.word(),
        found.id
    ));
    lines.add(&format!("          {}", found.message));
    if let Some(hint) = &found.hint {
        lines.add(&format!("          → {hint}"));
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
