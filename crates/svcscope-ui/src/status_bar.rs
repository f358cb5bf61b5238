//! The bar at the bottom: whether what is drawn is true now.

use std::collections::BTreeSet;

use egui::{Align, Button, Layout, Panel, RichText, Ui, WidgetInfo, WidgetType};
use egui_phosphor::regular as icon;

use super::{
    action::WindowAction,
    context::PanelContext,
    formatting,
    theme::{Health, SMALL},
    widgets::{state_mark, truncated},
};
use svcscope_engine::{ConnectionState, EngineCommand, NextAttempt};
use svcscope_model::inventory::{
    ListCompleteness, PollingSummary, ResourceKind, SyncState, WatchScope,
};

/// The last change and the round trip stand there only where they have this much room, in points:
/// whether the picture is true comes first.
const CHANGES_WIDTH: f32 = 180.0;

/// The offer of another context takes no more, in points.
const OFFER_WIDTH: f32 = 320.0;

/// So many refusals are told one by one.
const SINGLE_REFUSALS: usize = 3;

/// Draws the bar.
pub fn status_bar_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    Panel::bottom("status bar").exact_size(26.0).show(ui, |ui| {
        ui.style_mut().override_font_id = Some(super::theme::regular(SMALL));
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            ui.add_space(4.0);
            connection_ui(ui, ctx);
            ui.add_space(10.0);
            counts_ui(ui, ctx);
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
fn offered_context_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let Some(offered) = &ctx.scene.suggested_context else {
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
        ctx.send(WindowAction::Send(EngineCommand::Connect(Some(
            offered.clone(),
        ))));
    }
    ui.add_space(8.0);
}

fn connection_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let (state, words, detail) = connection_label(ctx);
    state_mark(ui, ctx.tokens, state);
    let response = ui
        .scope(|ui| {
            ui.set_max_width(ui.available_width() * 0.4);
            truncated(
                ui,
                RichText::new(words).color(ctx.tokens.health_color(state)),
            )
        })
        .inner;
    if let Some(detail) = detail {
        response.on_hover_text(detail);
    }
}

fn connection_label(ctx: &PanelContext<'_>) -> (Health, String, Option<String>) {
    match &ctx.scene.connection {
        ConnectionState::Idle => (Health::Unknown, "not connected".to_owned(), None),
        ConnectionState::Connecting => (Health::Pending, "connecting".to_owned(), None),
        ConnectionState::Failed { reason } => {
            let again = retry_label(ctx).map_or_else(String::new, |again| format!(", {again}"));
            let words = format!("not connected{again}");
            (Health::Broken, words, Some(reason.to_string()))
        }
        ConnectionState::Lost { since, reason } => (
            Health::Degraded,
            format!("stale since {}", formatting::time_of_day(*since)),
            Some(reason.to_string()),
        ),
        ConnectionState::Connected => {
            let server = ctx.scene.server.as_ref().map(ToString::to_string);
            let inventory = &ctx.scene.inventory;
            let failing = |kind: &ResourceKind| {
                let mut states = inventory.watched_scopes(*kind);
                states.any(|(_, state)| matches!(state, SyncState::Failing { .. }))
            };
            match inventory.completeness_of(ResourceKind::ALL) {
                ListCompleteness::Unlisted if ResourceKind::ALL.iter().any(failing) => {
                    (Health::Degraded, "can't be read".to_owned(), server)
                }
                ListCompleteness::Unlisted => {
                    (Health::Pending, "reading the cluster".to_owned(), None)
                }
                // Which kinds, and why, is said beside.
                ListCompleteness::Stale => (Health::Degraded, "partly stale".to_owned(), server),
                ListCompleteness::Partial | ListCompleteness::Polled | ListCompleteness::Live => {
                    let partly = ctx.scene.completeness() == ListCompleteness::Partial;
                    match PollingSummary::of(inventory) {
                        Some(polled) => (Health::Degraded, polled.words(), Some(polled.sentence())),
                        // Nodes or events alone that are refused are told beside.
                        None if partly => (Health::Unknown, "partly visible".to_owned(), server),
                        None => (Health::Healthy, "live".to_owned(), server),
                    }
                }
            }
        }
    }
}

