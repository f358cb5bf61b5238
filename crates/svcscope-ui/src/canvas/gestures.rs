//! What the user's hands do on the canvas: they move the view, a family, or the selection.

use std::{collections::BTreeMap, time::Duration};

use egui::{Id, Key, PointerButton, Pos2, Rect, Response, Ui, Vec2};

use super::{
    CanvasEvent, DetailLevel, MapCanvas, accessibility,
    hit_test::{self, HitTarget},
    input, keyboard_navigation, visible,
};
use svcscope_model::layout::MapLayout;

impl MapCanvas {
    /// Moves the view, or a family, as the user wants.
    pub(super) fn gestures(
        &mut self,
        ui: &Ui,
        id: Id,
        response: Option<&Response>,
        events: &mut Vec<CanvasEvent>,
    ) {
        let (rect, layout) = {
            let frame = self.frame.borrow();
            (frame.canvas_rect, frame.scene.layout.clone())
        };
        self.camera_controller.begin(ui, rect.size(), &layout);
        let over = self.pointer_over(ui, rect);
        if let Some(pointer) = over {
            let gesture = input::wheel(ui);
            self.camera_controller
                .apply_gesture(gesture, (pointer - rect.min).to_pos2());
        }
        if let Some(response) = response {
            self.drag(ui, response, &layout, events);
        }
        self.keys(ui, id, over.is_some(), events);
        self.advance_animations(ui, &layout);
    }

    /// Moves what moves by itself.
    fn advance_animations(&mut self, ui: &Ui, layout: &MapLayout) {
        let now = ui.input(|input| input.time);
        for (family, shift) in self.drag.take_timed_out(layout, now) {
            self.layout_animation.start_glide(family, shift, now);
        }
        if let Some(seconds) = self.drag.seconds_to_timeout(now) {
            let later = Duration::from_secs_f64(seconds);
            ui.ctx().request_repaint_after(later);
        }
        self.layout_animation.advance(now);
        let mut shifts: BTreeMap<usize, Vec2> = self.layout_animation.shifts(now).collect();
        let mut fading = self.layout_animation.fade_in_opacity(now);
        let mut frame = self.frame.borrow_mut();
        // What moves where nobody looks is no reason to draw.
        shifts.retain(|family, shift| visible::is_visible_while_moving(&frame, *family, *shift));
        fading.retain(|family, _| visible::is_visible_while_moving(&frame, *family, Vec2::ZERO));
        if !shifts.is_empty() || !fading.is_empty() {
            ui.ctx().request_repaint();
        }
        shifts.extend(self.drag.shifts(layout));
        if shifts != frame.component_offsets || fading != frame.fade_in_opacity {
            frame.component_offsets = shifts;
            frame.fade_in_opacity = fading;
            self.repaint_count += 1;
        }
        frame.ignore_double_click = now < self.ignore_double_click_until;
    }

    /// The pointer, if it is over the map itself.
    pub(super) fn pointer_over(&self, ui: &Ui, view: Rect) -> Option<Pos2> {
        input::pointer_over(ui, view).filter(|at| {
            !self
                .covered_areas
                .iter()
                .any(|covered| covered.contains(*at))
        })
    }

    fn drag(
        &mut self,
        ui: &Ui,
        response: &Response,
        layout: &MapLayout,
        events: &mut Vec<CanvasEvent>,
    ) {
        if response.drag_started_by(PointerButton::Primary)
            && let Some(origin) = ui.input(|input| input.pointer.press_origin())
        {
            self.start_drag(layout, origin);
        }
        let dragged = input::DRAG_BUTTONS
            .iter()
            .any(|button| response.dragged_by(*button));
        // egui ends every drag at Escape.
        if !dragged && ui.input(|input| input.key_pressed(Key::Escape)) {
            self.cancel_drag(ui, layout);
        }
        if !dragged {
            let now = ui.input(|input| input.time);
            if let Some((service, place)) = self.drag.release(layout, now) {
                events.push(CanvasEvent::Pin(service, place));
            }
            return;
        }
        let delta = response.drag_delta();
        if self.drag.is_dragging() {
            self.drag
                .move_by(delta / self.camera_controller.camera().zoom);
        } else {
            self.camera_controller.pan(delta);
        }
    }

