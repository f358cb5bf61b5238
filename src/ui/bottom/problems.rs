//! All that the checks found, the worst first.

use egui::{RichText, Ui};

use super::table::{Col, table_ui};
use crate::{
    check::Place,
    topology::NodeId,
    ui::{
        action::Action,
        context::Ctx,
        widgets::{empty, link_button, severity_icon, truncated},
    },
};

const COLUMNS: [Col; 4] = [
    Col::Fixed("severity", 90.0),
    Col::Share("Service", 180.0),
    Col::Share("what is wrong", 380.0),
    Col::Share("what to do", 200.0),
];

/// Draws the list.
pub fn problems_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    let problems = &ctx.view.derived.problems;
    if problems.is_empty() {
        empty(
            ui,
            ctx.tokens,
            "No problems found",
            "Errors and warnings about any Service are listed here.",
        );
        return;
    }
    table_ui(ui, ctx, "problems", &COLUMNS, problems.len(), |row| {
        let Some((problem, finding)) = problems.get(row.index()).and_then(|problem| {
            let report = ctx.scene.reports.get(&problem.service)?;
            Some((problem, report.findings.get(problem.finding)?))
        }) else {
            return;
        };
        let (icon, color, word) = severity_icon(ctx.tokens, problem.severity);
        row.col(|ui| {
            ui.label(RichText::new(format!("{icon} {word}")).color(color));
        });
        row.col(|ui| {
            let name = problem.service.to_string();
            let full = format!("Problem of {name}: {}", finding.message);
            if link_button(ui, ctx.tokens, &name, &full).clicked() {
                ctx.send(Action::Reveal(match &finding.place {
                    Place::Port(port) => NodeId::Port(port.clone()),
                    _ => NodeId::Service(problem.service.clone()),
                }));
            }
        });
        row.col(|ui| {
            truncated(ui, RichText::new(&*finding.message)).on_hover_text(&*finding.message);
        });
        row.col(|ui| {
            if let Some(hint) = &finding.hint {
                truncated(ui, RichText::new(&**hint).color(ctx.tokens.dim)).on_hover_text(&**hint);
            }
        });
    });
}
