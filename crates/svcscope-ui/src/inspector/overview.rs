//! What the inspector shows while nothing is selected: the cluster at a glance, each number a
//! way to see only what it counts.

use egui::{RichText, Ui};

use super::properties::text_property_ui;
use crate::{
    action::WindowAction,
    command::UiCommand,
    context::PanelContext,
    theme::Health,
    widgets::{dim, heading, link_button, section, state_mark},
};

/// Draws the overview.
pub fn overview_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let derived = &ctx.view.derived;
    ui.spacing_mut().interact_size.y = 18.0;
    heading(ui, ctx.scene.context.as_deref().unwrap_or("No cluster"));
    dim(
        ui,
        ctx.tokens,
        "Click a Service or a pod on the map or in the list to see all about it.",
    );
    section(ui, ctx.tokens, "Cluster");
    for (name, value) in [
        ("API server", &ctx.scene.server),
        ("Version", &ctx.scene.version),
    ] {
        let word = value.as_deref().unwrap_or("not known yet");
        text_property_ui(ui, ctx, name, word.trim_start_matches("version "));
    }
    if derived.services == 0 {
        return;
    }
    section(ui, ctx.tokens, "Services by state");
    for (state, number) in Health::ALL.into_iter().zip(derived.by_state) {
        // A lost connection leaves one truth: how they stand is not known.
        let (state, number) = if ctx.is_stale() {
            (Health::Unknown, derived.services)
        } else {
            (state, number)
        };
        let filter = format!("state:{}", state.word());
        ui.horizontal(|ui| {
            state_mark(ui, ctx.tokens, state);
            number_ui(ui, ctx, state.word(), number, filter);
        });
        if ctx.is_stale() {
            break;
        }
    }
    section(ui, ctx.tokens, "Services by type");
    for (word, number) in &derived.by_type {
        number_ui(ui, ctx, word, *number, format!("type:{word}"));
    }
    section(ui, ctx.tokens, "Keys");
    for command in [
        UiCommand::Search,
        UiCommand::Palette,
        UiCommand::NextProblem,
        UiCommand::Help,
    ] {
        let key = command.shortcut_text(ui.ctx()).unwrap_or_default();
        ui.horizontal(|ui| {
            ui.label(RichText::new(key).monospace().color(ctx.tokens.accent));
            dim(ui, ctx.tokens, command.text());
        });
    }
}

fn number_ui(ui: &mut Ui, ctx: &PanelContext<'_>, word: &str, number: usize, filter: String) {
    ui.horizontal(|ui| {
        if number == 0 {
            dim(ui, ctx.tokens, format!("0 {word}"));
            return;
        }
        let text = format!("{number} {word}");
        if link_button(ui, ctx.tokens, &text, &format!("List {word} Services"))
            .on_hover_text("List only these")
            .clicked()
        {
            ctx.send(WindowAction::SetListFilter(filter));
        }
    });
}