    /// Takes the family at a point of the screen into the hand. From further away the user means
    /// the map, not a family of a few points.
    fn start_drag(&mut self, layout: &MapLayout, at: Pos2) {
        let frame = self.frame.borrow();
        let found = hit_test::node(&frame, frame.to_map(at))
            .filter(|_| frame.detail_level() == DetailLevel::Full)
            .and_then(|at| Some((at, frame.component_area(at.component)?.min)));
        if let Some((at, corner)) = found {
            self.drag.start(layout, at, corner);
        }
    }

    fn keys(&mut self, ui: &Ui, id: Id, over: bool, events: &mut Vec<CanvasEvent>) {
        let holder = ui.memory(|memory| memory.focused());
        let own = holder.filter(|holder| {
            *holder == id
                || self
                    .focused_node
                    .as_ref()
                    .is_some_and(|node| accessibility::node_widget_id(node) == *holder)
        });
        if let Some(own) = own {
            input::lock_focus_keys(ui, own);
        } else if holder.is_some() || !over {
            return;
        }
        for pressed in input::keys(ui, own.is_some()) {
            match pressed {
                input::CanvasShortcut::Zoom(factor) => self.camera_controller.zoom_now(factor),
                input::CanvasShortcut::Fit => self.camera_controller.fit_all(),
                input::CanvasShortcut::Escape => {
                    if self.frame.borrow().selection.is_some() {
                        events.push(CanvasEvent::Select(None));
                    } else {
                        self.camera_controller.zoom_out_one_level();
                    }
                }
                input::CanvasShortcut::Arrow(direction) => self.navigate(ui, direction, events),
            }
        }
    }

    /// Lets what is in hand glide back to where it was.
    fn cancel_drag(&mut self, ui: &Ui, layout: &MapLayout) {
        if let Some((family, shift)) = self.drag.cancel(layout) {
            let now = ui.input(|input| input.time);
            self.layout_animation.start_glide(family, shift, now);
        }
    }

    fn navigate(
        &mut self,
        ui: &Ui,
        direction: keyboard_navigation::ArrowDirection,
        events: &mut Vec<CanvasEvent>,
    ) {
        let frame = self.frame.borrow();
        let layout = &frame.scene.layout;
        let from = self.focused_node.as_ref().or(frame.selection.as_ref());
        let next =
            from.and_then(
                |from| match DetailLevel::of(self.camera_controller.camera().zoom) {
                    DetailLevel::Overview => None,
                    DetailLevel::Compact => {
                        keyboard_navigation::next_service(layout, from, direction)
                    }
                    DetailLevel::Full => keyboard_navigation::next(layout, from, direction),
                },
            );
        match next {
            Some(next) => {
                if let Some(area) = layout.find(&next).and_then(|at| frame.node_area(at)) {
                    self.camera_controller.reveal(area);
                }
                ui.memory_mut(|memory| memory.request_focus(accessibility::node_widget_id(&next)));
                events.push(CanvasEvent::Select(Some(next)));
            }
            None if from.is_none() || frame.detail_level() == DetailLevel::Overview => {
                self.camera_controller.pan(direction.step() * 60.0);
            }
            None => {}
        }
    }

    /// A click that no widget of the overlay took.
    pub(super) fn handle_click(&mut self, response: &Response, events: &mut Vec<CanvasEvent>) {
        if !response.clicked() {
            return;
        }
        response.request_focus();
        let frame = self.frame.borrow();
        let Some(at) = response.interact_pointer_pos() else {
            return;
        };
        let hit = match hit_test::at(&frame, at) {
            Some(HitTarget::Node(id, _)) => Some(id),
            Some(HitTarget::Group(_)) | None => None,
        };
        if hit.is_none() && response.double_clicked() && !frame.ignore_double_click {
            self.camera_controller
                .zoom_in_one_level(&frame.scene.layout, frame.to_map(at));
        }
        events.push(CanvasEvent::Select(hit));
    }
}
