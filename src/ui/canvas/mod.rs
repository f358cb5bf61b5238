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
mod distance;
mod facts;
mod freeze;
mod graph;
mod hit;
mod input;
mod lit;
mod overlay;
mod paint;
mod search;
mod stage;
mod text;
mod view;
mod walk;
mod words;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use egui::{CursorIcon, Id, Pos2, Rect, Response, Sense, Ui, UiBuilder, WidgetInfo, WidgetType};

pub use distance::Distance;
pub(in crate::ui) use paint::Icon;

use self::{
    actions::Bar,
    facts::Facts,
    freeze::{Freeze, Look},
    graph::MapGraph,
    hit::Hit,
    lit::Lit,
    stage::Shared,
    view::View,
};
use crate::{
    engine::Scene, inventory::ObjectKey, layout::Layout, topology::NodeId, ui::theme::Tokens,
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
}

/// The map, with what a person did to the view of it.
pub struct Canvas {
    stage: Shared,
    graph: MapGraph,
    freeze: Freeze,
    view: View,
    /// The layout that the graph was built from.
    drawn: Option<(u64, Arc<Layout>)>,
    moved: HashMap<NodeId, Pos2>,
    dragged: Option<usize>,
    highlighted: Vec<bool>,
    /// The node whose path is lit.
    lit_through: Option<NodeId>,
    bars: Vec<Bar>,
    /// What the buttons in the corner cover.
    covered: Vec<Rect>,
    focused: Option<NodeId>,
    legend: bool,
    epoch: u64,
}

