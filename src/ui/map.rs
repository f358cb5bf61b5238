//! The middle: the map, and what stands there when there is none.

use egui::{Align, CentralPanel, Frame, Label, Layout, RichText, Ui};
use egui_phosphor::regular as icon;

use super::{
    action::Action,
    canvas::{Canvas, CanvasEvent, CanvasInput},
    command::UiCommand,
    context::Ctx,
    filter_bar,
    theme::{State, TITLE, regular, semibold},
    widgets::{link_button, notice, primary_button},
    words,
};
use crate::{
    engine::{Command, ConnectionState},
    inventory::{Completeness, Kind, ObjectKey, Text},
    topology::NodeId,
};

/// Draws the middle.
pub fn map_ui(ui: &mut Ui, ctx: &Ctx<'_>, canvas: &mut Canvas) {
    // The window is cleared in this colour and the canvas paints it: where no graphics card draws,
    // a third time over the largest area would be felt.
    CentralPanel::default().frame(Frame::NONE).show(ui, |ui| {
        if let Some(nothing) = why_nothing(ctx) {
            nothing_ui(ui, ctx, &nothing);
            return;
        }
        banners_ui(ui, ctx);
        filter_bar::strip_ui(ui, ctx);
        shape(ui, ctx);
        let scene = match &ctx.view.paused {
            Some(paused) => &*paused.scene,
            None => ctx.scene,
        };
        if scene.shown.of_services > 0 && scene.shown.services == 0 {
            all_hidden_ui(ui, ctx);
            return;
        }
        let derived = &ctx.view.derived;
        let highlight = |service: &ObjectKey| derived.is_hit(service);
        let events = canvas.ui(
            ui,
            &CanvasInput {
                scene,
                tokens: ctx.tokens,
                selection: ctx.view.selection.as_ref(),
                highlight: &highlight,
                stale: ctx.is_stale(),
                now: ctx.now,
                bare: false,
            },
        );
        for event in events {
            follow(ctx, event);
        }
        let selected = ctx.view.selected_service();
        if let Some(test) = selected.and_then(|service| scene.tested.get(service)) {
            // Its age stands at the edges.
            ctx.age(test.began);
        }
    });
}

/// Tells the engine for what shape to lay out, when it is clearly another one.
fn shape(ui: &Ui, ctx: &Ctx<'_>) {
    const CLEARLY: f32 = 1.08;
    let room = ui.available_size();
    let aspect = room.x / room.y.max(1.0);
    let known = ctx.view.map_shape;
    let same = known > 0.0 && aspect / known < CLEARLY && known / aspect < CLEARLY;
    if !same && aspect.is_finite() && aspect > 0.0 {
        ctx.send(Action::ShapeMap(aspect));
    }
}

fn all_hidden_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        ui.add_space((ui.available_height() * 0.28).max(24.0));
        ui.set_max_width(ui.available_width().min(620.0));
        let hint = "No Service is as the filter wants it.";
        said_ui(ui, ctx, icon::FUNNEL, "Nothing to show", hint);
        if primary_button(ui, ctx.tokens, UiCommand::ClearFilter.text(), None).clicked() {
            ctx.send(Action::Run(UiCommand::ClearFilter));
        }
    });
}

fn follow(ctx: &Ctx<'_>, event: CanvasEvent) {
    let run = |node: NodeId, command| {
        ctx.send(Action::Select(Some(node)));
        ctx.send(Action::Run(command));
    };
    match event {
        CanvasEvent::Select(node) => ctx.send(Action::Select(node)),
        CanvasEvent::Open(node) => {
            ctx.send(Action::Reveal(node));
            if !ctx.view.inspector_open {
                ctx.send(Action::Run(UiCommand::ToggleInspector));
            }
        }
        CanvasEvent::Menu(node, at) => ctx.send(Action::OpenMenu(node, at)),
        CanvasEvent::Forward(node) => run(node, UiCommand::Forward),
        CanvasEvent::Curl(node) => run(node, UiCommand::Curl),
        CanvasEvent::ChangeType(node) => run(node, UiCommand::ChangeType),
        CanvasEvent::Pin(service, at) => ctx.send(Action::Send(Command::Pin(service, Some(at)))),
    }
}

/// Why no map can be drawn.
enum Nothing {
    Idle,
    Connecting,
    Reading,
    Unlisted(Text),
    Failed(Text),
    Forbidden(Text),
    NoServices,
}

fn why_nothing(ctx: &Ctx<'_>) -> Option<Nothing> {
    if let ConnectionState::Failed { reason } = &ctx.scene.connection {
        return Some(Nothing::Failed(reason.clone()));
    }
    if ctx.view.derived.services > 0 {
        return None;
    }
    match &ctx.scene.connection {
        ConnectionState::Idle => return Some(Nothing::Idle),
        ConnectionState::Connecting => return Some(Nothing::Connecting),
        ConnectionState::Failed { .. } | ConnectionState::Lost { .. } => return None,
        ConnectionState::Connected => {}
    }
    let inventory = &ctx.scene.inventory;
    let reason = || {
        let mut watched = inventory.watched(Kind::Service);
        watched.find_map(|(_, state)| state.reason().cloned())
    };
    match (inventory.completeness(Kind::Service), reason()) {
        (Completeness::Live | Completeness::Polled, _) => Some(Nothing::NoServices),
        // Some namespaces are seen and have none; what can't be seen is said in the status bar.
        (Completeness::Partial, _) if inventory.is_seen(Kind::Service) => Some(Nothing::NoServices),
        (Completeness::Partial, Some(message)) => Some(Nothing::Forbidden(message)),
        (Completeness::Unlisted, Some(reason)) => Some(Nothing::Unlisted(reason)),
        (Completeness::Stale, _) => None,
        (Completeness::Partial | Completeness::Unlisted, None) => Some(Nothing::Reading),
    }
}

