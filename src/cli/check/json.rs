//! What the checks say as JSON, in the form that the README documents.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::results::{CheckResults, port};
use svcscope_check::{self as check, Finding, ObjectRef, ServiceReport};
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// One finding.
#[derive(Serialize)]
pub(super) struct FindingJson<'a> {
    id: &'a str,
    severity: &'static str,
    service: Option<String>,
    port: Option<String>,
    at: String,
    objects: &'a [ObjectRef],
    message: &'a str,
    evidence: &'a [SharedStr],
    hint: Option<&'a str>,
    url: &'static str,
}

impl<'a> FindingJson<'a> {
    pub fn new(service: Option<&ObjectKey>, found: &'a Finding) -> Self {
        Self {
            id: found.id,
            severity: found.severity.word(),
            service: service.map(ToString::to_string),
            port: port(found),
            at: found.location.to_string(),
            objects: &found.objects,
            message: &found.message,
            evidence: &found.evidence,
            hint: found.hint.as_deref(),
            url: found.url(),
        }
    }
}

fn health_json(report: &ServiceReport) -> Value {
    let ports: BTreeMap<_, _> = report
        .ports
        .iter()
        .map(|of| {
            let port = format!("{}/{}", of.port.port, of.port.protocol);
            (port, of.health.word())
        })
        .collect();
    let suppressed: Vec<_> = report.suppressed.iter().map(|found| found.id).collect();
    json!({
        "verdict": report.health.word(),
        "ports": ports,
        "ready": report.ready,
        "wanted": report.expected,
        "suppressed": suppressed,
    })
}

/// Everything that is said.
pub(super) fn findings(told: &CheckResults) -> serde_json::Result<String> {
    let rows: Vec<_> = told
        .findings()
        .map(|row| FindingJson::new(row.service, row.finding))
        .collect();
    let verdicts: BTreeMap<_, _> = told
        .reports
        .iter()
        .map(|(key, report)| (key.to_string(), health_json(report)))
        .collect();
    let all = json!({ "findings": rows, "verdicts": verdicts });
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

/// All rules.
pub(super) fn rules() -> serde_json::Result<String> {
    let rules: Vec<_> = check::rules()
        .map(|rule| {
            json!({
                "id": rule.id,
                "group": rule.group.title(),
                "severity": rule.severity.word(),
                "means": rule.implied_health.word(),
                "title": rule.title,
                "about": rule.about,
                "needs": rule.required_kinds.iter().map(|kind| kind.plural()).collect::<Vec<_>>(),
                "url": rule.url,
            })
        })
        .collect();
    Ok(serde_json::to_string_pretty(&rules)? + "\n")
}
