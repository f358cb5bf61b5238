//! The menu that chooses the Services on the map.

use std::collections::BTreeSet;

use egui::{
    Button, Id, Popup, PopupCloseBehavior, RichText, ScrollArea, Stroke, Ui, WidgetInfo, WidgetType,
};
use egui_phosphor::regular as icon;

use crate::{
    action::WindowAction,
    command::UiCommand,
    context::PanelContext,
    formatting,
    theme::{SMALL, regular},
    widgets::{dim, named_field, section, text_field},
};
use svcscope_check::Health;
use svcscope_filter::{FilterCriterion, ServiceFilter, ServiceKind};
use svcscope_model::inventory::{ResourceKind, SharedStr};

/// The accessible name of the text field.
pub const TEXT_LABEL: &str = "Show only what this text means";
/// The accessible name of the label selector field.
pub const LABELS_LABEL: &str = "Label selector";

const WIDTH: f32 = 340.0;

/// By which the menu is opened from elsewhere.
pub fn menu_id() -> Id {
    Id::new("filter menu")
}

/// Draws the button and, while it is open, the menu.
pub fn filter_menu_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let filter = &ctx.map_view().filter;
    let active = FilterCriterion::ALL
        .into_iter()
        .filter(|criterion| filter.is_set(*criterion))
        .count();
    let said = match active {
        0 => "Filter".to_owned(),
        active => format!("Filter {active}"),
    };
    let mut text = RichText::new(format!("{}  {said}  {}", icon::FUNNEL, icon::CARET_DOWN));
    if active > 0 {
        text = text.color(ctx.tokens.accent);
    }
    let response = ui.add(Button::new(text));
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &said));
    Popup::menu(&response)
        .id(menu_id())
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            ui.set_width(WIDTH);
            contents_ui(ui, ctx, filter);
        });
    response.on_hover_text(UiCommand::Filter.hover_text(ui.ctx()));
}

fn contents_ui(ui: &mut Ui, ctx: &PanelContext<'_>, filter: &ServiceFilter) {
    // A menu's widgets have no edge of their own; an empty box must be seen.
    ui.visuals_mut().widgets.inactive.bg_stroke = Stroke::new(1.0, ctx.tokens.line);
    text_ui(ui, ctx);
    labels_ui(ui, ctx);
    ui.add_space(6.0);
    let mut only_wrong = filter.only_problems;
    let response = ui
        .checkbox(&mut only_wrong, UiCommand::OnlyProblems.text())
        .on_hover_text(UiCommand::OnlyProblems.hover_text(ui.ctx()));
    if response.changed() {
        ctx.send(WindowAction::Run(UiCommand::OnlyProblems));
    }
    ui.columns(2, |columns| {
        if let [types, states] = columns {
            types_ui(types, ctx, filter);
            states_ui(states, ctx, filter);
        }
    });
    namespaces_ui(ui, ctx, filter);
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        let clear = UiCommand::ClearFilter;
        let disabled = ctx.unavailable_reason(clear);
        if ui
            .add_enabled(disabled.is_none(), Button::new(clear.text()))
            .on_hover_text(clear.hover_text(ui.ctx()))
            .clicked()
        {
            ctx.send(WindowAction::Run(clear));
        }
        let shown = &ctx.scene.filter_counts;
        let inventory = &ctx.scene.inventory;
        let all = formatting::count_if_listed(
            inventory,
            ResourceKind::Service,
            shown.of_services,
            "Service",
        );
        dim(ui, ctx.tokens, format!("{} of {all} shown", shown.services));
    });
}

fn text_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    section(ui, ctx.tokens, "Text");
    let mut text = ctx.view.filter_fields.text().to_owned();
    let response = ui.add(
        text_field(&mut text)
            .hint_text("Name, ns: type: state: port: pod: label:")
            .desired_width(f32::INFINITY),
    );
    named_field(&response, TEXT_LABEL, &text);
    if ctx.view.focus_filter {
        response.request_focus();
    }
    if response.changed() {
        ctx.send(WindowAction::SetMapFilterText(text));
    }
}

fn labels_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    section(
        ui,
        ctx.tokens,
        "Labels of the Service, as kubectl -l has them",
    );
    let fields = &ctx.view.filter_fields;
    let mut text = fields.labels().to_owned();
    let response = ui.add(
        text_field(&mut text)
            .hint_text("app=web,tier!=front,track in (a,b),!old")
            .font(egui::TextStyle::Monospace)
            .desired_width(f32::INFINITY),
    );
    named_field(&response, LABELS_LABEL, &text);
    if response.changed() {
        ctx.send(WindowAction::SetMapFilterLabels(text));
    }
    if let Some(error) = fields.labels_error() {
        let words = format!("{} {error}", icon::X_CIRCLE);
        ui.label(
            RichText::new(words)
                .font(regular(SMALL))
                .color(ctx.tokens.broken),
        );
    }
}

fn types_ui(ui: &mut Ui, ctx: &PanelContext<'_>, filter: &ServiceFilter) {
    section(ui, ctx.tokens, "Type");
    for kind in ServiceKind::ALL {
        let count = ctx.view.derived.by_type.get(kind.word());
        let words = counted(kind.word(), count.copied().unwrap_or_default());
        if let Some(types) = toggle_ui(ui, &filter.types, &kind, &words) {
            ctx.send(WindowAction::SetMapFilter(ServiceFilter {
                types,
                ..filter.clone()
            }));
        }
    }
}

fn states_ui(ui: &mut Ui, ctx: &PanelContext<'_>, filter: &ServiceFilter) {
    section(ui, ctx.tokens, "State");
    for (state, count) in Health::ALL.into_iter().zip(ctx.view.derived.by_state) {
        let words = counted(state.word(), count);
        if let Some(states) = toggle_ui(ui, &filter.health, &state, &words) {
            ctx.send(WindowAction::SetMapFilter(ServiceFilter {
                health: states,
                ..filter.clone()
            }));
        }
    }
}

/// Namespaces that hold a Service; which of all are watched is chosen elsewhere.
fn namespaces_ui(ui: &mut Ui, ctx: &PanelContext<'_>, filter: &ServiceFilter) {
    let mut known: Vec<SharedStr> = Vec::new();
    for traffic in ctx.scene.topology.services() {
        let namespace = &traffic.service.key.namespace;
        if known.last() != Some(namespace) {
            known.push(namespace.clone());
        }
    }
    if known.len() < 2 && filter.namespaces.is_empty() {
        return;
    }
    section(ui, ctx.tokens, "Namespace");
    ScrollArea::vertical().max_height(150.0).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        for name in known {
            if let Some(namespaces) = toggle_ui(ui, &filter.namespaces, &name, &name) {
                ctx.send(WindowAction::SetMapFilter(ServiceFilter {
                    namespaces,
                    ..filter.clone()
                }));
            }
        }
    });
}

/// A box for one of a set; the set as it is after a click.
fn toggle_ui<T: Ord + Clone>(
    ui: &mut Ui,
    set: &BTreeSet<T>,
    one: &T,
    words: &str,
) -> Option<BTreeSet<T>> {
    let mut on = set.contains(one);
    ui.checkbox(&mut on, words).changed().then(|| {
        let mut set = set.clone();
        if on {
            set.insert(one.clone());
        } else {
            set.remove(one);
        }
        set
    })
}

fn counted(word: &str, count: usize) -> String {
    format!("{word} ({count})")
}
