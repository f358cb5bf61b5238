//! The list of forwards: each tells the truth about itself in words.

use egui::{RichText, Ui, WidgetInfo, WidgetType, containers::menu::MenuButton};
use egui_phosphor::regular as icon;

use super::{
    forward_traffic::traffic_ui,
    saved_forwards,
    table::{TableColumn, table_ui},
};
use crate::{
    action::WindowAction,
    command::UiCommand,
    context::PanelContext,
    formatting,
    port_options::ports_of,
    widgets::{empty, icon_button, link_button, state_label, truncated},
};
use svcscope_engine::EngineCommand;
use svcscope_model::topology::NodeId;
use svcscope_net::forward::{
    ForwardSpec, ForwardState, ForwardStatus, ForwardTarget, SpreadPolicy,
};

const COLUMNS: [TableColumn; 8] = [
    TableColumn::Share("state", 150.0),
    TableColumn::Fixed("local", 112.0),
    TableColumn::Share("target", 130.0),
    TableColumn::Share("pod", 110.0),
    TableColumn::Fixed("open / all", 62.0),
    TableColumn::Fixed("last minute", 126.0),
    TableColumn::Fixed("↓ received · ↑ sent", 118.0),
    TableColumn::Fixed("", 124.0),
];

/// Draws the list.
pub fn forwards_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let forwards = &ctx.scene.forwards;
    let kept = saved_forwards::not_running(ctx.scene);
    if forwards.is_empty() && kept.is_empty() {
        empty(
            ui,
            ctx.tokens,
            "No forwards",
            "Select a Service or a pod and press F: a local port leads to it then.",
        );
        if ctx.unavailable_reason(UiCommand::ImportForwards).is_none() {
            ui.vertical_centered(|ui| {
                let text = UiCommand::ImportForwards.text();
                if link_button(ui, ctx.tokens, text, text).clicked() {
                    ctx.send(WindowAction::Run(UiCommand::ImportForwards));
                }
            });
        }
        return;
    }
    saved_forwards::groups_ui(ui, ctx);
    let rows = forwards.len() + kept.len();
    table_ui(ui, ctx, "forwards", &COLUMNS, rows, |row| {
        let at = row.index();
        if let Some(saved) = at.checked_sub(forwards.len()).and_then(|at| kept.get(at)) {
            row.col(|ui| saved_forwards::state_ui(ui, ctx, saved));
            row.col(|ui| {
                let port = saved.spec.local_port;
                let said = port.map_or_else(|| "any".to_owned(), |port| format!(":{port}"));
                ui.label(RichText::new(said).monospace().color(ctx.tokens.dim));
            });
            row.col(|ui| target_ui(ui, ctx, &saved.spec));
            row.col(|ui| saved_forwards::spread_ui(ui, ctx, saved));
            for _ in 0..3 {
                row.col(|_| {});
            }
            row.col(|ui| saved_forwards::actions_ui(ui, ctx, saved));
            return;
        }
        let Some(forward) = forwards.get(at) else {
            return;
        };
        row.col(|ui| state_ui(ui, ctx, forward));
        row.col(|ui| local_ui(ui, forward));
        row.col(|ui| target_ui(ui, ctx, &forward.spec));
        row.col(|ui| pod_ui(ui, ctx, forward));
        row.col(|ui| connections_ui(ui, forward));
        row.col(|ui| traffic_ui(ui, ctx, forward));
        row.col(|ui| {
            let down = formatting::bytes(forward.bytes_down);
            let up = formatting::bytes(forward.bytes_up);
            ui.label(RichText::new(format!("{down} · {up}")).monospace());
        });
        row.col(|ui| actions_ui(ui, ctx, forward));
    });
}

