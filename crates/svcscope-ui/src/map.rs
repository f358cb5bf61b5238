//! The middle: the map, and what stands there when there is none.

use egui::{Align, CentralPanel, Frame, Label, Layout, RichText, Ui};
use egui_phosphor::regular as icon;

use super::{
    action::WindowAction,
    canvas::{CanvasEvent, CanvasInput, MapCanvas},
    command::UiCommand,
    context::PanelContext,
    filter_bar, formatting,
    theme::{Health, HealthStyle as _, TITLE, regular, semibold},
    widgets::{link_button, notice, primary_button},
};
use svcscope_engine::{ConnectionState, EngineCommand};
use svcscope_model::{
    inventory::{ListCompleteness, ObjectKey, ResourceKind, SharedStr},
    topology::NodeId,
};

/// Draws the middle.
pub fn map_ui(ui: &mut Ui, ctx: &PanelContext<'_>, canvas: &mut MapCanvas) {
    // The window is cleared in this colour and the canvas paints it: where no graphics card draws,
    // a third time over the largest area would be felt.
    CentralPanel::default().frame(Frame::NONE).show(ui, |ui| {
        if let Some(nothing) = empty_map_reason(ctx) {
            empty_map_ui(ui, ctx, &nothing);
            return;
        }
        banners_ui(ui, ctx);
        filter_bar::strip_ui(ui, ctx);
        send_aspect_ratio(ui, ctx);
        let scene = match &ctx.view.paused {
            Some(paused) => &*paused.scene,
            None => ctx.scene,
        };
        if scene.filter_counts.of_services > 0 && scene.filter_counts.services == 0 {
            all_hidden_ui(ui, ctx);
            return;
        }
        let derived = &ctx.view.derived;
        let highlight = |service: &ObjectKey| derived.matches_search(service);
        let events = canvas.ui(
            ui,
            &CanvasInput {
                scene,
                tokens: ctx.tokens,
                selection: ctx.view.selection.as_ref(),
                matches_search: &highlight,
                stale: ctx.is_stale(),
                now: ctx.now,
                hide_controls: false,
            },
        );
        for event in events {
            handle_canvas_event(ctx, event);
        }
        let selected = ctx.view.selected_service();
        if let Some(test) = selected.and_then(|service| scene.path_tests.get(service)) {
            // Its age stands at the edges.
            ctx.age(test.round_started_at);
        }
    });
}

/// Tells the engine for what shape to lay out, when it is clearly another one.
fn send_aspect_ratio(ui: &Ui, ctx: &PanelContext<'_>) {
    const CLEARLY: f32 = 1.08;
    let room = ui.available_size();
    let aspect = room.x / room.y.max(1.0);
    let known = ctx.view.map_aspect;
    let same = known > 0.0 && aspect / known < CLEARLY && known / aspect < CLEARLY;
    if !same && aspect.is_finite() && aspect > 0.0 {
        ctx.send(WindowAction::SetMapAspect(aspect));
    }
}

fn all_hidden_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        ui.add_space((ui.available_height() * 0.28).max(24.0));
        ui.set_max_width(ui.available_width().min(620.0));
        let hint = "No Service matches the filter.";
        message_ui(ui, ctx, icon::FUNNEL, "Nothing to show", hint);
        if primary_button(ui, ctx.tokens, UiCommand::ClearFilter.text(), None).clicked() {
            ctx.send(WindowAction::Run(UiCommand::ClearFilter));
        }
    });
}

fn handle_canvas_event(ctx: &PanelContext<'_>, event: CanvasEvent) {
    let run = |node: NodeId, command| {
        ctx.send(WindowAction::Select(Some(node)));
        ctx.send(WindowAction::Run(command));
    };
    match event {
        CanvasEvent::Select(node) => ctx.send(WindowAction::Select(node)),
        CanvasEvent::Open(node) => {
            ctx.send(WindowAction::Reveal(node));
            if !ctx.view.inspector_open {
                ctx.send(WindowAction::Run(UiCommand::ToggleInspector));
            }
        }
        CanvasEvent::Menu(node, at) => ctx.send(WindowAction::OpenMenu(node, at)),
        CanvasEvent::Forward(node) => run(node, UiCommand::Forward),
        CanvasEvent::Curl(node) => run(node, UiCommand::Curl),
        CanvasEvent::ChangeType(node) => run(node, UiCommand::ChangeType),
        CanvasEvent::Pin(service, at) => ctx.send(WindowAction::Send(EngineCommand::PinService(
            service,
            Some(at),
        ))),
    }
}

