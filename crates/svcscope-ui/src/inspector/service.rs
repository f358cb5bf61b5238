//! A Service in the inspector.

use egui::{Align, Layout, RichText, Sense, Ui, vec2};
use egui_phosphor::regular as icon;

use super::{
    commands::command_buttons_ui, details, endpoints, events, findings, ports, trace, yaml,
};
use crate::{
    action::WindowAction,
    command::UiCommand,
    context::PanelContext,
    widgets::{badge, dim, heading, icon_button, paint_type, state_label},
};
use svcscope_engine::EngineCommand;
use svcscope_model::{inventory::ServiceRecord, topology::ServiceTraffic};

/// Draws all about a Service.
pub fn service_ui(ui: &mut Ui, ctx: &PanelContext<'_>, traffic: &ServiceTraffic) {
    let service = &traffic.service;
    header_ui(ui, ctx, service);
    ui.add_space(6.0);
    actions_ui(ui, ctx, service);
    if let Some(report) = ctx.scene.reports.get(&service.key) {
        findings::findings_ui(ui, ctx, &service.key, Some(service), report);
        trace::trace_ui(ui, ctx, traffic, report);
    }
    details::entry_points_ui(ui, ctx, traffic);
    ports::ports_ui(ui, ctx, traffic);
    endpoints::endpoints_ui(ui, ctx, traffic);
    details::selector_ui(ui, ctx, service);
    details::policies_ui(ui, ctx, service);
    details::identity_ui(ui, ctx, service);
    events::events_ui(ui, ctx, &service.key);
    yaml::yaml_ui(ui, ctx, &service.key);
}

fn header_ui(ui: &mut Ui, ctx: &PanelContext<'_>, service: &ServiceRecord) {
    let tokens = ctx.tokens;
    let color = tokens.service_color(service);
    let state = ctx.service_health(&service.key);
    ui.horizontal(|ui| {
        let (icon, _) = ui.allocate_exact_size(vec2(18.0, 20.0), Sense::hover());
        paint_type(ui.painter(), tokens, service, icon.center(), 15.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(2.0);
            state_label(ui, tokens, state, state.word());
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.scope(|ui| {
                    ui.set_max_width((ui.available_width() - 60.0).max(60.0));
                    ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Truncate);
                    heading(ui, &service.key.name);
                });
                crate::widgets::truncated(
                    ui,
                    RichText::new(&*service.key.namespace).color(tokens.dim),
                );
            });
        });
    });
    ui.horizontal_wrapped(|ui| {
        badge(ui, tokens, service.type_word(), color);
        let mut said = Vec::new();
        if let Some(created) = service.created {
            said.push(format!("{} old", ctx.age(created)));
        }
        if let Some(by) = service.labels.get("app.kubernetes.io/managed-by") {
            said.push(format!("managed by {by}"));
        }
        dim(ui, tokens, said.join(" · "));
        if service.deleting.is_some() {
            badge(ui, tokens, "being deleted", tokens.pending).on_hover_text(
                "It has a deletionTimestamp; finalizers hold it back until they are done",
            );
        }
    });
}

fn actions_ui(ui: &mut Ui, ctx: &PanelContext<'_>, service: &ServiceRecord) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.spacing_mut().button_padding.x = 6.0;
        command_buttons_ui(
            ui,
            ctx,
            &[
                (UiCommand::Forward, "Forward", "F"),
                (UiCommand::Curl, "Curl", "C"),
                (UiCommand::ChangeType, "Change type…", "T"),
            ],
        );
        alert_toggle_ui(ui, ctx, service);
        more_ui(ui, ctx, service);
    });
}

/// Whether the user is told on the desktop when the Service breaks or heals.
fn alert_toggle_ui(ui: &mut Ui, ctx: &PanelContext<'_>, service: &ServiceRecord) {
    let is_on = ctx.scene.alert_services.contains(&service.key);
    let (glyph, text) = if is_on {
        (icon::BELL_RINGING, "Turn off alerts for this Service")
    } else {
        (icon::BELL, "Alert me when this Service breaks or recovers")
    };
    if icon_button(ui, glyph, text, None).clicked() {
        ctx.send(WindowAction::Send(EngineCommand::SetHealthAlert {
            service: service.key.clone(),
            enabled: !is_on,
        }));
    }
}

fn more_ui(ui: &mut Ui, ctx: &PanelContext<'_>, service: &ServiceRecord) {
    let menu = ui.menu_button(icon::DOTS_THREE, |ui| {
        for command in [
            UiCommand::TestPaths,
            UiCommand::EditService,
            UiCommand::Duplicate,
            UiCommand::Delete,
            UiCommand::ShowOnMap,
            UiCommand::Neighbourhood,
            UiCommand::CopyDnsName,
        ] {
            let text = format!("{}  {}", command.icon(), command.text());
            if ui
                .button(text)
                .on_hover_text(command.hover_text(ui.ctx()))
                .clicked()
            {
                ctx.send(WindowAction::Run(command));
                ui.close();
            }
        }
        ui.separator();
        for verb in ["get", "describe"] {
            let what = "kubectl command";
            let text = kubectl(ctx, verb, service);
            if ui
                .button(format!("{}  Copy kubectl {verb}", icon::COPY))
                .on_hover_text(&text)
                .clicked()
            {
                ctx.send(WindowAction::Copy { text, what });
                ui.close();
            }
        }
    });
    let response = menu.response;
    response
        .widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Button, true, "More actions"));
    response.on_hover_text("More actions");
}

fn kubectl(ctx: &PanelContext<'_>, verb: &str, service: &ServiceRecord) -> String {
    let context = ctx
        .scene
        .context
        .as_ref()
        .map(|name| format!(" --context {}", quoted(name)))
        .unwrap_or_default();
    let tail = if verb == "get" { " -o yaml" } else { "" };
    format!(
        "kubectl{context} -n {} {verb} svc/{}{tail}",
        service.key.namespace, service.key.name
    )
}

/// A context's name may hold anything; a shell must see one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_for_a_shell_stays_one_word() {
        assert_eq!(quoted("lab-eu-1"), "lab-eu-1");
        assert_eq!(quoted("arn:aws:eks:eu/x@y"), "arn:aws:eks:eu/x@y");
        assert_eq!(quoted("it's; rm"), r"'it'\''s; rm'");
    }
}
