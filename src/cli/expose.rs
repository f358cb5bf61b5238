//! `svcscope expose`.

use super::{
    args::{ExposeArgs, GlobalFlags},
    edit_flags::with_node_ports,
    edit_runner::EditRunner,
    exit::{CliExit, cli_error},
};
use svcscope_edit::{ExposableWorkload, ExposeOptions};
use svcscope_engine::EngineCommand;
use svcscope_model::inventory::{ResourceKind, SharedStr};

pub(super) fn run(common: &GlobalFlags, task: &ExposeArgs) -> anyhow::Result<CliExit> {
    let kind = ExposableWorkload::kind_of(task.target.kind())
        .map_err(|error| cli_error(CliExit::Usage, error.to_string()))?;
    let ports = task.port.iter().map(|port| port.port(&[])).collect();
    let ports =
        with_node_ports(ports, &task.node_port).map_err(|said| cli_error(CliExit::Usage, said))?;
    let editing = EditRunner::start(common)?;
    let key = editing.key(&task.target);
    let inventory = &editing.scene().inventory;
    // Where pods may not be listed, the plan says so.
    let is_seen = inventory
        .why_unknown(ResourceKind::Pod, &key.namespace)
        .is_none();
    if kind == "Pod" && is_seen && inventory.pod(&key).is_none() {
        return Err(cli_error(
            CliExit::NotFound,
            format!("there is no pod {key}"),
        ));
    }
    let exposure = ExposeOptions {
        name: task.name.as_deref().map(SharedStr::from),
        to: task.service_type,
        ports,
    };
    editing.run(&task.edit, |id| {
        EngineCommand::PlanExpose(id, SharedStr::from(kind), key, exposure)
    })
}
