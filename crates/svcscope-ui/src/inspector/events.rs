//! Events about a Service.

use egui::{CollapsingHeader, Label, RichText, Ui};

use crate::{
    context::PanelContext,
    formatting,
    theme::{SMALL, regular},
    widgets::dim,
};
use svcscope_model::inventory::{ObjectKey, ResourceKind};

/// Draws the events, the newest first.
pub fn events_ui(ui: &mut Ui, ctx: &PanelContext<'_>, service: &ObjectKey) {
    let events = ctx.scene.inventory.events_of(service);
    let sync = ctx
        .scene
        .inventory
        .sync(ResourceKind::Event, &service.namespace);
    let head = match formatting::sync_label(sync) {
        None => format!("Events ({})", events.len()),
        Some(why) => format!("Events: {why}"),
    };
    let warnings = events.iter().any(|event| event.warning);
    let color = if warnings {
        ctx.tokens.degraded
    } else {
        ctx.tokens.dim
    };
    CollapsingHeader::new(RichText::new(head).font(regular(SMALL)).color(color))
        .id_salt("events")
        .show(ui, |ui| {
            if let Some(reason) = sync.reason() {
                dim(ui, ctx.tokens, reason.to_string());
            }
            if events.is_empty() && sync.is_current() {
                dim(
                    ui,
                    ctx.tokens,
                    "None in the time that the cluster keeps them.",
                );
            }
            for event in events.iter().rev() {
                let color = if event.warning {
                    ctx.tokens.degraded
                } else {
                    ctx.tokens.text
                };
                let mut head = event.reason.to_string();
                if event.count > 1 {
                    head = format!("{head} ×{}", event.count);
                }
                if let Some(at) = event.last_seen {
                    head = format!("{head} · {} ago", ctx.age(at));
                }
                ui.label(RichText::new(head).color(color))
                    .on_hover_text(&*event.source);
                ui.add(Label::new(RichText::new(&*event.message).color(ctx.tokens.dim)).wrap());
                ui.add_space(4.0);
            }
        });
}
