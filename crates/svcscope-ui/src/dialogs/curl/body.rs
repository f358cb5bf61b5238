//! The body of an answer.

use egui::{FontSelection, Frame, Label, RichText, ScrollArea, TextFormat, TextStyle, Ui};
use egui_extras::syntax_highlighting::{CodeTheme, highlight};
use egui_phosphor::regular as icon;

use super::{
    body_view::{BodyFormat, SHOWN_BYTES, highlight_matches},
    draft::CurlDialog,
};
use crate::{
    action::WindowAction,
    context::PanelContext,
    dialogs::file_choice::FilePurpose,
    formatting,
    widgets::{dim, icon_button, named_field, text_field},
};
use svcscope_engine::RequestStatus;
use svcscope_net::probe::CurlResponse;

/// More text than this is not coloured: the colouring costs a frame its time.
const COLOURED_BYTES: usize = 64 * 1024;

/// Draws the body and what can be done with it.
pub(super) fn body_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    dialog: &mut CurlDialog,
    status: &RequestStatus,
    response: &CurlResponse,
) {
    if response.body.is_empty() {
        let said = if status.state.is_under_way() {
            "Nothing of the body yet."
        } else {
            "The body is empty."
        };
        dim(ui, ctx.tokens, said);
        return;
    }
    tools_ui(ui, ctx, dialog, status, response);
    let shown = response.body.len().min(SHOWN_BYTES) as u64;
    if response.truncated || shown < response.body_bytes {
        let mut said = format!("Shown: the first {}", formatting::bytes(shown));
        said += &match (response.truncated, status.has_unread_body) {
            (true, true) => format!(
                "; the server paused after {}. Save the whole body to read on.",
                formatting::bytes(response.body_bytes)
            ),
            (true, false) => "; the rest was not read.".to_owned(),
            (false, _) => format!(" of {}.", formatting::bytes(response.body_bytes)),
        };
        dim(ui, ctx.tokens, said);
    }
    let search = dialog.body_view.search.len();
    let is_raw_hex = dialog.body_view.format == BodyFormat::Hex;
    let (text, found) = dialog.body_view.text(status.id, response);
    let frame = Frame::new()
        .fill(ctx.tokens.background)
        .corner_radius(6)
        .inner_margin(10);
    let area = ScrollArea::both()
        .id_salt("body")
        .max_height(360.0)
        .auto_shrink([false, true]);
    frame.show(ui, |ui| {
        area.show(ui, |ui| {
            let language = language(response).filter(|_| !is_raw_hex);
            let label = match language {
                _ if !found.is_empty() => {
                    let font = FontSelection::Style(TextStyle::Monospace).resolve(ui.style());
                    let plain = TextFormat::simple(font, ctx.tokens.text);
                    Label::new(highlight_matches(text, found, search, plain, ctx.tokens))
                }
                Some(language) if text.len() <= COLOURED_BYTES => {
                    let theme = CodeTheme::from_style(ui.style());
                    Label::new(highlight(ui.ctx(), ui.style(), &theme, text, language))
                }
                _ => Label::new(RichText::new(text).monospace()),
            };
            ui.add(label.selectable(true).extend());
        })
    });
}

fn tools_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    dialog: &mut CurlDialog,
    status: &RequestStatus,
    response: &CurlResponse,
) {
    ui.horizontal(|ui| {
        for (form, word, hint) in [
            (BodyFormat::Pretty, "Pretty", "JSON and XML indented"),
            (BodyFormat::Raw, "Raw", "As it came"),
            (BodyFormat::Hex, "Hex", "As bytes"),
        ] {
            if ui
                .selectable_label(dialog.body_view.format == form, word)
                .on_hover_text(hint)
                .clicked()
            {
                dialog.body_view.format = form;
            }
        }
        let field = text_field(&mut dialog.body_view.search)
            .hint_text("Find in the body")
            .desired_width(160.0);
        let field = ui.add(field);
        named_field(&field, "Find in the body", &dialog.body_view.search);
        if !dialog.body_view.search.is_empty() {
            let (_, found) = dialog.body_view.text(status.id, response);
            let said = match found.len() {
                10_000 => "10000 or more".to_owned(),
                found => format!("{found} found"),
            };
            dim(ui, ctx.tokens, said);
        }
        if icon_button(ui, icon::COPY, "Copy the body", None).clicked() {
            ctx.send(WindowAction::Copy {
                text: String::from_utf8_lossy(&response.body).into_owned(),
                what: "body",
            });
        }
        if !status.state.is_under_way()
            && icon_button(ui, icon::FLOPPY_DISK, "Save the whole body…", None).clicked()
        {
            ctx.send(WindowAction::OpenFile(FilePurpose::SaveBody(status.id)));
        }
    });
}

/// The language of the body by its Content-Type.
fn language(response: &CurlResponse) -> Option<&'static str> {
    let content_type = response.http()?.header("content-type")?;
    let content_type = content_type.to_ascii_lowercase();
    [
        ("json", "json"),
        ("html", "html"),
        ("yaml", "yaml"),
        ("xml", "xml"),
        ("javascript", "js"),
        ("css", "css"),
    ]
    .into_iter()
    .find_map(|(part, language)| content_type.contains(part).then_some(language))
}
