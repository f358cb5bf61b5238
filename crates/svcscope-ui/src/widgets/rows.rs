//! Rows of fixed height that are painted, not laid out: what a list of thousands is made of.

use egui::{
    Align2, Color32, FontId, Painter, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui,
    WidgetInfo, WidgetType,
    text::{LayoutJob, TextWrapping},
    vec2,
};

use crate::{canvas::MapIcon, theme::ColorTokens};
use svcscope_model::inventory::ServiceRecord;

/// One line of text of a row.
pub struct RowText<'a> {
    /// The words.
    pub text: &'a str,
    /// Their face and size.
    pub font: FontId,
    /// Their colour.
    pub color: Color32,
    /// The room they have, in points; more is cut with `…`.
    pub max_width: f32,
}

/// Paints one line, anchored at `at`; gives back where it stands.
pub fn paint_text(painter: &Painter, at: Pos2, anchor: Align2, text: RowText<'_>) -> Rect {
    let mut job = LayoutJob::simple_singleline(text.text.to_owned(), text.font, text.color);
    job.wrap = TextWrapping::truncate_at_width(text.max_width.max(0.0));
    let galley = painter.layout_job(job);
    let rect = anchor.anchor_size(at, galley.size());
    painter.galley(rect.min, galley, text.color);
    rect
}

/// A row that can be clicked and reached by Tab. `label` is what it is called; `paint` draws what
/// stands in it.
pub fn row(
    ui: &mut Ui,
    tokens: &ColorTokens,
    label: &str,
    selected: bool,
    height: f32,
    paint: impl FnOnce(&Painter, Rect),
) -> Response {
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, enabled, selected, label));
    if ui.is_rect_visible(rect) {
        let painter = ui.painter_at(rect.expand(1.0));
        if selected {
            painter.rect_filled(rect, 4.0, tokens.selected);
        } else if response.hovered() {
            painter.rect_filled(rect, 4.0, tokens.hover);
        }
        if response.has_focus() {
            painter.rect_stroke(
                rect,
                4.0,
                Stroke::new(1.0, tokens.accent),
                StrokeKind::Inside,
            );
        }
        paint(&painter, rect);
    }
    response
}

/// Paints the icon of a Service's type in the type's colour, as the map draws it.
pub fn paint_type(
    painter: &Painter,
    tokens: &ColorTokens,
    service: &ServiceRecord,
    center: Pos2,
    size: f32,
) {
    let mut shapes = Vec::new();
    let color = tokens.service_color(service);
    MapIcon::of(service).shapes(center, size, color, &mut shapes);
    painter.extend(shapes);
}
