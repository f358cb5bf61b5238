//! The map in the middle of the window.
//!
//! **In**: a [`Scene`]: where things stand from its layout, what they are from its topology, how
//! they stand from its reports; and from the window what is selected and what a search leaves out.
//! **Out**: [`CanvasEvent`]s: what the user selected, opened or wants done.
//!
//! A frame goes one way: [`scene_update`] takes in what the window gave, [`gestures`] move the [`camera`],
//! [`visible`] finds what is in view, the [`stage`] says what the frame is about, [`paint`] turns it
//! into shapes (in the order that [`graph_view`] keeps), [`paint_cache`] spares the frame that would look like
//! the last one, [`change_indicators`] shows what changed, [`accessibility`] lays widgets over what was drawn, and
//! [`node_actions`], [`overlay`] and [`minimap`] are on top.

mod accessibility;
mod button;
mod camera;
mod camera_controller;
mod change_indicators;
mod changes;
mod detail_level;
mod drag;
mod frame_context;
mod gestures;
mod graph_view;
mod highlight;
mod hit_test;
mod input;
mod keyboard_navigation;
mod layout_animation;
mod legend;
mod minimap;
mod node_actions;
mod node_labels;
mod overlay;
mod paint;
mod paint_cache;
mod paint_frame;
mod path_results;
mod render_model;
mod scene_update;
mod search_filter;
mod text_cache;
mod visible;

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

pub use camera_controller::MapViewport;
pub use detail_level::DetailLevel;
pub(crate) use paint::MapIcon;

use self::{
    camera_controller::CameraController, change_indicators::ChangeIndicators, drag::DragState,
    frame_context::SharedFrameContext, highlight::HighlightReason,
    layout_animation::LayoutAnimation, minimap::Minimap, node_actions::NodeActionBar,
    paint_cache::PaintCache,
};
use crate::theme::ColorTokens;
use svcscope_engine::Scene;
use svcscope_model::{
    inventory::ObjectKey,
    layout::{MapLayout, MapPoint},
    topology::NodeId,
};

/// What the canvas is given in each frame.
pub struct CanvasInput<'a> {
    /// What to draw.
    pub scene: &'a Scene,
    /// The colours of the theme.
    pub tokens: &'a ColorTokens,
    /// The selected node.
    pub selection: Option<&'a NodeId>,
    /// Whether a Service is meant by the search; what is not stands back.
    pub matches_search: &'a dyn Fn(&ObjectKey) -> bool,
    /// The connection is lost: nothing drawn is certain.
    pub stale: bool,
    /// The time, for how old a result is.
    pub now: Timestamp,
    /// The map alone, without buttons and what else is for the user at the window.
    pub hide_controls: bool,
}

/// What the user did on the canvas.
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
    Pin(ObjectKey, MapPoint),
}

/// The map, with what the user did to the view of it.
pub struct MapCanvas {
    frame: SharedFrameContext,
    /// Under which `egui_graphs` remembers.
    name: String,
    paint_cache: PaintCache,
    camera_controller: CameraController,
    /// The layout that is drawn.
    drawn_layout: Option<(u64, Arc<MapLayout>)>,
    drag: DragState,
    layout_animation: LayoutAnimation,
    change_indicators: ChangeIndicators,
    /// Why something is lit.
    highlight_reason: Option<HighlightReason>,
    /// Pods that are lit instead of the path of what is pointed at or selected.
    highlighted_pods: Option<Arc<BTreeSet<ObjectKey>>>,
    action_bars: Vec<NodeActionBar>,
    /// What the buttons in the corner cover.
    covered_areas: Vec<Rect>,
    focused_node: Option<NodeId>,
    legend_open: bool,
    minimap: Minimap,
    /// Until then a double click is the end of the one that opened a chip.
    ignore_double_click_until: f64,
    repaint_count: u64,
}

impl Default for MapCanvas {
    fn default() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self {
            frame: SharedFrameContext::default(),
            name: format!("svcscope {number}"),
            paint_cache: PaintCache::default(),
            camera_controller: CameraController::default(),
            drawn_layout: None,
            drag: DragState::default(),
            layout_animation: LayoutAnimation::default(),
            change_indicators: ChangeIndicators::default(),
            highlight_reason: None,
            highlighted_pods: None,
            action_bars: Vec::new(),
            covered_areas: Vec::new(),
            focused_node: None,
            legend_open: false,
            minimap: Minimap::default(),
            ignore_double_click_until: 0.0,
            repaint_count: 0,
        }
    }
}

impl MapCanvas {
    /// Shows the map in all the room that `ui` has; says what the user did.
    pub fn ui(&mut self, ui: &mut Ui, input: &CanvasInput<'_>) -> Vec<CanvasEvent> {
        let rect = ui.available_rect_before_wrap();
        ui.advance_cursor_after_rect(rect);
        let mut ui = ui.new_child(UiBuilder::new().id(Id::new("canvas")).max_rect(rect));
        ui.shrink_clip_rect(rect);
        let mut events = Vec::new();

        self.update_from_input(&ui, rect, input);
        // egui knows the gestures of this frame from where the widget stood in the last one.
        let id = ui.next_auto_id();
        let response = ui.ctx().read_response(id);
        self.gestures(&ui, id, response.as_ref(), &mut events);
        self.update_visible(input.matches_search);
        self.update_hover(&ui, response.as_ref());
        let response = self.paint(&mut ui, rect);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Other, true, "Map"));

        self.handle_click(&response, &mut events);
        if !input.hide_controls {
            self.change_indicators.paint_ui(&ui, &self.frame.borrow());
            self.overlays_ui(&ui, &mut events);
        }
        if self.camera_controller.has_request() {
            ui.ctx().request_repaint();
        }
        events
    }

    /// From where it looks at the map, as of the last frame.
    pub fn viewport(&self) -> MapViewport {
        self.camera_controller.viewport()
    }

    /// A new canvas that looks at the map of this scene from there.
    pub fn from_viewport(viewport: &MapViewport, scene: &Scene) -> Self {
        let canvas = Self {
            camera_controller: CameraController::fixed_at(viewport),
            ..Self::default()
        };
        // Another context would be another map, to be looked at afresh.
        canvas.frame.borrow_mut().scene.context = scene.context.clone();
        canvas
    }

    /// Shows the whole map, and keeps showing it whole until the user moves the view.
    pub fn fit_all(&mut self) {
        self.camera_controller.fit_all();
    }

    /// Brings a node into view, near enough to be read.
    pub fn focus_on(&mut self, id: &NodeId) {
        self.camera_controller.focus_on(id);
    }

    /// Shows all that belongs to a node: its Services, their ways in and pods.
    pub fn fit_component(&mut self, id: &NodeId) {
        self.camera_controller.fit_component(id);
    }

    /// Lights these pods and nothing else, or what is usual again.
    pub fn highlight_pods(&mut self, pods: Option<Arc<BTreeSet<ObjectKey>>>) {
        self.highlighted_pods = pods;
        self.highlight_reason = None;
        self.repaint_count += 1;
    }

    /// Shows the minimap, or hides it.
    pub fn toggle_minimap(&mut self) {
        self.minimap.enabled = !self.minimap.enabled;
    }

    /// Zooms around the middle of the view.
    pub fn zoom_by(&mut self, factor: f32) {
        self.camera_controller.zoom_by(factor);
    }

    /// Points on screen for each map unit, as of the last frame.
    pub fn zoom(&self) -> f32 {
        self.camera_controller.camera().zoom
    }
}
