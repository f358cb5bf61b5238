//! Buttons.

use egui::{Button, Response, RichText, Stroke, Ui, WidgetInfo, WidgetType};

use crate::theme::ColorTokens;
use svcscope_model::inventory::SharedStr;

/// Says what a button that shows only an icon or a short word does, to those who listen.
fn label(response: Response, text: &str) -> Response {
    let enabled = response.enabled();
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, enabled, text));
    response
}

/// Adds why something is disabled, where it is.
pub fn reason_tooltip(response: Response, reason: Option<&SharedStr>) -> Response {
    match reason {
        Some(reason) => response.on_disabled_hover_text(format!("Not available: {reason}")),
        None => response,
    }
}

/// The button that is meant most in its group.
pub fn primary_button(
    ui: &mut Ui,
    tokens: &ColorTokens,
    text: &str,
    disabled: Option<&SharedStr>,
) -> Response {
    let button = Button::new(RichText::new(text).color(tokens.text))
        .fill(tokens.primary)
        .stroke(Stroke::new(1.0, tokens.accent));
    reason_tooltip(ui.add_enabled(disabled.is_none(), button), disabled)
}

/// A button with an icon, a word and the key that does the same.
pub fn action_button(
    ui: &mut Ui,
    tokens: &ColorTokens,
    icon: &str,
    text: &str,
    key: Option<&str>,
    primary: bool,
    disabled: Option<&SharedStr>,
) -> Response {
    let mut button = Button::new(format!("{icon} {text}"));
    if let Some(key) = key {
        button = button.shortcut_text(RichText::new(key).color(tokens.dim));
    }
    if primary {
        button = button
            .fill(tokens.primary)
            .stroke(Stroke::new(1.0, tokens.accent));
    }
    let response = ui.add_enabled(disabled.is_none(), button);
    reason_tooltip(label(response, text), disabled)
}

/// A small button that shows only an icon; `text` is its tooltip and what it is called.
pub fn icon_button(ui: &mut Ui, icon: &str, text: &str, disabled: Option<&SharedStr>) -> Response {
    let button = Button::new(icon).frame_when_inactive(false);
    let response = ui.add_enabled(disabled.is_none(), button);
    reason_tooltip(label(response, text), disabled).on_hover_text(text)
}

/// A word that acts when clicked; `full` is what it is called where many look alike.
pub fn link_button(ui: &mut Ui, tokens: &ColorTokens, text: &str, full: &str) -> Response {
    let button = Button::new(RichText::new(text).color(tokens.accent))
        .frame(false)
        .small();
    label(ui.add(button), full).on_hover_cursor(egui::CursorIcon::PointingHand)
}
