//! What type is wanted, and what that type needs to know.

use egui::{Button, RichText, Stroke, Ui, WidgetInfo, WidgetType};
use egui_phosphor::regular as icon;

use super::draft::ServiceDraft;
use crate::{
    context::PanelContext,
    dialogs::form_row_ui,
    widgets::{dim, named_field, text_field},
};
use svcscope_edit::ServiceKind;

/// Draws the form; says whether a type was chosen.
pub(super) fn type_ui(ui: &mut Ui, ctx: &PanelContext<'_>, draft: &mut ServiceDraft) -> bool {
    let from = draft.original.clone();
    form_row_ui(ui, ctx, "From", |ui| {
        ui.horizontal(|ui| {
            let color = ctx.tokens.service_color(&from);
            ui.label(RichText::new(from.type_word()).color(color));
            dim(
                ui,
                ctx.tokens,
                format!("resourceVersion {}", from.resource_version),
            );
        });
    });
    let chosen = form_row_ui(ui, ctx, "To", |ui| types_ui(ui, ctx, draft));
    match draft.effective_type() {
        ServiceKind::ExternalName => {
            form_row_ui(ui, ctx, "Points to", |ui| {
                let field = text_field(&mut draft.external_name)
                    .hint_text("db.example.com")
                    .desired_width(300.0);
                let response = ui.add(field);
                named_field(&response, "External name", &draft.external_name);
            });
        }
        to if to.has_node_ports() && !draft.ports.is_empty() => {
            form_row_ui(ui, ctx, "nodePort", |ui| node_ports_ui(ui, ctx, draft));
        }
        _ => {}
    }
    chosen
}

fn types_ui(ui: &mut Ui, ctx: &PanelContext<'_>, draft: &mut ServiceDraft) -> bool {
    let mut clicked = false;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for to in ServiceKind::ALL {
            let now = ServiceKind::of(&draft.original) == to;
            let chosen = draft.desired_type == Some(to);
            let color = if to == ServiceKind::Headless {
                ctx.tokens.headless
            } else {
                ctx.tokens.service_type_color(to.service_type())
            };
            let mut button = Button::new(RichText::new(to.as_str()).color(color));
            if chosen {
                button = button
                    .fill(ctx.tokens.tint(color))
                    .stroke(Stroke::new(1.0, color));
            }
            let response = ui.add(button);
            response.widget_info(|| {
                WidgetInfo::selected(WidgetType::RadioButton, true, chosen, to.as_str())
            });
            let hint = if now {
                "It has this type now"
            } else {
                type_tooltip(to)
            };
            if response.on_hover_text(hint).clicked() {
                draft.choose_type(to);
                clicked = true;
            }
        }
    });
    clicked
}

fn type_tooltip(to: ServiceKind) -> &'static str {
    match to {
        ServiceKind::ClusterIP => "Reached inside the cluster only",
        ServiceKind::Headless => "DNS answers with the pods themselves",
        ServiceKind::NodePort => "Reached at a port of every node as well",
        ServiceKind::LoadBalancer => "Reached through a load balancer outside as well",
        ServiceKind::ExternalName => "A DNS alias of a name elsewhere; has no pods",
    }
}

fn node_ports_ui(ui: &mut Ui, ctx: &PanelContext<'_>, draft: &mut ServiceDraft) {
    for port in &mut draft.ports {
        ui.horizontal(|ui| {
            let name = format!("{} {}", port.name, port.port);
            let name = name.trim().to_owned();
            let field = text_field(&mut port.node_port)
                .hint_text("any")
                .desired_width(70.0);
            let response = ui.add(field);
            named_field(&response, &format!("nodePort for {name}"), &port.node_port);
            dim(ui, ctx.tokens, format!("for {name}"));
        });
    }
    dim(
        ui,
        ctx.tokens,
        format!(
            "{} Empty: the cluster chooses one that is free.",
            icon::INFO
        ),
    );
}
