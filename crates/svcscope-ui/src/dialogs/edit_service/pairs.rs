//! Keys and values to type in: selectors, labels, annotations.

use egui::Ui;
use egui_phosphor::regular as icon;

use super::draft::KeyValuePairs;
use crate::{
    context::PanelContext,
    widgets::{dim, icon_button, named_field, text_field},
};

/// Draws a line for each pair, and one to add another; `what` is what a pair is called.
pub(super) fn pairs_ui(ui: &mut Ui, ctx: &PanelContext<'_>, pairs: &mut KeyValuePairs, what: &str) {
    let mut removed = None;
    let room = (ui.available_width() - 60.0).max(120.0);
    for (at, (key, value)) in pairs.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            let number = at + 1;
            let field = text_field(key).hint_text("key").desired_width(room * 0.5);
            let response = ui.add(field);
            named_field(&response, &format!("Key of {what} {number}"), key);
            dim(ui, ctx.tokens, "=");
            let field = text_field(value)
                .hint_text("value")
                .desired_width(room * 0.4);
            let response = ui.add(field);
            named_field(&response, &format!("Value of {what} {number}"), value);
            let name = format!("Remove {what} {number}");
            if icon_button(ui, icon::TRASH, &name, None).clicked() {
                removed = Some(at);
            }
        });
    }
    if let Some(at) = removed {
        pairs.remove(at);
    }
    if ui.button(format!("{} Add a {what}", icon::PLUS)).clicked() {
        pairs.push(Default::default());
    }
}
