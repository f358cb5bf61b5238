//! The YAML of a Service as the API server keeps it.

use egui::{CollapsingHeader, RichText, ScrollArea, Ui};
use egui_extras::syntax_highlighting::{CodeTheme, highlight};
use egui_phosphor::regular as icon;

use crate::{
    action::WindowAction,
    context::PanelContext,
    theme::{SMALL, regular},
    widgets::{dim, icon_button},
};
use svcscope_model::inventory::ObjectKey;

/// Draws the YAML, or why it can't be had.
pub fn yaml_ui(ui: &mut Ui, ctx: &PanelContext<'_>, service: &ObjectKey) {
    CollapsingHeader::new(
        RichText::new("YAML")
            .font(regular(SMALL))
            .color(ctx.tokens.dim),
    )
    .id_salt("yaml")
    .show(ui, |ui| {
        let yaml = ctx
            .scene
            .yaml
            .as_ref()
            .filter(|yaml| yaml.service == *service);
        match yaml.map(|yaml| &yaml.text) {
            None => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    dim(ui, ctx.tokens, "Asking the API server…");
                });
            }
            Some(Err(reason)) => {
                ui.label(RichText::new(&**reason).color(ctx.tokens.broken));
            }
            Some(Ok(text)) => {
                if icon_button(ui, icon::COPY, "Copy the YAML", None).clicked() {
                    ctx.send(WindowAction::Copy {
                        text: text.to_string(),
                        what: "YAML",
                    });
                }
                code_ui(ui, text, "yaml");
            }
        }
    });
}

/// Coloured code that can be selected and scrolled sideways.
fn code_ui(ui: &mut Ui, text: &str, language: &str) {
    let theme = CodeTheme::from_style(ui.style());
    ScrollArea::horizontal().id_salt("code").show(ui, |ui| {
        let job = highlight(ui.ctx(), ui.style(), &theme, text, language);
        ui.add(egui::Label::new(job).selectable(true).extend());
    });
}
