//! Changes of Services that the user asks for.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;

use super::{
    EngineWorker,
    node_ports::{NodePortReader, may_request_node_ports},
};
use crate::{
    ActivityLevel, EditId, EditState,
    edits::{self, UndoRequest},
    event::{AppliedEdit, WorkerEvent},
    settings::write_new_private,
    watched_cluster,
};
use svcscope_cluster::ClusterClient;
use svcscope_edit::{
    self as edit, ChangeOutcome, ChangePlan, ExposableWorkload, ExposeOptions, RequestedChange,
};
use svcscope_model::inventory::{Inventory, ObjectKey, ResourceKind, SharedStr};

impl EngineWorker {
    pub(super) fn plan_edit(&mut self, id: EditId, service: ObjectKey, requested: RequestedChange) {
        let Some((cluster, mut inventory)) = self.edit_prerequisites(id, &service) else {
            return;
        };
        let events = self.events.clone();
        let reader = self.node_port_reader(&cluster);
        tokio::spawn(async move {
            if may_request_node_ports(&requested) {
                reader.read_into(&mut inventory).await;
            }
            let writer = cluster.writer();
            let planned =
                edits::plan_change_request(&service, requested, &inventory, &*writer).await;
            let tried = |step| {
                events
                    .send(WorkerEvent::EditProgressed { id, step })
                    .is_ok()
            };
            review_and_dry_run(planned, &cluster, None, tried).await;
        });
    }

    pub(super) fn plan_expose(
        &mut self,
        id: EditId,
        kind: SharedStr,
        key: ObjectKey,
        exposure: ExposeOptions,
    ) {
        let Some((cluster, mut inventory)) = self.edit_prerequisites(id, &key) else {
            return;
        };
        let events = self.events.clone();
        let reader = self.node_port_reader(&cluster);
        tokio::spawn(async move {
            let planned = async {
                let workload = read_workload(&cluster, &inventory, &kind, key).await?;
                let object = edit::expose(&workload, &exposure).map_err(edits::failed)?;
                let requested = RequestedChange::Create(object.clone());
                if may_request_node_ports(&requested) {
                    reader.read_into(&mut inventory).await;
                }
                edit::plan_creation(object, &inventory).map_err(|error| edits::plan_failed(&error))
            };
            let planned = planned.await;
            let tried = |step| {
                events
                    .send(WorkerEvent::EditProgressed { id, step })
                    .is_ok()
            };
            review_and_dry_run(planned, &cluster, None, tried).await;
        });
    }

    pub(super) fn plan_duplicate(&mut self, id: EditId, service: ObjectKey, name: SharedStr) {
        let Some((cluster, inventory)) = self.edit_prerequisites(id, &service) else {
            return;
        };
        let events = self.events.clone();
        tokio::spawn(async move {
            let planned = async {
                let read = cluster.writer().read(&service).await;
                let object = edit::duplicate_manifest(&read.map_err(edits::failed)?.object, &name);
                edit::plan_creation(object, &inventory).map_err(|error| edits::plan_failed(&error))
            };
            let planned = planned.await;
            let tried = |step| {
                events
                    .send(WorkerEvent::EditProgressed { id, step })
                    .is_ok()
            };
            review_and_dry_run(planned, &cluster, None, tried).await;
        });
    }

    pub(super) fn undo_edit(&mut self, id: EditId, number: u64) {
        let entry = self.audit_log.entry(number).cloned();
        let service = entry
            .as_ref()
            .map_or_else(|| ObjectKey::new("", ""), |entry| entry.service.clone());
        let outcome = match entry {
            Some(entry) if Some(&entry.context) != self.scene.context.as_ref() => {
                let reason = format!(
                    "that change was made in context {}: switch to it to undo",
                    entry.context
                );
                return self.refuse_edit(id, service, &reason);
            }
            Some(entry) => entry.applied.clone(),
            None => None,
        };
        let Some(outcome) = outcome else {
            return self.refuse_edit(id, service, "there is no change to undo");
        };
        let Some((cluster, inventory)) = self.edit_prerequisites(id, &service) else {
            return;
        };
        let events = self.events.clone();
        tokio::spawn(async move {
            let writer = cluster.writer();
            let (requested, losses) = edit::undo_request(&outcome, &inventory);
            let undoing = UndoRequest {
                requested_change: requested.clone(),
                losses,
                inventory,
            };
            let planned =
                edits::plan_change_request(&service, requested, &undoing.inventory, &*writer).await;
            let tried = |step| {
                events
                    .send(WorkerEvent::EditProgressed { id, step })
                    .is_ok()
            };
            review_and_dry_run(planned, &cluster, Some(undoing), tried).await;
        });
    }

    /// What a plan is made with, or nothing where it is refused.
    fn edit_prerequisites(
        &mut self,
        id: EditId,
        service: &ObjectKey,
    ) -> Option<(ClusterClient, Inventory)> {
        let Some(session) = &self.session.watched else {
            self.refuse_edit(id, service.clone(), "not connected to a cluster");
            return None;
        };
        let cluster = session.cluster.clone();
        self.edits.set(id, service.clone(), EditState::Planning);
        Some((cluster, self.model.inventory().clone()))
    }

    pub(super) fn node_port_reader(&self, cluster: &ClusterClient) -> NodePortReader {
        NodePortReader {
            cluster: cluster.clone(),
            events: self.cluster_events(),
        }
    }

