//! `svcscope edit`, `duplicate` and `delete`.

use std::path::Path;

use serde_json::Value;

use super::{
    args::{DeleteArgs, DuplicateArgs, EditArgs, GlobalFlags},
    edit_runner::EditRunner,
    exit::{CliExit, cli_error},
    input,
};
use svcscope_edit::{DesiredServiceState, MigrationPath, RequestedChange};
use svcscope_engine::EngineCommand;
use svcscope_model::inventory::SharedStr;

/// Applies a JSON merge patch from a file.
pub(super) fn run(common: &GlobalFlags, task: &EditArgs) -> anyhow::Result<CliExit> {
    let patch = read(&task.file)?;
    if !patch.is_object() {
        return Err(cli_error(
            CliExit::Usage,
            "a patch is an object: write for example {\"spec\": {\"sessionAffinity\": \"ClientIP\"}}",
        ));
    }
    let (editing, record) = EditRunner::of_service(common, &task.target)?;
    let unasked = task.edit.yes.then_some(MigrationPath::ExternalName);
    let wanted = DesiredServiceState {
        migration_path: task.via.map(MigrationPath::from).or(unasked),
        merge_patch: Some(patch),
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

/// Creates a Service like another, under another name.
pub(super) fn duplicate(common: &GlobalFlags, task: &DuplicateArgs) -> anyhow::Result<CliExit> {
    let (editing, record) = EditRunner::of_service(common, &task.target)?;
    let name = SharedStr::from(&*task.name);
    editing.run(&task.edit, |id| {
        EngineCommand::DuplicateService(id, record.key.clone(), name)
    })
}

/// Deletes a Service.
pub(super) fn delete(common: &GlobalFlags, task: &DeleteArgs) -> anyhow::Result<CliExit> {
    let (editing, record) = EditRunner::of_service(common, &task.target)?;
    editing.run(&task.edit, |id| {
        EngineCommand::PlanEdit(id, record.key.clone(), RequestedChange::Delete)
    })
}

/// YAML, of which JSON is a part; `-` is stdin.
fn read(file: &Path) -> anyhow::Result<Value> {
    let text = input::read(file)?;
    serde_saphyr::from_str(&text).map_err(|error| {
        let error = error.without_snippet();
        let said = format!("{} is neither JSON nor YAML: {error}", file.display());
        cli_error(CliExit::Usage, said)
    })
}
