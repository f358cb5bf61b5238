//! The ports of a Service as a table, each with its own buttons.

use egui::{Grid, RichText, Ui};
use egui_phosphor::regular as icon;

use crate::{
    action::WindowAction,
    context::PanelContext,
    theme::Health,
    widgets::{dim, icon_button, section},
};
use svcscope_model::{
    inventory::{Protocol, ResourceKind, ServiceType, SharedStr},
    topology::{PortTraffic, ServiceTraffic},
};
use svcscope_net::forward::{ForwardTarget, RemotePort};

/// Draws the table.
pub fn ports_ui(ui: &mut Ui, ctx: &PanelContext<'_>, traffic: &ServiceTraffic) {
    section(ui, ctx.tokens, "Ports");
    if traffic.ports.is_empty() {
        dim(ui, ctx.tokens, "The Service names no port.");
        return;
    }
    let has_node_ports = traffic
        .ports
        .iter()
        .any(|port| port.port.node_port.is_some());
    Grid::new(("ports", &traffic.service.key))
        .num_columns(6)
        .spacing([10.0, 2.0])
        .min_col_width(0.0)
        .show(ui, |ui| {
            let head = |ui: &mut Ui, text: &str| {
                ui.label(RichText::new(text).small().color(ctx.tokens.dim));
            };
            head(ui, "name");
            head(ui, "port");
            head(ui, "targetPort");
            if has_node_ports {
                head(ui, "nodePort");
            }
            head(ui, "ready");
            head(ui, "");
            ui.end_row();
            for port in &traffic.ports {
                port_ui(ui, ctx, traffic, port, has_node_ports);
                ui.end_row();
            }
        });
    for port in &traffic.ports {
        if let Some(tls) = &port.backend_tls {
            let said = format!("Port {}: {}", port.port.port, tls.words());
            dim(ui, ctx.tokens, said);
        }
    }
}

fn port_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    traffic: &ServiceTraffic,
    port: &PortTraffic,
    has_node_ports: bool,
) {
    let spec = &port.port;
    let mono = |ui: &mut Ui, text: String| ui.label(RichText::new(text).monospace());
    let name = mono(ui, spec.name.as_deref().unwrap_or("–").to_owned());
    if let Some(app) = &spec.app_protocol {
        name.on_hover_text(format!("appProtocol {app}"));
    }
    let number = match spec.protocol {
        Protocol::Tcp => spec.port.to_string(),
        other => format!("{}/{other}", spec.port),
    };
    mono(ui, number).on_hover_text(spec.protocol.as_str());
    mono(ui, target_words(port));
    if has_node_ports {
        mono(
            ui,
            spec.node_port
                .map_or_else(|| "–".to_owned(), |port| port.to_string()),
        );
    }
    if traffic.service.service_type == ServiceType::ExternalName {
        dim(ui, ctx.tokens, "–")
            .on_hover_text("an ExternalName is an alias: its ports lead nowhere");
        return buttons_ui(ui, ctx, traffic, port);
    }
    let namespace = &traffic.service.key.namespace;
    let unseen = ctx
        .scene
        .inventory
        .why_unknown(ResourceKind::EndpointSlice, namespace);
    let (ready, all) = (port.ready(), port.all());
    let (words, state) = match (&unseen, ready, all) {
        (Some(_), _, 0) => ("?".to_owned(), Health::Unknown),
        (_, 0, _) => (format!("0 / {all}"), Health::Broken),
        (_, ready, all) if ready < all => (format!("{ready} / {all}"), Health::Degraded),
        _ => (format!("{ready} / {all}"), Health::Healthy),
    };
    let words = RichText::new(words)
        .monospace()
        .color(ctx.tokens.health_color(state));
    let response = ui.label(words);
    if let Some(unseen) = unseen {
        response.on_hover_text(unseen);
    }
    buttons_ui(ui, ctx, traffic, port);
}

/// `8080`, or `http → 8080` for a name; a name may lead to different numbers on different pods.
fn target_words(port: &PortTraffic) -> String {
    let asked = port.port.target_port.to_string();
    let mut numbers: Vec<u16> = port.backends.iter().filter_map(|b| b.port).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let reached: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    match reached.as_slice() {
        [] => asked,
        [one] if *one == asked => asked,
        many => format!("{asked} → {}", many.join(", ")),
    }
}

fn buttons_ui(ui: &mut Ui, ctx: &PanelContext<'_>, traffic: &ServiceTraffic, port: &PortTraffic) {
    let key = &traffic.service.key;
    let number = port.port.port;
    let no_request = if port.port.protocol == Protocol::Tcp {
        ctx.forward_refusal()
    } else {
        Some(SharedStr::from("port-forward carries TCP only"))
    };
    let is_alias = traffic.service.service_type == ServiceType::ExternalName;
    let no_forward = if is_alias {
        Some(SharedStr::from(
            "an ExternalName Service is an alias and has no pods",
        ))
    } else {
        no_request.clone()
    };
    let target = || ForwardTarget::Service(key.clone());
    let remote = || Some(RemotePort::Number(number));
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.spacing_mut().button_padding.x = 5.0;
        let forward = format!("Forward {key} port {number}");
        if icon_button(ui, icon::ARROW_LINE_RIGHT, &forward, no_forward.as_ref()).clicked() {
            ctx.send(WindowAction::OpenForward(target(), remote()));
        }
        let curl = format!("Curl {key} port {number}");
        if icon_button(ui, icon::TERMINAL, &curl, no_request.as_ref()).clicked() {
            ctx.send(WindowAction::OpenCurl(target(), remote()));
        }
    });
}
