//! What a person asks for.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::Worker;
use crate::{
    engine::event::Event,
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
}
