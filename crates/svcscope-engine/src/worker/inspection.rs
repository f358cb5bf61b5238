//! What the user asks for.

use super::EngineWorker;
use crate::event::ClusterEvent;
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
            (&self.session.watched, self.inspected_service.clone())
        else {
            return;
        };
        let events = self.cluster_events();
        let cluster = session.cluster.clone();
        tokio::spawn(async move {
            let text = match cluster.service_yaml(&service).await {
                Ok(yaml) => Ok(SharedStr::from(yaml)),
                Err(error) => Err(SharedStr::from(error.to_string())),
            };
            events.send(ClusterEvent::ServiceYamlRead { service, text });
        });
    }
}
