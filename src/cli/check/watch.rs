//! `svcscope check --watch`: what appears and what goes, until interrupted.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    super::{
        args::{CheckArgs, CheckFormat},
        engine_client::{self, EngineClient},
        exit::{CliExit, cli_error},
        export,
        terminal::{OutputBytes, TerminalLines},
    },
    json::FindingJson,
};
use svcscope_check::{Finding, Severity};
use svcscope_engine::{ConnectionState, Scene};
use svcscope_model::inventory::ObjectKey;

/// A finding while it lasts: its text may change meanwhile.
type CurrentFindings = BTreeMap<(ObjectKey, &'static str, String), Finding>;

pub(super) fn run(
    remote: &EngineClient,
    task: &CheckArgs,
    only: Option<&ObjectKey>,
) -> anyhow::Result<CliExit> {
    if !matches!(task.output, CheckFormat::Text | CheckFormat::Json) {
        return Err(cli_error(
            CliExit::Usage,
            "--watch prints -o text or -o json",
        ));
    }
    // As without --watch: data hold all, a text what was asked for.
    let least = if task.notes || task.output == CheckFormat::Json {
        Severity::Note
    } else {
        Severity::Warning
    };
    let mut standing = CurrentFindings::new();
    let mut polled = None;
    let mut was_stale = false;
    loop {
        let now = remote.wait_for(None, "a change", |scene| {
            engine_client::report_polling(scene, &mut polled);
            if scene.is_stale() != was_stale {
                was_stale = !was_stale;
                // That it is polled now was said just before: it is not live.
                if scene.is_stale() || engine_client::polling_text(scene).is_none() {
                    eprintln!("svcscope: {}", connection_text(scene));
                }
            }
            let now = current_findings(scene, only, least);
            (!now.keys().eq(standing.keys())).then_some(now)
        })?;
        let mut lines = TerminalLines::default();
        let mut json = String::new();
        let mut add = |change: &str, service: &ObjectKey, finding: &Finding| {
            if task.output == CheckFormat::Json {
                json += &json_line(change, service, finding);
            } else {
                lines.add(&line(change, service, finding));
            }
        };
        for (at, finding) in &standing {
            if !now.contains_key(at) {
                add("gone", &at.0, finding);
            }
        }
        for (at, finding) in &now {
            if !standing.contains_key(at) {
                add("appeared", &at.0, finding);
            }
        }
        export::write(&OutputBytes::lines(lines), None)?;
        export::write(&OutputBytes::json(json), None)?;
        standing = now;
    }
}

/// What the lines that follow are worth.
fn connection_text(scene: &Scene) -> String {
    match &scene.connection {
        ConnectionState::Lost { since, reason } => {
            format!("what is said may be old, since {since:.0}: {reason}")
        }
        _ if scene.is_stale() => "what is said may be old: a watch is lost".to_owned(),
        _ => "what is said is live again".to_owned(),
    }
}

fn current_findings(scene: &Scene, only: Option<&ObjectKey>, least: Severity) -> CurrentFindings {
    let reports = scene.reports.iter();
    reports
        .filter(|(key, _)| only.is_none_or(|only| only == *key))
        .flat_map(|(key, report)| {
            let worth = report.findings.iter();
            worth.filter(|found| found.severity >= least).map(|found| {
                (
                    (key.clone(), found.id, found.location.to_string()),
                    found.clone(),
                )
            })
        })
        .collect()
}

fn json_line(change: &str, service: &ObjectKey, finding: &Finding) -> String {
    let row = FindingJson::new(Some(service), finding);
    format!("{}\n", json!({ "change": change, "finding": row }))
}

fn line(change: &str, service: &ObjectKey, finding: &Finding) -> String {
    let sign = if change == "gone" { '-' } else { '+' };
    format!(
        "{sign} {} {} {service}: {}",
        finding.severity.word(),
        finding.id,
        finding.message
    )
}
