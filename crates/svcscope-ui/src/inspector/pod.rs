//! A pod in the inspector.

use egui::{CollapsingHeader, Label, RichText, Ui};
use egui_phosphor::regular as icon;

use super::commands::command_buttons_ui;
use super::properties::{copyable_property_ui, property_ui, text_property_ui};
use crate::{
    action::WindowAction,
    command::UiCommand,
    context::PanelContext,
    formatting,
    theme::{Health, SMALL, TITLE, regular},
    widgets::{badge, dim, heading, link_button, notice, section, state_label, state_mark},
};
use svcscope_model::{
    inventory::{ObjectKey, PodPhase, PodRecord},
    topology::{BackendTarget, NodeId},
};

/// Draws all about a pod.
pub fn pod_ui(ui: &mut Ui, ctx: &PanelContext<'_>, pod: &PodRecord) {
    header_ui(ui, ctx, pod);
    ui.add_space(6.0);
    actions_ui(ui, ctx);
    trouble_ui(ui, ctx, pod);
    placement_ui(ui, ctx, pod);
    services_ui(ui, ctx, &pod.key);
    containers_ui(ui, ctx, pod);
    labels_ui(ui, ctx, pod);
}

fn pod_state(pod: &PodRecord) -> (Health, &'static str) {
    match pod.phase {
        _ if pod.deleting.is_some() => (Health::Pending, "terminating"),
        PodPhase::Running if pod.ready => (Health::Healthy, "ready"),
        PodPhase::Running => (Health::Degraded, "not ready"),
        PodPhase::Pending => (Health::Pending, "pending"),
        PodPhase::Succeeded => (Health::Unknown, "succeeded"),
        PodPhase::Failed => (Health::Broken, "failed"),
        PodPhase::Unknown => (Health::Unknown, "unknown"),
    }
}

fn header_ui(ui: &mut Ui, ctx: &PanelContext<'_>, pod: &PodRecord) {
    let (state, word) = pod_state(pod);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(icon::CUBE).font(regular(TITLE)));
        heading(ui, &pod.key.name);
    });
    ui.horizontal_wrapped(|ui| {
        badge(ui, ctx.tokens, "Pod", ctx.tokens.accent);
        state_label(ui, ctx.tokens, state, word);
        let mut said = vec![pod.key.namespace.to_string()];
        if let Some(created) = pod.created {
            said.push(format!("{} old", ctx.age(created)));
        }
        dim(ui, ctx.tokens, said.join(" · "));
    });
}

fn actions_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        command_buttons_ui(
            ui,
            ctx,
            &[
                (UiCommand::Forward, "Forward", "F"),
                (UiCommand::Curl, "Curl", "C"),
            ],
        );
    });
}

fn trouble_ui(ui: &mut Ui, ctx: &PanelContext<'_>, pod: &PodRecord) {
    let said: Vec<&str> = pod
        .trouble()
        .into_iter()
        .chain(&pod.not_ready_message)
        .map(|text| &**text)
        .collect();
    if said.is_empty() {
        return;
    }
    section(ui, ctx.tokens, "What is wrong");
    notice(ui, ctx.tokens, ctx.tokens.degraded, |ui| {
        for text in said {
            ui.add(Label::new(RichText::new(text).color(ctx.tokens.degraded)).wrap());
        }
    });
}

fn placement_ui(ui: &mut Ui, ctx: &PanelContext<'_>, pod: &PodRecord) {
    section(ui, ctx.tokens, "Place");
    let ips: Vec<String> = pod.ips.iter().map(ToString::to_string).collect();
    if ips.is_empty() {
        text_property_ui(ui, ctx, "Address", "none yet");
    } else {
        copyable_property_ui(ui, ctx, "Address", &ips, "pod address");
    }
    let node = pod.node.as_deref().unwrap_or("not scheduled");
    text_property_ui(ui, ctx, "Node", node);
    if pod.host_network {
        text_property_ui(ui, ctx, "Network", "the node's own (hostNetwork)");
    }
    if let Some(owner) = &pod.owner {
        text_property_ui(ui, ctx, &owner.kind, &owner.name);
    }
}

/// The Services that this pod takes traffic for.
fn services_ui(ui: &mut Ui, ctx: &PanelContext<'_>, pod: &ObjectKey) {
    section(ui, ctx.tokens, "Behind");
    let target = BackendTarget::Pod(pod.clone());
    let mut any = false;
    for service in ctx.scene.inventory.services_in(&pod.namespace) {
        let Some(traffic) = ctx.scene.topology.service(&service.key) else {
            continue;
        };
        let mut ports = traffic.ports.iter().filter_map(|port| {
            let backend = port.backends.iter().find(|b| b.target == target)?;
            Some((formatting::port_label(&port.port), backend))
        });
        let Some((first, backend)) = ports.next() else {
            continue;
        };
        any = true;
        let said: Vec<String> = std::iter::once(first)
            .chain(ports.map(|(port, _)| port))
            .collect();
        let label = formatting::service_label(&service.key);
        ui.horizontal(|ui| {
            state_mark(ui, ctx.tokens, backend.state().into());
            if link_button(ui, ctx.tokens, &service.key.name, &label).clicked() {
                ctx.send(WindowAction::Reveal(NodeId::Service(service.key.clone())));
            }
            dim(ui, ctx.tokens, said.join(", "));
        });
    }
    if !any {
        dim(ui, ctx.tokens, "No Service sends traffic here.");
    }
}

fn containers_ui(ui: &mut Ui, ctx: &PanelContext<'_>, pod: &PodRecord) {
    section(ui, ctx.tokens, "Containers");
    for container in &pod.containers {
        property_ui(ui, ctx, &container.name, |ui| {
            let state = if container.ready {
                Health::Healthy
            } else {
                Health::Degraded
            };
            let mut said = match &container.reason {
                Some(reason) if !container.ready => reason.to_string(),
                _ if container.ready => "ready".to_owned(),
                _ => "not ready".to_owned(),
            };
            if container.sidecar {
                said.push_str(", sidecar");
            }
            if container.restarts > 0 {
                let restarts = usize::try_from(container.restarts).unwrap_or(usize::MAX);
                said = format!("{said}, {}", formatting::plural(restarts, "restart"));
            }
            state_label(ui, ctx.tokens, state, &said);
            for port in &container.ports {
                let name = port.name.as_deref().map(|name| format!("{name} "));
                ui.label(
                    RichText::new(format!(
                        "{}{}/{}",
                        name.unwrap_or_default(),
                        port.port,
                        port.protocol
                    ))
                    .monospace(),
                );
            }
        });
    }
    if pod.containers.is_empty() {
        dim(ui, ctx.tokens, "None is known.");
    }
}

fn labels_ui(ui: &mut Ui, ctx: &PanelContext<'_>, pod: &PodRecord) {
    ui.add_space(10.0);
    let head = RichText::new(format!("Labels ({})", pod.labels.len()))
        .font(regular(SMALL))
        .color(ctx.tokens.dim);
    CollapsingHeader::new(head)
        .id_salt("pod labels")
        .default_open(true)
        .show(ui, |ui| {
            for (key, value) in &pod.labels {
                let line = RichText::new(format!("{key}={value}")).monospace();
                ui.add(Label::new(line).wrap());
            }
        });
}
