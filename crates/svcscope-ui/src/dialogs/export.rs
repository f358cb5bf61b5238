//! Asks for what the map is exported as, and where to.

use std::path::{Path, PathBuf};

use egui::{Key, RichText, Ui};
use jiff::{Zoned, tz::TimeZone};

use super::{form_row_ui, modal_ui};
use crate::{
    action::WindowAction,
    context::PanelContext,
    export::{ExportFormat, pending},
    widgets::{dim, named_field, primary_button, text_field},
};
use svcscope_model::inventory::SharedStr;

/// The form.
#[derive(Debug)]
pub struct ExportForm {
    format: ExportFormat,
    whole_map: bool,
    folder: PathBuf,
    context: Option<SharedStr>,
    at: Zoned,
    /// The path as it stands in its field.
    path: String,
    /// The keyboard was put into the first field.
    focused: bool,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRequest {
    /// The form of the file.
    pub format: ExportFormat,
    /// Whether a picture shows the whole map, or what the window shows of it.
    pub whole_map: bool,
    /// The file.
    pub path: PathBuf,
}

impl ExportForm {
    /// A form that proposes a new file in this folder.
    pub fn new(folder: Option<&Path>, context: Option<&SharedStr>, at: jiff::Timestamp) -> Self {
        let mut form = Self {
            format: ExportFormat::default(),
            whole_map: false,
            folder: folder.map(Path::to_owned).unwrap_or_default(),
            context: context.cloned(),
            at: at.to_zoned(TimeZone::system()),
            path: String::new(),
            focused: false,
        };
        form.path = form.proposal(form.format);
        form
    }

    fn proposal(&self, format: ExportFormat) -> String {
        let name = pending::file_name(self.context.as_deref(), &self.at, format);
        self.folder.join(name).display().to_string()
    }

    /// Chooses another form of file; a path that somebody typed keeps all but its ending.
    fn set_format(&mut self, format: ExportFormat) {
        self.path = if self.path == self.proposal(self.format) {
            self.proposal(format)
        } else {
            let path = Path::new(self.path.trim());
            path.with_extension(format.extension())
                .display()
                .to_string()
        };
        self.format = format;
    }

    fn export_request(&self) -> Result<ExportRequest, SharedStr> {
        let typed = self.path.trim();
        let path = PathBuf::from(typed);
        if typed.is_empty() || path.file_name().is_none() {
            return Err(SharedStr::from("the name of the file is missing"));
        }
        if !path.is_absolute() {
            return Err(SharedStr::from(
                "the path starts with /, so that it is clear where it leads",
            ));
        }
        Ok(ExportRequest {
            format: self.format,
            whole_map: self.whole_map,
            path,
        })
    }
}

/// Draws the dialog.
pub fn export_ui(egui: &egui::Context, ctx: &PanelContext<'_>, form: &mut ExportForm) {
    modal_ui(egui, ctx, "Export the map", 560.0, |ui| {
        form_row_ui(ui, ctx, "As", |ui| format_ui(ui, form));
        ui.add_space(4.0);
        form_row_ui(ui, ctx, "Shows", |ui| what_ui(ui, ctx, form));
        ui.add_space(4.0);
        form_row_ui(ui, ctx, "File", |ui| {
            let field = text_field(&mut form.path)
                .font(egui::TextStyle::Monospace)
                .desired_width(f32::INFINITY);
            let response = ui.add(field);
            named_field(&response, "File", &form.path);
        });
        ui.add_space(12.0);
        start_ui(ui, ctx, form);
    });
}

fn format_ui(ui: &mut Ui, form: &mut ExportForm) {
    ui.horizontal(|ui| {
        for format in ExportFormat::ALL {
            let response = ui
                .selectable_label(form.format == format, format.name())
                .on_hover_text(match format {
                    ExportFormat::Svg => "A drawing that stays sharp, with its text as text",
                    ExportFormat::Png => "A picture of pixels",
                    ExportFormat::Dot => "The graph for Graphviz",
                    ExportFormat::Json => {
                        "The graph for programs, as svcscope map -o json prints it"
                    }
                });
            if form.format == format && !std::mem::replace(&mut form.focused, true) {
                response.request_focus();
            }
            if response.clicked() {
                form.set_format(format);
            }
        }
    });
}

fn what_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut ExportForm) {
    if !form.format.is_picture() {
        dim(ui, ctx.tokens, "The graph of every Service that is watched");
        return;
    }
    ui.horizontal(|ui| {
        ui.selectable_value(&mut form.whole_map, false, "What is shown")
            .on_hover_text("The map as the window shows it now");
        ui.selectable_value(&mut form.whole_map, true, "The whole map")
            .on_hover_text("Everything, as near as there is room for in a picture");
    });
}

fn start_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &ExportForm) {
    let request = form.export_request();
    let disabled = request.as_ref().err().cloned();
    if let Some(reason) = &disabled {
        ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
    }
    ui.horizontal(|ui| {
        let typing = ui.ctx().text_edit_focused();
        let enter = typing && ui.input(|input| input.key_pressed(Key::Enter));
        let start = primary_button(ui, ctx.tokens, "Export", disabled.as_ref());
        let cancel = ui.button("Cancel");
        if cancel.clicked() {
            ctx.send(WindowAction::CloseDialog);
        } else if (start.clicked() || enter)
            && let Ok(request) = request
        {
            ctx.send(WindowAction::Export(request));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> ExportForm {
        let at = "2026-06-01T12:00:00Z".parse().expect("a time");
        ExportForm::new(
            Some(Path::new("/home/dev/Pictures")),
            Some(&"lab".into()),
            at,
        )
    }

    #[test]
    fn another_form_changes_the_ending() {
        let mut form = form();
        assert!(
            form.path
                .starts_with("/home/dev/Pictures/svcscope-lab-2026-06-01-")
        );
        form.set_format(ExportFormat::Png);
        assert!(form.path.ends_with(".png"), "{}", form.path);
        form.path = "/tmp/mine.png".to_owned();
        form.set_format(ExportFormat::Dot);
        assert_eq!(form.path, "/tmp/mine.dot");
    }

    #[test]
    fn a_path_must_lead_somewhere() {
        let mut form = form();
        assert!(form.export_request().is_ok());
        for path in ["", "  ", "map.svg", "/"] {
            form.path = path.to_owned();
            assert!(form.export_request().is_err(), "{path:?}");
        }
    }
}
