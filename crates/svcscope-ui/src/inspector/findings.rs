//! What is wrong, each finding with its proof and what to do, and what is suppressed.

use egui::{CollapsingHeader, RichText, Ui};

use crate::{
    action::WindowAction,
    context::PanelContext,
    dialogs::edit_service::EditDialogMode,
    finding_location,
    widgets::{dim, link_button, notice, section, severity_icon},
};
use svcscope_check::{
    Finding, FindingLocation, IGNORE_ANNOTATION, ServiceReport, Severity, SuggestedFix,
};
use svcscope_engine::EngineCommand;
use svcscope_model::inventory::{ObjectKey, ServiceRecord, SharedStr};

/// Draws the findings, the worst first; nothing where there are none. `service` is none where no
/// Service of that name exists.
pub fn findings_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    key: &ObjectKey,
    service: Option<&ServiceRecord>,
    report: &ServiceReport,
) {
    let (wrong, notes): (Vec<_>, Vec<_>) = report
        .findings
        .iter()
        .partition(|finding| finding.severity > Severity::Note);
    if !wrong.is_empty() {
        section(ui, ctx.tokens, "What is wrong");
        for finding in wrong {
            finding_ui(ui, ctx, key, service, finding);
        }
    }
    if !notes.is_empty() {
        section(ui, ctx.tokens, "Good to know");
        for finding in notes {
            finding_ui(ui, ctx, key, service, finding);
        }
    }
    if !report.suppressed.is_empty() {
        suppressed_ui(ui, ctx, key, service, report);
    }
}

fn finding_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    key: &ObjectKey,
    service: Option<&ServiceRecord>,
    finding: &Finding,
) {
    let (icon, color, _) = severity_icon(ctx.tokens, finding.severity);
    notice(ui, ctx.tokens, color, |ui| {
        ui.label(RichText::new(format!("{icon} {}", finding.message)).color(color));
        if let Some(hint) = &finding.hint {
            ui.label(RichText::new(&**hint).color(ctx.tokens.dim));
        }
        if let Some(since) = ctx.scene.history.first_seen(key, finding) {
            dim(ui, ctx.tokens, format!("for {}", ctx.age(since)));
        }
        links_ui(ui, ctx, key, service, finding);
        if !finding.evidence.is_empty() || !finding.objects.is_empty() {
            evidence_ui(ui, ctx, key, finding);
        }
    });
    ui.add_space(2.0);
}

fn links_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    key: &ObjectKey,
    service: Option<&ServiceRecord>,
    finding: &Finding,
) {
    ui.horizontal_wrapped(|ui| {
        if let Some(fix) = finding.fix.as_ref().filter(|_| service.is_some()) {
            let text = fix_label(fix);
            if link_button(ui, ctx.tokens, &text, &text)
                .on_hover_text(
                    "Fills in the change, has the server try it, and shows the plan; \
                                nothing is changed yet",
                )
                .clicked()
            {
                ctx.send(WindowAction::OpenEdit(EditDialogMode::ApplyFix(
                    key.clone(),
                    fix.clone(),
                )));
            }
        }
        let place = match &finding.location {
            FindingLocation::Pod(_) => Some("Show the pod"),
            FindingLocation::Port(_) => Some("Show the port"),
            FindingLocation::EntryPoint | FindingLocation::Object(_) if service.is_some() => {
                Some("Show on the map")
            }
            FindingLocation::Service | FindingLocation::EntryPoint | FindingLocation::Object(_) => {
                None
            }
        };
        if let Some(text) = place
            && link_button(ui, ctx.tokens, text, text).clicked()
        {
            let node = finding_location::map_node_of(ctx.scene, key, &finding.location);
            ctx.send(WindowAction::Reveal(node));
        }
        let full = format!("Kubernetes documentation about {}", finding.id);
        if link_button(ui, ctx.tokens, "Docs", &full)
            .on_hover_text(finding.url())
            .clicked()
        {
            ctx.send(WindowAction::OpenUrl(finding.url().to_owned()));
        }
        suppress_ui(ui, ctx, key, finding);
    });
}

/// "Set targetPort of port 80 to http…".
fn fix_label(fix: &SuggestedFix) -> String {
    match fix {
        SuggestedFix::TargetPort { port, to } => {
            format!("Set targetPort of port {} to {to}…", port.port)
        }
        SuggestedFix::Protocol { port, to } => format!("Make port {} {to}…", port.port),
        SuggestedFix::NodePort { port, to: Some(to) } => {
            format!("Give port {} nodePort {to}…", port.port)
        }
        SuggestedFix::NodePort { port, to: None } => {
            format!("Give port {} another nodePort…", port.port)
        }
        SuggestedFix::Selector { key, value, .. } => format!("Select {key}={value}…"),
    }
}

fn suppress_ui(ui: &mut Ui, ctx: &PanelContext<'_>, key: &ObjectKey, finding: &Finding) {
    let text = RichText::new("Suppress").color(ctx.tokens.accent);
    let menu = ui.menu_button(text, |ui| {
        for (text, service) in [
            (format!("For {key}"), Some(key.clone())),
            ("For every Service, in any cluster".to_owned(), None),
        ] {
            if ui.button(text).clicked() {
                ctx.send(WindowAction::Send(EngineCommand::SuppressRule {
                    rule: SharedStr::from(finding.id),
                    service,
                    suppressed: true,
                }));
                ui.close();
            }
        }
    });
    menu.response
        .on_hover_text(format!("Suppress {}", finding.id));
}

fn evidence_ui(ui: &mut Ui, ctx: &PanelContext<'_>, key: &ObjectKey, finding: &Finding) {
    let id = (key, finding.id, finding.location.to_string());
    CollapsingHeader::new(RichText::new("Evidence").small())
        .id_salt(id)
        .show(ui, |ui| {
            for line in &finding.evidence {
                ui.label(RichText::new(&**line).monospace());
            }
            for object in &finding.objects {
                dim(ui, ctx.tokens, object.to_string());
            }
            dim(ui, ctx.tokens, finding.id);
        });
}

/// What is not told, with the way back.
fn suppressed_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    key: &ObjectKey,
    service: Option<&ServiceRecord>,
    report: &ServiceReport,
) {
    ui.add_space(4.0);
    let annotation = service.and_then(|service| service.annotations.get(IGNORE_ANNOTATION));
    CollapsingHeader::new(format!("Suppressed: {}", report.suppressed.len()))
        .id_salt(("suppressed", key))
        .show(ui, |ui| {
            for finding in &report.suppressed {
                ui.label(&*finding.message);
                if let Some(said) = annotation
                    && said
                        .split(',')
                        .any(|word| matches!(word.trim(), "*") || word.trim() == finding.id)
                {
                    dim(
                        ui,
                        ctx.tokens,
                        format!("by the Service's annotation {IGNORE_ANNOTATION}: {said}"),
                    );
                    continue;
                }
                let full = format!("Show {} again", finding.id);
                if link_button(ui, ctx.tokens, "Show again", &full).clicked() {
                    for service in [Some(key.clone()), None] {
                        ctx.send(WindowAction::Send(EngineCommand::SuppressRule {
                            rule: SharedStr::from(finding.id),
                            service,
                            suppressed: false,
                        }));
                    }
                }
            }
        });
}
