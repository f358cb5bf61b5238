//! All shortcuts, from the one list that also makes them work.

use egui::{Grid, RichText, Ui};

use super::modal_ui;
use crate::ui::{
    command::{Group, UiCommand},
    context::Ctx,
    widgets::section,
};

/// Draws the dialog.
pub fn help_ui(egui: &egui::Context, ctx: &Ctx<'_>) {
    modal_ui(egui, ctx, "Keyboard shortcuts", 720.0, |ui| {
        ui.columns(2, |columns| {
            for (at, group) in Group::ALL.into_iter().enumerate() {
                if let Some(column) = columns.get_mut(at % 2) {
                    group_ui(column, ctx, group);
                }
            }
        });
        ui.add_space(8.0);
        map_ui(ui, ctx);
    });
}

/// What hands and keys do on the map itself.
const ON_THE_MAP: [(&str, &str); 8] = [
    ("Arrows", "Walk along the lines, and from row to row"),
    ("Enter", "Open what is selected; a double click does too"),
    (
        "Double click",
        "Go in one level: into a namespace, then near a Service",
    ),
    (
        "Esc",
        "Close what is open, then deselect, then go out one level",
    ),
    ("Wheel or pinch", "Zoom at the pointer"),
    (
        "Drag",
        "Move the map, or near, a Service with all that belongs to it",
    ),
    ("Right click", "All that can be done with it"),
    ("Tab", "Move through everything"),
];

fn map_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    section(ui, ctx.tokens, "On the map");
    Grid::new("On the map")
        .num_columns(2)
        .spacing([16.0, 3.0])
        .show(ui, |ui| {
            for (key, words) in ON_THE_MAP {
                ui.label(RichText::new(key).monospace().color(ctx.tokens.accent));
                ui.label(words);
                ui.end_row();
            }
        });
}

fn group_ui(ui: &mut Ui, ctx: &Ctx<'_>, group: Group) {
    section(ui, ctx.tokens, group.title());
    Grid::new(group.title())
        .num_columns(2)
        .spacing([16.0, 3.0])
        .show(ui, |ui| {
            for command in UiCommand::ALL {
                if command.group() != group {
                    continue;
                }
                let key = command
                    .shortcut_text(ui.ctx())
                    .unwrap_or_else(|| "in Commands".to_owned());
                ui.label(RichText::new(key).monospace().color(ctx.tokens.accent));
                ui.label(command.text()).on_hover_text(command.tooltip());
                ui.end_row();
            }
        });
}
