//! What a person asks for.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::Worker;
use crate::{
    edit::{self, TypeChange},
    engine::{ActivityLevel, EditId, EditStep, edits, event::Event},
    inventory::{ObjectKey, Text},
    probe::{self, CurlRequest, RequestId},
};

impl Worker {
    pub(super) fn inspect(&mut self, service: Option<ObjectKey>) {
        if self.inspected == service {
            return;
        }
        self.inspected = service;
        self.scene.yaml = None;
        self.load_yaml();
    }

    pub(super) fn load_yaml(&self) {
        let (Some(session), Some(service)) = (&self.session, self.inspected.clone()) else {
            return;
        };
        let (generation, events) = (self.generation, self.events.clone());
        let cluster = session.cluster.clone();
        tokio::spawn(async move {
            let text = match cluster.service_yaml(&service).await {
                Ok(yaml) => Ok(Text::from(yaml)),
                Err(error) => Err(Text::from(error.to_string())),
            };
            events
                .send(Event::Yaml {
                    generation,
                    service,
                    text,
                })
                .ok();
        });
    }

    pub(super) fn curl(&mut self, id: RequestId, request: CurlRequest) {
        let safe = ["GET", "HEAD", "OPTIONS"].contains(&request.method.as_str());
        let refusal = if self.scene.read_only && !safe {
            Some(Text::from(format!(
                "read-only: a {} request could change something, so it was not sent",
                request.method
            )))
        } else if self.session.is_none() {
            Some(Text::from(
                "not connected to a cluster, so nothing was sent",
            ))
        } else {
            None
        };
        let job = match (&refusal, &self.session) {
            (None, Some(session)) => {
                let (feed, dialer) = (self.feed.subscribe(), session.dialer());
                let (request, events) = (request.clone(), self.events.clone());
                Some(AbortOnDropHandle::new(tokio::spawn(async move {
                    let outcome = match probe::curl(&request, feed, dialer).await {
                        Ok(response) => Ok(Arc::new(response)),
                        Err(error) => Err(Text::from(error.to_string())),
                    };
                    events.send(Event::Curl { id, outcome }).ok();
                })))
            }
            _ => None,
        };
        self.requests.start(id, request, job);
        if let Some(reason) = refusal {
            self.requests.finish(id, Err(reason));
        }
    }

    pub(super) fn plan_edit(&mut self, id: EditId, service: ObjectKey, change: TypeChange) {
        let planned = match self.model.inventory().service(&service) {
            None => Err(format!("there is no Service {service} any more")),
            Some(record) => edit::plan(record.clone(), change).map_err(|error| error.to_string()),
        };
        let (plan, writer) = match (planned, &self.session) {
            (Ok(plan), Some(session)) => (Arc::new(plan), session.cluster.writer()),
            (Ok(_), None) => return self.refuse_edit(id, service, "not connected to a cluster"),
            (Err(reason), _) => return self.refuse_edit(id, service, &reason),
        };
        self.edits
            .set(id, service, EditStep::Trying { plan: plan.clone() });
        let events = self.events.clone();
        tokio::spawn(async move {
            let step = edits::try_out(plan, &*writer).await;
            events.send(Event::Edit { id, step }).ok();
        });
    }

    pub(super) fn apply_edit(&mut self, id: EditId) {
        let Some((service, plan)) = self.edits.ready(id) else {
            return;
        };
        if self.scene.read_only {
            return self.refuse_edit(id, service, "read-only: nothing was written");
        }
        let Some(session) = &self.session else {
            return self.refuse_edit(id, service, "not connected to a cluster");
        };
        let (writer, events) = (session.cluster.writer(), self.events.clone());
        self.edits
            .set(id, service, EditStep::Applying { plan: plan.clone() });
        // Not tied to the session: a write that was sent is followed to its end.
        tokio::spawn(async move {
            let step = edits::carry_out(&plan, &*writer).await;
            events.send(Event::Edit { id, step }).ok();
        });
    }

    pub(super) fn refuse_edit(&mut self, id: EditId, service: ObjectKey, reason: &str) {
        let step = EditStep::Failed {
            reason: Text::from(reason),
            fields: Vec::new(),
        };
        self.edits.set(id, service, step);
    }

    pub(super) fn edit_advanced(&mut self, id: EditId, step: EditStep) {
        let words = match &step {
            EditStep::Applied(outcome) => Some((
                ActivityLevel::Info,
                format!(
                    "Service {} was {}, now is {}",
                    outcome.after.key,
                    outcome.before.type_word(),
                    outcome.after.type_word()
                ),
            )),
            EditStep::Failed { reason, .. } => Some((ActivityLevel::Error, reason.to_string())),
            _ => None,
        };
        if let (Some(_), Some((level, words))) = (self.edits.advance(id, step), words) {
            self.activity.add(level, words);
        }
    }
}
