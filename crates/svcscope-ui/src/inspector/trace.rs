//! The way of a packet, from the entry point to a pod, up to where it ends.

use egui::{CollapsingHeader, RichText, Ui};
use egui_phosphor::regular as icon;

use crate::{context::PanelContext, widgets::dim};
use svcscope_check::{HopResult, PacketTrace, ServiceReport, trace};
use svcscope_model::topology::ServiceTraffic;

/// Draws the way to each port; folded, because it is worked out only where somebody looks.
pub fn trace_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    traffic: &ServiceTraffic,
    report: &ServiceReport,
) {
    ui.add_space(6.0);
    CollapsingHeader::new("Trace a packet")
        .id_salt("trace")
        .show(ui, |ui| {
            for trace in trace(traffic, report, &ctx.scene.inventory) {
                port_trace_ui(ui, ctx, &trace);
            }
        })
        .header_response
        .on_hover_text("Walks a packet from the entry point to a pod and says where it ends. What policies of the \
             client's side let out is not looked at");
}

fn port_trace_ui(ui: &mut Ui, ctx: &PanelContext<'_>, trace: &PacketTrace) {
    if let Some(port) = &trace.port {
        let ends = trace.outcome();
        ui.label(RichText::new(format!("To port {port}: {ends}")).strong());
    }
    for hop in &trace.hops {
        let (glyph, color, word) = match hop.result {
            HopResult::Passes => (icon::CHECK_CIRCLE, ctx.tokens.healthy, "passes"),
            HopResult::Degraded => (icon::WARNING, ctx.tokens.degraded, "passes, with a warning"),
            HopResult::DependsOnClient => {
                (icon::USERS, ctx.tokens.degraded, "for some clients only")
            }
            HopResult::Unknown => (icon::QUESTION, ctx.tokens.unknown, "unknown"),
            HopResult::Blocked => (icon::X_CIRCLE, ctx.tokens.broken, "stops here"),
        };
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(glyph).color(color))
                .on_hover_text(word);
            ui.label(&*hop.label);
            dim(ui, ctx.tokens, &*hop.explanation);
        });
    }
    ui.add_space(4.0);
}
