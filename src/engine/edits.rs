//! Changes of Services on their way from a wish to what the server made of it.

use std::sync::Arc;

use super::{EditId, EditStatus, EditStep};
use crate::{
    edit::{self, EditError, Known, Plan, PlanError, ServiceWriter, Wish},
    inventory::{Inventory, ObjectKey, Text},
};

/// Edits that were not discarded.
#[derive(Default)]
pub(super) struct Edits {
    entries: Vec<EditStatus>,
}

impl Edits {
    /// Sets how an edit stands, whether it is new or known.
    pub(super) fn set(&mut self, id: EditId, service: ObjectKey, step: EditStep) {
        if !self.advance(id, step.clone()) {
            self.entries.push(EditStatus {
                id,
                service,
                step,
                entry: None,
            });
        }
    }

    /// Moves a known edit on; one that was discarded meanwhile is not brought back. Says whether it
    /// is known.
    pub(super) fn advance(&mut self, id: EditId, step: EditStep) -> bool {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) else {
            return false;
        };
        if let EditStep::Trying { plan } = &step {
            entry.service = plan.service.clone();
        }
        entry.step = step;
        true
    }

    /// Notes where an edit stands in the journal.
    pub(super) fn journalled(&mut self, id: EditId, number: u64) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.entry = Some(number);
        }
    }

    /// The plan of an edit that the server would accept.
    pub(super) fn ready(&self, id: EditId) -> Option<(ObjectKey, Arc<Plan>)> {
        self.entries.iter().find_map(|entry| match &entry.step {
            EditStep::Ready { plan, .. } if entry.id == id => {
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
pub(super) struct Undoing {
    /// How it was before.
    pub(super) wish: Wish,
    /// What of it can't come back.
    pub(super) losses: Vec<Text>,
    /// What else there is.
    pub(super) inventory: Inventory,
}

/// Plans a wish with the Service as the server says it now.
pub(super) async fn planned(
    service: &ObjectKey,
    wish: Wish,
    inventory: &Inventory,
    writer: &dyn ServiceWriter,
) -> Result<Plan, EditStep> {
    let planned = match wish {
        Wish::Create(object) => edit::plan_creation(object, inventory),
        Wish::Change(wanted) => {
            let known = read(service, writer).await?;
            edit::plan_change(&known, *wanted, inventory)
        }
        Wish::Delete => {
            let known = read(service, writer).await?;
            edit::plan_deletion(&known, inventory)
        }
    };
    planned.map_err(|error| unplanned(&error))
}

async fn read(service: &ObjectKey, writer: &dyn ServiceWriter) -> Result<Known, EditStep> {
    writer.read(service).await.map(Known::from).map_err(failed)
}

/// Asks the server what it would make of a plan.
///
/// An address of before that is not to be had any more keeps nobody from taking the rest back.
pub(super) async fn try_out(
    plan: Arc<Plan>,
    undoing: Option<Undoing>,
    writer: &dyn ServiceWriter,
) -> EditStep {
    let error = match edit::dry_run(&plan, writer).await {
        Ok(preview) => {
            return EditStep::Ready {
                plan,
                preview: Arc::new(preview),
            };
        }
        Err(error) => error,
    };
    let is_address = |field: &edit::FieldError| field.field.starts_with("spec.clusterIP");
    if let Some(mut undoing) = undoing
        && error.fields().iter().any(is_address)
        && give_up_address(&mut undoing.wish)
    {
        let service = plan.service.clone();
        return match planned(&service, undoing.wish, &undoing.inventory, writer).await {
            Ok(mut plan) => {
                plan.notes.extend(undoing.losses);
                plan.notes.push(
                    format!("its clusterIP can't come back ({error}); another is allocated").into(),
                );
                Box::pin(try_out(Arc::new(plan), None, writer)).await
            }
            Err(step) => step,
        };
    }
    not_written(&error)
}

/// Asks for no particular address any more; says whether one was asked for.
fn give_up_address(wish: &mut Wish) -> bool {
    match wish {
        Wish::Change(wanted) => wanted.cluster_ips.take().is_some(),
        Wish::Create(object) => {
            let Some(spec) = object.get_mut("spec").and_then(|spec| spec.as_object_mut()) else {
                return false;
            };
            spec.shift_remove("clusterIPs");
            spec.shift_remove("clusterIP").is_some()
        }
        Wish::Delete => false,
    }
}

/// Why there is no plan.
pub(super) fn unplanned(error: &PlanError) -> EditStep {
    EditStep::Failed {
        reason: Text::from(error.to_string()),
        fields: error.fields().to_vec(),
        ways: error.ways().to_vec(),
        conflict: None,
    }
}

/// Why a plan was not carried out.
pub(super) fn not_written(error: &EditError) -> EditStep {
    EditStep::Failed {
        reason: Text::from(error.to_string()),
        fields: error.fields().to_vec(),
        ways: Vec::new(),
        conflict: error.conflict().cloned(),
    }
}

/// Nothing was done, for a reason that needs no more words.
pub(super) fn failed(reason: impl ToString) -> EditStep {
    EditStep::Failed {
        reason: Text::from(reason.to_string()),
        fields: Vec::new(),
        ways: Vec::new(),
        conflict: None,
    }
}
