//! What is wrong, each finding with what to do.

use egui::{RichText, Ui};

use crate::{
    check::{Finding, Place, Report, Severity},
    topology::NodeId,
    ui::{
        action::Action,
        context::Ctx,
        widgets::{link_button, notice, section, severity_icon},
    },
};

/// Draws the findings, the worst first; nothing where there are none.
pub fn findings_ui(ui: &mut Ui, ctx: &Ctx<'_>, report: &Report) {
    let wrong = report
        .findings
        .iter()
        .any(|finding| finding.severity > Severity::Note);
    if report.findings.is_empty() {
        return;
    }
    section(
        ui,
        ctx.tokens,
        if wrong {
            "What is wrong"
        } else {
            "Good to know"
        },
    );
    for finding in &report.findings {
        finding_ui(ui, ctx, finding);
        ui.add_space(2.0);
    }
}

fn finding_ui(ui: &mut Ui, ctx: &Ctx<'_>, finding: &Finding) {
    let (icon, color, _) = severity_icon(ctx.tokens, finding.severity);
    notice(ui, ctx.tokens, color, |ui| {
        ui.label(RichText::new(format!("{icon} {}", finding.message)).color(color));
        if let Some(hint) = &finding.hint {
            ui.label(RichText::new(&**hint).color(ctx.tokens.dim));
        }
        let place = match &finding.place {
            Place::Pod(key) => Some((NodeId::Pod(key.clone()), "Show the pod")),
            Place::Port(port) => Some((NodeId::Port(port.clone()), "Show the port")),
            Place::Service | Place::Entry | Place::Object(_) => None,
        };
        if let Some((node, text)) = place
            && link_button(ui, ctx.tokens, text, text).clicked()
        {
            ctx.send(Action::Reveal(node));
        }
    });
}
