//! Requests to the same target that were sent before.

use egui::{RichText, Ui};

use super::{compare, draft::CurlDialog};
use crate::{
    bottom::requests::request_state_label,
    context::PanelContext,
    formatting,
    widgets::{link_button, state_mark},
};
use svcscope_engine::RequestStatus;

/// How many are listed.
const LISTED: usize = 12;

/// Draws them, the newest first.
pub(super) fn history_ui(ui: &mut Ui, ctx: &PanelContext<'_>, dialog: &mut CurlDialog) {
    let earlier: Vec<&RequestStatus> = ctx
        .scene
        .requests
        .iter()
        .rev()
        .filter(|status| status.request.target == dialog.target)
        .collect();
    if earlier.len() < 2 {
        return;
    }
    ui.add_space(10.0);
    let title = format!("Sent to this target ({})", earlier.len());
    ui.collapsing(title, |ui| {
        for status in earlier.iter().take(LISTED) {
            row_ui(ui, ctx, dialog, status);
        }
        if earlier.len() > LISTED {
            ui.label(RichText::new("Older ones are in the panel Requests.").color(ctx.tokens.dim));
        }
        compare::compare_ui(ui, ctx, dialog);
    });
}

fn row_ui(ui: &mut Ui, ctx: &PanelContext<'_>, dialog: &mut CurlDialog, status: &RequestStatus) {
    let (state, words) = request_state_label(&status.state);
    let request = &status.request;
    let line = format!(
        "{} {}:{}",
        request.method,
        request.access_path.via_flag(),
        request.path
    );
    let clock = formatting::time_of_day(status.started);
    ui.horizontal(|ui| {
        dialog.comparison.tick_ui(ui, status.id, &clock);
        state_mark(ui, ctx.tokens, state);
        ui.label(RichText::new(&clock).monospace().color(ctx.tokens.dim));
        ui.label(RichText::new(line).monospace());
        let said: String = words.chars().take(60).collect();
        ui.label(RichText::new(said).color(ctx.tokens.dim));
        if let Some(response) = status.state.response() {
            let took = formatting::duration(response.phases.total);
            ui.label(RichText::new(took).monospace().color(ctx.tokens.dim));
        }
        let again = format!("Show the request of {clock}");
        if link_button(ui, ctx.tokens, "Show", &again).clicked() {
            dialog.fill(request);
            dialog.follow(status.id);
        }
    });
}
