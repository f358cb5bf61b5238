//! What the window gave: a new frame of the same map, a map that changed, or another one.

use std::sync::Arc;

use egui::{Rect, Ui};

use super::{
    CanvasInput, MapCanvas,
    camera_controller::CameraController,
    changes::{self, ComponentMatching, MapChanges},
    drag::DragState,
    layout_animation::LayoutAnimation,
    visible,
};
use svcscope_engine::Scene;

impl MapCanvas {
    /// Brings the stage up to date with what the window gave.
    pub(super) fn update_from_input(&mut self, ui: &Ui, rect: Rect, input: &CanvasInput<'_>) {
        let scene = input.scene;
        let current = self
            .drawn_layout
            .as_ref()
            .is_some_and(|(revision, layout)| {
                *revision == scene.map_revision && Arc::ptr_eq(layout, &scene.layout)
            });
        if !current {
            self.update_scene(ui, scene);
        }
        let mut frame = self.frame.borrow_mut();
        if !current || frame.scene.revision != scene.revision {
            frame.scene = scene.clone();
        }
        frame.canvas_rect = rect;
        frame.ctx = ui.ctx().clone();
        if !current || frame.stale != input.stale {
            frame.row_contents.get_mut().clear();
        }
        frame.stale = input.stale;
        frame.now = input.now;
        if frame.selection.as_ref() != input.selection {
            frame.selection = input.selection.cloned();
            frame.selected_ref = input.selection.and_then(|id| scene.layout.find(id));
        }
        let new_colors = frame.set_tokens(input.tokens);
        if frame.text.get_mut().begin(ui.ctx()) || new_colors {
            self.repaint_count += 1;
        }
    }

    /// Follows a map that is not the one that is drawn.
    fn update_scene(&mut self, ui: &Ui, scene: &Scene) {
        let mut guard = self.frame.borrow_mut();
        let frame = &mut *guard;
        let now = ui.input(|input| input.time);
        self.repaint_count += 1;
        let last = self
            .drawn_layout
            .replace((scene.map_revision, scene.layout.clone()))
            .map(|(_, layout)| layout);
        let before = frame.render_model.update(scene);
        let Some(last) = last else {
            return;
        };
        if scene.context != frame.scene.context {
            // Another cluster: nothing of what was done to the last one's map is meant for it.
            self.drag = DragState::default();
            self.layout_animation = LayoutAnimation::default();
            self.camera_controller = CameraController::default();
            self.change_indicators.clear();
            self.highlight_reason = None;
            frame.clear_node_refs();
            return;
        }
        let pairs = ComponentMatching::new(&last, &scene.layout);
        if !Arc::ptr_eq(&last, &scene.layout) {
            if ui.style().animation_time > 0.0 {
                self.layout_animation.follow(
                    &last,
                    &frame.component_offsets,
                    &scene.layout,
                    &pairs,
                    now,
                );
            } else {
                // The user wants things to be still.
                self.layout_animation = LayoutAnimation::default();
            }
            self.change_indicators.follow(&scene.layout, &pairs);
            self.drag.follow(&scene.layout);
            self.highlight_reason = None;
            frame.clear_node_refs();
        }
        if scene.map_view != frame.scene.map_view {
            // What a filter shows or hides did not change in the cluster.
            self.change_indicators.clear();
            let around = |scene: &Scene| scene.map_view.filter.neighbourhood.clone();
            let another = around(scene).is_some() && around(scene) != around(&frame.scene);
            if another || !visible::shows_something(frame, &scene.layout) {
                self.camera_controller.fit_all();
            }
        } else if changes::has_complete_lists(&frame.scene)
            && changes::has_complete_lists(scene)
            && !pairs.is_all_new()
        {
            let changes =
                MapChanges::between(&last, &before, &scene.layout, &frame.render_model, &pairs);
            self.change_indicators.add(changes, now);
        }
    }
}
