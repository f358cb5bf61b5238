//! Asks for the file that forwards or changes are written to, or forwards read from.

use std::path::{Path, PathBuf};

use egui::{Key, Label, RichText, ScrollArea, Ui};

use super::{form_row_ui, modal_ui};
use crate::{
    action::WindowAction,
    context::PanelContext,
    formatting,
    widgets::{dim, named_field, primary_button, text_field},
};
use svcscope_engine::{EngineCommand, ForwardImportPreview, settings::SavedForward};
use svcscope_model::inventory::SharedStr;
use svcscope_net::probe::RequestId;

/// What the file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilePurpose {
    /// Saved forwards go to a new file.
    ExportForwards,
    /// They come from a file.
    ImportForwards,
    /// The journal of changes goes to a new file.
    ExportAuditLog,
    /// The whole body of an answer goes to a new file.
    SaveBody(RequestId),
}

/// The form.
#[derive(Debug)]
pub struct FileChoiceForm {
    purpose: FilePurpose,
    path: String,
    /// It was asked what the file holds.
    preview_requested: bool,
    /// The word that is asked for where forwards would listen for others.
    typed_confirmation: String,
    /// The keyboard was put into the first field.
    focused: bool,
}

impl FileChoiceForm {
    /// A form that proposes a file in this folder.
    pub fn new(purpose: FilePurpose, folder: Option<&Path>, context: Option<&str>) -> Self {
        let name: String = context
            .unwrap_or("context")
            .chars()
            .map(|letter| {
                if letter.is_alphanumeric() {
                    letter
                } else {
                    '-'
                }
            })
            .take(60)
            .collect();
        let what = match purpose {
            FilePurpose::ExportForwards | FilePurpose::ImportForwards => "forwards",
            FilePurpose::ExportAuditLog => "changes",
            FilePurpose::SaveBody(_) => "body",
        };
        let end = match purpose {
            FilePurpose::SaveBody(id) => format!("-{}", id.0),
            _ => ".json".to_owned(),
        };
        let path = folder
            .unwrap_or_else(|| Path::new(""))
            .join(format!("svcscope-{what}-{name}{end}"));
        Self {
            purpose,
            path: path.display().to_string(),
            preview_requested: false,
            typed_confirmation: String::new(),
            focused: false,
        }
    }

    /// What the file that is named holds, once it was read.
    fn import_preview<'a>(&self, ctx: &PanelContext<'a>) -> Option<&'a ForwardImportPreview> {
        let offer = ctx.scene.import_offer.as_deref()?;
        let is_it = self.preview_requested && offer.file.as_path() == Path::new(self.path.trim());
        is_it.then_some(offer)
    }

    fn command(&self) -> Result<EngineCommand, SharedStr> {
        let path = PathBuf::from(self.path.trim());
        if !path.is_absolute() || path.file_name().is_none() {
            return Err(SharedStr::from("give the whole path of a file, from / on"));
        }
        Ok(match self.purpose {
            FilePurpose::ExportForwards => EngineCommand::ExportForwards(path),
            FilePurpose::ImportForwards => EngineCommand::PreviewForwardImport(path),
            FilePurpose::ExportAuditLog => EngineCommand::ExportAuditLog(path),
            FilePurpose::SaveBody(id) => EngineCommand::SaveResponseBody(id, path),
        })
    }
}

/// Draws the dialog.
pub fn file_choice_ui(egui: &egui::Context, ctx: &PanelContext<'_>, form: &mut FileChoiceForm) {
    let (title, hint) = match form.purpose {
        FilePurpose::ExportForwards => {
            let number = formatting::plural(ctx.scene.saved_forwards.len(), "saved forward");
            (
                "Export forwards",
                format!("{number} of this context, for another machine or another user"),
            )
        }
        FilePurpose::ImportForwards => (
            "Import forwards",
            "They are kept beside those of this context; none is replaced and none is started"
                .to_owned(),
        ),
        FilePurpose::SaveBody(_) => (
            "Save the body",
            "What was kept of it, and the rest as the server sends it".to_owned(),
        ),
        FilePurpose::ExportAuditLog => {
            let number = formatting::plural(ctx.scene.audit_log.len(), "change");
            (
                "Export the audit log",
                format!("{number} of this session, each with the whole object before and after"),
            )
        }
    };
    modal_ui(egui, ctx, title, 560.0, |ui| {
        dim(ui, ctx.tokens, hint);
        ui.add_space(4.0);
        form_row_ui(ui, ctx, "File", |ui| {
            let field = text_field(&mut form.path)
                .font(egui::TextStyle::Monospace)
                .desired_width(f32::INFINITY);
            let response = ui.add(field);
            named_field(&response, "File", &form.path);
            if !std::mem::replace(&mut form.focused, true) {
                response.request_focus();
            }
        });
        ui.add_space(12.0);
        match form.import_preview(ctx) {
            Some(offer) => import_preview_ui(ui, ctx, form, offer),
            None => buttons_ui(ui, ctx, form),
        }
    });
}

