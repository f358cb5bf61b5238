//! `svcscope check`: what is wrong with Services, for scripts and pipelines.
//!
//! **In**: a cluster, or files. **Out**: what the checks say, as text, JSON, SARIF or JUnit, and an
//! exit code by `--fail-on`.

mod data;
mod files;
mod junit;
mod sarif;
mod told;
mod trace;
mod watch;

use std::sync::Arc;

use super::{
    args::{Check, CheckFormat, Common},
    exit::{Exit, failure},
    export,
    remote::{self, Remote},
    terminal::Data,
};
use crate::{
    check::{self, Severity},
    engine::Scene,
    inventory::{self, Kind, ObjectKey},
};
use told::Told;

pub(super) fn run(common: &Common, task: &Check) -> anyhow::Result<Exit> {
    if task.list {
        let rules = match task.output {
            CheckFormat::Json => Data::json(data::rules()?),
            _ => Data::text(&list()),
        };
        return export::write(&rules, None).map(|()| Exit::Done);
    }
    if task.target.as_ref().is_some_and(|it| !it.is_service()) {
        return Err(failure(Exit::Usage, "only Services are checked: svc/NAME"));
    }
    if !task.files.is_empty() {
        return files::run(common, task);
    }
    let (remote, target) = match &task.target {
        Some(target) => {
            let (remote, namespace) = Remote::start_for_target(common)?;
            let key = ObjectKey::new(namespace, target.name().clone());
            (remote, Some(key))
        }
        None => (Remote::start(common)?, None),
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
        return Err(failure(
            Exit::NotFound,
            format!("there is no Service {key}"),
        ));
    }
    if let Some(key) = target.as_ref().filter(|_| task.trace) {
        return trace::run(&scene, key, task.output);
    }
    if task.watch {
        return watch::run(&remote, task, target.as_ref());
    }
    let told = Told::new(&scene.reports, target.as_ref());
    let exit = print(&told, task)?;
    for note in scene.notes.iter() {
        eprintln!("svcscope: {note}");
    }
    let needed = [Kind::Service, Kind::EndpointSlice, Kind::Pod];
    let gaps = remote::gaps(&scene, &needed);
    for gap in remote::polled(&scene).iter().chain(&gaps) {
        eprintln!("svcscope: {gap}");
    }
    let is_nowhere = remote::tell_missing_namespaces(&scene, &common.namespaces);
    Ok(match exit {
        _ if is_nowhere => Exit::NotFound,
        Exit::Done if !gaps.is_empty() => Exit::Incomplete,
        exit => exit,
    })
}

/// Whether all that any rule reads is there, or refused.
fn is_read(scene: &Scene) -> bool {
    let wanted = inventory::wanted(&scene.inventory);
    let needed = Kind::ALL.into_iter().chain(wanted);
    scene.inventory.completeness_of(needed).is_complete()
}

/// Prints what is said in the form that was asked for; says how the process ends.
fn print(told: &Told, task: &Check) -> anyhow::Result<Exit> {
    let data = match task.output {
        CheckFormat::Text => Data::lines(told.lines(task.notes)),
        CheckFormat::Json => Data::json(data::findings(told)?),
        CheckFormat::Sarif => Data::json(sarif::write(told)?),
        CheckFormat::Junit => Data::text(&junit::write(told)),
    };
    export::write(&data, None)?;
    let limit = task.fail_on.map(Severity::from);
    Ok(if limit.is_some_and(|limit| told.has(limit)) {
        Exit::Found
    } else {
        Exit::Done
    })
}

/// All rules, a line each.
fn list() -> String {
    check::rules()
        .map(|rule| format!("{:<9}{:<36}{}\n", rule.severity.word(), rule.id, rule.title))
        .collect()
}
