//! Forwards that are kept: groups to start, and a row for each that is not up.

use egui::{RichText, Ui};
use egui_phosphor::regular as icon;

use crate::{
    action::WindowAction,
    command::UiCommand,
    context::PanelContext,
    dialogs::{palette::saved_forwards_in_group, save_forward::saved_groups},
    formatting,
    theme::Health,
    widgets::{dim, icon_button, reason_tooltip, state_label, truncated},
};
use svcscope_engine::{EngineCommand, Scene, settings::SavedForward};
use svcscope_model::inventory::SharedStr;

/// Saved forwards that are in no row of their own as running ones.
pub fn not_running(scene: &Scene) -> Vec<&SavedForward> {
    let listed = |name: &SharedStr| {
        let mut running = scene.forwards.iter();
        running.any(|status| status.spec.name.as_ref() == Some(name))
    };
    let saved = scene.saved_forwards.iter();
    saved.filter(|saved| !listed(&saved.name)).collect()
}

/// Draws a button for each group, and what else concerns all of them.
pub fn groups_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    if ctx.scene.saved_forwards.is_empty() {
        return;
    }
    let disabled = ctx.unavailable_reason(UiCommand::StartSavedForwards);
    ui.horizontal_wrapped(|ui| {
        dim(ui, ctx.tokens, "Saved");
        for group in saved_groups(ctx.scene) {
            let names = saved_forwards_in_group(ctx.scene, &group);
            let text = format!("{} Start group {group}", icon::PLAY);
            let response = ui.add_enabled(disabled.is_none(), egui::Button::new(text).small());
            let label = format!("Start group {group}");
            response.widget_info(|| {
                egui::WidgetInfo::labeled(egui::WidgetType::Button, disabled.is_none(), &label)
            });
            let hint = format!("Start what is not up of: {}", names.join(", "));
            if reason_tooltip(response, disabled.as_ref())
                .on_hover_text(hint)
                .clicked()
            {
                ctx.send(WindowAction::Send(EngineCommand::StartSavedForwards(names)));
            }
        }
        let all = UiCommand::StartSavedForwards;
        for command in [all, UiCommand::ExportForwards, UiCommand::ImportForwards] {
            let response = icon_button(
                ui,
                command.icon(),
                command.text(),
                ctx.unavailable_reason(command).as_ref(),
            );
            if response.clicked() {
                ctx.send(WindowAction::Run(command));
            }
        }
    });
}

/// The state of one that is not up.
pub fn state_ui(ui: &mut Ui, ctx: &PanelContext<'_>, saved: &SavedForward) {
    let said = match (&saved.group, saved.start_with_app) {
        (Some(group), true) => format!("saved in {group}, starts with the app"),
        (Some(group), false) => format!("saved in {group}"),
        (None, true) => "saved, starts with the app".to_owned(),
        (None, false) => "saved".to_owned(),
    };
    state_label(ui, ctx.tokens, Health::Unknown, &said).on_hover_text(said);
}

/// How it will spread connections.
pub fn spread_ui(ui: &mut Ui, ctx: &PanelContext<'_>, saved: &SavedForward) {
    let said = formatting::spread_label(&saved.spec.spread);
    truncated(ui, RichText::new(said).color(ctx.tokens.dim));
}

/// What can be done with one that is not up.
pub fn actions_ui(ui: &mut Ui, ctx: &PanelContext<'_>, saved: &SavedForward) {
    let name = &saved.name;
    ui.spacing_mut().item_spacing.x = 0.0;
    ui.spacing_mut().button_padding.x = 6.0;
    let button = |ui: &mut Ui, glyph: &str, word: &str| {
        icon_button(ui, glyph, &format!("{word} forward {name}"), None).clicked()
    };
    if button(ui, icon::PLAY, "Start") {
        ctx.send(WindowAction::Send(EngineCommand::StartSavedForwards(vec![
            name.clone(),
        ])));
    }
    if button(ui, icon::PENCIL_SIMPLE, "Edit") {
        ctx.send(WindowAction::OpenSaveForward(
            None,
            Some(name.clone()),
            saved.spec.clone(),
        ));
    }
    if button(ui, icon::TRASH, "Forget") {
        ctx.send(WindowAction::Send(EngineCommand::ForgetForward(
            name.clone(),
        )));
    }
}
