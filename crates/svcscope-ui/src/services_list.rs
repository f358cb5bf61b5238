//! The list of Services at the left. A frame costs the rows in view.

use egui::{Align2, Panel, ScrollArea, Ui, vec2};
use egui_phosphor::regular as icon;

use super::{
    action::WindowAction,
    context::PanelContext,
    derived_state::ServiceListRow,
    formatting,
    theme::{Health, HealthStyle as _, SMALL, TEXT, regular, semibold},
    widgets::{RowText, empty, named_field, paint_text, paint_type, row, text_field},
};
use svcscope_engine::{ConnectionState, Scene};
use svcscope_model::{
    inventory::{ListCompleteness, ObjectKey, ResourceKind, ServiceType, SharedStr, SyncState},
    topology::NodeId,
};

const ROW: f32 = 26.0;
/// The accessible name of the filter field.
pub const FILTER_LABEL: &str = "Filter the list";

/// Draws the list.
pub fn services_list_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    Panel::left("services")
        .default_size(248.0)
        .size_range(180.0..=420.0)
        .show(ui, |ui| {
            ui.add_space(8.0);
            filter_ui(ui, ctx);
            ui.add_space(6.0);
            if ctx.view.derived.rows.is_empty() {
                empty_list_ui(ui, ctx);
            } else {
                rows_ui(ui, ctx);
            }
        });
}

fn filter_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let mut text = ctx.view.list_filter.clone();
    let response = ui.add(
        text_field(&mut text)
            .hint_text("Filter: name, type, state, label…")
            .desired_width(f32::INFINITY),
    );
    named_field(&response, FILTER_LABEL, &text);
    if response.changed() {
        ctx.send(WindowAction::SetListFilter(text));
    }
}

fn empty_list_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let view = ctx.view;
    if !view.list_filter.is_empty() || !view.search.is_empty() {
        empty(
            ui,
            ctx.tokens,
            "No Service matches",
            "Change the search or the filter.",
        );
    } else {
        let (title, detail) = empty_list_reason(ctx.scene);
        empty(ui, ctx.tokens, title, &detail);
    }
}

/// Why there is no Service to list, as a title and what is to be known of it.
fn empty_list_reason(scene: &Scene) -> (&'static str, String) {
    match &scene.connection {
        ConnectionState::Idle | ConnectionState::Failed { .. } => {
            return (
                "Not connected",
                "What the cluster holds is not known.".into(),
            );
        }
        ConnectionState::Connecting => return ("Connecting…", String::new()),
        ConnectionState::Connected | ConnectionState::Lost { .. } => {}
    }
    let inventory = &scene.inventory;
    let worst = inventory
        .watched_scopes(ResourceKind::Service)
        .find_map(|(_, state)| Some((state, state.reason()?.to_string())));
    match (inventory.completeness(ResourceKind::Service), worst) {
        (ListCompleteness::Live | ListCompleteness::Polled, _) => {
            let which = if inventory.is_narrowed(ResourceKind::Service) {
                "None in the namespaces that are watched."
            } else {
                "There are no Services in any namespace."
            };
            ("No Services", which.into())
        }
        (ListCompleteness::Stale, Some((_, reason))) => ("None when last seen", reason),
        (ListCompleteness::Partial, Some((SyncState::Forbidden { .. }, reason))) => {
            ("No permission to list Services", reason)
        }
        (ListCompleteness::Partial, Some((_, reason))) => ("Services can't be seen", reason),
        (ListCompleteness::Unlisted, Some((_, reason))) => ("Services can't be listed yet", reason),
        (_, None) => (
            "No Services yet",
            "They appear once the cluster has listed them.".into(),
        ),
    }
}

fn rows_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let rows = &ctx.view.derived.rows;
    ui.spacing_mut().item_spacing = vec2(0.0, 1.0);
    let mut area = ScrollArea::vertical().auto_shrink(false);
    if ctx.view.scroll_to_selection
        && let Some(at) = ctx
            .view
            .selected_service()
            .and_then(|key| super::selection::row_of(rows, key))
    {
        area = area.vertical_scroll_offset(offset_showing(ui, at));
    }
    area.show_rows(ui, ROW, rows.len(), |ui, range| {
        for listed in rows.get(range).unwrap_or_default() {
            match listed {
                ServiceListRow::Namespace {
                    name,
                    services,
                    worst,
                    folded,
                } => namespace_ui(ui, ctx, name, *services, *worst, *folded),
                ServiceListRow::Service(key) => service_ui(ui, ctx, key),
            }
        }
    });
}