/// Why no map can be drawn.
enum EmptyMapReason {
    Idle,
    Connecting,
    ListingResources,
    ListFailed(SharedStr),
    Failed(SharedStr),
    Forbidden(SharedStr),
    NoServices,
}

fn empty_map_reason(ctx: &PanelContext<'_>) -> Option<EmptyMapReason> {
    if let ConnectionState::Failed { reason } = &ctx.scene.connection {
        return Some(EmptyMapReason::Failed(reason.clone()));
    }
    if ctx.view.derived.services > 0 {
        return None;
    }
    match &ctx.scene.connection {
        ConnectionState::Idle => return Some(EmptyMapReason::Idle),
        ConnectionState::Connecting => return Some(EmptyMapReason::Connecting),
        ConnectionState::Failed { .. } | ConnectionState::Lost { .. } => return None,
        ConnectionState::Connected => {}
    }
    let inventory = &ctx.scene.inventory;
    let reason = || {
        let mut watched = inventory.watched_scopes(ResourceKind::Service);
        watched.find_map(|(_, state)| state.reason().cloned())
    };
    match (inventory.completeness(ResourceKind::Service), reason()) {
        (ListCompleteness::Live | ListCompleteness::Polled, _) => Some(EmptyMapReason::NoServices),
        // Some namespaces are seen and have none; what can't be seen is said in the status bar.
        (ListCompleteness::Partial, _) if inventory.was_listed(ResourceKind::Service) => {
            Some(EmptyMapReason::NoServices)
        }
        (ListCompleteness::Partial, Some(message)) => Some(EmptyMapReason::Forbidden(message)),
        (ListCompleteness::Unlisted, Some(reason)) => Some(EmptyMapReason::ListFailed(reason)),
        (ListCompleteness::Stale, _) => None,
        (ListCompleteness::Partial | ListCompleteness::Unlisted, None) => {
            Some(EmptyMapReason::ListingResources)
        }
    }
}

fn empty_map_ui(ui: &mut Ui, ctx: &PanelContext<'_>, empty_reason: &EmptyMapReason) {
    let context = ctx.scene.context.as_deref().unwrap_or("the cluster");
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        ui.add_space((ui.available_height() * 0.28).max(24.0));
        ui.set_max_width(ui.available_width().min(620.0));
        match empty_reason {
            EmptyMapReason::Idle => {
                message_ui(ui, ctx, icon::PLUGS, "Not connected", "Choose a context from your kubeconfig.");
                contexts_ui(ui, ctx);
            }
            EmptyMapReason::Connecting => {
                ui.add(egui::Spinner::new().size(28.0));
                let server = ctx.scene.server.as_deref().unwrap_or_default();
                message_ui(ui, ctx, "", &format!("Connecting to {context}…"), server);
                test_ui(ui, ctx);
                contexts_ui(ui, ctx);
            }
            EmptyMapReason::ListingResources => {
                ui.add(egui::Spinner::new().size(28.0));
                message_ui(ui, ctx, "", "Loading the cluster…", "The first lists are under way.");
            }
            EmptyMapReason::ListFailed(reason) => {
                ui.add(egui::Spinner::new().size(28.0));
                let detail = format!("{reason}. Retrying.");
                message_ui(ui, ctx, "", "Services can't be listed yet", &detail);
            }
            EmptyMapReason::Failed(reason) => {
                let title = format!("Could not connect to {context}");
                let again = super::status_bar::retry_label(ctx);
                message_ui(ui, ctx, icon::CLOUD_SLASH, &title, reason);
                if let Some(again) = again {
                    let again = again.replacen("trying", "Trying", 1);
                    ui.label(RichText::new(again).color(ctx.tokens.pending));
                    ui.add_space(8.0);
                }
                if primary_button(ui, ctx.tokens, "Try again", None)
                    .on_hover_text(UiCommand::Reconnect.hover_text(ui.ctx()))
                    .clicked()
                {
                    ctx.send(WindowAction::Run(UiCommand::Reconnect));
                }
                ui.add_space(4.0);
                test_ui(ui, ctx);
                contexts_ui(ui, ctx);
            }
            EmptyMapReason::Forbidden(message) => {
                message_ui(ui, ctx, icon::PROHIBIT, "No permission to list Services", message);
                ui.label(
                    RichText::new(
                        "Choose a namespace that you have access to in the bar above, or start svcscope with -n NAMESPACE.",
                    )
                    .color(ctx.tokens.dim),
                );
            }
            EmptyMapReason::NoServices => {
                let hint = if ctx.scene.namespaces.is_empty() {
                    "There are no Services in any namespace."
                } else {
                    "There are no Services in the watched namespaces."
                };
                message_ui(ui, ctx, icon::TRAY, "No Services", hint);
                if !ctx.scene.namespaces.is_empty()
                    && primary_button(ui, ctx.tokens, UiCommand::AllNamespaces.text(), None)
                        .clicked()
                {
                    ctx.send(WindowAction::Run(UiCommand::AllNamespaces));
                }
            }
        }
    });
}

