//! Requests that were sent and what came back, the newest first.

use egui::{RichText, Ui};

use super::table::{Col, table_ui};
use crate::{
    engine::{Command, RequestState, RequestStatus},
    probe::{CurlResponse, Said},
    ui::{
        action::Action,
        context::Ctx,
        theme::State,
        widgets::{empty, link_button, state_label, truncated},
        words,
    },
};

const COLUMNS: [Col; 6] = [
    Col::Share("answer", 200.0),
    Col::Share("request", 330.0),
    Col::Share("time", 70.0),
    Col::Share("size", 70.0),
    Col::Share("sent at", 80.0),
    Col::Fixed("", 120.0),
];

/// Draws the list.
pub fn requests_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    let requests = &ctx.scene.requests;
    if requests.is_empty() {
        empty(
            ui,
            ctx.tokens,
            "No requests",
            "Select a Service or a pod and press C to send one.",
        );
        return;
    }
    table_ui(ui, ctx, "requests", &COLUMNS, requests.len(), |row| {
        let newest_first = requests.len().checked_sub(row.index() + 1);
        let Some(status) = newest_first.and_then(|at| requests.get(at)) else {
            return;
        };
        let done = match &status.state {
            RequestState::Done(response) => Some(response),
            _ => None,
        };
        row.col(|ui| answer_ui(ui, ctx, status));
        row.col(|ui| {
            let request = &status.request;
            let line = format!(
                "{} {}:{}{}",
                request.method,
                words::target(&request.target),
                request.port,
                request.path
            );
            truncated(ui, RichText::new(line).monospace());
        });
        row.col(|ui| {
            let time = done.map(|response| words::duration(response.phases.total));
            ui.label(RichText::new(time.unwrap_or_else(|| "–".to_owned())).monospace());
        });
        row.col(|ui| {
            let size = done.map(|response| words::bytes(response.body_bytes));
            ui.label(RichText::new(size.unwrap_or_else(|| "–".to_owned())).monospace());
        });
        row.col(|ui| {
            ui.label(
                RichText::new(words::clock(status.started))
                    .monospace()
                    .color(ctx.tokens.dim),
            );
        });
        row.col(|ui| {
            ui.spacing_mut().item_spacing.x = 12.0;
            let name = words::target(&status.request.target);
            if link_button(ui, ctx.tokens, "Show", &format!("Show request {name}")).clicked() {
                ctx.send(Action::ShowRequest(status.id));
            }
            if status.state.is_under_way()
                && link_button(ui, ctx.tokens, "Cancel", &format!("Cancel request {name}"))
                    .clicked()
            {
                ctx.send(Action::Send(Command::CancelCurl(status.id)));
            }
        });
    });
}

fn answer_ui(ui: &mut Ui, ctx: &Ctx<'_>, status: &RequestStatus) {
    let (state, said) = answer(&status.state);
    state_label(ui, ctx.tokens, state, &said).on_hover_text(said);
}

/// The state of a request and its words.
pub fn answer(state: &RequestState) -> (State, String) {
    match state {
        RequestState::Running => (State::Pending, "running".to_owned()),
        RequestState::Receiving(_) => (State::Pending, "receiving".to_owned()),
        RequestState::Cancelled => (State::Unknown, "cancelled".to_owned()),
        RequestState::Failed(reason) => (State::Broken, reason.to_string()),
        RequestState::Done(response) => {
            let Some(status) = response.status() else {
                return (State::Healthy, said(response));
            };
            let state = match status {
                500.. => State::Broken,
                400..500 => State::Degraded,
                _ => State::Healthy,
            };
            (state, status_line(status))
        }
    }
}

/// What an answer without HTTP says.
pub fn said(response: &CurlResponse) -> String {
    match &response.said {
        Said::Http(head) => status_line(head.status),
        Said::Connected => "connected".to_owned(),
        Said::Handshake => "TLS handshake done".to_owned(),
        Said::Health(word) => word.to_string(),
    }
}

/// `404 Not Found`.
pub fn status_line(status: u16) -> String {
    let reason = http::StatusCode::from_u16(status)
        .ok()
        .and_then(|code| code.canonical_reason());
    match reason {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}
