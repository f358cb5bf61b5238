//! The strip above the map: what is left out and why, and that the picture is held still. It is
//! there as long as what is drawn is not all of what is now.

use egui::{Button, Frame, Margin, RichText, Stroke, Ui, WidgetInfo, WidgetType};
use egui_phosphor::regular as icon;

use crate::{
    action::WindowAction, command::UiCommand, context::PanelContext, formatting, state::PausedMap,
    theme::ColorTokens, widgets::link_button,
};
use svcscope_filter::{FilterCounts, FilterCriterion};
use svcscope_model::{inventory::ResourceKind, topology::NodeId};

/// Draws the strip where there is something to say.
pub fn strip_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let filter = &ctx.map_view().filter;
    let paused = ctx.view.paused.as_ref();
    if filter.is_empty() && ctx.scene.filter_counts.hidden() == 0 && paused.is_none() {
        return;
    }
    Frame::new()
        .fill(ctx.tokens.panel)
        .inner_margin(Margin::symmetric(10, 6))
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                if let Some(paused) = paused {
                    paused_ui(ui, ctx, paused);
                }
                for criterion in FilterCriterion::ALL {
                    if let Some(said) = filter.describe(criterion) {
                        chip_ui(ui, ctx, criterion, &said);
                    }
                }
                hidden_count_ui(ui, ctx);
            });
        });
}

fn paused_ui(ui: &mut Ui, ctx: &PanelContext<'_>, paused: &PausedMap) {
    let waiting = ctx
        .scene
        .change_count
        .saturating_sub(paused.scene.change_count);
    let waiting = usize::try_from(waiting).unwrap_or(usize::MAX);
    let said = format!(
        "Paused {} ago · {} since:",
        ctx.age(paused.at),
        formatting::plural(waiting, "change")
    );
    let color = ctx.tokens.pending;
    framed_ui(ui, ctx.tokens, |ui| {
        ui.label(RichText::new(icon::PAUSE).color(color));
        ui.label(RichText::new(said).color(ctx.tokens.text));
        let resume = link_button(ui, ctx.tokens, "Resume", "Resume the map");
        if resume
            .on_hover_text(UiCommand::Pause.hover_text(ui.ctx()))
            .clicked()
        {
            ctx.send(WindowAction::Run(UiCommand::Pause));
        }
    });
}

fn chip_ui(ui: &mut Ui, ctx: &PanelContext<'_>, criterion: FilterCriterion, said: &str) {
    framed_ui(ui, ctx.tokens, |ui| {
        ui.label(RichText::new(short(said)).color(ctx.tokens.text))
            .on_hover_text(said);
        ui.spacing_mut().button_padding = egui::vec2(2.0, 0.0);
        let response = ui.add(Button::new(icon::X).frame(false).small());
        let label = format!("Remove the filter {said}");
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &label));
        if response
            .on_hover_text("Remove this from the filter")
            .clicked()
        {
            let filter = ctx.map_view().filter.clone().without(criterion);
            ctx.send(WindowAction::SetMapFilter(filter));
        }
    });
}

fn hidden_count_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let shown = &ctx.scene.filter_counts;
    if shown.of_services == 0 {
        return;
    }
    let inventory = &ctx.scene.inventory;
    let listed = inventory.completeness(ResourceKind::Service).is_listed();
    let all = formatting::plural(shown.of_services, "Service");
    let said = match shown.hidden() {
        _ if !listed => format!(
            "{} of ? Services shown · not all are listed yet",
            shown.services
        ),
        0 => format!("All {all} shown"),
        hidden => format!(
            "{} of {all} shown · {hidden} hidden by filter:",
            shown.services
        ),
    };
    let pods = formatting::count_if_listed(inventory, ResourceKind::Pod, shown.of_pods, "pod");
    unwrapped_label_ui(ui, RichText::new(said).color(ctx.tokens.dim))
        .on_hover_text(hidden_reasons(shown, &pods));
    let clear = UiCommand::ClearFilter;
    let response = link_button(ui, ctx.tokens, "Show all", "Show all Services");
    if response.on_hover_text(clear.hover_text(ui.ctx())).clicked() {
        ctx.send(WindowAction::Run(clear));
    }
    if let Some(service) = ctx.view.selected_service()
        && ctx.scene.topology.service(service).is_some()
        && ctx
            .scene
            .layout
            .find(&NodeId::Service(service.clone()))
            .is_none()
    {
        let said = format!("The selected {service} is among the hidden");
        unwrapped_label_ui(ui, RichText::new(said).color(ctx.tokens.degraded));
    }
}

/// A label that goes to the next line as a whole.
fn unwrapped_label_ui(ui: &mut Ui, text: RichText) -> egui::Response {
    ui.add(egui::Label::new(text).extend())
}

/// `12 of 31 pods shown. Hidden: 20 by type, 8 by state`
fn hidden_reasons(shown: &FilterCounts, all_pods: &str) -> String {
    let hidden: Vec<String> = shown
        .hidden_by
        .iter()
        .map(|(criterion, count)| format!("{count} by {}", criterion.word()))
        .collect();
    let pods = format!("{} of {all_pods} shown", shown.pods);
    if hidden.is_empty() {
        pods
    } else {
        format!("{pods}. Services hidden: {}", hidden.join(", "))
    }
}

fn framed_ui(ui: &mut Ui, tokens: &ColorTokens, contents: impl FnOnce(&mut Ui)) {
    Frame::new()
        .fill(tokens.card)
        .stroke(Stroke::new(1.0, tokens.line))
        .corner_radius(10)
        .inner_margin(Margin::symmetric(8, 1))
        .show(ui, |ui| {
            ui.spacing_mut().interact_size.y = 18.0;
            ui.horizontal(contents);
        });
}

/// A chip has room for some words; the whole is its tooltip.
fn short(said: &str) -> String {
    const MOST: usize = 48;
    if said.chars().count() <= MOST {
        return said.to_owned();
    }
    let start: String = said.chars().take(MOST - 1).collect();
    format!("{start}…")
}
