//! Changing a Service's type: wanted, planned, tried at the server, confirmed, read back.

mod form;
mod plan;

use super::modal_ui;
use crate::ui::context::Ctx;

pub use form::ChangeType;

/// Draws the dialog.
pub fn change_type_ui(egui: &egui::Context, ctx: &Ctx<'_>, dialog: &mut ChangeType) {
    let title = format!("Change the type of {}", dialog.service());
    modal_ui(egui, ctx, &title, 640.0, |ui| {
        let room = (ui.ctx().content_rect().height() - 160.0).max(160.0);
        egui::ScrollArea::vertical()
            .id_salt("change type")
            .max_height(room)
            .show(ui, |ui| {
                if !dialog.is_undo() && !plan::is_over(ctx, dialog) {
                    form::form_ui(ui, ctx, dialog);
                }
                plan::plan_ui(ui, ctx, dialog);
            });
    });
}
