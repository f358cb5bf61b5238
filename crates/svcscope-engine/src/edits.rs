//! Changes of Services on their way from a request to what the server made of it.

use std::sync::Arc;

use super::{EditId, EditState, EditStatus};
use svcscope_edit::{
    self as edit, ChangePlan, EditError, PlanError, RequestedChange, ServiceSnapshot, ServiceWriter,
};
use svcscope_model::inventory::{Inventory, ObjectKey, SharedStr};

/// Edits that were not discarded.
#[derive(Default)]
pub(super) struct OpenEdits {
    entries: Vec<EditStatus>,
}

impl OpenEdits {
    /// Sets how an edit stands, whether it is new or known.
    pub(super) fn set(&mut self, id: EditId, service: ObjectKey, step: EditState) {
        if !self.advance(id, step.clone()) {
            self.entries.push(EditStatus {
                id,
                service,
                step,
                audit_number: None,
            });
        }
    }

    /// Moves a known edit on; one that was discarded meanwhile is not brought back. Says whether it
    /// is known.
    pub(super) fn advance(&mut self, id: EditId, step: EditState) -> bool {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) else {
            return false;
        };
        if let EditState::DryRunning { plan } = &step {
            entry.service = plan.service.clone();
        }
        entry.step = step;
        true
    }

    /// Notes where an edit stands in the journal.
    pub(super) fn set_audit_number(&mut self, id: EditId, number: u64) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.audit_number = Some(number);
        }
    }

    /// The plan of an edit that the server would accept.
    pub(super) fn ready_plan(&self, id: EditId) -> Option<(ObjectKey, Arc<ChangePlan>)> {
        self.entries.iter().find_map(|entry| match &entry.step {
            EditState::Ready { plan, .. } if entry.id == id => {
                Some((entry.service.clone(), plan.clone()))
            }
            _ => None,
        })
    }

    /// Forgets an edit.
    pub(super) fn discard(&mut self, id: EditId) {
        self.entries.retain(|entry| entry.id != id);
    }

    /// Forgets all: another cluster comes.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// What a scene shows.
    pub(super) fn snapshot(&self) -> Arc<[EditStatus]> {
        self.entries.iter().cloned().collect()
    }
}

/// What is being taken back.
pub(super) struct UndoRequest {
    /// How it was before.
    pub(super) requested_change: RequestedChange,
    /// What of it can't come back.
    pub(super) losses: Vec<SharedStr>,
    /// What else there is.
    pub(super) inventory: Inventory,
}

/// Plans a request with the Service as the server says it now.
pub(super) async fn plan_change_request(
    service: &ObjectKey,
    requested: RequestedChange,
    inventory: &Inventory,
    writer: &dyn ServiceWriter,
) -> Result<ChangePlan, EditState> {
    let planned = match requested {
        RequestedChange::Create(object) => edit::plan_creation(object, inventory),
        RequestedChange::Change(wanted) => {
            let known = read_snapshot(service, writer).await?;
            edit::plan_change(&known, *wanted, inventory)
        }
        RequestedChange::Delete => {
            let known = read_snapshot(service, writer).await?;
            edit::plan_deletion(&known, inventory)
        }
    };
    planned.map_err(|error| plan_failed(&error))
}

async fn read_snapshot(
    service: &ObjectKey,
    writer: &dyn ServiceWriter,
) -> Result<ServiceSnapshot, EditState> {
    writer
        .read(service)
        .await
        .map(ServiceSnapshot::from)
        .map_err(failed)
}

/// Asks the server what it would make of a plan.
///
/// An address of before that is not to be had any more keeps nobody from taking the rest back.
pub(super) async fn dry_run_plan(
    plan: Arc<ChangePlan>,
    undoing: Option<UndoRequest>,
    writer: &dyn ServiceWriter,
) -> EditState {
    let error = match edit::dry_run(&plan, writer).await {
        Ok(preview) => {
            return EditState::Ready {
                plan,
                preview: Arc::new(preview),
            };
        }
        Err(error) => error,
    };
    let is_address = |field: &edit::FieldError| field.field.starts_with("spec.clusterIP");
    if let Some(mut undoing) = undoing
        && error.fields().iter().any(is_address)
        && drop_requested_addresses(&mut undoing.requested_change)
    {
        let service = plan.service.clone();
        return match plan_change_request(
            &service,
            undoing.requested_change,
            &undoing.inventory,
            writer,
        )
        .await
        {
            Ok(mut plan) => {
                plan.notes.extend(undoing.losses);
                plan.notes.push(
                    format!("its clusterIP can't come back ({error}); another is allocated").into(),
                );
                Box::pin(dry_run_plan(Arc::new(plan), None, writer)).await
            }
            Err(step) => step,
        };
    }
    apply_failed(&error)
}

/// Asks for no particular address any more; says whether one was asked for.
fn drop_requested_addresses(requested: &mut RequestedChange) -> bool {
    match requested {
        RequestedChange::Change(wanted) => wanted.cluster_ips.take().is_some(),
        RequestedChange::Create(object) => {
            let Some(spec) = object.get_mut("spec").and_then(|spec| spec.as_object_mut()) else {
                return false;
            };
            spec.shift_remove("clusterIPs");
            spec.shift_remove("clusterIP").is_some()
        }
        RequestedChange::Delete => false,
    }
}

/// Why there is no plan.
pub(super) fn plan_failed(error: &PlanError) -> EditState {
    EditState::Failed {
        reason: SharedStr::from(error.to_string()),
        fields: error.fields().to_vec(),
        migration_options: error.migration_options().to_vec(),
        conflict: None,
    }
}

/// Why a plan was not carried out.
pub(super) fn apply_failed(error: &EditError) -> EditState {
    EditState::Failed {
        reason: SharedStr::from(error.to_string()),
        fields: error.fields().to_vec(),
        migration_options: Vec::new(),
        conflict: error.conflict().cloned(),
    }
}

/// Nothing was done, for a reason that needs no more words.
pub(super) fn failed(reason: impl ToString) -> EditState {
    EditState::Failed {
        reason: SharedStr::from(reason.to_string()),
        fields: Vec::new(),
        migration_options: Vec::new(),
        conflict: None,
    }
}