fn state_ui(ui: &mut Ui, ctx: &PanelContext<'_>, forward: &ForwardStatus) {
    let (state, mut said, since) = formatting::forward_state_label(&forward.state, forward.open);
    if let Some(since) = since {
        said = format!("{said}, {}", ctx.age(since));
    }
    if let Some(full) = &forward.at_capacity {
        said = format!("{said}; {full}");
    }
    let response = state_label(ui, ctx.tokens, state, &said);
    // Said only while somebody looks at it.
    response.on_hover_ui(|ui| {
        let started = ctx.age(forward.started);
        let mut lines = format!("{said}\nstarted {started} ago");
        if let Some(error) = &forward.last_error {
            lines.push_str(&format!("\nlast trouble: {error}"));
        }
        ui.label(lines);
    });
}

fn local_ui(ui: &mut Ui, forward: &ForwardStatus) {
    let local = forward.local.map(|address| address.to_string());
    let text = RichText::new(local.unwrap_or_else(|| "–".to_owned())).monospace();
    let response = ui.label(text);
    if let Some(also) = forward.local_ipv6 {
        response.on_hover_text(format!("and {also}"));
    }
}

fn target_ui(ui: &mut Ui, ctx: &PanelContext<'_>, spec: &ForwardSpec) {
    let node = match &spec.target {
        ForwardTarget::Service(key) => Some(NodeId::Service(key.clone())),
        ForwardTarget::Pod(key) => Some(NodeId::Pod(key.clone())),
        ForwardTarget::Workload { .. } => None,
    };
    let name = formatting::forward_label(spec);
    let target = formatting::target_label(&spec.target);
    ui.spacing_mut().item_spacing.x = 3.0;
    let hint = format!("{target}, port {}", spec.port);
    match node {
        Some(node) => {
            let response = link_button(ui, ctx.tokens, &name, &format!("Show {target}"));
            if response.on_hover_text(&hint).clicked() {
                ctx.send(WindowAction::Reveal(node));
            }
        }
        None => {
            ui.label(&name).on_hover_text(&hint);
        }
    }
    let port = RichText::new(format!(":{}", spec.port)).color(ctx.tokens.dim);
    truncated(ui, port).on_hover_text(hint);
}

fn connections_ui(ui: &mut Ui, forward: &ForwardStatus) {
    let (open, total) = (forward.open, forward.total);
    let response = ui.label(RichText::new(format!("{open} / {total}")).monospace());
    let said = format!("{open} open, {total} total");
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &said));
    response.on_hover_text(said);
}

fn pod_ui(ui: &mut Ui, ctx: &PanelContext<'_>, forward: &ForwardStatus) {
    let last = forward.pod.as_ref().map(|key| match forward.pod_port {
        Some(port) => format!("{}:{port}", key.name),
        None => key.name.to_string(),
    });
    let said = match &*forward.pods {
        [] | [_] => last.unwrap_or_else(|| "–".to_owned()),
        several => formatting::plural(several.len(), "pod"),
    };
    let mut hint = format!(
        "Leads to {}",
        formatting::spread_label(&forward.spec.spread)
    );
    for pod in forward.pods.iter() {
        let (name, port, open) = (&pod.pod.name, pod.port, pod.open);
        hint.push_str(&format!("\n{name}:{port}: {open} open"));
    }
    truncated(ui, RichText::new(said).color(ctx.tokens.dim)).on_hover_text(hint);
}

