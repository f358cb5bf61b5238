//! All that the checks found, the worst first, and what they found before.

use egui::{RichText, TextEdit, Ui, WidgetInfo, WidgetType};

use super::table::{TableColumn, table_ui};
use crate::{
    action::WindowAction,
    context::PanelContext,
    derived_state::FindingRef,
    finding_location, formatting,
    state::ProblemListFilter,
    widgets::{empty, link_button, severity_icon, truncated},
};
use svcscope_check::{Finding, ResolvedFinding, Severity};

const COLUMNS: [TableColumn; 5] = [
    TableColumn::Fixed("severity", 90.0),
    TableColumn::Share("Service", 160.0),
    TableColumn::Share("what is wrong", 380.0),
    TableColumn::Share("what to do", 200.0),
    TableColumn::Fixed("since", 90.0),
];

const RESOLVED_COLUMNS: [TableColumn; 5] = [
    TableColumn::Fixed("was", 90.0),
    TableColumn::Share("Service", 160.0),
    TableColumn::Share("what was wrong", 480.0),
    TableColumn::Fixed("since", 90.0),
    TableColumn::Fixed("gone", 90.0),
];

/// Draws the list.
pub fn problems_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    filters_ui(ui, ctx);
    if ctx.view.problems.resolved {
        resolved_ui(ui, ctx);
    } else {
        current_ui(ui, ctx);
    }
}

/// What the tab says: how many of each severity.
pub fn title(ctx: &PanelContext<'_>) -> String {
    let derived = &ctx.view.derived;
    let counts = [(derived.errors, "error"), (derived.warnings, "warning")];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| formatting::plural(number, noun))
        .collect();
    if counts.is_empty() {
        "Problems".to_owned()
    } else {
        format!("Problems: {}", counts.join(", "))
    }
}

fn filters_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let shown = &ctx.view.problems;
    let show = |change: &dyn Fn(&mut ProblemListFilter)| {
        let mut wanted = shown.clone();
        change(&mut wanted);
        ctx.send(WindowAction::ShowProblems(wanted));
    };
    ui.horizontal(|ui| {
        let mut text = shown.text.clone();
        let field = TextEdit::singleline(&mut text)
            .hint_text("Filter problems")
            .desired_width(200.0);
        let response = ui.add(field);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Filter problems"));
        if response.changed() {
            show(&|wanted| wanted.text.clone_from(&text));
        }
        let mut notes = shown.includes_notes;
        let said = format!("Notes ({})", ctx.view.derived.notes);
        if ui
            .checkbox(&mut notes, said)
            .on_hover_text("Notes are worth knowing; nothing is wrong")
            .changed()
        {
            show(&|wanted| wanted.includes_notes = notes);
        }
        let mut gone = shown.resolved;
        let said = format!("Resolved ({})", ctx.scene.history.resolved().len());
        if ui
            .checkbox(&mut gone, said)
            .on_hover_text("What was found since the cluster was connected to, and is no longer so")
            .changed()
        {
            show(&|wanted| wanted.resolved = gone);
        }
        let suppressed = ctx.view.derived.suppressed;
        if suppressed > 0 {
            ui.label(RichText::new(format!("{suppressed} suppressed")).color(ctx.tokens.dim))
                .on_hover_text(
                    "Findings that you don't want to hear of; each Service lists its own",
                );
        }
    });
}

fn current_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let problems = &ctx.view.derived.listed_problems;
    if problems.is_empty() {
        let (title, hint) = if ctx.view.problems.text.is_empty() {
            (
                "No problems found",
                "Errors and warnings about any Service are listed here.",
            )
        } else {
            (
                "No problem says that",
                "Clear the filter to see all of them.",
            )
        };
        empty(ui, ctx.tokens, title, hint);
        return;
    }
    table_ui(ui, ctx, "problems", &COLUMNS, problems.len(), |row| {
        let Some((problem, finding)) = problems
            .get(row.index())
            .and_then(|problem| Some((problem, finding_of(ctx, problem)?)))
        else {
            return;
        };
        row.col(|ui| severity_ui(ui, ctx, problem.severity));
        row.col(|ui| {
            let name = problem.service.to_string();
            let full = format!("Problem of {name}: {}", finding.message);
            if link_button(ui, ctx.tokens, &name, &full).clicked() {
                let node =
                    finding_location::map_node_of(ctx.scene, &problem.service, &finding.location);
                ctx.send(WindowAction::Reveal(node));
            }
        });
        row.col(|ui| {
            truncated(ui, RichText::new(&*finding.message))
                .on_hover_text(format!("{}\n{}", finding.message, finding.id));
        });
        row.col(|ui| {
            if let Some(hint) = &finding.hint {
                truncated(ui, RichText::new(&**hint).color(ctx.tokens.dim)).on_hover_text(&**hint);
            }
        });
        row.col(|ui| {
            // What was there when the cluster was first seen has been there for an unknown time.
            if let Some(since) = ctx.scene.history.first_seen(&problem.service, finding) {
                ui.label(ctx.age(since));
            }
        });
    });
}

fn finding_of<'a>(ctx: &PanelContext<'a>, problem: &FindingRef) -> Option<&'a Finding> {
    let report = ctx.scene.reports.get(&problem.service)?;
    report.findings.get(problem.finding)
}

fn resolved_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let wanted = ctx.view.problems.text.to_lowercase();
    let says = |gone: &&ResolvedFinding| {
        wanted.is_empty()
            || gone.message.to_lowercase().contains(&wanted)
            || gone.service.to_string().contains(&wanted)
    };
    let all: Vec<&ResolvedFinding> = ctx.scene.history.resolved().filter(says).collect();
    if all.is_empty() {
        empty(
            ui,
            ctx.tokens,
            "No resolved problems",
            "What was found and is no longer so is listed here, since the cluster was connected to.",
        );
        return;
    }
    table_ui(
        ui,
        ctx,
        "gone problems",
        &RESOLVED_COLUMNS,
        all.len(),
        |row| {
            let Some(gone) = all.get(row.index()) else {
                return;
            };
            row.col(|ui| severity_ui(ui, ctx, gone.severity));
            row.col(|ui| {
                let name = gone.service.to_string();
                let full = format!("Gone from {name}: {}", gone.message);
                if link_button(ui, ctx.tokens, &name, &full).clicked() {
                    let node = svcscope_model::topology::NodeId::Service(gone.service.clone());
                    ctx.send(WindowAction::Reveal(node));
                }
            });
            row.col(|ui| {
                truncated(ui, RichText::new(&*gone.message)).on_hover_text(&*gone.message);
            });
            row.col(|ui| {
                if let Some(appeared) = gone.appeared_at {
                    ui.label(formatting::time_of_day(appeared));
                }
            });
            row.col(|ui| {
                ui.label(formatting::time_of_day(gone.resolved_at));
            });
        },
    );
}

fn severity_ui(ui: &mut Ui, ctx: &PanelContext<'_>, severity: Severity) {
    let (icon, color, word) = severity_icon(ctx.tokens, severity);
    ui.label(RichText::new(format!("{icon} {word}")).color(color));
}
