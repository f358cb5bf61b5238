//! The request console: asks for a request and its access path, sends it and shows what came back.
//!
//! **In**: the scene with the requests that were sent. **Out**: a [`svcscope_net::probe::CurlRequest`] to
//! send, once or many times. `draft` holds what is filled in, `form` and `more` draw it, `send` the
//! orders; `response` and its pages show the answer, `history` and `compare` those before it.

mod access_path;
mod body;
mod body_view;
mod compare;
mod draft;
mod form;
mod form_pages;
mod history;
mod phases;
mod repeats;
mod response;
mod send;

use egui::{Key, Modifiers, ScrollArea};

use super::modal_ui;
use crate::{context::PanelContext, formatting};

pub use draft::CurlDialog;

/// Draws the dialog.
pub fn curl_ui(egui: &egui::Context, ctx: &PanelContext<'_>, dialog: &mut CurlDialog) {
    // Before any button sees it: the one that has the focus would take it for a click.
    let enter = egui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Enter));
    let title = format!("Curl {}", formatting::target_label(dialog.target()));
    modal_ui(egui, ctx, &title, 860.0, |ui| {
        let room = (ui.ctx().content_rect().height() - 160.0).max(160.0);
        ScrollArea::vertical()
            .id_salt("curl")
            .max_height(room)
            .show(ui, |ui| {
                form::form_ui(ui, ctx, dialog, enter);
                response::response_ui(ui, ctx, dialog);
                history::history_ui(ui, ctx, dialog);
            });
    });
}
