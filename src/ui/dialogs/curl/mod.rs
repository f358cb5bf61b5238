//! Asks for a request, sends it and shows what came back.

mod form;
mod response;

use egui::ScrollArea;

use super::modal_ui;
use crate::ui::{context::Ctx, words};

pub use form::Curl;

/// Draws the dialog.
pub fn curl_ui(egui: &egui::Context, ctx: &Ctx<'_>, dialog: &mut Curl) {
    let title = format!("Curl {}", words::target(dialog.target()));
    modal_ui(egui, ctx, &title, 780.0, |ui| {
        let room = (ui.ctx().content_rect().height() - 160.0).max(160.0);
        ScrollArea::vertical()
            .id_salt("curl")
            .max_height(room)
            .show(ui, |ui| {
                form::form_ui(ui, ctx, dialog);
                response::answer_ui(ui, ctx, dialog);
            });
    });
}
