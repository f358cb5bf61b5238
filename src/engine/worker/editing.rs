//! Changes of Services that a person asks for.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;

use super::{
    Worker,
    node_ports::{NodePortReader, asks_for_node_ports},
};
use crate::{
    cluster::Cluster,
    edit::{self, Exposure, Outcome, Plan, Wish, Workload},
    engine::{
        ActivityLevel, EditId, EditStep,
        edits::{self, Undoing},
        event::{Event, Written},
        session,
    },
    inventory::{Inventory, Kind, ObjectKey, Text},
    session::write_new_private,
};

impl Worker {
    pub(super) fn plan_edit(&mut self, id: EditId, service: ObjectKey, wish: Wish) {
        let Some((cluster, mut inventory)) = self.editable(id, &service) else {
            return;
        };
        let events = self.events.clone();
        let reader = self.node_port_reader(&cluster);
        tokio::spawn(async move {
            if asks_for_node_ports(&wish) {
                reader.read_into(&mut inventory).await;
            }
            let writer = cluster.writer();
            let planned = edits::planned(&service, wish, &inventory, &*writer).await;
            let tried = |step| events.send(Event::Edit { id, step }).is_ok();
            try_out(planned, &cluster, None, tried).await;
        });
    }

    pub(super) fn plan_expose(
        &mut self,
        id: EditId,
        kind: Text,
        key: ObjectKey,
        exposure: Exposure,
    ) {
        let Some((cluster, mut inventory)) = self.editable(id, &key) else {
            return;
        };
        let events = self.events.clone();
        let reader = self.node_port_reader(&cluster);
        tokio::spawn(async move {
            let planned = async {
                let workload = workload(&cluster, &inventory, &kind, key).await?;
                let object = edit::expose(&workload, &exposure).map_err(edits::failed)?;
                let wish = Wish::Create(object.clone());
                if asks_for_node_ports(&wish) {
                    reader.read_into(&mut inventory).await;
                }
                edit::plan_creation(object, &inventory).map_err(|error| edits::unplanned(&error))
            };
            let planned = planned.await;
            let tried = |step| events.send(Event::Edit { id, step }).is_ok();
            try_out(planned, &cluster, None, tried).await;
        });
    }

    pub(super) fn plan_duplicate(&mut self, id: EditId, service: ObjectKey, name: Text) {
        let Some((cluster, inventory)) = self.editable(id, &service) else {
            return;
        };
        let events = self.events.clone();
        tokio::spawn(async move {
            let planned = async {
                let read = cluster.writer().read(&service).await;
                let object = edit::duplicate(&read.map_err(edits::failed)?.object, &name);
                edit::plan_creation(object, &inventory).map_err(|error| edits::unplanned(&error))
            };
            let planned = planned.await;
            let tried = |step| events.send(Event::Edit { id, step }).is_ok();
            try_out(planned, &cluster, None, tried).await;
        });
    }

    pub(super) fn undo_edit(&mut self, id: EditId, number: u64) {
        let entry = self.journal.entry(number).cloned();
        let service = entry
            .as_ref()
            .map_or_else(|| ObjectKey::new("", ""), |entry| entry.service.clone());
        let outcome = match entry {
            Some(entry) if Some(&entry.context) != self.scene.context.as_ref() => {
                let reason = format!(
                    "that was done in context {}: go there to take it back",
                    entry.context
                );
                return self.refuse_edit(id, service, &reason);
            }
            Some(entry) => entry.applied.clone(),
            None => None,
        };
        let Some(outcome) = outcome else {
            return self.refuse_edit(id, service, "nothing was done that could be taken back");
        };
        let Some((cluster, inventory)) = self.editable(id, &service) else {
            return;
        };
        let events = self.events.clone();
        tokio::spawn(async move {
            let writer = cluster.writer();
            let (wish, losses) = edit::undo(&outcome, &inventory);
            let undoing = Undoing {
                wish: wish.clone(),
                losses,
                inventory,
            };
            let planned = edits::planned(&service, wish, &undoing.inventory, &*writer).await;
            let tried = |step| events.send(Event::Edit { id, step }).is_ok();
            try_out(planned, &cluster, Some(undoing), tried).await;
        });
    }

    /// What a plan is made with, or nothing where it is refused.
    fn editable(&mut self, id: EditId, service: &ObjectKey) -> Option<(Cluster, Inventory)> {
        let Some(session) = &self.session else {
            self.refuse_edit(id, service.clone(), "not connected to a cluster");
            return None;
        };
        let cluster = session.cluster.clone();
        self.edits.set(id, service.clone(), EditStep::Planning);
        Some((cluster, self.model.inventory().clone()))
    }

    pub(super) fn node_port_reader(&self, cluster: &Cluster) -> NodePortReader {
        NodePortReader {
            cluster: cluster.clone(),
            generation: self.generation,
            events: self.events.clone(),
        }
    }

