//! The inspector at the right: everything about what is selected, actions first.
//!
//! **In**: the frame's [`PanelContext`]. **Out**: [`super::action::Action`]s.

mod commands;
mod details;
mod endpoints;
mod events;
mod findings;
mod overview;
mod pod;
mod ports;
mod properties;
mod service;
mod trace;
mod yaml;

use egui::{Panel, ScrollArea, Ui};

use super::context::PanelContext;
use svcscope_model::topology::NodeId;

/// Draws the inspector.
pub fn inspector_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    Panel::right("inspector")
        .default_size(380.0)
        .size_range(280.0..=640.0)
        .show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                ui.add_space(10.0);
                selection_ui(ui, ctx);
                ui.add_space(16.0);
            });
        });
}

fn selection_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    if let Some(NodeId::Pod(key)) = &ctx.view.selection
        && let Some(pod) = ctx.scene.inventory.pod(key)
    {
        pod::pod_ui(ui, ctx, pod);
    } else if let Some(traffic) = ctx
        .view
        .selected_service()
        .and_then(|key| ctx.scene.topology.service(key))
    {
        service::service_ui(ui, ctx, traffic);
    } else if let Some((key, report)) = ctx
        .view
        .selected_service()
        .and_then(|key| Some((key, ctx.scene.reports.get(key)?)))
    {
        crate::widgets::heading(ui, &key.name);
        let said = format!("Namespace {} has no such Service.", key.namespace);
        crate::widgets::dim(ui, ctx.tokens, said);
        findings::findings_ui(ui, ctx, key, None, report);
    } else {
        overview::overview_ui(ui, ctx);
    }
}
