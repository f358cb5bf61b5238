//! The row of buttons that does what the selection is there for.

use egui::Ui;

use crate::{
    action::WindowAction, command::UiCommand, context::PanelContext, widgets::action_button,
};

/// A button for each command with its word and its key; the first one is the likeliest.
pub(super) fn command_buttons_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    commands: &[(UiCommand, &str, &str)],
) {
    for (at, &(command, word, key)) in commands.iter().enumerate() {
        let disabled = ctx.unavailable_reason(command);
        let button = action_button(
            ui,
            ctx.tokens,
            command.icon(),
            word,
            Some(key),
            at == 0,
            disabled.as_ref(),
        );
        if button.on_hover_text(command.tooltip()).clicked() {
            ctx.send(WindowAction::Run(command));
        }
    }
}
