//! What a person wants of the map, remembered for the context.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Worker;
use crate::{
    engine::MapView,
    inventory::ObjectKey,
    layout::{Grouping, Point},
    session::SettingsChange,
};

impl Worker {
    pub(super) fn set_map_view(&mut self, view: MapView) {
        let grouping = view.grouping;
        if !self.model.set_view(view) {
            return;
        }
        self.scene.map_revision += 1;
        if let Some(context) = &self.scene.context {
            self.memory.group_by(context, grouping);
        }
    }

    pub(super) fn tidy_up(&mut self, aspect: f32) {
        self.model.tidy_up(aspect);
        if let Some(context) = self.remembers_pins() {
            self.memory.change(SettingsChange::ForgetPlaces(context));
        }
    }

    pub(super) fn undo_tidy_up(&mut self) {
        let put_back = self.model.untidy();
        if let Some(context) = self.remembers_pins() {
            for (service, at) in put_back {
                self.memory.pin(&context, &[], &service, Some(at));
            }
        }
    }

    pub(super) fn pin(&mut self, service: &ObjectKey, at: Option<Point>) {
        if at.is_some_and(|at| !at.x.is_finite() || !at.y.is_finite()) {
            return;
        }
        let forgotten = self.model.pin(service, at);
        if let Some(context) = self.remembers_pins() {
            self.memory.pin(&context, &forgotten, service, at);
        }
    }

    /// Shows a cluster as a person left it; a filter is kept while it is the same one.
    pub(super) fn recall_map(&mut self, context: &str) {
        let same = self.mapped.as_deref() == Some(context);
        let filter = if same {
            self.model.view().filter.clone()
        } else {
            Default::default()
        };
        self.mapped = Some(context.to_owned());
        let (grouping, pins) = self.memory.map_of(context);
        let view = MapView { filter, grouping };
        self.model.recall(view, Arc::new(pins));
        self.recall_checks(context);
    }

    /// What is not to be told in a context, and what is to be told at once.
    pub(super) fn recall_checks(&mut self, context: &str) {
        let suppressions = self.memory.suppressions(context);
        self.model.suppress(suppressions, Timestamp::now());
        self.bells.recall(self.memory.bells(context));
    }

    /// Suppresses a check, or hears of it again.
    pub(super) fn suppress(&mut self, rule: &str, service: Option<&ObjectKey>, suppressed: bool) {
        let Some(context) = self.scene.context.clone() else {
            return;
        };
        self.memory.change(SettingsChange::Suppress {
            rule: rule.to_owned(),
            service: service.map(|service| (context.to_string(), service.to_string())),
            suppressed,
        });
        let suppressions = self.memory.suppressions(&context);
        if self.model.suppress(suppressions, Timestamp::now()) {
            self.scene.map_revision += 1;
        }
    }

    /// When a layout that was put off may be made.
    pub(super) fn layout_due(&self) -> Option<Instant> {
        let due = self.model.layout_due();
        due.filter(|_| !self.config.without_layout)
            .map(Instant::from_std)
    }

    /// The context for which places are remembered; other groupings last as long as the window.
    fn remembers_pins(&self) -> Option<String> {
        let context = self.scene.context.as_ref()?;
        (self.model.view().grouping == Grouping::Namespace).then(|| context.to_string())
    }
}
