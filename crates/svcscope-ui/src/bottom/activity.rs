//! What happened, the newest first.

use egui::{RichText, Ui};
use egui_phosphor::regular as icon;

use super::table::{TableColumn, table_ui};
use crate::{
    context::PanelContext,
    formatting,
    theme::ColorTokens,
    widgets::{empty, truncated},
};
use svcscope_engine::ActivityLevel;

const COLUMNS: [TableColumn; 3] = [
    TableColumn::Fixed("time", 80.0),
    TableColumn::Fixed("", 90.0),
    TableColumn::Share("what happened", 300.0),
];

/// Draws the list.
pub fn activity_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let activity = &ctx.scene.activity;
    if activity.is_empty() {
        empty(
            ui,
            ctx.tokens,
            "Nothing happened yet",
            "What svcscope did, and what went wrong, is listed here.",
        );
        return;
    }
    table_ui(ui, ctx, "activity", &COLUMNS, activity.len(), |row| {
        let newest_first = activity.len().checked_sub(row.index() + 1);
        let Some(entry) = newest_first.and_then(|at| activity.get(at)) else {
            return;
        };
        row.col(|ui| {
            ui.label(
                RichText::new(formatting::time_of_day(entry.at))
                    .monospace()
                    .color(ctx.tokens.dim),
            );
        });
        row.col(|ui| {
            let (icon, color, word) = level(ctx.tokens, entry.level);
            ui.label(RichText::new(format!("{icon} {word}")).color(color));
        });
        row.col(|ui| {
            truncated(ui, RichText::new(&*entry.text)).on_hover_text(&*entry.text);
        });
    });
}

/// The icon, colour and word of a level.
pub fn level(
    tokens: &ColorTokens,
    level: ActivityLevel,
) -> (&'static str, egui::Color32, &'static str) {
    match level {
        ActivityLevel::Info => (icon::INFO, tokens.accent, "info"),
        ActivityLevel::Warning => (icon::WARNING, tokens.degraded, "warning"),
        ActivityLevel::Error => (icon::X_CIRCLE, tokens.broken, "error"),
    }
}