/// A scroll offset at which this row stands in the upper half, known before the rows are drawn.
fn offset_showing(ui: &Ui, row: usize) -> f32 {
    let above = row as f32 * (ROW + ui.spacing().item_spacing.y);
    (above - ui.available_height() / 3.0).max(0.0)
}

fn namespace_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    name: &SharedStr,
    services: usize,
    worst: Health,
    folded: bool,
) {
    let counted = formatting::plural(services, "service");
    let label = format!("Namespace {name}, {counted}");
    let response = row(ui, ctx.tokens, &label, false, ROW, |painter, rect| {
        let tokens = ctx.tokens;
        let y = rect.center().y;
        let caret = if folded {
            icon::CARET_RIGHT
        } else {
            icon::CARET_DOWN
        };
        let text = |text, font, color, max_width| RowText {
            text,
            font,
            color,
            max_width,
        };
        paint_text(
            painter,
            egui::pos2(rect.left() + 4.0, y),
            Align2::LEFT_CENTER,
            text(caret, regular(10.0), tokens.dim, 14.0),
        );
        let worst = if ctx.is_stale() {
            Health::Unknown
        } else {
            worst
        };
        let right = if folded {
            painter.add(worst.mark(egui::pos2(rect.right() - 13.0, y), 4.0, tokens));
            rect.right() - 26.0
        } else {
            rect.right() - 8.0
        };
        let count = paint_text(
            painter,
            egui::pos2(right, y),
            Align2::RIGHT_CENTER,
            text(&counted, regular(SMALL), tokens.dim, 90.0),
        );
        let left = rect.left() + 20.0;
        paint_text(
            painter,
            egui::pos2(left, y),
            Align2::LEFT_CENTER,
            text(name, semibold(12.0), tokens.dim, count.left() - left - 6.0),
        );
    });
    if response.clicked() {
        ctx.send(WindowAction::ToggleNamespace(name.clone()));
    }
}

fn service_ui(ui: &mut Ui, ctx: &PanelContext<'_>, key: &ObjectKey) {
    let Some(traffic) = ctx.scene.topology.service(key) else {
        return;
    };
    let service = &traffic.service;
    let report = ctx.scene.reports.get(key);
    let state = ctx.service_health(key);
    let ready = match report {
        Some(report) if service.service_type != ServiceType::ExternalName => {
            let unseen = |kind| {
                ctx.scene
                    .inventory
                    .why_unknown(kind, &key.namespace)
                    .is_some()
            };
            if unseen(ResourceKind::EndpointSlice) || unseen(ResourceKind::Pod) {
                "?".to_owned()
            } else {
                format!("{}/{}", report.ready, report.expected)
            }
        }
        _ => "–".to_owned(),
    };
    let selected = ctx.view.selected_service() == Some(key);
    let label = formatting::service_label(key);
    let response = row(ui, ctx.tokens, &label, selected, ROW, |painter, rect| {
        let tokens = ctx.tokens;
        let y = rect.center().y;
        let text = |text, color, max_width| RowText {
            text,
            font: regular(TEXT),
            color,
            max_width,
        };
        let icon = egui::pos2(rect.left() + 19.0, y);
        paint_type(painter, tokens, service, icon, 13.0);
        painter.add(state.mark(egui::pos2(rect.right() - 13.0, y), 4.5, tokens));
        let ready = paint_text(
            painter,
            egui::pos2(rect.right() - 26.0, y),
            Align2::RIGHT_CENTER,
            text(&ready, tokens.dim, 60.0),
        );
        let left = rect.left() + 34.0;
        paint_text(
            painter,
            egui::pos2(left, y),
            Align2::LEFT_CENTER,
            text(&key.name, tokens.text, ready.left() - left - 6.0),
        );
    });
    let node = || NodeId::Service(key.clone());
    if response.clicked() {
        ctx.send(WindowAction::Reveal(node()));
    } else if response.secondary_clicked()
        && let Some(at) = response.interact_pointer_pos()
    {
        ctx.send(WindowAction::OpenMenu(node(), at));
    }
    if response.hovered() {
        response.on_hover_text(format!(
            "{key}: {}, {}, {ready} ready",
            service.type_word(),
            state.word()
        ));
    }
}
