//! What is asked for once in a production context.

use egui::{Label, RichText, Ui};

use super::primary_button;
use crate::{action::WindowAction, context::PanelContext};
use svcscope_engine::EngineCommand;

/// Asks whether commands in pods, and requests that could change something, are allowed in the
/// production context in use, where that is yet to be asked.
pub fn production_consent_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let Some(context) = ctx
        .scene
        .context
        .clone()
        .filter(|_| ctx.needs_production_consent())
    else {
        return;
    };
    let words = format!(
        "Context {context} is marked as production. Running commands in pods and sending requests that could change something need your permission once."
    );
    ui.add(Label::new(RichText::new(words).color(ctx.tokens.broken)).wrap());
    let yes = format!("Allow in {context}");
    if primary_button(ui, ctx.tokens, &yes, None).clicked() {
        ctx.send(WindowAction::Send(EngineCommand::AllowInProduction(
            context,
        )));
    }
}
