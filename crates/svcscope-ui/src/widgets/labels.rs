//! Labels, badges and notices.

use egui::{
    Align, Color32, Frame, Label, Layout, Margin, Response, RichText, Sense, Stroke, Ui,
    WidgetInfo, WidgetType, vec2,
};
use egui_phosphor::regular as icon;

use crate::theme::{ColorTokens, Health, HealthStyle as _, SMALL, TITLE, semibold};
use svcscope_check::Severity;

/// The title of a panel or dialog.
pub fn heading(ui: &mut Ui, text: &str) -> Response {
    ui.label(RichText::new(text).font(semibold(TITLE)))
}

/// The heading of a part of a panel.
pub fn section(ui: &mut Ui, tokens: &ColorTokens, text: &str) {
    ui.add_space(12.0);
    ui.label(RichText::new(text).font(semibold(SMALL)).color(tokens.dim));
    ui.add_space(2.0);
}

/// Text that is read second.
pub fn dim(ui: &mut Ui, tokens: &ColorTokens, text: impl Into<String>) -> Response {
    ui.label(RichText::new(text).color(tokens.dim))
}

/// An address, a port, anything that is copied.
pub fn mono(ui: &mut Ui, text: impl Into<String>) -> Response {
    ui.label(RichText::new(text).monospace())
}

/// One line that ends in `…` where there is no room; the whole is its tooltip.
pub fn truncated(ui: &mut Ui, text: RichText) -> Response {
    ui.add(Label::new(text).truncate())
}

/// A short word on a ground of its own colour.
pub fn badge(ui: &mut Ui, tokens: &ColorTokens, text: &str, color: Color32) -> Response {
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), semibold(SMALL), color);
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(12.0, 4.0), Sense::hover());
    ui.painter().rect_filled(rect, 4.0, tokens.tint(color));
    ui.painter()
        .galley(rect.min + vec2(6.0, 2.0), galley, color);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, text));
    response
}

/// The mark of a state, as a widget with the state's word as its tooltip.
pub fn state_mark(ui: &mut Ui, tokens: &ColorTokens, state: Health) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(12.0, 16.0), Sense::hover());
    ui.painter().add(state.mark(rect.center(), 4.0, tokens));
    response.on_hover_text(state.word())
}

/// The mark and a word, in the state's colour.
pub fn state_label(ui: &mut Ui, tokens: &ColorTokens, state: Health, words: &str) -> Response {
    // The mark comes first, in a row that is filled from the right as well.
    let layout = Layout::left_to_right(Align::Center);
    let font = egui::TextStyle::Body.resolve(ui.style());
    let words_width = ui
        .painter()
        .layout_no_wrap(words.to_owned(), font, tokens.text)
        .size()
        .x;
    let width = (words_width + 18.0).min(ui.available_width());
    ui.allocate_ui_with_layout(vec2(width, 18.0), layout, |ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        state_mark(ui, tokens, state);
        truncated(ui, RichText::new(words).color(tokens.health_color(state)))
    })
    .inner
}

/// The icon and colour of a severity.
pub fn severity_icon(
    tokens: &ColorTokens,
    severity: Severity,
) -> (&'static str, Color32, &'static str) {
    match severity {
        Severity::Error => (icon::X_CIRCLE, tokens.broken, "error"),
        Severity::Warning => (icon::WARNING, tokens.degraded, "warning"),
        Severity::Note => (icon::INFO, tokens.accent, "note"),
    }
}

/// A text with a button that copies it; says whether that was clicked.
pub fn copyable(ui: &mut Ui, text: &str, what: &str) -> bool {
    ui.spacing_mut().interact_size.y = 18.0;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let copy_width = 28.0;
        ui.scope(|ui| {
            ui.set_max_width((ui.available_width() - copy_width).max(40.0));
            ui.add(Label::new(RichText::new(text).monospace()).truncate());
        });
        ui.spacing_mut().button_padding = vec2(5.0, 0.0);
        ui.spacing_mut().interact_size.y = 18.0;
        super::icon_button(ui, icon::COPY, &format!("Copy the {what} {text}"), None).clicked()
    })
    .inner
}

/// A framed notice in one colour; what stands in it is drawn by the caller.
pub fn notice<R>(
    ui: &mut Ui,
    tokens: &ColorTokens,
    color: Color32,
    contents: impl FnOnce(&mut Ui) -> R,
) -> R {
    Frame::new()
        .fill(tokens.tint(color))
        .stroke(Stroke::new(1.0, tokens.panel.lerp_to_gamma(color, 0.45)))
        .corner_radius(6)
        .inner_margin(Margin::symmetric(10, 8))
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            contents(ui)
        })
        .inner
}

/// What stands where there is nothing to list, and what to do about it.
pub fn empty(ui: &mut Ui, tokens: &ColorTokens, title: &str, hint: &str) {
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        ui.add_space(20.0);
        ui.label(RichText::new(title).font(semibold(13.0)));
        ui.label(RichText::new(hint).color(tokens.dim));
    });
}
