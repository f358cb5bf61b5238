//! `svcscope edit`, `duplicate` and `delete`.

use std::path::Path;

use serde_json::Value;

use super::{
    args::{Common, Delete, Duplicate, Edit},
    editing::Editing,
    exit::{Exit, failure},
    input,
};
use crate::{
    edit::{Via, Wanted, Wish},
    engine::Command,
    inventory::Text,
};

/// Applies a JSON merge patch from a file.
pub(super) fn run(common: &Common, task: &Edit) -> anyhow::Result<Exit> {
    let patch = read(&task.file)?;
    if !patch.is_object() {
        return Err(failure(
            Exit::Usage,
            "a patch is an object: write for example {\"spec\": {\"sessionAffinity\": \"ClientIP\"}}",
        ));
    }
    let (editing, record) = Editing::of_service(common, &task.target)?;
    let unasked = task.edit.yes.then_some(Via::ExternalName);
    let wanted = Wanted {
        via: task.via.map(Via::from).or(unasked),
        other: Some(patch),
        seen: Some(record.clone()),
        ..Wanted::default()
    };
    editing.carry_out(&task.edit, |id| {
        Command::PlanEdit(id, record.key.clone(), Wish::Change(Box::new(wanted)))
    })
}

/// Creates a Service like another, under another name.
pub(super) fn duplicate(common: &Common, task: &Duplicate) -> anyhow::Result<Exit> {
    let (editing, record) = Editing::of_service(common, &task.target)?;
    let name = Text::from(&*task.name);
    editing.carry_out(&task.edit, |id| {
        Command::DuplicateService(id, record.key.clone(), name)
    })
}

/// Deletes a Service.
pub(super) fn delete(common: &Common, task: &Delete) -> anyhow::Result<Exit> {
    let (editing, record) = Editing::of_service(common, &task.target)?;
    editing.carry_out(&task.edit, |id| {
        Command::PlanEdit(id, record.key.clone(), Wish::Delete)
    })
}

/// YAML, of which JSON is a part; `-` is stdin.
fn read(file: &Path) -> anyhow::Result<Value> {
    let text = input::read(file)?;
    serde_saphyr::from_str(&text).map_err(|error| {
        let error = error.without_snippet();
        let said = format!("{} is neither JSON nor YAML: {error}", file.display());
        failure(Exit::Usage, said)
    })
}
