//! The bar at the bottom: whether what is drawn is true now.

use std::collections::BTreeSet;

use egui::{Align, Button, Layout, Panel, RichText, Ui, WidgetInfo, WidgetType};
use egui_phosphor::regular as icon;

use super::{
    action::Action,
    context::Ctx,
    theme::{SMALL, State},
    widgets::{state_mark, truncated},
    words,
};
use crate::{
    engine::{Command, ConnectionState, NextAttempt},
    inventory::{Completeness, Kind, Polled, Scope, Sync},
};

/// The last change and the round trip stand there only where they have this much room, in points:
/// whether the picture is true comes first.
const CHANGES_WIDTH: f32 = 180.0;

/// The offer of another context takes no more, in points.
const OFFER_WIDTH: f32 = 320.0;

/// So many refusals are told one by one.
const SINGLE_REFUSALS: usize = 3;

/// Draws the bar.
pub fn status_bar_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    Panel::bottom("status bar").exact_size(26.0).show(ui, |ui| {
        ui.style_mut().override_font_id = Some(super::theme::regular(SMALL));
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            ui.add_space(4.0);
            connection_ui(ui, ctx);
            ui.add_space(10.0);
            facts_ui(ui, ctx);
            kinds_ui(ui, ctx);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.add_space(4.0);
                offered_context_ui(ui, ctx);
                if ui.available_width() > CHANGES_WIDTH {
                    changes_ui(ui, ctx);
                }
            });
        });
    });
}

/// The context that another program made the current one of the kubeconfig.
fn offered_context_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    let Some(offered) = &ctx.scene.offered_context else {
        return;
    };
    let label = format!("Switch to {offered}");
    let text = RichText::new(format!("{}  {label}", icon::ARROW_RIGHT)).color(ctx.tokens.accent);
    let response = ui
        .scope(|ui| {
            ui.set_max_width(ui.available_width().min(OFFER_WIDTH));
            ui.add(Button::new(text).frame(false).truncate())
        })
        .inner;
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &label));
    let response = response.on_hover_text(format!(
        "Another program made {offered} the current-context of the kubeconfig. Nothing is switched unless you do"
    ));
    if response.clicked() {
        ctx.send(Action::Send(Command::Connect(Some(offered.clone()))));
    }
    ui.add_space(8.0);
}

fn connection_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    let (state, words, detail) = connection_words(ctx);
    state_mark(ui, ctx.tokens, state);
    let response = ui
        .scope(|ui| {
            ui.set_max_width(ui.available_width() * 0.4);
            truncated(ui, RichText::new(words).color(ctx.tokens.state(state)))
        })
        .inner;
    if let Some(detail) = detail {
        response.on_hover_text(detail);
    }
}

fn connection_words(ctx: &Ctx<'_>) -> (State, String, Option<String>) {
    match &ctx.scene.connection {
        ConnectionState::Idle => (State::Unknown, "not connected".to_owned(), None),
        ConnectionState::Connecting => (State::Pending, "connecting".to_owned(), None),
        ConnectionState::Failed { reason } => {
            let again = retry_words(ctx).map_or_else(String::new, |again| format!(", {again}"));
            let words = format!("not connected{again}");
            (State::Broken, words, Some(reason.to_string()))
        }
        ConnectionState::Lost { since, reason } => (
            State::Degraded,
            format!("stale since {}", words::clock(*since)),
            Some(reason.to_string()),
        ),
        ConnectionState::Connected => {
            let server = ctx.scene.server.as_ref().map(ToString::to_string);
            let inventory = &ctx.scene.inventory;
            let failing = |kind: &Kind| {
                let mut states = inventory.watched(*kind);
                states.any(|(_, state)| matches!(state, Sync::Failing { .. }))
            };
            match inventory.completeness_of(Kind::ALL) {
                Completeness::Unlisted if Kind::ALL.iter().any(failing) => {
                    (State::Degraded, "can't be read".to_owned(), server)
                }
                Completeness::Unlisted => (State::Pending, "reading the cluster".to_owned(), None),
                // Which kinds, and why, is said beside.
                Completeness::Stale => (State::Degraded, "partly stale".to_owned(), server),
                Completeness::Partial | Completeness::Polled | Completeness::Live => {
                    let partly = ctx.scene.completeness() == Completeness::Partial;
                    match Polled::of(inventory) {
                        Some(polled) => (State::Degraded, polled.words(), Some(polled.sentence())),
                        // Nodes or events alone that are refused are told beside.
                        None if partly => (State::Unknown, "partly visible".to_owned(), server),
                        None => (State::Healthy, "live".to_owned(), server),
                    }
                }
            }
        }
    }
}

/// When a connection that failed is tried again: `trying again in 4 s`.
pub(super) fn retry_words(ctx: &Ctx<'_>) -> Option<String> {
    let left = match ctx.scene.next_attempt {
        NextAttempt::Never => return None,
        NextAttempt::WhenChanged => {
            return Some("trying again once the kubeconfig changes".to_owned());
        }
        NextAttempt::Now => 0,
        NextAttempt::At(at) => {
            // No scene tells the countdown.
            ctx.wake_in(1);
            at.duration_since(ctx.now)
                .as_millis()
                .max(0)
                .unsigned_abs()
                .div_ceil(1_000)
        }
    };
    Some(match left {
        0 => "trying again".to_owned(),
        left => format!("trying again in {left} s"),
    })
}

