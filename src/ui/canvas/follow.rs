//! What the window gave: a new frame of the same map, a map that changed, or another one.

use std::sync::Arc;

use egui::{Rect, Ui};

use super::{
    Canvas, CanvasInput,
    changes::{self, Changes, Pairs},
    hold::Hold,
    motion::Motion,
    view::View,
    visible,
};
use crate::engine::Scene;

impl Canvas {
    /// Brings the stage up to date with what the window gave.
    pub(super) fn take_in(&mut self, ui: &Ui, rect: Rect, input: &CanvasInput<'_>) {
        let scene = input.scene;
        let current = self.drawn.as_ref().is_some_and(|(revision, layout)| {
            *revision == scene.map_revision && Arc::ptr_eq(layout, &scene.layout)
        });
        if !current {
            self.follow(ui, scene);
        }
        let mut stage = self.stage.borrow_mut();
        if !current || stage.scene.revision != scene.revision {
            stage.scene = scene.clone();
        }
        stage.view = rect;
        stage.ctx = ui.ctx().clone();
        if !current || stage.stale != input.stale {
            stage.said.get_mut().clear();
        }
        stage.stale = input.stale;
        stage.now = input.now;
        if stage.selection.as_ref() != input.selection {
            stage.selection = input.selection.cloned();
            stage.selected_at = input.selection.and_then(|id| scene.layout.find(id));
        }
        let new_colors = stage.set_tokens(input.tokens);
        if stage.text.get_mut().begin(ui.ctx()) || new_colors {
            self.epoch += 1;
        }
    }

    /// Follows a map that is not the one that is drawn.
    fn follow(&mut self, ui: &Ui, scene: &Scene) {
        let mut guard = self.stage.borrow_mut();
        let stage = &mut *guard;
        let now = ui.input(|input| input.time);
        self.epoch += 1;
        let last = self
            .drawn
            .replace((scene.map_revision, scene.layout.clone()))
            .map(|(_, layout)| layout);
        let before = stage.facts.update(scene);
        let Some(last) = last else {
            return;
        };
        if scene.context != stage.scene.context {
            // Another cluster: nothing of what was done to the last one's map is meant for it.
            self.hold = Hold::default();
            self.motion = Motion::default();
            self.view = View::default();
            self.pulses.clear();
            self.lit_through = None;
            stage.forget_places();
            return;
        }
        let pairs = Pairs::new(&last, &scene.layout);
        if !Arc::ptr_eq(&last, &scene.layout) {
            if ui.style().animation_time > 0.0 {
                self.motion
                    .follow(&last, &stage.shifts, &scene.layout, &pairs, now);
            } else {
                // A person wants things to be still.
                self.motion = Motion::default();
            }
            self.pulses.follow(&scene.layout, &pairs);
            self.hold.follow(&scene.layout);
            self.lit_through = None;
            stage.forget_places();
        }
        if scene.map_view != stage.scene.map_view {
            // What a filter shows or hides did not change in the cluster.
            self.pulses.clear();
            let around = |scene: &Scene| scene.map_view.filter.neighbourhood.clone();
            let another = around(scene).is_some() && around(scene) != around(&stage.scene);
            if another || !visible::shows_something(stage, &scene.layout) {
                self.view.fit_all();
            }
        } else if changes::is_settled(&stage.scene)
            && changes::is_settled(scene)
            && !pairs.is_all_new()
        {
            let changes = Changes::between(&last, &before, &scene.layout, &stage.facts, &pairs);
            self.pulses.add(changes, now);
        }
    }
}
