//! The ports: added, removed, renamed, led elsewhere.

use std::collections::BTreeSet;

use egui::{ComboBox, Ui, WidgetInfo, WidgetType};
use egui_phosphor::regular as icon;

use super::{
    draft::{PortDraft, ServiceDraft},
    plan::field_error_ui,
    selector_preview::SelectorPreview,
};
use crate::{
    context::PanelContext,
    widgets::{dim, icon_button, named_field, text_field},
};
use svcscope_edit::FieldError;
use svcscope_model::inventory::Protocol;

/// Draws a card for each port.
pub(super) fn ports_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    draft: &mut ServiceDraft,
    finds: &mut SelectorPreview,
    errors: &[FieldError],
) {
    finds.refresh(ctx.scene, draft);
    let has_node_ports = draft.effective_type().has_node_ports();
    let targets = &finds.target_ports;
    port_cards_ui(ui, ctx, &mut draft.ports, targets, has_node_ports, errors);
    if has_node_ports {
        dim(ui, ctx.tokens, &finds.node_ports);
    }
}

/// Draws the cards; `targets` is what a targetPort is offered, `errors` what is wrong with them.
pub(super) fn port_cards_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    ports: &mut Vec<PortDraft>,
    targets: &BTreeSet<String>,
    has_node_ports: bool,
    errors: &[FieldError],
) {
    let of_all = "spec.ports[";
    let is_of_all = |error: &&FieldError| {
        error.field.starts_with("spec.ports") && !error.field.starts_with(of_all)
    };
    for error in errors.iter().filter(is_of_all) {
        field_error_ui(ui, ctx, error);
    }
    let mut removed = None;
    for (at, port) in ports.iter_mut().enumerate() {
        ui.push_id(at, |ui| {
            ui.group(|ui| {
                ui.set_width(ui.available_width());
                if port_ui(ui, ctx, at, port, targets, has_node_ports) {
                    removed = Some(at);
                }
                let place = format!("spec.ports[{at}]");
                let here = errors.iter().filter(|it| it.field.starts_with(&place));
                here.for_each(|error| field_error_ui(ui, ctx, error));
            });
        });
    }
    if let Some(at) = removed {
        ports.remove(at);
    }
    ui.add_space(4.0);
    if ui.button(format!("{} Add a port", icon::PLUS)).clicked() {
        ports.push(PortDraft::empty());
    }
    if ports.len() > 1 {
        dim(
            ui,
            ctx.tokens,
            "With more than one port each needs a name of its own.",
        );
    }
}

/// Draws one port; says whether it shall be removed.
fn port_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    at: usize,
    port: &mut PortDraft,
    targets: &BTreeSet<String>,
    has_node_ports: bool,
) -> bool {
    let number = at + 1;
    let mut removed = false;
    ui.horizontal(|ui| {
        port_field_ui(ui, ctx, &mut port.port, "port", "80", 60.0, number);
        protocol_ui(ui, number, &mut port.protocol);
        dim(ui, ctx.tokens, icon::ARROW_RIGHT);
        port_field_ui(
            ui,
            ctx,
            &mut port.target_port,
            "targetPort",
            "same",
            96.0,
            number,
        );
        if !targets.is_empty() {
            let menu = ui.menu_button(icon::CARET_DOWN, |ui| {
                for target in targets {
                    if ui.button(target).clicked() {
                        port.target_port = target.clone();
                        ui.close();
                    }
                }
            });
            let name = format!("Ports that the pods declare, for port {number}");
            menu.response
                .widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &name));
            menu.response.on_hover_text("Ports that the pods declare");
        }
        if icon_button(ui, icon::TRASH, &format!("Remove port {number}"), None).clicked() {
            removed = true;
        }
    });
    ui.horizontal(|ui| {
        port_field_ui(ui, ctx, &mut port.name, "name", "none", 96.0, number);
        if has_node_ports {
            port_field_ui(
                ui,
                ctx,
                &mut port.node_port,
                "nodePort",
                "any",
                64.0,
                number,
            );
        }
        port_field_ui(
            ui,
            ctx,
            &mut port.app_protocol,
            "appProtocol",
            "none",
            96.0,
            number,
        );
    });
    removed
}

fn port_field_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    text: &mut String,
    name: &str,
    hint: &str,
    width: f32,
    number: usize,
) {
    dim(ui, ctx.tokens, name);
    let response = ui.add(text_field(text).hint_text(hint).desired_width(width));
    named_field(&response, &format!("{name} of port {number}"), text);
}

fn protocol_ui(ui: &mut Ui, number: usize, protocol: &mut Protocol) {
    let response = ComboBox::from_id_salt("protocol")
        .width(64.0)
        .selected_text(protocol.as_str())
        .show_ui(ui, |ui| {
            for known in [Protocol::Tcp, Protocol::Udp, Protocol::Sctp] {
                ui.selectable_value(protocol, known, known.as_str());
            }
        })
        .response;
    let name = format!("Protocol of port {number}");
    response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, true, &name));
}