/// What the words of a failure leave open.
fn test_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let test = UiCommand::TestConnection;
    if link_button(ui, ctx.tokens, test.text(), test.text())
        .on_hover_text(test.tooltip())
        .clicked()
    {
        ctx.send(WindowAction::Run(test));
    }
}

fn message_ui(ui: &mut Ui, ctx: &PanelContext<'_>, glyph: &str, title: &str, detail: &str) {
    if !glyph.is_empty() {
        ui.label(
            RichText::new(glyph)
                .font(regular(36.0))
                .color(ctx.tokens.dim),
        );
    }
    ui.add_space(8.0);
    ui.label(RichText::new(title).font(semibold(TITLE)));
    ui.add_space(4.0);
    ui.add(Label::new(RichText::new(detail).color(ctx.tokens.dim)).wrap());
    ui.add_space(12.0);
}

/// The other contexts, each one click away.
fn contexts_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let others: Vec<_> = ctx
        .scene
        .contexts
        .iter()
        .filter(|context| Some(&context.name) != ctx.scene.context.as_ref())
        .collect();
    if others.is_empty() {
        return;
    }
    ui.add_space(16.0);
    ui.label(RichText::new("Other contexts").color(ctx.tokens.dim));
    for context in others.iter().take(8) {
        let label = format!("Connect to {}", context.name);
        if link_button(ui, ctx.tokens, &context.name, &label).clicked() {
            ctx.send(WindowAction::Send(EngineCommand::Connect(Some(
                context.name.clone(),
            ))));
        }
    }
    if others.len() > 8 {
        let rest = others.len() - 8;
        ui.label(
            RichText::new(format!("and {rest} more in the menu at the top")).color(ctx.tokens.dim),
        );
    }
}

fn banners_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let banner = |ui: &mut Ui, state: Health, text: String, links: &[(&str, WindowAction)]| {
        let color = ctx.tokens.health_color(state);
        Frame::new().inner_margin(8).show(ui, |ui| {
            notice(ui, ctx.tokens, color, |ui| {
                ui.horizontal_wrapped(|ui| {
                    ui.label(RichText::new(state.icon()).color(color));
                    ui.label(RichText::new(text).color(ctx.tokens.text));
                    for (link, action) in links {
                        if link_button(ui, ctx.tokens, link, link).clicked() {
                            ctx.send(action.clone());
                        }
                    }
                });
            });
        });
    };
    if let ConnectionState::Lost { since, reason } = &ctx.scene.connection {
        let text = format!(
            "Connection lost {} ago: {reason}. The map shows the state as of {}.",
            ctx.age(*since),
            formatting::time_of_day(*since)
        );
        let links = [
            ("Try again now", WindowAction::Run(UiCommand::Reconnect)),
            (
                UiCommand::TestConnection.text(),
                WindowAction::Run(UiCommand::TestConnection),
            ),
        ];
        banner(ui, Health::Degraded, text, &links);
    }
    if ctx
        .view
        .derived
        .search_hits
        .as_ref()
        .is_some_and(std::collections::BTreeSet::is_empty)
    {
        let text = format!("Nothing matches “{}”.", ctx.view.search);
        let clear = WindowAction::SetSearch(String::new());
        banner(ui, Health::Unknown, text, &[("Clear search", clear)]);
    }
}
