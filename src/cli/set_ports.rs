//! `svcscope set-ports`.

use super::{
    args::{GlobalFlags, SetPortsArgs},
    edit_flags::with_node_ports,
    edit_runner::EditRunner,
    exit::{CliExit, cli_error},
};
use svcscope_edit::{DesiredServiceState, RequestedChange};
use svcscope_engine::EngineCommand;

pub(super) fn run(common: &GlobalFlags, task: &SetPortsArgs) -> anyhow::Result<CliExit> {
    let (editing, record) = EditRunner::of_service(common, &task.target)?;
    let known = &record.ports;
    let mut ports = if task.ports.is_empty() {
        known.clone()
    } else {
        task.ports.iter().map(|port| port.port(known)).collect()
    };
    for name in &task.remove {
        let before = ports.len();
        ports.retain(|port| !name.is(port));
        if ports.len() == before {
            let said = format!("Service {} has no port {name}", record.key);
            return Err(cli_error(CliExit::NotFound, said));
        }
    }
    ports.extend(task.add.iter().map(|port| port.port(&[])));
    let ports =
        with_node_ports(ports, &task.node_port).map_err(|said| cli_error(CliExit::Usage, said))?;
    let wanted = DesiredServiceState {
        ports: Some(ports),
        seen_record: Some(record.clone()),
        ..DesiredServiceState::default()
    };
    editing.run(&task.edit, |id| {
        EngineCommand::PlanEdit(
            id,
            record.key.clone(),
            RequestedChange::Change(Box::new(wanted)),
        )
    })
}
