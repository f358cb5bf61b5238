//! The map in the middle of the window.
//!
//! **In**: a [`Scene`]: where things stand from its layout, what they are from its topology, how
//! they stand from its reports; and from the window what is selected and what a search leaves out.
//! **Out**: [`CanvasEvent`]s: what a person selected, opened or wants done.
//!
//! A frame goes one way: gestures move the [`camera`], the [`stage`] says what the frame is about,
//! [`paint`] turns what is in view into shapes (in the order that [`graph`] keeps), [`freeze`] spares
//! the frame that would look like the last one, [`access`] lays widgets over what was drawn, and
//! [`actions`] and [`overlay`] are the buttons on top.

mod access;
mod actions;
mod button;
mod camera;
mod changes;
mod distance;
mod facts;
mod freeze;
mod graph;
mod hit;
mod hold;
mod input;
mod legend;
mod lit;
mod minimap;
mod motion;
mod overlay;
mod paint;
mod pulse;
mod search;
mod stage;
mod text;
mod view;
mod visible;
mod walk;
mod words;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use egui::{
    CursorIcon, Id, PointerButton, Pos2, Rect, Response, Sense, Ui, UiBuilder, Vec2, WidgetInfo,
    WidgetType,
};

pub use distance::Distance;
pub(in crate::ui) use paint::Icon;

use self::{
    actions::Bar,
    changes::{Changes, Pairs},
    freeze::{Freeze, Look},
    hit::Hit,
    hold::Hold,
    lit::Lit,
    minimap::Minimap,
    motion::Motion,
    pulse::Pulses,
    stage::Shared,
    view::View,
};
use crate::{
    engine::Scene,
    inventory::ObjectKey,
    layout::{Layout, Point},
    topology::NodeId,
    ui::theme::Tokens,
};

/// What the canvas is given in each frame.
pub struct CanvasInput<'a> {
    /// What to draw.
    pub scene: &'a Scene,
    /// The colours of the theme.
    pub tokens: &'a Tokens,
    /// The selected node.
    pub selection: Option<&'a NodeId>,
    /// Whether a Service is meant by the search; what is not stands back.
    pub highlight: &'a dyn Fn(&ObjectKey) -> bool,
    /// The connection is lost: nothing drawn is certain.
    pub stale: bool,
    /// The map alone, without buttons and what else is for a person at the window.
    pub bare: bool,
}

/// What a person did on the canvas.
#[derive(Clone, Debug, PartialEq)]
pub enum CanvasEvent {
    /// Selected a node, or nothing.
    Select(Option<NodeId>),
    /// Opened a node: Enter or a double click.
    Open(NodeId),
    /// Asked for the menu of a node, at this point of the screen.
    Menu(NodeId, Pos2),
    /// Wants a port-forward to a Service, a port or a pod.
    Forward(NodeId),
    /// Wants to send a request to a Service, a port or a pod.
    Curl(NodeId),
    /// Wants to change the type of a Service.
    ChangeType(NodeId),
    /// Put the family of a Service somewhere: where its upper left corner stands, from the upper
    /// left corner of its district.
    Pin(ObjectKey, Point),
}

/// The map, with what a person did to the view of it.
pub struct Canvas {
    stage: Shared,
    /// Under which `egui_graphs` remembers.
    name: String,
    freeze: Freeze,
    view: View,
    /// The layout that is drawn.
    drawn: Option<(u64, Arc<Layout>)>,
    hold: Hold,
    motion: Motion,
    pulses: Pulses,
    /// The node whose path is lit.
    lit_through: Option<NodeId>,
    bars: Vec<Bar>,
    /// What the buttons in the corner cover.
    covered: Vec<Rect>,
    focused: Option<NodeId>,
    legend: bool,
    minimap: Minimap,
    /// Until then a double click is the end of the one that opened a chip.
    deaf_until: f64,
    epoch: u64,
}

impl Default for Canvas {
    fn default() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self {
            stage: Shared::default(),
            name: format!("svcscope {number}"),
            freeze: Freeze::default(),
            view: View::default(),
            drawn: None,
            hold: Hold::default(),
            motion: Motion::default(),
            pulses: Pulses::default(),
            lit_through: None,
            bars: Vec::new(),
            covered: Vec::new(),
            focused: None,
            legend: false,
            minimap: Minimap::default(),
            deaf_until: 0.0,
            epoch: 0,
        }
    }
}

