//! `svcscope check`: what is wrong with Services, for scripts and pipelines.
//!
//! **In**: a cluster, or files. **Out**: what the checks say, as text, JSON, SARIF or JUnit, and an
//! exit code by `--fail-on`.

mod files;
mod json;
mod junit;
mod refused;
mod results;
mod sarif;
mod trace;
mod watch;

use std::sync::Arc;

use super::{
    args::{CheckArgs, CheckFormat, GlobalFlags},
    engine_client::{self, EngineClient},
    exit::{CliExit, cli_error},
    export,
    terminal::OutputBytes,
};
use results::CheckResults;
use svcscope_check::{self as check, Severity};
use svcscope_engine::{AnalysisScope, Scene};
use svcscope_model::inventory::{self, ObjectKey, ResourceKind};

pub(super) fn run(common: &GlobalFlags, task: &CheckArgs) -> anyhow::Result<CliExit> {
    if task.list {
        let rules = match task.output {
            CheckFormat::Json => OutputBytes::json(json::rules()?),
            _ => OutputBytes::text(&list()),
        };
        return export::write(&rules, None).map(|()| CliExit::Success);
    }
    if task.target.as_ref().is_some_and(|it| !it.is_service()) {
        return Err(cli_error(
            CliExit::Usage,
            "only Services are checked: svc/NAME",
        ));
    }
    if !task.files.is_empty() {
        return files::run(common, task);
    }
    let analysis = AnalysisScope::default();
    let (remote, target) = match &task.target {
        Some(target) => {
            let (remote, namespace) = EngineClient::start_for_target(common, analysis)?;
            let key = ObjectKey::new(namespace, target.name().clone());
            (remote, Some(key))
        }
        None => (EngineClient::start(common, analysis)?, None),
    };
    let scene = remote.wait_for(
        Some(task.timeout),
        "the cluster to be read whole",
        |scene| is_read(scene).then(|| scene.clone()),
    )?;
    let scene = match &target {
        Some(key) => remote.look_up(key.clone())?,
        None => Arc::new(scene),
    };
    if let Some(key) = target
        .as_ref()
        .filter(|key| scene.inventory.service(key).is_none())
    {
        return Err(cli_error(
            CliExit::NotFound,
            format!("there is no Service {key}"),
        ));
    }
    if let Some(key) = target.as_ref().filter(|_| task.trace) {
        return trace::run(&scene, key, task.output);
    }
    if task.watch {
        return watch::run(&remote, task, target.as_ref());
    }
    let told = CheckResults::new(&scene.reports, target.as_ref());
    let exit = print(&told, task)?;
    for note in scene.watch_notes.iter() {
        eprintln!("svcscope: {note}");
    }
    let needed = [
        ResourceKind::Service,
        ResourceKind::EndpointSlice,
        ResourceKind::Pod,
    ];
    let gaps = engine_client::visibility_gaps(&scene, &needed);
    for gap in engine_client::polling_text(&scene).iter().chain(&gaps) {
        eprintln!("svcscope: {gap}");
    }
    let is_nowhere = engine_client::report_missing_namespaces(&scene, &common.namespaces);
    Ok(match exit {
        _ if is_nowhere => CliExit::NotFound,
        CliExit::Success if !gaps.is_empty() => CliExit::Incomplete,
        exit => exit,
    })
}

/// Whether all that any rule reads is there, or refused.
fn is_read(scene: &Scene) -> bool {
    let wanted = inventory::needed_kinds(&scene.inventory);
    let needed = ResourceKind::ALL.into_iter().chain(wanted);
    scene.inventory.completeness_of(needed).is_complete()
}

/// Prints what is said in the form that was asked for; says how the process ends.
fn print(told: &CheckResults, task: &CheckArgs) -> anyhow::Result<CliExit> {
    let data = match task.output {
        CheckFormat::Text => OutputBytes::lines(told.lines(task.notes)),
        CheckFormat::Json => OutputBytes::json(json::findings(told)?),
        CheckFormat::Sarif => OutputBytes::json(sarif::write(told)?),
        CheckFormat::Junit => OutputBytes::text(&junit::write(told)),
    };
    export::write(&data, None)?;
    let limit = task.fail_on.map(Severity::from);
    Ok(if limit.is_some_and(|limit| told.has_at_least(limit)) {
        CliExit::FindingsReported
    } else {
        CliExit::Success
    })
}

/// All rules, a line each.
fn list() -> String {
    check::rules()
        .map(|rule| format!("{:<9}{:<36}{}\n", rule.severity.word(), rule.id, rule.title))
        .collect()
}
