//! Lines of a name and a value.

use egui::{Label, RichText, Ui, vec2};

use crate::{action::WindowAction, context::PanelContext, widgets::copyable};

const NAME_WIDTH: f32 = 104.0;

/// A name at the left, whatever `value` draws at the right.
pub fn property_ui(ui: &mut Ui, ctx: &PanelContext<'_>, name: &str, value: impl FnOnce(&mut Ui)) {
    ui.horizontal_top(|ui| {
        let name = Label::new(RichText::new(name).color(ctx.tokens.dim)).truncate();
        ui.allocate_ui_with_layout(
            vec2(NAME_WIDTH, 18.0),
            egui::Layout::left_to_right(egui::Align::Min),
            |ui| {
                ui.set_min_width(NAME_WIDTH);
                ui.add(name);
            },
        );
        ui.vertical(|ui| value(ui));
    });
}

/// A name and a word.
pub fn text_property_ui(ui: &mut Ui, ctx: &PanelContext<'_>, name: &str, value: &str) {
    property_ui(ui, ctx, name, |ui| {
        ui.add(Label::new(value).wrap());
    });
}

/// A name and something that is copied often.
pub fn copyable_property_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    name: &str,
    values: &[String],
    what: &'static str,
) {
    property_ui(ui, ctx, name, |ui| {
        for text in values {
            if copyable(ui, text, what) {
                let text = text.clone();
                ctx.send(WindowAction::Copy { text, what });
            }
        }
    });
}
