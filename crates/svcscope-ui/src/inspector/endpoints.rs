//! The endpoints of a Service: every backend with its conditions.

use egui::{Align, Layout, RichText, ScrollArea, Ui, vec2};
use egui_phosphor::regular as icon;

use crate::{
    action::WindowAction,
    context::PanelContext,
    theme::{Health, SMALL, regular},
    widgets::{dim, icon_button, link_button, section, state_mark, truncated},
};
use svcscope_model::{
    inventory::{ResourceKind, SharedStr},
    topology::{BackendState, BackendTarget, NodeId, PortBackend, ServiceTraffic},
};
use svcscope_net::forward::ForwardTarget;

const ROW: f32 = 38.0;
/// More rows than this scroll by themselves, so that a frame costs the rows in view.
const ROWS_IN_VIEW: usize = 10;

struct EndpointRow<'a> {
    backend: &'a PortBackend,
    ports: Vec<u16>,
}

/// Draws the endpoints.
pub fn endpoints_ui(ui: &mut Ui, ctx: &PanelContext<'_>, traffic: &ServiceTraffic) {
    let rows = rows_of(traffic);
    let namespace = &traffic.service.key.namespace;
    let unseen = ctx
        .scene
        .inventory
        .why_unknown(ResourceKind::EndpointSlice, namespace);
    if let (true, Some(unseen)) = (rows.is_empty(), unseen) {
        section(ui, ctx.tokens, "Endpoints");
        dim(ui, ctx.tokens, format!("Not known: {unseen}."));
        return;
    }
    section(ui, ctx.tokens, &format!("Endpoints ({})", rows.len()));
    if rows.is_empty() {
        dim(
            ui,
            ctx.tokens,
            "None: nothing takes traffic for this Service.",
        );
        return;
    }
    if rows.len() <= ROWS_IN_VIEW {
        for row in &rows {
            endpoint_ui(ui, ctx, traffic, row);
        }
        return;
    }
    ScrollArea::vertical()
        .id_salt("endpoints")
        .max_height(ROW * 9.5)
        .show_rows(ui, ROW, rows.len(), |ui, range| {
            for row in rows.get(range).unwrap_or_default() {
                endpoint_ui(ui, ctx, traffic, row);
            }
        });
}

/// Each backend once, with all its ports.
fn rows_of(traffic: &ServiceTraffic) -> Vec<EndpointRow<'_>> {
    let mut rows: std::collections::BTreeMap<(&BackendTarget, &SharedStr), EndpointRow<'_>> =
        std::collections::BTreeMap::new();
    for backend in traffic.ports.iter().flat_map(|port| &port.backends) {
        let row = rows
            .entry((&backend.target, &backend.address))
            .or_insert_with(|| EndpointRow {
                backend,
                ports: Vec::new(),
            });
        if let Some(port) = backend.port
            && !row.ports.contains(&port)
        {
            row.ports.push(port);
        }
    }
    rows.into_values().collect()
}

fn endpoint_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    traffic: &ServiceTraffic,
    row: &EndpointRow<'_>,
) {
    let backend = row.backend;
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), ROW - 4.0),
        Layout::right_to_left(Align::Center),
        |ui| {
            ui.set_min_height(ROW - 4.0);
            if let BackendTarget::Pod(pod) = &backend.target {
                pod_buttons_ui(ui, ctx, pod);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                let state = if ctx.is_stale() {
                    Health::Unknown
                } else {
                    backend.state().into()
                };
                state_mark(ui, ctx.tokens, state);
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    name_ui(ui, ctx, traffic, backend);
                    truncated(
                        ui,
                        RichText::new(endpoint_summary(row))
                            .font(regular(SMALL))
                            .color(ctx.tokens.dim),
                    );
                });
            });
        },
    );
}

fn name_ui(ui: &mut Ui, ctx: &PanelContext<'_>, traffic: &ServiceTraffic, backend: &PortBackend) {
    let (text, label) = match &backend.target {
        BackendTarget::Pod(key) => (key.name.to_string(), format!("Pod {key}")),
        BackendTarget::Address(address) => (address.to_string(), format!("Address {address}")),
    };
    let node: NodeId = backend.target.node_id(&traffic.service.key);
    if link_button(ui, ctx.tokens, &text, &label)
        .on_hover_text("Show it on the map and here")
        .clicked()
    {
        ctx.send(WindowAction::Reveal(node));
    }
}

/// `10.244.0.7:8080 · node-a · ready`.
fn endpoint_summary(row: &EndpointRow<'_>) -> String {
    let backend = row.backend;
    let ports: Vec<String> = row.ports.iter().map(ToString::to_string).collect();
    let address = if backend.address.contains(':') {
        format!("[{}]", backend.address)
    } else {
        backend.address.to_string()
    };
    let mut parts = vec![if ports.is_empty() {
        address
    } else {
        format!("{address}:{}", ports.join(", "))
    }];
    parts.extend(backend.node.as_ref().map(ToString::to_string));
    parts.push(condition_label(backend).to_owned());
    for (what, hints) in [("zone", &backend.zone_hints), ("node", &backend.node_hints)] {
        if !hints.is_empty() {
            parts.push(format!("for {what} {}", hints.join(", ")));
        }
    }
    parts.join(" · ")
}

/// The three conditions of an endpoint in words.
fn condition_label(backend: &PortBackend) -> &'static str {
    match (backend.state(), backend.terminating) {
        (BackendState::Ready, false) => "ready",
        (BackendState::Ready, true) => "ready, terminating",
        (BackendState::Draining, _) => "terminating, still serving",
        (BackendState::NotReady, true) => "terminating, not serving",
        (BackendState::NotReady, false) if backend.serving => "not ready, serving",
        (BackendState::NotReady, false) => "not ready",
    }
}

fn pod_buttons_ui(ui: &mut Ui, ctx: &PanelContext<'_>, pod: &svcscope_model::inventory::ObjectKey) {
    ui.spacing_mut().item_spacing.x = 0.0;
    ui.spacing_mut().button_padding.x = 5.0;
    let disabled = ctx.forward_refusal();
    let target = || ForwardTarget::Pod(pod.clone());
    let curl = format!("Curl pod {pod}");
    if icon_button(ui, icon::TERMINAL, &curl, disabled.as_ref()).clicked() {
        ctx.send(WindowAction::OpenCurl(target(), None));
    }
    let forward = format!("Forward pod {pod}");
    if icon_button(ui, icon::ARROW_LINE_RIGHT, &forward, disabled.as_ref()).clicked() {
        ctx.send(WindowAction::OpenForward(target(), None));
    }
}