/// What the file holds, and whether to keep it.
fn import_preview_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    form: &mut FileChoiceForm,
    offer: &ForwardImportPreview,
) {
    ScrollArea::vertical().max_height(260.0).show(ui, |ui| {
        for forward in &offer.forwards {
            let color = if forward.spec.listens_beyond_loopback() {
                ctx.tokens.broken
            } else {
                ctx.tokens.text
            };
            ui.add(Label::new(RichText::new(describe_forward(forward)).color(color)).wrap());
        }
    });
    let opens = offer
        .forwards
        .iter()
        .filter(|one| one.exposes_port_at_start())
        .count();
    let mut disabled = None;
    if opens > 0 {
        let words = format!(
            "{} would listen for other machines whenever svcscope comes to this context. Type \
             listen to keep them all the same",
            formatting::plural(opens, "forward")
        );
        ui.add(Label::new(RichText::new(words).color(ctx.tokens.broken)).wrap());
        let response = ui.add(text_field(&mut form.typed_confirmation).desired_width(200.0));
        named_field(&response, "Word", &form.typed_confirmation);
        disabled = (form.typed_confirmation.trim() != "listen")
            .then(|| SharedStr::from("type the word first"));
    }
    ui.horizontal(|ui| {
        if primary_button(ui, ctx.tokens, "Import", disabled.as_ref()).clicked() {
            ctx.send(WindowAction::Send(EngineCommand::ImportForwards(
                offer.file.clone(),
            )));
            ctx.send(WindowAction::CloseDialog);
        }
        if ui.button("Cancel").clicked() {
            ctx.send(WindowAction::CloseDialog);
        }
    });
}

/// `web: 0.0.0.0:8080 → svc/web port 80 in shop, starts with the app`.
fn describe_forward(forward: &SavedForward) -> String {
    let spec = &forward.spec;
    let address = spec
        .local_address
        .map_or_else(|| "localhost".to_owned(), |address| address.to_string());
    let port = spec.local_port;
    let port = port.map_or_else(|| "any port".to_owned(), |port| format!("port {port}"));
    let start = if forward.start_with_app {
        ", starts with the app"
    } else {
        ""
    };
    format!(
        "{}: {address}, {port} → {} port {} in {}{start}",
        forward.name,
        spec.target,
        spec.port,
        spec.target.key().namespace
    )
}

fn buttons_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut FileChoiceForm) {
    let command = form.command();
    let disabled = command.as_ref().err().cloned();
    if let Some(reason) = &disabled {
        ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
    }
    let word = match form.purpose {
        FilePurpose::ExportForwards | FilePurpose::ExportAuditLog => "Export",
        FilePurpose::SaveBody(_) => "Save",
        FilePurpose::ImportForwards => "Show what it holds",
    };
    ui.horizontal(|ui| {
        let enter = ui.input(|input| input.key_pressed(Key::Enter));
        let go = primary_button(ui, ctx.tokens, word, disabled.as_ref());
        let cancel = ui.button("Cancel");
        if cancel.clicked() {
            ctx.send(WindowAction::CloseDialog);
        } else if (go.clicked() || enter && !cancel.has_focus())
            && let Ok(command) = command
        {
            ctx.send(WindowAction::Send(command));
            if form.purpose == FilePurpose::ImportForwards {
                form.preview_requested = true;
            } else {
                ctx.send(WindowAction::CloseDialog);
            }
        }
    });
}