/// When a connection that failed is tried again: `trying again in 4 s`.
pub(super) fn retry_label(ctx: &PanelContext<'_>) -> Option<String> {
    let left = match ctx.scene.next_attempt {
        NextAttempt::Never => return None,
        NextAttempt::AfterKubeconfigChange => {
            return Some("trying again once the kubeconfig changes".to_owned());
        }
        NextAttempt::Now => 0,
        NextAttempt::At(at) => {
            // No scene tells the countdown.
            ctx.repaint_in_secs(1);
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

fn counts_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    if let Some(version) = &ctx.scene.version {
        dim_ui(ui, ctx, version);
        ui.add_space(10.0);
    }
    let derived = &ctx.view.derived;
    let counts = [
        (ResourceKind::Service, derived.services, "service"),
        (ResourceKind::Pod, derived.pods, "pod"),
        (ResourceKind::Node, derived.nodes, "node"),
    ]
    .map(|(kind, number, noun)| {
        formatting::count_if_listed(&ctx.scene.inventory, kind, number, noun)
    });
    dim_ui(ui, ctx, &counts.join(" · "));
    ui.add_space(10.0);
}

/// Kinds that are not live where they are watched, each with its reason; more refusals than there is
/// room for as a number. That all are stale is said once, at the left, while the connection is lost.
fn kinds_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let lost = matches!(ctx.scene.connection, ConnectionState::Lost { .. });
    let inventory = &ctx.scene.inventory;
    let watched = ResourceKind::ALL
        .into_iter()
        .flat_map(|kind| inventory.watched_scopes(kind).map(move |at| (kind, at)));
    let watched: Vec<_> = watched.collect();
    let refused = |sync: &SyncState| matches!(sync, SyncState::Forbidden { .. });
    let refusals = watched.iter().filter(|(_, (_, sync))| refused(sync));
    let folds = refusals.clone().count() > SINGLE_REFUSALS;
    if folds {
        let kinds: BTreeSet<_> = refusals.clone().map(|(kind, _)| kind.plural()).collect();
        let reasons: Vec<_> = refusals
            .filter_map(|(_, (_, sync))| sync.reason().map(|reason| &**reason))
            .collect();
        let words = format!("{} not permitted", formatting::plural(kinds.len(), "kind"));
        ui.label(RichText::new(words).color(ctx.tokens.degraded))
            .on_hover_text(reasons.join("\n"));
        ui.add_space(6.0);
    }
    for (kind, (scope, sync)) in watched {
        let is_stale = matches!(sync, SyncState::Stale { .. });
        if lost && is_stale || folds && refused(sync) {
            continue;
        }
        let Some(said) = formatting::sync_label(sync) else {
            continue;
        };
        let whose = match scope {
            WatchScope::Cluster => String::new(),
            WatchScope::Namespace(name) => format!(" in {name}"),
        };
        let since = match sync {
            SyncState::Stale { since, .. } => format!(" since {}", formatting::time_of_day(*since)),
            _ => String::new(),
        };
        let color = match sync {
            SyncState::Syncing => ctx.tokens.pending,
            SyncState::Absent { .. } => ctx.tokens.unknown,
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
fn changes_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    if let Some((at, what)) = &ctx.scene.last_change {
        let text = format!("last change {}: {what}", ctx.coarse_age(*at));
        let width = ui.available_width() - 250.0;
        ui.scope(|ui| {
            ui.set_max_width(width.max(60.0));
            truncated(ui, RichText::new(text).color(ctx.tokens.dim));
        });
        ui.add_space(10.0);
    }
    change_rate_ui(ui, ctx);
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
fn change_rate_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    if ctx.scene.change_count == 0 {
        return;
    }
    let changes = usize::try_from(ctx.scene.change_count).unwrap_or(usize::MAX);
    let rate = ctx.view.change_rate.per_second(ctx.now);
    let mut said = formatting::plural(changes, "change");
    if rate > 0.0 {
        said = format!("{said} · {}", formatting::frequency(rate));
        // It falls when nothing more comes, which no scene tells.
        ctx.repaint_in_secs(1);
    }
    dim_ui(ui, ctx, &said)
        .on_hover_text("Changes of the cluster since it was connected to, and their rate now");
    ui.add_space(10.0);
}

fn dim_ui(ui: &mut Ui, ctx: &PanelContext<'_>, text: &str) -> egui::Response {
    ui.label(RichText::new(text).color(ctx.tokens.dim))
}
