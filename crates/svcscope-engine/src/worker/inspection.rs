//! What the user asks for.

use super::EngineWorker;
use crate::event::WorkerEvent;
use svcscope_model::inventory::{ObjectKey, SharedStr};

impl EngineWorker {
    pub(super) fn inspect(&mut self, service: Option<ObjectKey>) {
        if self.inspected_service == service {
            return;
        }
        self.inspected_service = service;
        self.scene.yaml = None;
        self.load_yaml();
    }

    pub(super) fn load_yaml(&self) {
        let (Some(session), Some(service)) =
            (&self.watched_cluster, self.inspected_service.clone())
        else {
            return;
        };
        let (generation, events) = (self.generation, self.events.clone());
        let cluster = session.cluster.clone();
        tokio::spawn(async move {
            let text = match cluster.service_yaml(&service).await {
                Ok(yaml) => Ok(SharedStr::from(yaml)),
                Err(error) => Err(SharedStr::from(error.to_string())),
            };
            events
                .send(WorkerEvent::ServiceYamlRead {
                    generation,
                    service,
                    text,
                })
                .ok();
        });
    }
}