fn nothing_ui(ui: &mut Ui, ctx: &Ctx<'_>, nothing: &Nothing) {
    let context = ctx.scene.context.as_deref().unwrap_or("the cluster");
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        ui.add_space((ui.available_height() * 0.28).max(24.0));
        ui.set_max_width(ui.available_width().min(620.0));
        match nothing {
            Nothing::Idle => {
                said_ui(ui, ctx, icon::PLUGS, "Not connected", "Choose a context of the kubeconfig.");
                contexts_ui(ui, ctx);
            }
            Nothing::Connecting => {
                ui.add(egui::Spinner::new().size(28.0));
                let server = ctx.scene.server.as_deref().unwrap_or_default();
                said_ui(ui, ctx, "", &format!("Connecting to {context}…"), server);
                test_ui(ui, ctx);
                contexts_ui(ui, ctx);
            }
            Nothing::Reading => {
                ui.add(egui::Spinner::new().size(28.0));
                said_ui(ui, ctx, "", "Reading the cluster…", "The first lists are under way.");
            }
            Nothing::Unlisted(reason) => {
                ui.add(egui::Spinner::new().size(28.0));
                let detail = format!("{reason}. It is tried again.");
                said_ui(ui, ctx, "", "The Services can't be listed yet", &detail);
            }
            Nothing::Failed(reason) => {
                let title = format!("Could not connect to {context}");
                let again = super::status_bar::retry_words(ctx);
                said_ui(ui, ctx, icon::CLOUD_SLASH, &title, reason);
                if let Some(again) = again {
                    let again = again.replacen("trying", "Trying", 1);
                    ui.label(RichText::new(again).color(ctx.tokens.pending));
                    ui.add_space(8.0);
                }
                if primary_button(ui, ctx.tokens, "Try again", None)
                    .on_hover_text(UiCommand::Reconnect.hover_text(ui.ctx()))
                    .clicked()
                {
                    ctx.send(Action::Run(UiCommand::Reconnect));
                }
                ui.add_space(4.0);
                test_ui(ui, ctx);
                contexts_ui(ui, ctx);
            }
            Nothing::Forbidden(message) => {
                said_ui(ui, ctx, icon::PROHIBIT, "Services are not permitted to be seen", message);
                ui.label(
                    RichText::new(
                        "Choose a namespace that you may read in the bar above, or start with -n NAMESPACE.",
                    )
                    .color(ctx.tokens.dim),
                );
            }
            Nothing::NoServices => {
                let hint = if ctx.scene.namespaces.is_empty() {
                    "The cluster has none in any namespace."
                } else {
                    "There is none in the namespaces that are watched."
                };
                said_ui(ui, ctx, icon::TRAY, "No Services", hint);
                if !ctx.scene.namespaces.is_empty()
                    && primary_button(ui, ctx.tokens, UiCommand::AllNamespaces.text(), None)
                        .clicked()
                {
                    ctx.send(Action::Run(UiCommand::AllNamespaces));
                }
            }
        }
    });
}

/// What the words of a failure leave open.
fn test_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    let test = UiCommand::TestConnection;
    if link_button(ui, ctx.tokens, test.text(), test.text())
        .on_hover_text(test.tooltip())
        .clicked()
    {
        ctx.send(Action::Run(test));
    }
}

fn said_ui(ui: &mut Ui, ctx: &Ctx<'_>, glyph: &str, title: &str, detail: &str) {
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
fn contexts_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
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
            ctx.send(Action::Send(Command::Connect(Some(context.name.clone()))));
        }
    }
    if others.len() > 8 {
        let rest = others.len() - 8;
        ui.label(
            RichText::new(format!("and {rest} more in the menu at the top")).color(ctx.tokens.dim),
        );
    }
}

fn banners_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    let banner = |ui: &mut Ui, state: State, text: String, links: &[(&str, Action)]| {
        let color = ctx.tokens.state(state);
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
            "Connection lost {} ago: {reason}. What is drawn was true at {}.",
            ctx.age(*since),
            words::clock(*since)
        );
        let links = [
            ("Try again now", Action::Run(UiCommand::Reconnect)),
            (
                UiCommand::TestConnection.text(),
                Action::Run(UiCommand::TestConnection),
            ),
        ];
        banner(ui, State::Degraded, text, &links);
    }
    if ctx
        .view
        .derived
        .hits
        .as_ref()
        .is_some_and(std::collections::BTreeSet::is_empty)
    {
        let text = format!("Nothing matches “{}”.", ctx.view.search);
        let clear = Action::SetSearch(String::new());
        banner(ui, State::Unknown, text, &[("Clear search", clear)]);
    }
}
