//! Telling of Services that break or heal.

use super::EngineWorker;
use crate::{ActivityLevel, event::WorkerEvent, settings::SettingsChange};
use svcscope_model::inventory::ObjectKey;

impl EngineWorker {
    /// Gives a Service a bell, or takes it away.
    pub(super) fn set_health_alert(&mut self, service: &ObjectKey, on: bool) {
        let Some(context) = self.scene.context.clone() else {
            return;
        };
        self.settings_store.change(SettingsChange::SetHealthAlert {
            context: context.to_string(),
            service: service.to_string(),
            enabled: on,
        });
        self.alerts.set(service, on);
        // How it stands now is where it can go from.
        self.send_health_alerts();
    }

    /// Tells of those that broke or healed: in the list of activities, and on the desktop without
    /// waiting for it.
    pub(super) fn send_health_alerts(&mut self) {
        let rings = self
            .alerts
            .detect_changes(self.model.inventory(), self.model.reports());
        for ring in rings {
            let level = if ring.is_broken {
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
            self.schedule.is_requested = true;
            let (notifier, events) = (self.config.notifier.clone(), self.events.clone());
            tokio::task::spawn_blocking(move || {
                if let Err(reason) = notifier.show(&ring.title, &ring.body) {
                    events
                        .send(WorkerEvent::BackgroundJobFinished(Err(reason)))
                        .ok();
                }
            });
        }
    }
}
