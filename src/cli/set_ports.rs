//! `svcscope set-ports`.

use super::{
    args::{Common, SetPorts},
    edit_flags::with_node_ports,
    editing::Editing,
    exit::{Exit, failure},
};
use crate::{
    edit::{Wanted, Wish},
    engine::Command,
};

pub(super) fn run(common: &Common, task: &SetPorts) -> anyhow::Result<Exit> {
    let (editing, record) = Editing::of_service(common, &task.target)?;
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
            return Err(failure(Exit::NotFound, said));
        }
    }
    ports.extend(task.add.iter().map(|port| port.port(&[])));
    let ports =
        with_node_ports(ports, &task.node_port).map_err(|said| failure(Exit::Usage, said))?;
    let wanted = Wanted {
        ports: Some(ports),
        seen: Some(record.clone()),
        ..Wanted::default()
    };
    editing.carry_out(&task.edit, |id| {
        Command::PlanEdit(id, record.key.clone(), Wish::Change(Box::new(wanted)))
    })
}
