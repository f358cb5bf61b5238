//! What a person asks for.

use super::Worker;
use crate::{
    engine::event::Event,
    inventory::{ObjectKey, Text},
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
}
