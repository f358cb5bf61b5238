//! A small square button with a drawn icon and a label for those who can't see it.

use egui::{Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo, WidgetType};

use super::paint::MapIcon;
use crate::theme::ColorTokens;

/// The side of a button, in points.
pub(super) const SIDE: f32 = 22.0;

/// Shows a button at `rect`. `refused` says why it can't be pressed.
pub(super) fn icon_button_ui(
    ui: &Ui,
    rect: Rect,
    icon: MapIcon,
    label: &str,
    disabled_reason: Option<&str>,
    tokens: &ColorTokens,
) -> Response {
    let enabled = disabled_reason.is_none();
    let sense = if enabled {
        Sense::click()
    } else {
        Sense::hover()
    };
    let response = ui.interact(rect, egui::Id::new(("canvas button", label)), sense);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, enabled, label));
    let (fill, color) = match (enabled, response.hovered() || response.has_focus()) {
        (false, _) => (tokens.card, tokens.dim.lerp_to_gamma(tokens.card, 0.5)),
        (true, true) => (tokens.hover, tokens.text),
        (true, false) => (tokens.card, tokens.accent),
    };
    let border = if response.has_focus() {
        tokens.accent
    } else {
        tokens.line
    };
    ui.painter().rect(
        rect,
        5.0,
        fill,
        Stroke::new(1.0, border),
        StrokeKind::Inside,
    );
    let mut shapes = Vec::new();
    icon.shapes(rect.center(), rect.height() * 0.5, color, &mut shapes);
    ui.painter().extend(shapes);
    match disabled_reason {
        Some(reason) => response.on_hover_text(format!("{label}: {reason}")),
        None => response.on_hover_text(label),
    }
}
