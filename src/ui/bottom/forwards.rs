//! The list of forwards: each tells the truth about itself in words.

use egui::{RichText, Ui};

use super::table::{Col, table_ui};
use crate::{
    engine::Command,
    forward::{ForwardState, ForwardStatus, ForwardTarget},
    topology::NodeId,
    ui::{
        action::Action,
        context::Ctx,
        ports::ports_of,
        widgets::{empty, link_button, state_label, truncated},
        words,
    },
};

const COLUMNS: [Col; 7] = [
    Col::Share("state", 160.0),
    Col::Fixed("local", 112.0),
    Col::Share("target", 120.0),
    Col::Share("pod", 170.0),
    Col::Fixed("connections", 122.0),
    Col::Fixed("↓ received · ↑ sent", 118.0),
    Col::Fixed("", 160.0),
];

/// Draws the list.
pub fn forwards_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    let forwards = &ctx.scene.forwards;
    if forwards.is_empty() {
        empty(
            ui,
            ctx.tokens,
            "No forwards",
            "Select a Service or a pod and press F: a local port leads to it then.",
        );
        return;
    }
    table_ui(ui, ctx, "forwards", &COLUMNS, forwards.len(), |row| {
        let Some(forward) = forwards.get(row.index()) else {
            return;
        };
        row.col(|ui| state_ui(ui, ctx, forward));
        row.col(|ui| {
            let local = forward.local.map(|address| address.to_string());
            ui.label(RichText::new(local.unwrap_or_else(|| "–".to_owned())).monospace());
        });
        row.col(|ui| target_ui(ui, ctx, forward));
        row.col(|ui| {
            let pod = forward.pod.as_ref().map(|key| match forward.pod_port {
                Some(port) => format!("{}:{port}", key.name),
                None => key.name.to_string(),
            });
            truncated(
                ui,
                RichText::new(pod.unwrap_or_else(|| "–".to_owned())).color(ctx.tokens.dim),
            );
        });
        row.col(|ui| {
            ui.label(format!("{} open, {} total", forward.open, forward.total));
        });
        row.col(|ui| {
            let down = words::bytes(forward.bytes_down);
            let up = words::bytes(forward.bytes_up);
            ui.label(RichText::new(format!("{down} · {up}")).monospace());
        });
        row.col(|ui| actions_ui(ui, ctx, forward));
    });
}

fn state_ui(ui: &mut Ui, ctx: &Ctx<'_>, forward: &ForwardStatus) {
    let (state, mut said, since) = words::forward_state(&forward.state, forward.open);
    if let Some(since) = since {
        said = format!("{said}, {}", ctx.age(since));
    }
    let response = state_label(ui, ctx.tokens, state, &said);
    if let Some(error) = &forward.last_error {
        response.on_hover_text(format!("{said}\nlast connection: {error}"));
    } else {
        response.on_hover_text(said);
    }
}

fn target_ui(ui: &mut Ui, ctx: &Ctx<'_>, forward: &ForwardStatus) {
    let spec = &forward.spec;
    let node = match &spec.target {
        ForwardTarget::Service(key) => Some(NodeId::Service(key.clone())),
        ForwardTarget::Pod(key) => Some(NodeId::Pod(key.clone())),
        ForwardTarget::Workload { .. } => None,
    };
    let name = words::target(&spec.target);
    match node {
        Some(node) => {
            if link_button(ui, ctx.tokens, &name, &format!("Show {name}")).clicked() {
                ctx.send(Action::Reveal(node));
            }
        }
        None => {
            ui.label(&name);
        }
    }
    truncated(
        ui,
        RichText::new(format!(":{}", spec.port)).color(ctx.tokens.dim),
    )
    .on_hover_text(format!("{}, port {}", spec.target, spec.port));
}

fn actions_ui(ui: &mut Ui, ctx: &Ctx<'_>, forward: &ForwardStatus) {
    let name = words::target(&forward.spec.target);
    let ended = matches!(
        forward.state,
        ForwardState::Stopped | ForwardState::Failed { .. }
    );
    ui.spacing_mut().item_spacing.x = 12.0;
    let link = |ui: &mut Ui, word: &str| {
        link_button(ui, ctx.tokens, word, &format!("{word} forward {name}")).clicked()
    };
    if let Some(local) = forward.local.filter(|_| !ended) {
        let url = format!("{}://{local}", scheme(ctx, forward));
        if link(ui, "Open") {
            ctx.send(Action::OpenUrl(url.clone()));
        }
        if link(ui, "Copy URL") {
            ctx.send(Action::Copy {
                text: url,
                what: "local URL",
            });
        }
    }
    if ended {
        if link(ui, "Start again") {
            ctx.send(Action::StartForward(forward.spec.clone()));
            ctx.send(Action::Send(Command::RemoveForward(forward.id)));
        }
        if link(ui, "Remove") {
            ctx.send(Action::Send(Command::RemoveForward(forward.id)));
        }
    } else if link(ui, "Stop") {
        ctx.send(Action::Send(Command::StopForward(forward.id)));
    }
}

/// What a browser should speak to the port, as far as the Service says.
fn scheme(ctx: &Ctx<'_>, forward: &ForwardStatus) -> &'static str {
    let https = ports_of(ctx.scene, &forward.spec.target)
        .iter()
        .any(|port| port.port == forward.spec.port && port.https);
    if https { "https" } else { "http" }
}
