//! The panel below the map: forwards, requests, problems, activity, changes.
//!
//! **In**: the frame's [`PanelContext`]. **Out**: [`super::action::Action`]s.

pub(super) mod activity;
mod changes;
mod forward_traffic;
mod forwards;
mod paths;
mod problems;
pub(super) mod requests;
mod saved_forwards;
mod table;

use egui::{Align, Button, Layout, Panel, RichText, Stroke, Ui, WidgetInfo, WidgetType};
use egui_phosphor::regular as icon;

use super::{
    action::WindowAction, command::UiCommand, context::PanelContext, state::BottomTab,
    widgets::icon_button,
};

/// Draws the panel.
pub fn bottom_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    Panel::bottom("bottom")
        .resizable(true)
        .default_size(196.0)
        .size_range(90.0..=640.0)
        .show(ui, |ui| {
            tabs_ui(ui, ctx);
            ui.separator();
            // The panel keeps its height when a tab has little to show.
            ui.set_min_height(ui.available_height());
            match ctx.view.tab {
                BottomTab::Forwards => forwards::forwards_ui(ui, ctx),
                BottomTab::Requests => requests::requests_ui(ui, ctx),
                BottomTab::Problems => problems::problems_ui(ui, ctx),
                BottomTab::Activity => activity::activity_ui(ui, ctx),
                BottomTab::Changes => changes::changes_ui(ui, ctx),
                BottomTab::Paths => paths::paths_ui(ui, ctx),
            }
        });
}

fn tabs_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let counted = |name: &str, number: usize| {
        if number == 0 {
            name.to_owned()
        } else {
            format!("{name} {number}")
        }
    };
    ui.horizontal(|ui| {
        for (tab, text, command) in [
            (
                BottomTab::Forwards,
                counted("Forwards", ctx.scene.forwards.len()),
                UiCommand::ShowForwards,
            ),
            (
                BottomTab::Requests,
                counted("Requests", ctx.scene.requests.len()),
                UiCommand::ShowRequests,
            ),
            (
                BottomTab::Problems,
                problems::title(ctx),
                UiCommand::ShowProblems,
            ),
            (
                BottomTab::Activity,
                "Activity".to_owned(),
                UiCommand::ShowActivity,
            ),
            (
                BottomTab::Changes,
                counted("Changes", ctx.scene.audit_log.len()),
                UiCommand::ShowChanges,
            ),
            (BottomTab::Paths, "Paths".to_owned(), UiCommand::ShowPaths),
        ] {
            tab_ui(ui, ctx, tab, &text, command);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon_button(ui, icon::X, "Hide this panel", None).clicked() {
                ctx.send(WindowAction::Run(UiCommand::ToggleBottom));
            }
            if ctx.view.tab == BottomTab::Forwards && ctx.scene.forwards.len() > 1 {
                let text = UiCommand::StopAllForwards.text();
                if super::widgets::link_button(ui, ctx.tokens, text, text).clicked() {
                    ctx.send(WindowAction::Run(UiCommand::StopAllForwards));
                }
            }
        });
    });
}

fn tab_ui(ui: &mut Ui, ctx: &PanelContext<'_>, tab: BottomTab, text: &str, command: UiCommand) {
    let open = ctx.view.tab == tab;
    let color = if open {
        ctx.tokens.text
    } else {
        ctx.tokens.dim
    };
    let response = ui.add(Button::new(RichText::new(text).color(color)).frame(false));
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, open, text));
    if open {
        let rect = response.rect;
        ui.painter().hline(
            rect.x_range(),
            rect.bottom() + 3.0,
            Stroke::new(2.0, ctx.tokens.accent),
        );
    }
    if response
        .on_hover_text(command.hover_text(ui.ctx()))
        .clicked()
    {
        ctx.send(WindowAction::ShowTab(tab));
    }
    ui.add_space(8.0);
}
