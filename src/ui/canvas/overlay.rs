//! The buttons in the corner of the canvas: legend, minimap, zoom.

use egui::{Align2, Rect, Stroke, StrokeKind, Ui, pos2, vec2};

use super::{
    button::{SIDE, icon_button_ui},
    paint::Icon,
    stage::Stage,
};
use crate::ui::theme;

/// What a person asked of the corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    ZoomIn,
    ZoomOut,
    Fit,
    Legend,
    Minimap,
}

const MARGIN: f32 = 10.0;

/// The corner of one frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Corner {
    /// What a person asked for.
    pub asked: Option<Asked>,
    /// What it covers: the pointer there is not over the map.
    pub covers: Rect,
}

/// Shows the corner, if there is room for it.
pub(super) fn overlay_ui(ui: &Ui, stage: &Stage) -> Option<Corner> {
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
