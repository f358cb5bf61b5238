//! What a person's hands do on the canvas: they move the view, a family, or the selection.

use std::{collections::BTreeMap, time::Duration};

use egui::{Id, Key, PointerButton, Pos2, Rect, Response, Ui, Vec2};

use super::{
    Canvas, CanvasEvent, Distance, access,
    hit::{self, Hit},
    input, visible, walk,
};
use crate::layout::Layout;

impl Canvas {
    /// Moves the view, or a family, as a person wants.
    pub(super) fn gestures(
        &mut self,
        ui: &Ui,
        id: Id,
        response: Option<&Response>,
        events: &mut Vec<CanvasEvent>,
    ) {
        let (rect, layout) = {
            let stage = self.stage.borrow();
            (stage.view, stage.scene.layout.clone())
        };
        self.view.begin(ui, rect.size(), &layout);
        let over = self.pointer_over(ui, rect);
        if let Some(pointer) = over {
            let gesture = input::wheel(ui);
            self.view.gesture(gesture, (pointer - rect.min).to_pos2());
        }
        if let Some(response) = response {
            self.drag(ui, response, &layout, events);
        }
        self.keys(ui, id, over.is_some(), events);
        self.go_on(ui, &layout);
    }

    /// Moves what moves by itself.
    fn go_on(&mut self, ui: &Ui, layout: &Layout) {
        let now = ui.input(|input| input.time);
        for (family, shift) in self.hold.expire(layout, now) {
            self.motion.glide(family, shift, now);
        }
        if let Some(seconds) = self.hold.patience(now) {
            let later = Duration::from_secs_f64(seconds);
            ui.ctx().request_repaint_after(later);
        }
        self.motion.go_on(now);
        let mut shifts: BTreeMap<usize, Vec2> = self.motion.shifts(now).collect();
        let mut fading = self.motion.fading(now);
        let mut stage = self.stage.borrow_mut();
        // What moves where nobody looks is no reason to draw.
        shifts.retain(|family, shift| visible::is_seen_moving(&stage, *family, *shift));
        fading.retain(|family, _| visible::is_seen_moving(&stage, *family, Vec2::ZERO));
        if !shifts.is_empty() || !fading.is_empty() {
            ui.ctx().request_repaint();
        }
        shifts.extend(self.hold.shifts(layout));
        if shifts != stage.shifts || fading != stage.fading {
            stage.shifts = shifts;
            stage.fading = fading;
            self.epoch += 1;
        }
        stage.deaf = now < self.deaf_until;
    }

    /// The pointer, if it is over the map itself.
    pub(super) fn pointer_over(&self, ui: &Ui, view: Rect) -> Option<Pos2> {
        input::pointer_over(ui, view)
            .filter(|at| !self.covered.iter().any(|covered| covered.contains(*at)))
    }

    fn drag(
        &mut self,
        ui: &Ui,
        response: &Response,
        layout: &Layout,
        events: &mut Vec<CanvasEvent>,
    ) {
        if response.drag_started_by(PointerButton::Primary)
            && let Some(origin) = ui.input(|input| input.pointer.press_origin())
        {
            self.take(layout, origin);
        }
        let dragged = input::DRAG_BUTTONS
            .iter()
            .any(|button| response.dragged_by(*button));
        // egui ends every drag at Escape.
        if !dragged && ui.input(|input| input.key_pressed(Key::Escape)) {
            self.put_back(ui, layout);
        }
        if !dragged {
            let now = ui.input(|input| input.time);
            if let Some((service, place)) = self.hold.let_go(layout, now) {
                events.push(CanvasEvent::Pin(service, place));
            }
            return;
        }
        let delta = response.drag_delta();
        if self.hold.is_holding() {
            self.hold.move_by(delta / self.view.camera().zoom);
        } else {
            self.view.pan(delta);
        }
    }

    /// Takes the family at a point of the screen into the hand. From further away a person means
    /// the map, not a family of a few points.
    fn take(&mut self, layout: &Layout, at: Pos2) {
        let stage = self.stage.borrow();
        let found = hit::node(&stage, stage.to_map(at))
            .filter(|_| stage.distance() == Distance::Near)
            .and_then(|at| Some((at, stage.family_area(at.family)?.min)));
        if let Some((at, corner)) = found {
            self.hold.take(layout, at, corner);
        }
    }

    fn keys(&mut self, ui: &Ui, id: Id, over: bool, events: &mut Vec<CanvasEvent>) {
        let holder = ui.memory(|memory| memory.focused());
        let own = holder.filter(|holder| {
            *holder == id
                || self
                    .focused
                    .as_ref()
                    .is_some_and(|node| access::id_of(node) == *holder)
        });
        if let Some(own) = own {
            input::hold_keys(ui, own);
        } else if holder.is_some() || !over {
            return;
        }
        for pressed in input::keys(ui, own.is_some()) {
            match pressed {
                input::Pressed::Zoom(factor) => self.view.zoom_now(factor),
                input::Pressed::Fit => self.view.fit_all(),
                input::Pressed::Escape => {
                    if self.stage.borrow().selection.is_some() {
                        events.push(CanvasEvent::Select(None));
                    } else {
                        self.view.go_out();
                    }
                }
                input::Pressed::Arrow(direction) => self.walk(ui, direction, events),
            }
        }
    }

    /// Lets what is in hand glide back to where it was.
    fn put_back(&mut self, ui: &Ui, layout: &Layout) {
        if let Some((family, shift)) = self.hold.put_back(layout) {
            let now = ui.input(|input| input.time);
            self.motion.glide(family, shift, now);
        }
    }

    fn walk(&mut self, ui: &Ui, direction: walk::Direction, events: &mut Vec<CanvasEvent>) {
        let stage = self.stage.borrow();
        let layout = &stage.scene.layout;
        let from = self.focused.as_ref().or(stage.selection.as_ref());
        let next = from.and_then(|from| match Distance::of(self.view.camera().zoom) {
            Distance::Far => None,
            Distance::Middle => walk::next_service(layout, from, direction),
            Distance::Near => walk::next(layout, from, direction),
        });
        match next {
            Some(next) => {
                if let Some(area) = layout.find(&next).and_then(|at| stage.area(at)) {
                    self.view.reveal(area);
                }
                ui.memory_mut(|memory| memory.request_focus(access::id_of(&next)));
                events.push(CanvasEvent::Select(Some(next)));
            }
            None if from.is_none() || stage.distance() == Distance::Far => {
                self.view.pan(direction.step() * 60.0);
            }
            None => {}
        }
    }

    /// A click that no widget of the overlay took.
    pub(super) fn clicked(&mut self, response: &Response, events: &mut Vec<CanvasEvent>) {
        if !response.clicked() {
            return;
        }
        response.request_focus();
        let stage = self.stage.borrow();
        let Some(at) = response.interact_pointer_pos() else {
            return;
        };
        let hit = match hit::at(&stage, at) {
            Some(Hit::Node(id, _)) => Some(id),
            Some(Hit::District(_)) | None => None,
        };
        if hit.is_none() && response.double_clicked() && !stage.deaf {
            self.view.go_in(&stage.scene.layout, stage.to_map(at));
        }
        events.push(CanvasEvent::Select(hit));
    }
}