impl Canvas {
    /// Shows the map in all the room that `ui` has; says what a person did.
    pub fn ui(&mut self, ui: &mut Ui, input: &CanvasInput<'_>) -> Vec<CanvasEvent> {
        let rect = ui.available_rect_before_wrap();
        ui.advance_cursor_after_rect(rect);
        let mut ui = ui.new_child(UiBuilder::new().id(Id::new("canvas")).max_rect(rect));
        ui.shrink_clip_rect(rect);
        let mut events = Vec::new();

        self.take_in(&ui, rect, input);
        // egui knows the gestures of this frame from where the widget stood in the last one.
        let id = ui.next_auto_id();
        let response = ui.ctx().read_response(id);
        self.gestures(&ui, id, response.as_ref(), &mut events);
        self.look_around(input.highlight);
        self.point(&ui, response.as_ref());
        let response = self.paint(&mut ui, rect);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Other, true, "Map"));

        self.clicked(&response, &mut events);
        if !input.bare {
            self.pulses.paint_ui(&ui, &self.stage.borrow());
            self.overlays_ui(&ui, &mut events);
        }
        if self.view.has_wish() {
            ui.ctx().request_repaint();
        }
        events
    }

    /// What lies over the picture: widgets for what is drawn, buttons.
    fn overlays_ui(&mut self, ui: &Ui, events: &mut Vec<CanvasEvent>) {
        let stage = self.stage.borrow();
        let mut touched = access::overlay_ui(ui, &stage);
        events.append(&mut touched.events);
        self.focused = touched.focused;
        self.bars = actions::actions_ui(ui, &stage, events);
        if let Some(node) = touched.entered {
            self.view.focus_on(&node);
        }
        if let Some(district) = touched
            .district
            .and_then(|at| stage.scene.layout.districts.get(at))
        {
            self.view.fly_to(facts::rect_of(&district.area));
            self.deaf_until = ui.input(|input| input.time) + DOUBLE_CLICK;
        }
        drop(stage);
        self.corner_ui(ui);
    }

    /// The buttons in the corner, and what they open.
    fn corner_ui(&mut self, ui: &Ui) {
        self.covered.clear();
        let stage = self.stage.borrow();
        let Some(corner) = overlay::overlay_ui(ui, &stage) else {
            return;
        };
        self.covered.push(corner.covers);
        match corner.asked {
            Some(overlay::Asked::Fit) => self.view.fit_all(),
            Some(overlay::Asked::ZoomIn) => self.view.zoom_by(input::KEY_ZOOM),
            Some(overlay::Asked::ZoomOut) => self.view.zoom_by(1.0 / input::KEY_ZOOM),
            Some(overlay::Asked::Legend) => self.legend = !self.legend,
            Some(overlay::Asked::Minimap) => self.minimap.wanted = !self.minimap.wanted,
            None => {}
        }
        if self.legend {
            let tokens = stage.tokens(true);
            let covers = legend::legend_ui(ui, stage.view, corner.covers, tokens);
            self.covered.push(covers);
            return;
        }
        let shown = self
            .minimap
            .minimap_ui(ui, &stage, corner.covers, self.epoch);
        self.covered.extend(shown.covers);
        if let Some(point) = shown.asked {
            self.view.look_at(point);
        }
    }

    /// A new canvas that looks at the map from where this one does.
    pub fn same_view(&self) -> Self {
        Self {
            view: self.view.still(),
            ..Self::default()
        }
    }

    /// Shows the whole map, and keeps showing it whole until a person moves the view.
    pub fn fit_all(&mut self) {
        self.view.fit_all();
    }

    /// Brings a node into view, near enough to be read.
    pub fn focus_on(&mut self, id: &NodeId) {
        self.view.focus_on(id);
    }

    /// Shows all that belongs to a node: its Services, their ways in and pods.
    pub fn fit_node(&mut self, id: &NodeId) {
        self.view.fit_family(id);
    }

    /// Shows the minimap, or hides it.
    pub fn toggle_minimap(&mut self) {
        self.minimap.wanted = !self.minimap.wanted;
    }

    /// Zooms around the middle of the view.
    pub fn zoom_by(&mut self, factor: f32) {
        self.view.zoom_by(factor);
    }

    /// Points on screen for each map unit, as of the last frame.
    pub fn zoom(&self) -> f32 {
        self.view.camera().zoom
    }

    /// Brings the stage up to date with what the window gave.
    fn take_in(&mut self, ui: &Ui, rect: Rect, input: &CanvasInput<'_>) {
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
        let Some(last) = last.filter(|_| scene.context == stage.scene.context) else {
            // Another cluster: nothing of what was done to the last one's map is meant for it.
            self.hold = Hold::default();
            self.motion = Motion::default();
            self.pulses.clear();
            if scene.context != stage.scene.context {
                self.view = View::default();
            }
            stage.forget_places();
            self.lit_through = None;
            return;
        };
        let pairs = Pairs::new(&last, &scene.layout);
        if !Arc::ptr_eq(&last, &scene.layout) {
            self.motion
                .follow(&last, &stage.shifts, &scene.layout, &pairs, now);
            self.pulses.follow(&scene.layout, &pairs);
            self.hold.follow(&scene.layout);
            self.lit_through = None;
            stage.forget_places();
        }
        if scene.map_view != stage.scene.map_view {
            // What a filter shows or hides did not change in the cluster.
            self.pulses.clear();
        } else if changes::is_settled(&stage.scene)
            && changes::is_settled(scene)
            && !pairs.is_all_new()
        {
            let changes = Changes::between(&last, &before, &scene.layout, &stage.facts, &pairs);
            self.pulses.add(changes, now);
        }
    }

    /// Moves the view, or a family, as a person wants.
    fn gestures(
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
        if self.motion.go_on(now) {
            ui.ctx().request_repaint();
        }
        let mut shifts: BTreeMap<usize, Vec2> = self.motion.shifts(now).collect();
        shifts.extend(self.hold.shifts(layout));
        let fading = self.motion.fading(now);
        let mut stage = self.stage.borrow_mut();
        if shifts != stage.shifts || fading != stage.fading {
            stage.shifts = shifts;
            stage.fading = fading;
            self.epoch += 1;
        }
        stage.deaf = now < self.deaf_until;
    }

    /// Finds out what is in view, and what of it a search leaves out.
    fn look_around(&mut self, is_meant: &dyn Fn(&ObjectKey) -> bool) {
        let mut guard = self.stage.borrow_mut();
        let stage = &mut *guard;
        stage.camera = self.view.camera();
        stage.look_around();
        let left_out = stage
            .in_view
            .iter()
            .filter_map(|&at| {
                let family = &stage.scene.layout.families.get(at)?.family;
                Some((at, search::left_out(family, is_meant)?))
            })
            .collect();
        if left_out != stage.left_out {
            stage.left_out = left_out;
            self.epoch += 1;
        }
    }

    /// The pointer, if it is over the map itself.
    fn pointer_over(&self, ui: &Ui, view: Rect) -> Option<Pos2> {
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

    /// Finds what the pointer is over, and lights its path or the selected one.
    fn point(&mut self, ui: &Ui, response: Option<&Response>) {
        let mut stage = self.stage.borrow_mut();
        let dragging = response.is_some_and(Response::dragged);
        if !dragging {
            let pointer = self.pointer_over(ui, stage.view);
            let on_bar = pointer.and_then(|at| self.bars.iter().find(|bar| bar.rect.contains(at)));
            let hit = match on_bar {
                Some(bar) => stage
                    .place_of(&bar.node)
                    .map(|at| Hit::Node(bar.node.clone(), at)),
                None => pointer.and_then(|at| hit::at(&stage, at)),
            };
            (stage.hovered, stage.hovered_at, stage.hovered_district) = match hit {
                Some(Hit::Node(id, at)) => (Some(id), Some(at), None),
                Some(Hit::District(at)) => (None, None, Some(at)),
                None => (None, None, None),
            };
        }
        if stage.hovered.is_some() || stage.hovered_district.is_some() {
            ui.ctx().set_cursor_icon(CursorIcon::PointingHand);
        } else if dragging {
            ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
        }
        let through = stage.hovered.as_ref().or(stage.selection.as_ref());
        if through != self.lit_through.as_ref() {
            let lit = through.and_then(|id| Lit::path(&stage.scene.layout, id));
            self.lit_through = through.cloned();
            stage.lit = lit;
        }
    }

    /// Paints the picture, or the kept one if it would be the same.
    fn paint(&mut self, ui: &mut Ui, rect: Rect) -> Response {
        let look = self.look();
        if self.freeze.paint(ui, &look) {
            return ui.allocate_painter(rect.size(), Sense::click_and_drag()).0;
        }
        let mark = Freeze::mark(ui);
        {
            let stage = self.stage.borrow();
            stage.drawn.borrow_mut().clear();
            ui.painter()
                .rect_filled(rect, 0.0, stage.tokens(true).background);
            ui.painter().extend(paint::ground(&stage));
        }
        let response = if Distance::of(look.camera.zoom) == Distance::Far {
            // Chips are all there is: the graph would be asked node by node for nothing.
            ui.ctx().request_repaint();
            ui.allocate_painter(rect.size(), Sense::click_and_drag()).0
        } else {
            graph::graph_ui(ui, &self.stage, &self.name)
        };
        self.freeze.keep(ui, look, mark);
        self.stage.borrow_mut().text.get_mut().trim();
        response
    }

    fn look(&self) -> Look {
        let stage = self.stage.borrow();
        Look {
            map_revision: stage.scene.map_revision,
            layout: stage.scene.layout.clone(),
            view: stage.view,
            camera: stage.camera,
            stale: stage.stale,
            selection: stage.selection.clone(),
            hovered: stage.hovered.clone(),
            hovered_district: stage.hovered_district,
            epoch: self.epoch,
        }
    }

    /// A click that no widget of the overlay took.
    fn clicked(&mut self, response: &Response, events: &mut Vec<CanvasEvent>) {
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

/// For so many seconds after a chip was opened, a second click belongs to the first.
const DOUBLE_CLICK: f64 = 0.5;
