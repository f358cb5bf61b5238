//! Requests that were sent and what came back, the newest first.

use egui::{RichText, Ui};

use super::table::{TableColumn, table_ui};
use crate::{
    action::WindowAction,
    context::PanelContext,
    formatting,
    theme::Health,
    widgets::{empty, link_button, state_label, truncated},
};
use svcscope_engine::{EngineCommand, RequestState, RequestStatus};
use svcscope_net::probe::{CurlResponse, ResponseKind};

const COLUMNS: [TableColumn; 6] = [
    TableColumn::Share("answer", 200.0),
    TableColumn::Share("request", 330.0),
    TableColumn::Share("time", 70.0),
    TableColumn::Share("size", 70.0),
    TableColumn::Share("sent at", 80.0),
    TableColumn::Fixed("", 120.0),
];

/// Draws the list.
pub fn requests_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
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
        row.col(|ui| state_ui(ui, ctx, status));
        row.col(|ui| {
            let request = &status.request;
            let line = format!(
                "{} {}:{}{}",
                request.method,
                formatting::target_label(&request.target),
                request.port,
                request.path
            );
            truncated(ui, RichText::new(line).monospace());
        });
        row.col(|ui| {
            let time = done.map(|response| formatting::duration(response.phases.total));
            ui.label(RichText::new(time.unwrap_or_else(|| "–".to_owned())).monospace());
        });
        row.col(|ui| {
            let size = done.map(|response| formatting::bytes(response.body_bytes));
            ui.label(RichText::new(size.unwrap_or_else(|| "–".to_owned())).monospace());
        });
        row.col(|ui| {
            ui.label(
                RichText::new(formatting::time_of_day(status.started))
                    .monospace()
                    .color(ctx.tokens.dim),
            );
        });
        row.col(|ui| {
            ui.spacing_mut().item_spacing.x = 12.0;
            let name = formatting::target_label(&status.request.target);
            if link_button(ui, ctx.tokens, "Show", &format!("Show request {name}")).clicked() {
                ctx.send(WindowAction::ShowRequest(status.id));
            }
            if status.state.is_under_way()
                && link_button(ui, ctx.tokens, "Cancel", &format!("Cancel request {name}"))
                    .clicked()
            {
                ctx.send(WindowAction::Send(EngineCommand::CancelRequest(status.id)));
            }
        });
    });
}

fn state_ui(ui: &mut Ui, ctx: &PanelContext<'_>, status: &RequestStatus) {
    let (state, said) = request_state_label(&status.state);
    state_label(ui, ctx.tokens, state, &said).on_hover_text(said);
}

/// The state of a request and its words.
pub fn request_state_label(state: &RequestState) -> (Health, String) {
    match state {
        RequestState::Running => (Health::Pending, "running".to_owned()),
        RequestState::Receiving(_) => (Health::Pending, "receiving".to_owned()),
        RequestState::Cancelled => (Health::Unknown, "cancelled".to_owned()),
        RequestState::Failed(reason) => (Health::Broken, reason.to_string()),
        RequestState::Done(response) => {
            let Some(status) = response.status() else {
                return (Health::Healthy, result_label(response));
            };
            let state = match status {
                500.. => Health::Broken,
                400..500 => Health::Degraded,
                _ => Health::Healthy,
            };
            (state, status_line(status))
        }
    }
}

/// What an answer without HTTP says.
pub fn result_label(response: &CurlResponse) -> String {
    match &response.kind {
        ResponseKind::Http(head) => status_line(head.status),
        ResponseKind::TcpConnected => "connected".to_owned(),
        ResponseKind::TlsHandshake => "TLS handshake done".to_owned(),
        ResponseKind::GrpcHealth(word) => word.to_string(),
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