fn actions_ui(ui: &mut Ui, ctx: &PanelContext<'_>, forward: &ForwardStatus) {
    let name = formatting::forward_label(&forward.spec);
    ui.spacing_mut().item_spacing.x = 0.0;
    ui.spacing_mut().button_padding.x = 6.0;
    let button = |ui: &mut Ui, glyph: &str, word: &str| {
        icon_button(ui, glyph, &format!("{word} forward {name}"), None).clicked()
    };
    if let Some(url) = local_url(ctx, forward) {
        if button(ui, icon::ARROW_SQUARE_OUT, "Open") {
            ctx.send(WindowAction::OpenUrl(url.clone()));
        }
        if button(ui, icon::COPY, "Copy URL of") {
            ctx.send(WindowAction::Copy {
                text: url,
                what: "local URL",
            });
        }
    }
    if forward.state.is_over() {
        let offer = forward
            .free_port
            .filter(|_| matches!(forward.state, ForwardState::Failed { .. }));
        if let Some(port) = offer {
            let full = format!("Use port {port} for forward {name}");
            if link_button(ui, ctx.tokens, &format!("Use {port}"), &full).clicked() {
                let spec = ForwardSpec {
                    local_port: Some(port),
                    ..forward.spec.clone()
                };
                ctx.send(WindowAction::RestartForward(forward.id, spec));
            }
        }
        if button(ui, icon::PLAY, "Start again") {
            ctx.send(WindowAction::RestartForward(
                forward.id,
                restart_spec(forward),
            ));
        }
        if button(ui, icon::X, "Remove") {
            ctx.send(WindowAction::Send(EngineCommand::RemoveForward(forward.id)));
        }
    } else if button(ui, icon::STOP, "Stop") {
        ctx.send(WindowAction::Send(EngineCommand::StopForward(forward.id)));
    }
    let glyph = egui::Button::new(icon::DOTS_THREE).frame_when_inactive(false);
    let (response, _) = MenuButton::from_button(glyph).ui(ui, |ui| more_ui(ui, ctx, forward));
    let label = format!("More for forward {name}");
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &label));
}

/// What is asked for less often.
fn more_ui(ui: &mut Ui, ctx: &PanelContext<'_>, forward: &ForwardStatus) {
    ui.set_min_width(190.0);
    let spec = &forward.spec;
    let item = |ui: &mut Ui, text: &str, hint: &str| {
        let clicked = ui.button(text).on_hover_text(hint).clicked();
        if clicked {
            ui.close();
        }
        clicked
    };
    let hint = "Close its connections and listen again on the same port";
    if item(ui, "Restart", hint) {
        ctx.send(WindowAction::RestartForward(
            forward.id,
            restart_spec(forward),
        ));
    }
    let saved = spec.name.is_some();
    let word = if saved {
        "Edit what is saved…"
    } else {
        "Save…"
    };
    if item(
        ui,
        word,
        "Its name, its group, and whether it starts with the app",
    ) {
        let (id, was) = (Some(forward.id), spec.name.clone());
        ctx.send(WindowAction::OpenSaveForward(id, was, spec.clone()));
    }
    if let Some(name) = spec.name.clone()
        && item(ui, "Forget", "Keep it no longer; it goes on while it runs")
    {
        ctx.send(WindowAction::Send(EngineCommand::ForgetForward(name)));
    }
    if matches!(spec.target, ForwardTarget::Pod(_)) {
        return;
    }
    ui.separator();
    let here = forward.pod.as_ref().map(|pod| pod.name.clone());
    let hint = "Starts it again on the same port";
    for (spread, text) in [
        (Some(SpreadPolicy::Sticky), "Stay with one pod".to_owned()),
        (
            Some(SpreadPolicy::Balanced),
            "All ready pods in turn".to_owned(),
        ),
        (
            here.clone().map(SpreadPolicy::Pinned),
            here.map_or_else(String::new, |pod| format!("Only {pod}")),
        ),
    ] {
        let Some(spread) = spread.filter(|spread| *spread != spec.spread) else {
            continue;
        };
        if item(ui, &text, hint) {
            let spec = ForwardSpec {
                spread,
                ..restart_spec(forward)
            };
            ctx.send(WindowAction::RestartForward(forward.id, spec));
        }
    }
}

/// What starts it again where it was.
fn restart_spec(forward: &ForwardStatus) -> ForwardSpec {
    let local = forward.local.map(|local| local.port());
    ForwardSpec {
        last_port: local.or(forward.spec.last_port),
        ..forward.spec.clone()
    }
}

/// What a browser would open, as far as the Service says what it speaks.
fn local_url(ctx: &PanelContext<'_>, forward: &ForwardStatus) -> Option<String> {
    let local = forward.local.filter(|_| !forward.state.is_over())?;
    let https = ports_of(ctx.scene, &forward.spec.target)
        .iter()
        .any(|port| port.port == forward.spec.port && port.likely_https);
    let scheme = if https { "https" } else { "http" };
    Some(format!("{scheme}://{local}"))
}
