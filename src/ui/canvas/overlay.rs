//! What lies over the picture, and the buttons in its corner: legend, minimap, zoom.

use egui::{Align2, Rect, Stroke, StrokeKind, Ui, pos2, vec2};

use super::{
    Canvas, CanvasEvent, access, actions,
    button::{SIDE, icon_button_ui},
    facts::rect_of,
    input, legend,
    paint::Icon,
    stage::Stage,
};
use crate::ui::theme;

/// What a person asked of the corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    ZoomIn,
    ZoomOut,
    Fit,
    Legend,
    Minimap,
}

const MARGIN: f32 = 10.0;
/// For so many seconds after a chip was opened, a second click belongs to the first.
const DOUBLE_CLICK: f64 = 0.5;

impl Canvas {
    /// What lies over the picture: widgets for what is drawn, buttons.
    pub(super) fn overlays_ui(&mut self, ui: &Ui, events: &mut Vec<CanvasEvent>) {
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
            self.view.fly_to(rect_of(&district.area));
            self.deaf_until = ui.input(|input| input.time) + DOUBLE_CLICK;
        }
        drop(stage);
        self.corner_ui(ui);
    }

    /// The buttons in the corner, and what they open.
    fn corner_ui(&mut self, ui: &Ui) {
        self.covered.clear();
        let stage = self.stage.borrow();
        let Some(corner) = buttons_ui(ui, &stage) else {
            return;
        };
        self.covered.push(corner.covers);
        match corner.asked {
            Some(Asked::Fit) => self.view.fit_all(),
            Some(Asked::ZoomIn) => self.view.zoom_by(input::KEY_ZOOM),
            Some(Asked::ZoomOut) => self.view.zoom_by(1.0 / input::KEY_ZOOM),
            Some(Asked::Legend) => self.legend = !self.legend,
            Some(Asked::Minimap) => self.minimap.wanted = !self.minimap.wanted,
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
}

/// The corner of one frame.
#[derive(Clone, Copy, Debug)]
struct Corner {
    /// What a person asked for.
    asked: Option<Asked>,
    /// What it covers: the pointer there is not over the map.
    covers: Rect,
}

/// Shows the corner, if there is room for it.
fn buttons_ui(ui: &Ui, stage: &Stage) -> Option<Corner> {
    let tokens = stage.tokens(true);
    let view = stage.view;
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
    let button = |rect: Rect, icon: Icon, label: &str| {
        icon_button_ui(ui, rect.shrink(1.0), icon, label, None, tokens).clicked()
    };
    if button(place(SIDE), Icon::Legend, "Legend") {
        asked = Some(Asked::Legend);
    }
    if button(place(SIDE), Icon::Minimap, "Show or hide the minimap") {
        asked = Some(Asked::Minimap);
    }
    if button(place(SIDE), Icon::Minus, "Zoom out") {
        asked = Some(Asked::ZoomOut);
    }
    let percent = place(percent_width);
    if button(place(SIDE), Icon::Plus, "Zoom in") {
        asked = Some(Asked::ZoomIn);
    }
    if button(place(SIDE), Icon::Fit, "Show the whole map") {
        asked = Some(Asked::Fit);
    }
    ui.painter().text(
        percent.center(),
        Align2::CENTER_CENTER,
        format!("{:.0} %", stage.camera.zoom * 100.0),
        theme::mono(theme::SMALL),
        tokens.dim,
    );
    Some(Corner {
        asked,
        covers: bar.expand(3.0),
    })
}
