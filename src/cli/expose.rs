//! `svcscope expose`.

use super::{
    args::{Common, Expose},
    edit_flags::with_node_ports,
    editing::Editing,
    exit::{Exit, failure},
};
use crate::{
    edit::{Exposure, Workload},
    engine::Command,
    inventory::{Kind, Text},
};

pub(super) fn run(common: &Common, task: &Expose) -> anyhow::Result<Exit> {
    let kind = Workload::kind_of(task.target.kind())
        .map_err(|error| failure(Exit::Usage, error.to_string()))?;
    let ports = task.port.iter().map(|port| port.port(&[])).collect();
    let ports =
        with_node_ports(ports, &task.node_port).map_err(|said| failure(Exit::Usage, said))?;
    let editing = Editing::start(common, &[Kind::Service, Kind::Pod])?;
    let key = editing.key(&task.target);
    let inventory = &editing.scene().inventory;
    // Where pods may not be listed, the plan says so.
    let is_seen = inventory.unseen(Kind::Pod, &key.namespace).is_none();
    if kind == "Pod" && is_seen && inventory.pod(&key).is_none() {
        return Err(failure(Exit::NotFound, format!("there is no pod {key}")));
    }
    let exposure = Exposure {
        name: task.name.as_deref().map(Text::from),
        to: task.service_type,
        ports,
    };
    editing.carry_out(&task.edit, |id| {
        Command::PlanExpose(id, Text::from(kind), key, exposure)
    })
}
