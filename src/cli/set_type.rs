//! `svcscope set-type`.

use super::{
    args::{GlobalFlags, SetTypeArgs},
    edit_flags::with_node_ports,
    edit_runner::EditRunner,
    exit::{CliExit, cli_error},
};
use svcscope_edit::{DesiredServiceState, MigrationPath, RequestedChange};
use svcscope_engine::EngineCommand;
use svcscope_model::inventory::SharedStr;

pub(super) fn run(common: &GlobalFlags, task: &SetTypeArgs) -> anyhow::Result<CliExit> {
    let (editing, record) = EditRunner::of_service(common, &task.target)?;
    let listed = (!task.port.is_empty()).then(|| {
        task.port
            .iter()
            .map(|port| port.port(&record.ports))
            .collect()
    });
    let ports = if task.node_port.is_empty() {
        listed
    } else {
        let ports = listed.unwrap_or_else(|| record.ports.clone());
        let given = with_node_ports(ports, &task.node_port);
        Some(given.map_err(|said| cli_error(CliExit::Usage, said))?)
    };
    // Whoever does not want to be asked gets the way on which the object stays.
    let unasked = task.edit.yes.then_some(MigrationPath::ExternalName);
    let wanted = DesiredServiceState {
        migration_path: task.via.map(MigrationPath::from).or(unasked),
        external_name: task.external_name.as_deref().map(SharedStr::from),
        ports,
        seen_record: Some(record.clone()),
        ..DesiredServiceState::of_type(task.service_type)
    };
    editing.run(&task.edit, |id| {
        EngineCommand::PlanEdit(
            id,
            record.key.clone(),
            RequestedChange::Change(Box::new(wanted)),
        )
    })
}
