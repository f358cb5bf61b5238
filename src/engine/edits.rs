//! Changes of Services on their way from a wish to what the server made of it.

use std::sync::Arc;

use super::{EditId, EditStatus, EditStep};
use crate::{
    edit::{self, EditError, Plan, ServiceWriter},
    inventory::{ObjectKey, Text},
};

/// Edits that were not discarded.
#[derive(Default)]
pub(super) struct Edits {
    entries: Vec<EditStatus>,
}

impl Edits {
    /// Sets how an edit stands, whether it is new or known.
    pub(super) fn set(&mut self, id: EditId, service: ObjectKey, step: EditStep) {
        match self.entries.iter_mut().find(|entry| entry.id == id) {
            Some(entry) => entry.step = step,
            None => self.entries.push(EditStatus { id, service, step }),
        }
    }

    /// Moves a known edit on; one that was discarded meanwhile is not brought back.
    pub(super) fn advance(&mut self, id: EditId, step: EditStep) -> Option<&EditStatus> {
        let entry = self.entries.iter_mut().find(|entry| entry.id == id)?;
        entry.step = step;
        Some(entry)
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

/// Asks the server what it would make of a plan.
pub(super) async fn try_out(plan: Arc<Plan>, writer: &dyn ServiceWriter) -> EditStep {
    match edit::dry_run(&plan, writer).await {
        Ok(preview) => EditStep::Ready {
            plan,
            preview: Arc::new(preview),
        },
        Err(error) => failed(&error),
    }
}

/// Writes a plan and reads back what became of it.
pub(super) async fn carry_out(plan: &Plan, writer: &dyn ServiceWriter) -> EditStep {
    match edit::apply(plan, writer).await {
        Ok(outcome) => EditStep::Applied(Arc::new(outcome)),
        Err(error) => failed(&error),
    }
}

fn failed(error: &EditError) -> EditStep {
    EditStep::Failed {
        reason: Text::from(error.to_string()),
        fields: error.fields().to_vec(),
    }
}
