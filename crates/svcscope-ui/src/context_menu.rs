//! The context menu of a node.

use egui::{Align, Area, Button, Frame, Layout, Order, Ui};

use super::{
    action::WindowAction, command::UiCommand, context::PanelContext, selection::expose_target,
    state::service_of, widgets::reason_tooltip,
};
use svcscope_model::topology::NodeId;

/// Draws the open menu.
pub fn menu_ui(egui: &egui::Context, ctx: &PanelContext<'_>) {
    let Some((node, at)) = &ctx.view.menu else {
        return;
    };
    let area = Area::new("node menu".into())
        .order(Order::Foreground)
        .fixed_pos(*at)
        .constrain(true)
        .show(egui, |ui| {
            Frame::menu(ui.style()).show(ui, |ui| {
                ui.set_width(230.0);
                ui.with_layout(Layout::top_down_justified(Align::LEFT), |ui| {
                    items_ui(ui, ctx, node);
                });
            });
        });
    let escape = egui.input(|input| input.key_pressed(egui::Key::Escape));
    if area.response.clicked_elsewhere() || escape {
        ctx.send(WindowAction::CloseMenu);
    }
}

fn items_ui(ui: &mut Ui, ctx: &PanelContext<'_>, node: &NodeId) {
    let mut commands = vec![UiCommand::Forward, UiCommand::Curl];
    if service_of(node).is_some() {
        commands.push(UiCommand::TestPaths);
        commands.push(UiCommand::ChangeType);
        commands.push(UiCommand::EditService);
        commands.push(UiCommand::Duplicate);
        commands.push(UiCommand::Delete);
        commands.push(UiCommand::CopyDnsName);
        commands.push(UiCommand::Neighbourhood);
    }
    if expose_target(node).is_some() {
        commands.push(UiCommand::Expose);
    }
    commands.push(UiCommand::ShowOnMap);
    for command in commands {
        let disabled = ctx.unavailable_reason(command);
        let mut button = Button::new(format!("{}  {}", command.icon(), command.text()))
            .frame_when_inactive(false);
        if let Some(key) = command.shortcut_text(ui.ctx()) {
            button = button.shortcut_text(key);
        }
        let response = ui.add_enabled(disabled.is_none(), button);
        if reason_tooltip(response, disabled.as_ref())
            .on_hover_text(command.tooltip())
            .clicked()
        {
            ctx.send(WindowAction::Run(command));
            ctx.send(WindowAction::CloseMenu);
        }
    }
}