    /// In a production context the user must have typed the Service's name.
    pub(super) fn apply_edit(&mut self, id: EditId, typed: Option<&str>) {
        let Some((service, plan)) = self.edits.ready_plan(id) else {
            return;
        };
        // An entry that was made a moment ago counts.
        let now = self.refresh_protection();
        if let Some(why) = now.read_only {
            let said = format!("{why}; nothing was written");
            return self.refuse_edit(id, service, &said);
        }
        if typed.map_or(now.production, |typed| *typed != *service.name) {
            let said = "this context is marked as production and the Service's name was not \
                        typed, so nothing was written";
            return self.refuse_edit(id, service, said);
        }
        let Some(session) = &self.session.watched else {
            return self.refuse_edit(id, service, "not connected to a cluster");
        };
        let (writer, events) = (session.cluster.writer(), self.events.clone());
        let context = self.scene.context.clone().unwrap_or_default();
        self.edits
            .set(id, service, EditState::Applying { plan: plan.clone() });
        // Not tied to the session: a write that was sent is followed to its end.
        tokio::spawn(async move {
            let mut log = Vec::new();
            let result = edit::apply(&plan, &*writer, &mut log).await;
            let written = AppliedEdit {
                id,
                context,
                plan,
                executed_steps: log,
                result: result.map(Arc::new),
            };
            events
                .send(WorkerEvent::EditApplied(Box::new(written)))
                .ok();
        });
    }

    fn refuse_edit(&mut self, id: EditId, service: ObjectKey, reason: &str) {
        self.edits.set(id, service, edits::failed(reason));
    }

    pub(super) fn edit_advanced(&mut self, id: EditId, step: EditState) {
        let reason = match &step {
            // A choice between ways is a question and no failure.
            EditState::Failed {
                reason,
                migration_options: ways,
                ..
            } if ways.is_empty() => Some(reason.clone()),
            _ => None,
        };
        if let (true, Some(reason)) = (self.edits.advance(id, step), reason) {
            self.activity.add(ActivityLevel::Error, reason);
        }
    }

    /// What was written is noted and told also where the edit was discarded meanwhile.
    pub(super) fn edit_written(&mut self, written: AppliedEdit) {
        let AppliedEdit {
            id,
            context,
            plan,
            executed_steps: log,
            result,
        } = written;
        let noted = result.as_ref().map(Arc::clone);
        let number = self
            .audit_log
            .record(Timestamp::now(), context, &plan, log, noted);
        let step = match result {
            Ok(outcome) => {
                self.activity
                    .add(ActivityLevel::Info, outcome_message(&outcome));
                EditState::Applied(outcome)
            }
            Err(error) => {
                self.learn_node_port_range(&error.to_string());
                self.activity.add(ActivityLevel::Error, error.to_string());
                edits::apply_failed(&error)
            }
        };
        self.edits.advance(id, step);
        self.edits.set_audit_number(id, number);
    }

    pub(super) fn export_audit_log(&mut self, path: PathBuf) {
        let json = self.audit_log.to_json();
        let (count, events) = (self.audit_log.entries().len(), self.events.clone());
        tokio::task::spawn_blocking(move || {
            let written = json.map_err(|error| error.to_string()).and_then(|json| {
                let written = write_new_private(&path, json.as_bytes());
                written.map_err(|error| error.to_string())
            });
            let said = match written {
                Ok(()) => Ok(format!("{count} writes are in {}", path.display())),
                Err(error) => Err(format!("could not write the audit log: {error}")),
            };
            events.send(WorkerEvent::BackgroundJobFinished(said)).ok();
        });
    }
}

fn outcome_message(outcome: &ChangeOutcome) -> String {
    match (&outcome.plan.before, &outcome.after) {
        (Some(before), Some(after)) => {
            let (was, is) = (before.record.type_word(), after.record.type_word());
            let key = &after.record.key;
            if was == is {
                format!("Service {key} is changed")
            } else {
                format!("Service {key} was {was}, now is {is}")
            }
        }
        (None, Some(after)) => format!("Service {} is created", after.record.key),
        (_, None) => format!("Service {} is deleted", outcome.plan.service),
    }
}

/// Asks whether the user may do it, then has the server try it.
async fn review_and_dry_run(
    planned: Result<ChangePlan, EditState>,
    cluster: &ClusterClient,
    undoing: Option<UndoRequest>,
    told: impl Fn(EditState) -> bool,
) {
    let step = match planned {
        Err(step) => step,
        Ok(mut plan) => {
            if let Some(undoing) = &undoing {
                plan.notes.extend(undoing.losses.iter().cloned());
            }
            match watched_cluster::may_edit(cluster, &plan).await {
                Err(reason) => edits::failed(&*reason),
                Ok(()) => {
                    let plan = Arc::new(plan);
                    told(EditState::DryRunning { plan: plan.clone() });
                    edits::dry_run_plan(plan, undoing, &*cluster.writer()).await
                }
            }
        }
    };
    told(step);
}

async fn read_workload(
    cluster: &ClusterClient,
    inventory: &Inventory,
    kind: &str,
    key: ObjectKey,
) -> Result<ExposableWorkload, EditState> {
    let kind = ExposableWorkload::kind_of(kind).map_err(edits::failed)?;
    if kind == "Pod" {
        return match inventory.pod(&key) {
            Some(pod) => Ok(ExposableWorkload::of_pod(pod)),
            None => Err(edits::failed(
                inventory
                    .why_unknown(ResourceKind::Pod, &key.namespace)
                    .unwrap_or_else(|| format!("there is no pod {key}")),
            )),
        };
    }
    let object = cluster.workload(kind, &key).await.map_err(edits::failed)?;
    ExposableWorkload::read(kind, key, &object).map_err(edits::failed)
}
