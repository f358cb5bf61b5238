//! All shortcuts, from the one list that also makes them work.

use egui::{Grid, RichText, ScrollArea, Ui};

use super::modal_ui;
use crate::{
    command::{CommandGroup, UiCommand},
    context::PanelContext,
    widgets::section,
};

/// Draws the dialog.
pub fn help_ui(egui: &egui::Context, ctx: &PanelContext<'_>) {
    modal_ui(egui, ctx, "Keyboard shortcuts", 1040.0, |ui| {
        ScrollArea::vertical().show(ui, |ui| columns_ui(ui, ctx));
    });
}

/// The groups in as many columns as have room, each where the column is shortest yet.
fn columns_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let count = [3_u8, 2]
        .into_iter()
        .find(|count| ui.available_width() > 320.0 * f32::from(*count))
        .map_or(1, usize::from);
    let mut filled = vec![0; count];
    ui.columns(count, |columns| {
        for group in CommandGroup::ALL {
            let commands: Vec<UiCommand> = UiCommand::ALL
                .iter()
                .copied()
                .filter(|command| command.group() == group)
                .collect();
            if let Some(column) = shortest(columns, &mut filled, commands.len()) {
                group_ui(column, ctx, group, &commands);
            }
        }
        if let Some(column) = shortest(columns, &mut filled, ON_THE_MAP.len()) {
            map_ui(column, ctx);
        }
    });
}

/// The column that is filled least, and gets so many lines and a heading more now.
fn shortest<'a>(columns: &'a mut [Ui], filled: &mut [usize], lines: usize) -> Option<&'a mut Ui> {
    let (at, height) = filled
        .iter_mut()
        .enumerate()
        .min_by_key(|(_, height)| **height)?;
    *height += lines + 2;
    columns.get_mut(at)
}

/// What hands and keys do on the map itself.
const ON_THE_MAP: [(&str, &str); 8] = [
    ("Arrows", "Move the selection along the connections"),
    ("Enter", "Open what is selected"),
    ("Double click", "Go in one level, or open"),
    ("Esc", "Close, deselect, go out one level"),
    ("Wheel, pinch", "Zoom at the pointer"),
    ("Drag", "Move the map, or a Service while zoomed in"),
    ("Right click", "List what can be done"),
    ("Tab", "Move through everything"),
];

fn map_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
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

fn group_ui(ui: &mut Ui, ctx: &PanelContext<'_>, group: CommandGroup, commands: &[UiCommand]) {
    section(ui, ctx.tokens, group.title());
    Grid::new(group.title())
        .num_columns(2)
        .spacing([16.0, 3.0])
        .show(ui, |ui| {
            for command in commands {
                let key = command
                    .shortcut_text(ui.ctx())
                    .unwrap_or_else(|| "in Commands".to_owned());
                ui.label(RichText::new(key).monospace().color(ctx.tokens.accent));
                ui.label(command.text()).on_hover_text(command.tooltip());
                ui.end_row();
            }
        });
}
