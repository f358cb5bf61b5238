//! Has the API server check a plan. Nothing is stored.

use serde_json::Value;

use super::{
    ChangePlan, EditError, ServiceWriteError, ServiceWriter, WriteAction, WriteMode, WriteResponse,
    apply::conflict_with, manifest, planner::with_resource_version, snapshot::value_at,
};
use svcscope_model::inventory::{ServiceRecord, SharedStr};

/// Lets the API server check a plan and say what the Service would be.
///
/// What the server would allocate (a clusterIP, a nodePort) is a placeholder in its answer and is
/// left out here; the range of a nodePort is not checked: only [`super::apply()`] tells. Of several
/// steps the server can try the first; what they lead to is tried as a new object under another
/// name, and a warning says what that could not tell.
pub async fn dry_run(
    plan: &ChangePlan,
    writer: &dyn ServiceWriter,
) -> Result<WriteResponse, EditError> {
    let Some(first) = plan.steps.first() else {
        return Err(EditError::Other {
            message: "there is nothing to try".into(),
        });
    };
    let mut written = match (&first.action, &plan.before) {
        (WriteAction::Patch(patch), Some(before)) => {
            let patch = with_resource_version(patch, &before.record.resource_version);
            match writer.patch(&plan.service, &patch, WriteMode::DryRun).await {
                Err(error) => return Err(conflict_with(plan, writer, error, None).await),
                Ok(written) => written,
            }
        }
        (WriteAction::Delete, Some(before)) => {
            let deleted = writer.delete(&before.record, WriteMode::DryRun).await;
            if let Err(error) = deleted {
                return Err(conflict_with(plan, writer, error, None).await);
            }
            WriteResponse {
                service: (*before.record).clone(),
                object: (*before.object).clone(),
                warnings: Vec::new(),
            }
        }
        (WriteAction::Create(object), _) => {
            writer
                .create(&plan.service.namespace, object, WriteMode::DryRun)
                .await?
        }
        (_, None) => {
            return Err(EditError::Other {
                message: "a Service that is not there can't be changed".into(),
            });
        }
    };
    if let Some(destination) = &plan.final_manifest {
        let warnings = std::mem::take(&mut written.warnings);
        match dry_run_later_steps(plan, destination, writer).await? {
            Ok(tried) => written = tried,
            Err(said) => written.warnings.push(said),
        }
        written.warnings.extend(warnings);
    }
    replace_placeholders(plan, &mut written);
    Ok(written)
}

/// Tries what comes after the first step, and says why where that is not possible.
async fn dry_run_later_steps(
    plan: &ChangePlan,
    destination: &Value,
    writer: &dyn ServiceWriter,
) -> Result<Result<WriteResponse, SharedStr>, EditError> {
    let holder = plan.before.as_ref().map(|known| &*known.record);
    let object = manifest::dry_run_manifest(destination, holder);
    let namespace = &plan.service.namespace;
    match writer.create(namespace, &object, WriteMode::DryRun).await {
        Ok(mut tried) => {
            tried.service.key = plan.service.clone();
            if let Some(metadata) = tried
                .object
                .get_mut("metadata")
                .and_then(Value::as_object_mut)
            {
                metadata.shift_remove("generateName");
                metadata.insert("name".to_owned(), Value::from(&*plan.service.name));
            }
            Ok(Ok(tried))
        }
        // In the words of RBAC: whoever may change Services but not create any can't try it so.
        Err(ServiceWriteError::Forbidden { message })
            if message.contains("cannot create resource") && !plan.verbs().contains(&"create") =>
        {
            Ok(Err(SharedStr::from(format!(
                "only the first step could be tried, for what follows can be tried only by one who \
                 may create Services ({message})"
            ))))
        }
        Err(error) => Err(error.into()),
    }
}

/// A dry run allocates nothing: the server fills in values that nobody will ever get, nodePorts
/// even beyond the range (`pkg/registry/core/service/portallocator/operation.go`).
fn replace_placeholders(plan: &ChangePlan, written: &mut WriteResponse) {
    let Some(expected) = &plan.projected_service else {
        return;
    };
    let preview: &mut ServiceRecord = &mut written.service;
    if expected.virtual_ips().next().is_none() && !expected.is_headless() {
        preview.cluster_ips.clear();
        clear(&mut written.object, "spec", "clusterIP", ASSIGNED_ON_APPLY);
        clear(&mut written.object, "spec", "clusterIPs", ASSIGNED_ON_APPLY);
    }
    if expected.health_check_node_port.is_none() {
        preview.health_check_node_port = None;
        clear(
            &mut written.object,
            "spec",
            "healthCheckNodePort",
            ASSIGNED_ON_APPLY,
        );
    }
    for (index, port) in preview.ports.iter_mut().enumerate() {
        let known = expected
            .ports
            .iter()
            .filter(|known| (known.protocol, known.port) == (port.protocol, port.port))
            .find_map(|known| known.node_port);
        if port.node_port != known {
            port.node_port = known;
            let raw = written
                .object
                .get_mut("spec")
                .and_then(|spec| spec.get_mut("ports")?.get_mut(index)?.get_mut("nodePort"));
            if let Some(raw) = raw {
                *raw = known.map_or_else(|| Value::from(ASSIGNED_ON_APPLY), Value::from);
            }
        }
    }
}

/// What stands in a preview where the server will choose.
pub const ASSIGNED_ON_APPLY: &str = "(assigned on apply)";

fn clear(object: &mut Value, parent: &str, field: &str, with: &str) {
    if value_at(object, parent)
        .and_then(|parent| parent.get(field))
        .is_none()
    {
        return;
    }
    if let Some(slot) = object
        .get_mut(parent)
        .and_then(|parent| parent.get_mut(field))
    {
        *slot = Value::from(with);
    }
}
