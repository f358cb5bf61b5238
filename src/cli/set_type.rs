//! `svcscope set-type`.

use super::{
    args::{Common, SetType},
    edit_flags::with_node_ports,
    editing::Editing,
    exit::{Exit, failure},
};
use crate::{
    edit::{Via, Wanted, Wish},
    engine::Command,
    inventory::Text,
};

pub(super) fn run(common: &Common, task: &SetType) -> anyhow::Result<Exit> {
    let (editing, record) = Editing::of_service(common, &task.target)?;
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
        Some(given.map_err(|said| failure(Exit::Usage, said))?)
    };
    // Whoever does not want to be asked gets the way on which the object stays.
    let unasked = task.edit.yes.then_some(Via::ExternalName);
    let wanted = Wanted {
        via: task.via.map(Via::from).or(unasked),
        external_name: task.external_name.as_deref().map(Text::from),
        ports,
        seen: Some(record.clone()),
        ..Wanted::to(task.service_type)
    };
    editing.carry_out(&task.edit, |id| {
        Command::PlanEdit(id, record.key.clone(), Wish::Change(Box::new(wanted)))
    })
}
