//! What the user wants of the map, remembered for the context.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::EngineWorker;
use crate::{MapView, settings::SettingsChange};
use svcscope_model::{
    inventory::ObjectKey,
    layout::{MapPoint, ServiceGrouping},
};

impl EngineWorker {
    pub(super) fn set_map_view(&mut self, view: MapView) {
        let grouping = view.grouping;
        if !self.model.set_view(view) {
            return;
        }
        self.scene.map_revision += 1;
        if let Some(context) = &self.scene.context {
            self.settings_store.set_grouping(context, grouping);
        }
    }

    pub(super) fn reset_layout(&mut self, aspect: f32) {
        self.model.reset_layout(aspect);
        if let Some(context) = self.pin_context() {
            self.settings_store
                .change(SettingsChange::ForgetPins(context));
        }
    }

    pub(super) fn undo_reset_layout(&mut self) {
        let put_back = self.model.undo_reset_layout();
        if let Some(context) = self.pin_context() {
            for (service, at) in put_back {
                self.settings_store.pin(&context, &[], &service, Some(at));
            }
        }
    }

    pub(super) fn pin_service(&mut self, service: &ObjectKey, at: Option<MapPoint>) {
        if at.is_some_and(|at| !at.x.is_finite() || !at.y.is_finite()) {
            return;
        }
        let forgotten = self.model.pin(service, at);
        if let Some(context) = self.pin_context() {
            self.settings_store.pin(&context, &forgotten, service, at);
        }
    }

    /// Shows a cluster as the user left it; a filter is kept while it is the same one.
    pub(super) fn restore_map(&mut self, context: &str) {
        let same = self.map_context.as_deref() == Some(context);
        let filter = if same {
            self.model.view().filter.clone()
        } else {
            Default::default()
        };
        self.map_context = Some(context.to_owned());
        let (grouping, pins) = self.settings_store.map_settings(context);
        let view = MapView { filter, grouping };
        self.model.restore_map(view, Arc::new(pins));
        self.restore_suppressions_and_alerts(context);
    }

    /// What is not to be told in a context, and what is to be told at once.
    pub(super) fn restore_suppressions_and_alerts(&mut self, context: &str) {
        let suppressions = self.settings_store.suppressions(context);
        self.model.suppress(suppressions, Timestamp::now());
        self.alerts
            .restore(self.settings_store.alert_services(context));
    }

    /// Suppresses a check, or hears of it again.
    pub(super) fn suppress_rule(
        &mut self,
        rule: &str,
        service: Option<&ObjectKey>,
        suppressed: bool,
    ) {
        let Some(context) = self.scene.context.clone() else {
            return;
        };
        self.settings_store.change(SettingsChange::SuppressRule {
            rule: rule.to_owned(),
            service: service.map(|service| (context.to_string(), service.to_string())),
            suppressed,
        });
        let suppressions = self.settings_store.suppressions(&context);
        if self.model.suppress(suppressions, Timestamp::now()) {
            self.scene.map_revision += 1;
        }
    }

    /// When a layout that was put off may be made.
    pub(super) fn layout_due(&self) -> Option<Instant> {
        let due = self.model.layout_due();
        due.filter(|_| !self.config.skip_layout)
            .map(Instant::from_std)
    }

    /// The context for which places are remembered; other groupings last as long as the window.
    fn pin_context(&self) -> Option<String> {
        let context = self.scene.context.as_ref()?;
        (self.model.view().grouping == ServiceGrouping::Namespace).then(|| context.to_string())
    }
}
