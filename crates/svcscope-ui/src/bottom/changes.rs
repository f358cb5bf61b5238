//! What was changed in this session, the newest first, each to be undone.

use egui::{RichText, Ui};

use super::table::{TableColumn, table_ui};
use crate::{
    action::WindowAction,
    context::PanelContext,
    dialogs::edit_service::EditDialogMode,
    formatting,
    theme::Health,
    widgets::{empty, link_button, state_label, truncated},
};
use svcscope_edit::{AuditOutcome, AuditRecord};

const COLUMNS: [TableColumn; 5] = [
    TableColumn::Fixed("time", 80.0),
    TableColumn::Fixed("", 110.0),
    TableColumn::Share("change", 320.0),
    TableColumn::Share("context", 110.0),
    TableColumn::Fixed("", 70.0),
];

/// Draws the list.
pub fn changes_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let journal = &ctx.scene.audit_log;
    if journal.is_empty() {
        empty(
            ui,
            ctx.tokens,
            "Nothing was changed",
            "Every write of this session is listed here, with what it was before.",
        );
        return;
    }
    table_ui(ui, ctx, "changes", &COLUMNS, journal.len(), |row| {
        let newest_first = journal.len().checked_sub(row.index() + 1);
        let Some(entry) = newest_first.and_then(|at| journal.get(at)) else {
            return;
        };
        row.col(|ui| {
            let clock = RichText::new(formatting::time_of_day(entry.time)).monospace();
            ui.label(clock.color(ctx.tokens.dim));
        });
        row.col(|ui| outcome_ui(ui, ctx, entry));
        row.col(|ui| {
            truncated(ui, RichText::new(&*entry.title));
        });
        row.col(|ui| {
            truncated(ui, RichText::new(&*entry.context).color(ctx.tokens.dim));
        });
        row.col(|ui| undo_ui(ui, ctx, entry));
    });
}

fn outcome_ui(ui: &mut Ui, ctx: &PanelContext<'_>, entry: &AuditRecord) {
    match &entry.outcome {
        AuditOutcome::Applied { warnings } => {
            let response = state_label(ui, ctx.tokens, Health::Healthy, "applied");
            if !warnings.is_empty() {
                response.on_hover_text(warnings.join("\n"));
            }
        }
        AuditOutcome::Failed { error, .. } => {
            state_label(ui, ctx.tokens, Health::Broken, "failed").on_hover_text(&**error);
        }
    }
}

fn undo_ui(ui: &mut Ui, ctx: &PanelContext<'_>, entry: &AuditRecord) {
    if entry.applied.is_none() || ctx.scene.context.as_ref() != Some(&entry.context) {
        return;
    }
    let full = format!("Undo {}", entry.title);
    if link_button(ui, ctx.tokens, "Undo…", &full).clicked() {
        let opening = EditDialogMode::Undo(entry.service.clone(), entry.number);
        ctx.send(WindowAction::OpenEdit(opening));
    }
}