    /// In a production context the user must have typed the Service's name.
    pub(super) fn apply_edit(&mut self, id: EditId, typed: Option<&str>) {
        let Some((service, plan)) = self.edits.ready(id) else {
            return;
        };
        // An entry that was made a moment ago counts.
        let now = self.protected_now();
        if let Some(why) = now.read_only {
            let said = format!("{why}; nothing was written");
            return self.refuse_edit(id, service, &said);
        }
        if typed.map_or(now.production, |typed| *typed != *service.name) {
            let said = "this context is marked as production and the Service's name was not \
                        typed, so nothing was written";
            return self.refuse_edit(id, service, said);
        }
        let Some(session) = &self.session else {
            return self.refuse_edit(id, service, "not connected to a cluster");
        };
        let (writer, events) = (session.cluster.writer(), self.events.clone());
        let context = self.scene.context.clone().unwrap_or_default();
        self.edits
            .set(id, service, EditStep::Applying { plan: plan.clone() });
        // Not tied to the session: a write that was sent is followed to its end.
        tokio::spawn(async move {
            let mut log = Vec::new();
            let result = edit::apply(&plan, &*writer, &mut log).await;
            let written = Written {
                id,
                context,
                plan,
                log,
                result: result.map(Arc::new),
            };
            events.send(Event::Written(Box::new(written))).ok();
        });
    }

    fn refuse_edit(&mut self, id: EditId, service: ObjectKey, reason: &str) {
        self.edits.set(id, service, edits::failed(reason));
    }

    pub(super) fn edit_advanced(&mut self, id: EditId, step: EditStep) {
        let reason = match &step {
            // A choice between ways is a question and no failure.
            EditStep::Failed { reason, ways, .. } if ways.is_empty() => Some(reason.clone()),
            _ => None,
        };
        if let (true, Some(reason)) = (self.edits.advance(id, step), reason) {
            self.activity.add(ActivityLevel::Error, reason);
        }
    }

    /// What was written is noted and told also where the edit was discarded meanwhile.
    pub(super) fn edit_written(&mut self, written: Written) {
        let Written {
            id,
            context,
            plan,
            log,
            result,
        } = written;
        let noted = result.as_ref().map(Arc::clone);
        let number = self
            .journal
            .note(Timestamp::now(), context, &plan, log, noted);
        let step = match result {
            Ok(outcome) => {
                self.activity.add(ActivityLevel::Info, said(&outcome));
                EditStep::Applied(outcome)
            }
            Err(error) => {
                self.learn_node_ports(&error.to_string());
                self.activity.add(ActivityLevel::Error, error.to_string());
                edits::not_written(&error)
            }
        };
        self.edits.advance(id, step);
        self.edits.journalled(id, number);
    }

    pub(super) fn export_journal(&mut self, path: PathBuf) {
        let json = self.journal.to_json();
        let (count, events) = (self.journal.entries().len(), self.events.clone());
        tokio::task::spawn_blocking(move || {
            let written = json.map_err(|error| error.to_string()).and_then(|json| {
                let written = write_new_private(&path, json.as_bytes());
                written.map_err(|error| error.to_string())
            });
            let said = match written {
                Ok(()) => Ok(format!("{count} writes are in {}", path.display())),
                Err(error) => Err(format!("could not write the journal: {error}")),
            };
            events.send(Event::Said(said)).ok();
        });
    }
}

fn said(outcome: &Outcome) -> String {
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

/// Asks whether the person may do it, then has the server try it.
async fn try_out(
    planned: Result<Plan, EditStep>,
    cluster: &Cluster,
    undoing: Option<Undoing>,
    told: impl Fn(EditStep) -> bool,
) {
    let step = match planned {
        Err(step) => step,
        Ok(mut plan) => {
            if let Some(undoing) = &undoing {
                plan.notes.extend(undoing.losses.iter().cloned());
            }
            match session::may_edit(cluster, &plan).await {
                Err(reason) => edits::failed(&*reason),
                Ok(()) => {
                    let plan = Arc::new(plan);
                    told(EditStep::Trying { plan: plan.clone() });
                    edits::try_out(plan, undoing, &*cluster.writer()).await
                }
            }
        }
    };
    told(step);
}

async fn workload(
    cluster: &Cluster,
    inventory: &Inventory,
    kind: &str,
    key: ObjectKey,
) -> Result<Workload, EditStep> {
    let kind = Workload::kind_of(kind).map_err(edits::failed)?;
    if kind == "Pod" {
        return match inventory.pod(&key) {
            Some(pod) => Ok(Workload::of_pod(pod)),
            None => Err(edits::failed(
                inventory
                    .unseen(Kind::Pod, &key.namespace)
                    .unwrap_or_else(|| format!("there is no pod {key}")),
            )),
        };
    }
    let object = cluster.workload(kind, &key).await.map_err(edits::failed)?;
    Workload::read(kind, key, &object).map_err(edits::failed)
}
