//! Dialogs: each asks for what an action needs and shows what came of it.
//!
//! **In**: the frame's [`PanelContext`] and the dialog's own form. **Out**: [`super::action::Action`]s.

mod connection_spread_choice;
pub mod connection_test;
pub mod curl;
pub mod edit_service;
pub mod export;
pub mod file_choice;
pub mod forward;
mod help;
pub mod palette;
mod port_choice;
pub mod protection;
pub mod save_forward;

use egui::{Align, Align2, Color32, Frame, Id, Layout, Margin, Modal, Ui};
use egui_phosphor::regular as icon;

use super::{
    action::WindowAction,
    context::PanelContext,
    widgets::{heading, icon_button},
};

/// The open dialog with what was filled in.
#[derive(Debug)]
pub enum Dialog {
    /// Start a forward.
    Forward(Box<forward::ForwardForm>),
    /// Keep a forward for the next start.
    SaveForward(Box<save_forward::SaveForwardForm>),
    /// Write or read a file.
    FileChoice(Box<file_choice::FileChoiceForm>),
    /// Send a request.
    Curl(Box<curl::CurlDialog>),
    /// Change, make or delete a Service.
    Edit(Box<edit_service::EditServiceDialog>),
    /// Export the map.
    Export(Box<export::ExportForm>),
    /// Find anything.
    Palette(palette::CommandPalette),
    /// What works of the connection.
    ConnectionTest(connection_test::ConnectionTestForm),
    /// Which contexts are protected.
    Protection(protection::ProtectionForm),
    /// All shortcuts.
    Help,
}

impl Dialog {
    /// Whether it is the palette, whose key closes it too.
    pub fn is_palette(&self) -> bool {
        matches!(self, Self::Palette(_))
    }
}

/// Draws the open dialog.
pub fn dialog_ui(egui: &egui::Context, ctx: &PanelContext<'_>, dialog: &mut Dialog) {
    match dialog {
        Dialog::Forward(form) => forward::forward_ui(egui, ctx, form),
        Dialog::SaveForward(form) => save_forward::save_forward_ui(egui, ctx, form),
        Dialog::FileChoice(form) => file_choice::file_choice_ui(egui, ctx, form),
        Dialog::Curl(form) => curl::curl_ui(egui, ctx, form),
        Dialog::Edit(form) => edit_service::edit_service_ui(egui, ctx, form),
        Dialog::Export(form) => export::export_ui(egui, ctx, form),
        Dialog::Palette(palette) => palette::palette_ui(egui, ctx, palette),
        Dialog::ConnectionTest(form) => connection_test::connection_test_ui(egui, ctx, form),
        Dialog::Protection(form) => protection::protection_ui(egui, ctx, form),
        Dialog::Help => help::help_ui(egui, ctx),
    }
}

/// How far a dialog hangs below the top of the window.
const TOP: f32 = 56.0;

/// A window in the middle that takes all input; Esc, the cross and a click beside it close it.
fn modal_ui(
    egui: &egui::Context,
    ctx: &PanelContext<'_>,
    title: &str,
    width: f32,
    contents: impl FnOnce(&mut Ui),
) {
    let frame = Frame::window(&egui.global_style()).inner_margin(Margin::same(18));
    // It hangs from above, so that it only grows downwards when there is more to say.
    let id = Id::new("dialog");
    let area = Modal::default_area(id).anchor(Align2::CENTER_TOP, [0.0, TOP]);
    let backdrop = match ctx.view.highlighted_pods {
        // The map says something, too.
        Some(_) => Color32::TRANSPARENT,
        None => ctx.tokens.shadow,
    };
    let modal = Modal::new(id)
        .area(area)
        .frame(frame)
        .backdrop_color(backdrop)
        .show(egui, |ui| {
            let room = ui.ctx().content_rect();
            ui.set_width(width.min(room.width() - 60.0));
            ui.set_max_height(room.height() - TOP - 40.0);
            ui.horizontal(|ui| {
                heading(ui, title);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if icon_button(ui, icon::X, "Close", None).clicked() {
                        ctx.send(WindowAction::CloseDialog);
                    }
                });
            });
            ui.add_space(8.0);
            contents(ui);
        });
    if modal.should_close() {
        ctx.send(WindowAction::CloseDialog);
    }
}

/// A form's line: what is asked at the left, the field at the right.
///
/// The name is painted and no widget of its own: the field carries it for those who listen.
fn form_row_ui<R>(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    name: &str,
    field: impl FnOnce(&mut Ui) -> R,
) -> R {
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(egui::vec2(102.0, 26.0), egui::Sense::hover());
        let font = egui::TextStyle::Body.resolve(ui.style());
        ui.painter().text(
            rect.left_center(),
            egui::Align2::LEFT_CENTER,
            name,
            font,
            ctx.tokens.dim,
        );
        ui.vertical(field).inner
    })
    .inner
}