impl Default for Canvas {
    fn default() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self {
            stage: graph::new_stage(),
            graph: MapGraph::new(format!("svcscope {number}")),
            freeze: Freeze::default(),
            view: View::default(),
            drawn: None,
            moved: HashMap::new(),
            dragged: None,
            highlighted: Vec::new(),
            lit_through: None,
            bars: Vec::new(),
            covered: Vec::new(),
            focused: None,
            legend: false,
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
        self.point(&ui, response.as_ref());
        let response = self.paint(&mut ui, rect);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Other, true, "Map"));

        self.clicked(&response, &mut events);
        let stage = self.stage.borrow();
        let mut touched = access::overlay_ui(&ui, &stage, &self.graph);
        events.append(&mut touched.events);
        self.focused = touched.focused;
        self.bars = actions::actions_ui(&ui, &stage, &self.graph, &mut events);
        let corner = overlay::overlay_ui(&ui, &stage, &mut self.legend);
        self.covered = corner.covers;
        match corner.asked {
            Some(overlay::Asked::Fit) => self.view.fit_all(),
            Some(overlay::Asked::ZoomIn) => self.view.zoom_by(input::KEY_ZOOM),
            Some(overlay::Asked::ZoomOut) => self.view.zoom_by(1.0 / input::KEY_ZOOM),
            None => {}
        }
        if let Some(district) = touched
            .district
            .and_then(|at| stage.scene.layout.districts.get(at))
        {
            self.view.fly_to(facts::rect_of(&district.area));
        }
        if self.view.has_wish() {
            ui.ctx().request_repaint();
        }
        events
    }

    /// Shows the whole map, and keeps showing it whole until a person moves the view.
    pub fn fit_all(&mut self) {
        self.view.fit_all();
    }

    /// Brings a node into view, near enough to be read.
    pub fn focus_on(&mut self, id: &NodeId) {
        self.view.focus_on(id);
    }

    /// Zooms around the middle of the view.
    pub fn zoom_by(&mut self, factor: f32) {
        self.view.zoom_by(factor);
    }

    /// Points on screen for each map unit, as of the last frame.
    pub fn zoom(&self) -> f32 {
        self.view.camera().zoom
    }

    /// Puts everything that a person dragged back to its place.
    pub fn tidy(&mut self) {
        self.moved.clear();
        self.drawn = None;
    }

    /// Brings the stage up to date with what the window gave.
    fn take_in(&mut self, ui: &Ui, rect: Rect, input: &CanvasInput<'_>) {
        let scene = input.scene;
        if scene.context != self.stage.borrow().scene.context {
            // Another cluster: nothing of what was done to the last one's map is meant for it.
            self.moved.clear();
            self.view = View::default();
        }
        let current = self.drawn.as_ref().is_some_and(|(revision, layout)| {
            *revision == scene.map_revision && Arc::ptr_eq(layout, &scene.layout)
        });
        if !current {
            self.graph.rebuild(&scene.layout, &self.moved);
            self.drawn = Some((scene.map_revision, scene.layout.clone()));
            self.dragged = None;
            self.lit_through = None;
            self.highlighted.clear();
            self.epoch += 1;
        }
        let mut stage = self.stage.borrow_mut();
        if !current {
            stage.facts = Facts::new(scene);
            stage.lit = None;
            stage.left_out.clear();
        }
        if !current || stage.scene.revision != scene.revision {
            stage.scene = scene.clone();
        }
        stage.view = rect;
        stage.ctx = ui.ctx().clone();
        stage.stale = input.stale;
        stage.selection = input.selection.cloned();
        let highlighted = search::highlighted(&scene.layout, input.highlight);
        if highlighted != self.highlighted {
            stage.left_out = search::left_out(&scene.layout, &highlighted);
            self.highlighted = highlighted;
            self.epoch += 1;
        }
        let new_colors = stage.set_tokens(input.tokens);
        if stage.text.get_mut().begin(ui.ctx()) || new_colors {
            self.epoch += 1;
        }
    }

    /// Moves the view, or a node, as a person wants.
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
            self.drag(ui, response, &layout);
        }
        self.keys(ui, id, over.is_some(), events);
        let mut stage = self.stage.borrow_mut();
        stage.camera = self.view.camera();
    }

    /// The pointer, if it is over the map itself.
    fn pointer_over(&self, ui: &Ui, view: Rect) -> Option<Pos2> {
        input::pointer_over(ui, view)
            .filter(|at| !self.covered.iter().any(|covered| covered.contains(*at)))
    }

    fn drag(&mut self, ui: &Ui, response: &Response, layout: &Layout) {
        if response.drag_started_by(egui::PointerButton::Primary) {
            let stage = self.stage.borrow();
            let origin = ui.input(|input| input.pointer.press_origin());
            // From further away a person means the map, not a node of a few points.
            self.dragged = origin
                .filter(|_| stage.distance() == Distance::Near)
                .and_then(|origin| self.graph.node_at(stage.to_map(origin)));
        }
        if !input::DRAG_BUTTONS
            .iter()
            .any(|button| response.dragged_by(*button))
        {
            self.dragged = None;
            return;
        }
        let delta = response.drag_delta();
        match self.dragged {
            None => self.view.pan(delta),
            Some(at) if delta != egui::Vec2::ZERO => {
                let shift = self.graph.shift(at) + delta / self.view.camera().zoom;
                self.graph.set_shift(at, shift);
                if let Some(node) = layout.nodes.get(at) {
                    let home = facts::rect_of(&node.area).min;
                    self.moved.insert(node.id.clone(), home + shift);
                }
                self.epoch += 1;
            }
            Some(_) => {}
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
                        self.view.fit_all();
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
                if let Some(at) = layout.index.get(&next)
                    && let Some(area) = self.graph.area(*at)
                {
                    self.view.reveal(area);
                }
                ui.memory_mut(|memory| memory.request_focus(access::id_of(&next)));
                events.push(CanvasEvent::Select(Some(next)));
            }
            None if from.is_none() => self.view.pan(direction.step() * 60.0),
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
                Some(bar) => Some(Hit::Node(bar.node.clone())),
                None => pointer.and_then(|at| hit::at(&stage, &self.graph, at)),
            };
            (stage.hovered, stage.hovered_district) = match hit {
                Some(Hit::Node(id)) => (Some(id), None),
                Some(Hit::District(at)) => (None, Some(at)),
                None => (None, None),
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
            self.graph.show(ui, &self.stage)
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
    fn clicked(&self, response: &Response, events: &mut Vec<CanvasEvent>) {
        if response.clicked() {
            response.request_focus();
            let stage = self.stage.borrow();
            let hit = response
                .interact_pointer_pos()
                .and_then(|at| hit::at(&stage, &self.graph, at));
            events.push(CanvasEvent::Select(match hit {
                Some(Hit::Node(id)) => Some(id),
                Some(Hit::District(_)) | None => None,
            }));
        }
    }
}
