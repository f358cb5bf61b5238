//! What the API server would refuse of the objects in files, as findings.

use std::{path::Path, sync::Arc};

use super::results::CheckResults;
use svcscope_check::{
    self as check, Finding, FindingLocation, Health, ObjectRef, PortHealth, RuleSuppressions,
    ServiceReport, Severity,
};
use svcscope_decode::{RefusedField, RefusedObject};
use svcscope_model::inventory::{Inventory, ObjectKey, SharedStr};

/// A finding about an object that is no Service, or a Service of which nothing else is known.
pub(super) struct ObjectFinding {
    pub object: ObjectRef,
    /// Where it was read.
    pub file: String,
    pub finding: Finding,
}

/// Rules that speak of the same field of a Service: beside a field that is refused they say nothing
/// new.
const SAME_FIELD: &[(&str, &[&str])] = &[
    (
        "spec.selector",
        &["SVC-SELECTOR-", "SVC-MANUAL-", "SVC-HEADLESS-"],
    ),
    ("spec.externalName", &["SVC-EXTERNAL-NAME-"]),
    ("spec.ports", &["SVC-PORT-"]),
    ("spec.externalTrafficPolicy", &["SVC-EXTERNAL-LOCAL-"]),
    ("spec.externalIPs", &["SVC-EXTERNAL-IPS"]),
    ("spec.clusterIP", &["SVC-CLUSTER-IP-"]),
    ("spec.sessionAffinity", &["SVC-SESSION-AFFINITY"]),
    ("spec.loadBalancer", &["SVC-LB-"]),
];

/// Adds what would be refused: to its Service's report, or as a finding about an object. `files` are
/// the names of the texts that were read.
pub(super) fn add(
    told: &mut CheckResults,
    refused: &[RefusedObject],
    files: &[String],
    inventory: &Inventory,
    suppressions: &RuleSuppressions,
    only: Option<&ObjectKey>,
) {
    let concerns = |object: &&RefusedObject| {
        only.is_none_or(|key| object.kind == "Service" && object.key == *key)
    };
    for object in refused.iter().filter(concerns) {
        if object.may_be_patch {
            continue;
        }
        let service = Some(&object.key).filter(|_| object.kind == "Service");
        let record = service.and_then(|key| inventory.service(key).map(Arc::as_ref));
        let name = ObjectRef::new(object.kind.as_str(), object.key.clone());
        let location = match service {
            Some(_) => FindingLocation::Service,
            None => FindingLocation::Object(name.clone()),
        };
        let mut finding = finding(object, files, location);
        let is_suppressed = suppressions.is_suppressed(&object.key, record, finding.id);
        let report = service.and_then(|key| told.reports.get_mut(key));
        match report {
            Some(report) => {
                let report = Arc::make_mut(report);
                if is_suppressed {
                    report.suppressed.push(finding);
                } else {
                    add_to_report(report, object, finding);
                }
            }
            None if is_suppressed => {}
            None => {
                finding.objects = vec![name.clone()];
                let file = files.get(object.text).cloned().unwrap_or_default();
                told.objects.push(ObjectFinding {
                    object: name,
                    file,
                    finding,
                });
            }
        }
    }
}

fn add_to_report(report: &mut ServiceReport, object: &RefusedObject, finding: Finding) {
    let ServiceReport {
        ports, findings, ..
    } = report;
    findings.retain(|found| {
        let mut certain = object
            .fields
            .iter()
            .filter(|one| one.error.unless.is_none());
        !certain.any(|field| is_about(found, &field.error.path, ports))
    });
    if finding.severity == Severity::Error {
        report.health = Health::Broken;
    }
    report.findings.insert(0, finding);
    report
        .findings
        .sort_by_key(|found| std::cmp::Reverse(found.severity));
}

/// Whether a finding speaks of a field.
fn is_about(found: &Finding, path: &str, ports: &[PortHealth]) -> bool {
    let is_of_rule = SAME_FIELD.iter().any(|(field, rules)| {
        path.starts_with(field) && rules.iter().any(|rule| found.id.starts_with(rule))
    });
    let port = path
        .strip_prefix("spec.ports[")
        .and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
    match (&found.location, port) {
        // Other ports are another matter.
        (FindingLocation::Port(id), Some(at)) => ports.get(at).is_some_and(|port| port.port == *id),
        _ => is_of_rule,
    }
}

fn finding(object: &RefusedObject, files: &[String], location: FindingLocation) -> Finding {
    let mut reasons: Vec<_> = object
        .fields
        .iter()
        .map(|field| (severity(field, object.text, files), field))
        .collect();
    reasons.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    let worst = reasons.first().map_or(Severity::Note, |(worst, _)| *worst);
    let hint = reasons.iter().find_map(|(_, field)| hint(field));
    let reasons = reasons
        .iter()
        .map(|(_, field)| reason(field, object.text, files));
    check::refused(location, worst, reasons.collect(), hint)
}

/// Only what is certain is an error. Whether files are applied to the same cluster is the less so the
/// farther they are from each other.
fn severity(field: &RefusedField, text: usize, files: &[String]) -> Severity {
    let folder = |at: usize| files.get(at).and_then(|file| Path::new(file).parent());
    match &field.taken_by {
        Some(holder) if holder.place == text => Severity::Error,
        Some(holder) if folder(holder.place) == folder(text) => Severity::Warning,
        Some(_) => Severity::Note,
        None if field.error.unless.is_some() => Severity::Warning,
        None => Severity::Error,
    }
}

fn reason(field: &RefusedField, text: usize, files: &[String]) -> SharedStr {
    let error = &field.error;
    match &field.taken_by {
        Some(holder) => {
            let place = match files.get(holder.place) {
                Some(file) if holder.place != text => format!(" in {file}"),
                _ => String::new(),
            };
            format!("{error}: Service {} has it{place}", holder.service).into()
        }
        None => error.to_string().into(),
    }
}

fn hint(field: &RefusedField) -> Option<SharedStr> {
    let error = &field.error;
    let nearest = error
        .nearest
        .map(|name| format!("did you mean `{name}`?").into());
    nearest.or_else(|| {
        error
            .unless
            .map(|unless| format!("it is taken where {unless}").into())
    })
}
