//! What came back.

use egui::{Frame, Grid, Label, RichText, ScrollArea, Ui};
use egui_extras::syntax_highlighting::{CodeTheme, highlight};
use egui_phosphor::regular as icon;

use super::Curl;
use crate::{
    engine::RequestState,
    probe::CurlResponse,
    ui::{
        action::Action,
        bottom::requests::{answer, said},
        context::Ctx,
        widgets::{badge, dim, icon_button, notice},
        words,
    },
};

/// More text than this is not coloured: the colouring costs a frame its time.
const COLOURED_BYTES: usize = 64 * 1024;
/// More text than this is not laid out at all in one label.
const SHOWN_BYTES: usize = 512 * 1024;

/// Draws how the request stands and, once it is there, the answer.
pub(super) fn answer_ui(ui: &mut Ui, ctx: &Ctx<'_>, dialog: &mut Curl) {
    let Some(status) = dialog.status(ctx) else {
        return;
    };
    match &status.state {
        RequestState::Running | RequestState::Receiving(_) => {}
        RequestState::Cancelled => {
            dim(ui, ctx.tokens, "Cancelled.");
        }
        RequestState::Failed(reason) => {
            ui.add_space(8.0);
            notice(ui, ctx.tokens, ctx.tokens.broken, |ui| {
                ui.add(Label::new(RichText::new(&*reason.message).color(ctx.tokens.broken)).wrap());
            });
        }
        RequestState::Done(response) => {
            ui.add_space(8.0);
            ui.separator();
            summary_ui(ui, ctx, &status.state, response);
            parts_ui(ui, ctx, dialog, response);
        }
    }
}

fn summary_ui(ui: &mut Ui, ctx: &Ctx<'_>, state: &RequestState, response: &CurlResponse) {
    let (state, _) = answer(state);
    ui.horizontal_wrapped(|ui| {
        let color = ctx.tokens.state(state);
        badge(ui, ctx.tokens, &said(response), color);
        dim(
            ui,
            ctx.tokens,
            format!(
                "{} · {} to the first byte, {} in all · {}",
                response.http().map_or("", |head| &head.version),
                words::duration(response.phases.first_byte.unwrap_or_default()),
                words::duration(response.phases.total),
                words::bytes(response.body_bytes),
            ),
        );
    });
    dim(ui, ctx.tokens, format!("via {}", response.via));
}

fn parts_ui(ui: &mut Ui, ctx: &Ctx<'_>, dialog: &mut Curl, response: &CurlResponse) {
    let text = String::from_utf8_lossy(&response.body);
    ui.horizontal(|ui| {
        for (headers, word) in [
            (false, "Body".to_owned()),
            (true, format!("Headers ({})", headers_of(response).len())),
        ] {
            if ui
                .selectable_label(dialog.show_headers == headers, word)
                .clicked()
            {
                dialog.show_headers = headers;
            }
        }
        if icon_button(ui, icon::COPY, "Copy the body", None).clicked() {
            ctx.send(Action::Copy {
                text: text.to_string(),
                what: "body",
            });
        }
    });
    if dialog.show_headers {
        headers_ui(ui, ctx, response);
    } else {
        body_ui(ui, ctx, response, &text);
    }
}

fn headers_ui(ui: &mut Ui, ctx: &Ctx<'_>, response: &CurlResponse) {
    Grid::new("response headers")
        .num_columns(2)
        .spacing([12.0, 2.0])
        .show(ui, |ui| {
            for (name, value) in headers_of(response) {
                ui.label(RichText::new(name).monospace().color(ctx.tokens.dim));
                ui.add(Label::new(RichText::new(value).monospace()).wrap());
                ui.end_row();
            }
        });
}

fn body_ui(ui: &mut Ui, ctx: &Ctx<'_>, response: &CurlResponse, text: &str) {
    if text.is_empty() {
        dim(ui, ctx.tokens, "The body is empty.");
        return;
    }
    let shown = text
        .get(..text.floor_char_boundary(SHOWN_BYTES))
        .unwrap_or(text);
    if response.truncated || shown.len() < text.len() {
        dim(
            ui,
            ctx.tokens,
            format!(
                "Shown: the first {} of {}.",
                words::bytes(shown.len() as u64),
                words::bytes(response.body_bytes)
            ),
        );
    }
    let frame = Frame::new()
        .fill(ctx.tokens.background)
        .corner_radius(6)
        .inner_margin(10);
    let area = ScrollArea::horizontal()
        .id_salt("body")
        .auto_shrink([false, true]);
    frame.show(ui, |ui| {
        area.show(ui, |ui| {
            let label = match language(response) {
                Some(language) if shown.len() <= COLOURED_BYTES => {
                    let theme = CodeTheme::from_style(ui.style());
                    Label::new(highlight(ui.ctx(), ui.style(), &theme, shown, language))
                }
                _ => Label::new(RichText::new(shown).monospace()),
            };
            ui.add(label.selectable(true).extend());
        })
    });
}

/// The language of the body by its Content-Type.
fn language(response: &CurlResponse) -> Option<&'static str> {
    let (_, content_type) = headers_of(response)
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))?;
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

fn headers_of(response: &CurlResponse) -> &[(String, String)] {
    response.http().map_or(&[], |head| &head.headers)
}
