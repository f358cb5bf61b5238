//! Asks for the file that forwards or changes are written to, or forwards read from.

use std::path::{Path, PathBuf};

use egui::{Key, Label, RichText, ScrollArea, Ui};

use super::{field_ui, modal_ui};
use crate::{
    engine::{Command, ImportOffer},
    inventory::Text,
    probe::RequestId,
    session::SavedForward,
    ui::{
        action::Action,
        context::Ctx,
        widgets::{dim, named_field, primary_button, text_field},
        words,
    },
};

/// What the file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Saved forwards go to a new file.
    ExportForwards,
    /// They come from a file.
    ImportForwards,
    /// The journal of changes goes to a new file.
    ExportJournal,
    /// The whole body of an answer goes to a new file.
    SaveBody(RequestId),
}

/// The form.
#[derive(Debug)]
pub struct FileChoice {
    purpose: Purpose,
    path: String,
    /// It was asked what the file holds.
    is_asked: bool,
    /// The word that is asked for where forwards would listen for others.
    typed: String,
    /// The keyboard was put into the first field.
    focused: bool,
}

impl FileChoice {
    /// A form that proposes a file in this folder.
    pub fn new(purpose: Purpose, folder: Option<&Path>, context: Option<&str>) -> Self {
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
            Purpose::ExportForwards | Purpose::ImportForwards => "forwards",
            Purpose::ExportJournal => "changes",
            Purpose::SaveBody(_) => "body",
        };
        let end = match purpose {
            Purpose::SaveBody(id) => format!("-{}", id.0),
            _ => ".json".to_owned(),
        };
        let path = folder
            .unwrap_or_else(|| Path::new(""))
            .join(format!("svcscope-{what}-{name}{end}"));
        Self {
            purpose,
            path: path.display().to_string(),
            is_asked: false,
            typed: String::new(),
            focused: false,
        }
    }

    /// What the file that is named holds, once it was read.
    fn offer<'a>(&self, ctx: &Ctx<'a>) -> Option<&'a ImportOffer> {
        let offer = ctx.scene.import_offer.as_deref()?;
        let is_it = self.is_asked && offer.file.as_path() == Path::new(self.path.trim());
        is_it.then_some(offer)
    }

    fn command(&self) -> Result<Command, Text> {
        let path = PathBuf::from(self.path.trim());
        if !path.is_absolute() || path.file_name().is_none() {
            return Err(Text::from("give the whole path of a file, from / on"));
        }
        Ok(match self.purpose {
            Purpose::ExportForwards => Command::ExportForwards(path),
            Purpose::ImportForwards => Command::OfferForwards(path),
            Purpose::ExportJournal => Command::ExportJournal(path),
            Purpose::SaveBody(id) => Command::SaveBody(id, path),
        })
    }
}

/// Draws the dialog.
pub fn file_choice_ui(egui: &egui::Context, ctx: &Ctx<'_>, form: &mut FileChoice) {
    let (title, hint) = match form.purpose {
        Purpose::ExportForwards => {
            let number = words::count(ctx.scene.saved.len(), "saved forward");
            (
                "Export forwards",
                format!("{number} of this context, for another machine or another person"),
            )
        }
        Purpose::ImportForwards => (
            "Import forwards",
            "They are kept beside those of this context; none is replaced and none is started"
                .to_owned(),
        ),
        Purpose::SaveBody(_) => (
            "Save the body",
            "What was kept of it, and the rest as the server sends it".to_owned(),
        ),
        Purpose::ExportJournal => {
            let number = words::count(ctx.scene.journal.len(), "change");
            (
                "Export the journal",
                format!("{number} of this session, each with the whole object before and after"),
            )
        }
    };
    modal_ui(egui, ctx, title, 560.0, |ui| {
        dim(ui, ctx.tokens, hint);
        ui.add_space(4.0);
        field_ui(ui, ctx, "File", |ui| {
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
        match form.offer(ctx) {
            Some(offer) => offer_ui(ui, ctx, form, offer),
            None => buttons_ui(ui, ctx, form),
        }
    });
}

/// What the file holds, and whether to keep it.
fn offer_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut FileChoice, offer: &ImportOffer) {
    ScrollArea::vertical().max_height(260.0).show(ui, |ui| {
        for forward in &offer.forwards {
            let color = if forward.spec.listens_for_others() {
                ctx.tokens.broken
            } else {
                ctx.tokens.text
            };
            ui.add(Label::new(RichText::new(described(forward)).color(color)).wrap());
        }
    });
    let opens = offer
        .forwards
        .iter()
        .filter(|one| one.opens_at_start())
        .count();
    let mut disabled = None;
    if opens > 0 {
        let words = format!(
            "{} would listen for other machines whenever svcscope comes to this context. Type \
             listen to keep them all the same",
            words::count(opens, "forward")
        );
        ui.add(Label::new(RichText::new(words).color(ctx.tokens.broken)).wrap());
        let response = ui.add(text_field(&mut form.typed).desired_width(200.0));
        named_field(&response, "Word", &form.typed);
        disabled = (form.typed.trim() != "listen").then(|| Text::from("type the word first"));
    }
    ui.horizontal(|ui| {
        if primary_button(ui, ctx.tokens, "Import", disabled.as_ref()).clicked() {
            ctx.send(Action::Send(Command::ImportForwards(offer.file.clone())));
            ctx.send(Action::CloseDialog);
        }
        if ui.button("Cancel").clicked() {
            ctx.send(Action::CloseDialog);
        }
    });
}

/// `web: 0.0.0.0:8080 → svc/web port 80 in shop, starts with the app`.
fn described(forward: &SavedForward) -> String {
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

fn buttons_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut FileChoice) {
    let command = form.command();
    let disabled = command.as_ref().err().cloned();
    if let Some(reason) = &disabled {
        ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
    }
    let word = match form.purpose {
        Purpose::ExportForwards | Purpose::ExportJournal => "Export",
        Purpose::SaveBody(_) => "Save",
        Purpose::ImportForwards => "Show what it holds",
    };
    ui.horizontal(|ui| {
        let enter = ui.input(|input| input.key_pressed(Key::Enter));
        let go = primary_button(ui, ctx.tokens, word, disabled.as_ref());
        let cancel = ui.button("Cancel");
        if cancel.clicked() {
            ctx.send(Action::CloseDialog);
        } else if (go.clicked() || enter && !cancel.has_focus())
            && let Ok(command) = command
        {
            ctx.send(Action::Send(command));
            if form.purpose == Purpose::ImportForwards {
                form.is_asked = true;
            } else {
                ctx.send(Action::CloseDialog);
            }
        }
    });
}
