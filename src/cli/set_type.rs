//! `svcscope set-type`: plan, dry run, write, read back.

use std::time::Duration;

use super::{
    args::{Common, SetType},
    exit::{Exit, failure},
    remote::Remote,
};
use crate::{
    edit::{Plan, TypeChange},
    engine::{Command, EditId, EditStep},
    inventory::{Kind, ServiceRecord},
};

/// How long the cluster may take to tell its Services.
const KNOWN_WITHIN: Duration = Duration::from_secs(60);

pub(super) fn run(common: &Common, task: &SetType) -> anyhow::Result<Exit> {
    if !task.target.is_service() {
        return Err(failure(
            Exit::Usage,
            format!(
                "only a Service has a type; did you mean svc/… instead of {}?",
                task.target
            ),
        ));
    }
    let (remote, namespace) = Remote::start_for_target(common)?;
    let scene = remote.wait_until_known(&[Kind::Service], KNOWN_WITHIN)?;
    let key = task.target.in_namespace(&namespace).key().clone();
    if scene.inventory.service(&key).is_none() {
        return Err(failure(
            Exit::NotFound,
            format!("there is no Service {key}"),
        ));
    }

    let handle = remote.handle();
    let id = EditId(handle.next_id());
    let change = TypeChange {
        to: task.service_type,
        external_name: task.external_name.clone(),
        node_ports: task.node_port.iter().copied().map(Some).collect(),
    };
    handle.send(Command::PlanEdit(id, key, change));
    let (plan, warnings, would_be) =
        remote.wait_for(None, "the dry run", |scene| match step(scene, id)? {
            EditStep::Ready { plan, preview } => Some(Ok((
                plan.clone(),
                preview.warnings.clone(),
                preview.service.clone(),
            ))),
            EditStep::Failed { reason, .. } => Some(Err(failure(Exit::Failed, &**reason))),
            _ => None,
        })??;
    explain(&plan);
    for warning in warnings {
        eprintln!("svcscope: the API server warns: {warning}");
    }
    if task.dry_run {
        say(&would_be, " (dry run)");
        return Ok(Exit::Done);
    }

    handle.send(Command::ApplyEdit(id));
    let outcome = remote.wait_for(None, "the write", |scene| match step(scene, id)? {
        EditStep::Applied(outcome) => Some(Ok(outcome.clone())),
        EditStep::Failed { reason, .. } => Some(Err(failure(Exit::Failed, &**reason))),
        _ => None,
    })??;
    say(&outcome.after, "");
    Ok(Exit::Done)
}

fn step(scene: &crate::engine::Scene, id: EditId) -> Option<&EditStep> {
    scene
        .edits
        .iter()
        .find(|edit| edit.id == id)
        .map(|edit| &edit.step)
}

fn explain(plan: &Plan) {
    for gain in &plan.gains {
        eprintln!("  + {gain}");
    }
    for loss in &plan.losses {
        eprintln!("  - {loss}");
    }
    for note in &plan.notes {
        eprintln!("  ! {note}");
    }
}

/// One line on stdout, in kubectl's manner.
fn say(service: &ServiceRecord, suffix: &str) {
    let node_ports: Vec<_> = service
        .ports
        .iter()
        .filter_map(|port| {
            port.node_port
                .map(|node_port| format!("{}:{node_port}", port.port))
        })
        .collect();
    let details = match (&service.external_name, node_ports.as_slice()) {
        (Some(name), _) => format!(" to {name}"),
        (None, []) => String::new(),
        (None, ports) => format!(", nodePorts {}", ports.join(" ")),
    };
    println!(
        "service/{} is {}{details}{suffix}",
        service.key.name,
        service.type_word()
    );
}
