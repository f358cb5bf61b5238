//! Telling of Services that break or heal.

use super::Worker;
use crate::{
    engine::{ActivityLevel, event::Event},
    inventory::ObjectKey,
    session::SettingsChange,
};

impl Worker {
    /// Gives a Service a bell, or takes it away.
    pub(super) fn bell(&mut self, service: &ObjectKey, on: bool) {
        let Some(context) = self.scene.context.clone() else {
            return;
        };
        self.memory.change(SettingsChange::Bell {
            context: context.to_string(),
            service: service.to_string(),
            on,
        });
        self.bells.set(service, on);
        // How it stands now is where it can go from.
        self.ring();
    }

    /// Tells of those that broke or healed: in the list of activities, and on the desktop without
    /// waiting for it.
    pub(super) fn ring(&mut self) {
        let rings = self
            .bells
            .follow(self.model.inventory(), self.model.reports());
        for ring in rings {
            let level = if ring.broke {
                ActivityLevel::Warning
            } else {
                ActivityLevel::Info
            };
            let words = if ring.body.is_empty() {
                ring.title.clone()
            } else {
                format!("{}: {}", ring.title, ring.body)
            };
            self.activity.add(level, words);
            self.dirty = true;
            let (notifier, events) = (self.config.notifier.clone(), self.events.clone());
            tokio::task::spawn_blocking(move || {
                if let Err(reason) = notifier.show(&ring.title, &ring.body) {
                    events.send(Event::Said(Err(reason))).ok();
                }
            });
        }
    }
}
