//! The map in the middle of the window.
//!
//! **In**: a [`Scene`]: where things stand from its layout, what they are from its topology, how
//! they stand from its reports; and from the window what is selected and what a search leaves out.
//! **Out**: [`CanvasEvent`]s: what a person selected, opened or wants done.
//!
//! A frame goes one way: [`follow`] takes in what the window gave, [`gestures`] move the [`camera`],
//! [`visible`] finds what is in view, the [`stage`] says what the frame is about, [`paint`] turns it
//! into shapes (in the order that [`graph`] keeps), [`freeze`] spares the frame that would look like
//! the last one, [`pulse`] shows what changed, [`access`] lays widgets over what was drawn, and
//! [`actions`], [`overlay`] and [`minimap`] are on top.

mod access;
mod actions;
mod button;
mod camera;
mod changes;
mod distance;
mod facts;
mod follow;
mod freeze;
mod gestures;
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
mod picture;
mod pulse;
mod reached;
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
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use egui::{Id, Pos2, Rect, Ui, UiBuilder, WidgetInfo, WidgetType};
use jiff::Timestamp;

pub use distance::Distance;
pub(in crate::ui) use paint::Icon;
pub use view::Viewpoint;

use self::{
    actions::Bar, freeze::Freeze, hold::Hold, lit::Through, minimap::Minimap, motion::Motion,
    pulse::Pulses, stage::Shared, view::View,
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
    /// The time, for how old a result is.
    pub now: Timestamp,
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
    /// Why something is lit.
    lit_through: Option<Through>,
    /// Pods that are lit instead of the path of what is pointed at or selected.
    lit_pods: Option<Arc<BTreeSet<ObjectKey>>>,
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
            lit_pods: None,
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

    /// From where it looks at the map, as of the last frame.
    pub fn viewpoint(&self) -> Viewpoint {
        self.view.viewpoint()
    }

    /// A new canvas that looks at the map of this scene from there.
    pub fn seen_from(viewpoint: &Viewpoint, scene: &Scene) -> Self {
        let canvas = Self {
            view: View::still(viewpoint),
            ..Self::default()
        };
        // Another context would be another map, to be looked at afresh.
        canvas.stage.borrow_mut().scene.context = scene.context.clone();
        canvas
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

    /// Lights these pods and nothing else, or what is usual again.
    pub fn light(&mut self, pods: Option<Arc<BTreeSet<ObjectKey>>>) {
        self.lit_pods = pods;
        self.lit_through = None;
        self.epoch += 1;
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
}
