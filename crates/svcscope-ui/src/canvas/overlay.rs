//! What lies over the picture, and the buttons in its corner: legend, minimap, zoom.

use egui::{Align2, Rect, Stroke, StrokeKind, Ui, pos2, vec2};

use super::{
    CanvasEvent, MapCanvas, accessibility,
    button::{SIDE, icon_button_ui},
    frame_context::FrameContext,
    input, legend, node_actions,
    paint::MapIcon,
    render_model::rect_of,
};
use crate::theme;

/// What the user asked of the corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CornerButton {
    ZoomIn,
    ZoomOut,
    Fit,
    Legend,
    Minimap,
}

const MARGIN: f32 = 10.0;
/// For so many seconds after a chip was opened, a second click belongs to the first.
const DOUBLE_CLICK: f64 = 0.5;

impl MapCanvas {
    /// What lies over the picture: widgets for what is drawn, buttons.
    pub(super) fn overlays_ui(&mut self, ui: &Ui, events: &mut Vec<CanvasEvent>) {
        let frame = self.frame.borrow();
        let mut touched = accessibility::overlay_ui(ui, &frame);
        events.append(&mut touched.events);
        self.focused_node = touched.focused_node;
        self.action_bars = node_actions::actions_ui(ui, &frame, events);
        if let Some(node) = touched.zoom_to {
            self.camera_controller.focus_on(&node);
        }
        if let Some(district) = touched
            .opened_group
            .and_then(|at| frame.scene.layout.groups.get(at))
        {
            self.camera_controller.fly_to(rect_of(&district.area));
            self.ignore_double_click_until = ui.input(|input| input.time) + DOUBLE_CLICK;
        }
        drop(frame);
        self.corner_bar_ui(ui);
    }

    /// The buttons in the corner, and what they open.
    fn corner_bar_ui(&mut self, ui: &Ui) {
        self.covered_areas.clear();
        let frame = self.frame.borrow();
        let Some(corner) = buttons_ui(ui, &frame) else {
            return;
        };
        self.covered_areas.push(corner.covered_area);
        match corner.clicked {
            Some(CornerButton::Fit) => self.camera_controller.fit_all(),
            Some(CornerButton::ZoomIn) => self.camera_controller.zoom_by(input::KEY_ZOOM),
            Some(CornerButton::ZoomOut) => self.camera_controller.zoom_by(1.0 / input::KEY_ZOOM),
            Some(CornerButton::Legend) => self.legend_open = !self.legend_open,
            Some(CornerButton::Minimap) => self.minimap.enabled = !self.minimap.enabled,
            None => {}
        }
        if self.legend_open {
            let tokens = frame.tokens(true);
            let covers = legend::legend_ui(ui, frame.canvas_rect, corner.covered_area, tokens);
            self.covered_areas.push(covers);
            return;
        }
        let shown = self
            .minimap
            .minimap_ui(ui, &frame, corner.covered_area, self.repaint_count);
        self.covered_areas.extend(shown.covered_area);
        if let Some(point) = shown.look_at {
            self.camera_controller.look_at(point);
        }
    }
}

/// The corner of one frame.
#[derive(Clone, Copy, Debug)]
struct CornerBarResponse {
    /// What the user asked for.
    clicked: Option<CornerButton>,
    /// What it covers: the pointer there is not over the map.
    covered_area: Rect,
}

/// Shows the corner, if there is room for it.
fn buttons_ui(ui: &Ui, frame: &FrameContext) -> Option<CornerBarResponse> {
    let tokens = frame.tokens(true);
    let view = frame.canvas_rect;
    let percent_width = 44.0;
    let width = 5.0 * SIDE + percent_width + 2.0;
    if view.width() < width + 2.0 * MARGIN || view.height() < 4.0 * SIDE {
        return None;
    }
    let bar = Rect::from_min_size(
        view.right_bottom() - vec2(width + MARGIN, SIDE + MARGIN),
        vec2(width, SIDE),
    );
    ui.painter().rect(
        bar.expand(3.0),
        7.0,
        tokens.panel,
        Stroke::new(1.0, tokens.line),
        StrokeKind::Inside,
    );
    let mut left = bar.left();
    let mut place = |width: f32| {
        let rect = Rect::from_min_size(pos2(left, bar.top()), vec2(width, SIDE));
        left += width;
        rect
    };
    let mut asked = None;
    let button = |rect: Rect, icon: MapIcon, label: &str| {
        icon_button_ui(ui, rect.shrink(1.0), icon, label, None, tokens).clicked()
    };
    if button(place(SIDE), MapIcon::Legend, "Legend") {
        asked = Some(CornerButton::Legend);
    }
    if button(place(SIDE), MapIcon::Minimap, "Show or hide the minimap") {
        asked = Some(CornerButton::Minimap);
    }
    if button(place(SIDE), MapIcon::Minus, "Zoom out") {
        asked = Some(CornerButton::ZoomOut);
    }
    let percent = place(percent_width);
    if button(place(SIDE), MapIcon::Plus, "Zoom in") {
        asked = Some(CornerButton::ZoomIn);
    }
    if button(place(SIDE), MapIcon::Fit, "Show the whole map") {
        asked = Some(CornerButton::Fit);
    }
    ui.painter().text(
        percent.center(),
        Align2::CENTER_CENTER,
        format!("{:.0} %", frame.camera.zoom * 100.0),
        theme::mono(theme::SMALL),
        tokens.dim,
    );
    Some(CornerBarResponse {
        clicked: asked,
        covered_area: bar.expand(3.0),
    })
}