fn facts_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    if let Some(version) = &ctx.scene.version {
        dim_ui(ui, ctx, version);
        ui.add_space(10.0);
    }
    let derived = &ctx.view.derived;
    let counts = [
        (Kind::Service, derived.services, "service"),
        (Kind::Pod, derived.pods, "pod"),
        (Kind::Node, derived.nodes, "node"),
    ]
    .map(|(kind, number, noun)| words::known_count(&ctx.scene.inventory, kind, number, noun));
    dim_ui(ui, ctx, &counts.join(" · "));
    ui.add_space(10.0);
}

/// Kinds that are not live where they are watched, each with its reason; more refusals than there is
/// room for as a number. That all are stale is said once, at the left, while the connection is lost.
fn kinds_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    let lost = matches!(ctx.scene.connection, ConnectionState::Lost { .. });
    let inventory = &ctx.scene.inventory;
    let watched = Kind::ALL
        .into_iter()
        .flat_map(|kind| inventory.watched(kind).map(move |at| (kind, at)));
    let watched: Vec<_> = watched.collect();
    let refused = |sync: &Sync| matches!(sync, Sync::Forbidden { .. });
    let refusals = watched.iter().filter(|(_, (_, sync))| refused(sync));
    let folds = refusals.clone().count() > SINGLE_REFUSALS;
    if folds {
        let kinds: BTreeSet<_> = refusals.clone().map(|(kind, _)| kind.plural()).collect();
        let reasons: Vec<_> = refusals
            .filter_map(|(_, (_, sync))| sync.reason().map(|reason| &**reason))
            .collect();
        let words = format!("{} not permitted", words::count(kinds.len(), "kind"));
        ui.label(RichText::new(words).color(ctx.tokens.degraded))
            .on_hover_text(reasons.join("\n"));
        ui.add_space(6.0);
    }
    for (kind, (scope, sync)) in watched {
        let is_stale = matches!(sync, Sync::Stale { .. });
        if lost && is_stale || folds && refused(sync) {
            continue;
        }
        let Some(said) = words::sync(sync) else {
            continue;
        };
        let whose = match scope {
            Scope::Cluster => String::new(),
            Scope::Namespace(name) => format!(" in {name}"),
        };
        let since = match sync {
            Sync::Stale { since, .. } => format!(" since {}", words::clock(*since)),
            _ => String::new(),
        };
        let color = match sync {
            Sync::Syncing => ctx.tokens.pending,
            Sync::Absent { .. } => ctx.tokens.unknown,
            _ => ctx.tokens.degraded,
        };
        let response =
            ui.label(RichText::new(format!("{kind}{whose}: {said}{since}")).color(color));
        if let Some(reason) = sync.reason() {
            response.on_hover_text(&**reason);
        }
        ui.add_space(6.0);
    }
}

/// From right to left.
fn changes_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    if let Some((at, what)) = &ctx.scene.last_change {
        let text = format!("last change {}: {what}", ctx.recently(*at));
        let width = ui.available_width() - 250.0;
        ui.scope(|ui| {
            ui.set_max_width(width.max(60.0));
            truncated(ui, RichText::new(text).color(ctx.tokens.dim));
        });
        ui.add_space(10.0);
    }
    counter_ui(ui, ctx);
    if let Some(times) = &ctx.view.frame_times {
        let (frames, millis) = times.summary();
        dim_ui(ui, ctx, &format!("{frames} frames/s · {millis:.1} ms")).on_hover_text(
            "Frames in the last second in which any were drawn, and the median CPU time of one",
        );
        ui.add_space(10.0);
    }
    if let Some(millis) = ctx.scene.api_millis {
        dim_ui(ui, ctx, &format!("{} API {millis} ms", icon::CLOCK))
            .on_hover_text("The round trip of the last small request to the API server");
    }
}

/// How often the cluster changed, and how fast it does now.
fn counter_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    if ctx.scene.changes == 0 {
        return;
    }
    let changes = usize::try_from(ctx.scene.changes).unwrap_or(usize::MAX);
    let rate = ctx.view.rate.per_second(ctx.now);
    let mut said = words::count(changes, "change");
    if rate > 0.0 {
        said = format!("{said} · {}", words::per_second(rate));
        // It falls when nothing more comes, which no scene tells.
        ctx.wake_in(1);
    }
    dim_ui(ui, ctx, &said)
        .on_hover_text("Changes of the cluster since it was connected to, and their rate now");
    ui.add_space(10.0);
}

fn dim_ui(ui: &mut Ui, ctx: &Ctx<'_>, text: &str) -> egui::Response {
    ui.label(RichText::new(text).color(ctx.tokens.dim))
}
