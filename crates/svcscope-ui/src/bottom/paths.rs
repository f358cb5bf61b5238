//! The test of all paths to a Service: what came of each, and what follows from it.

use std::{collections::BTreeSet, time::Duration};

use egui::{RichText, Ui};

use super::table::{TableColumn, table_ui};
use crate::{
    action::WindowAction,
    context::PanelContext,
    theme::Health,
    widgets::{
        dim, empty, link_button, production_consent_ui, reason_tooltip, state_label, state_mark,
        truncated,
    },
};
use svcscope_engine::{EngineCommand, PathTestCell, PathTestRequest, PathTestStatus};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::probe::{
    ExecTarget,
    path_test::{
        ConclusionSeverity, PathTestOutcome, PathTestSummary, PlannedPathTest, access_path_label,
    },
};

const COLUMNS: [TableColumn; 6] = [
    TableColumn::Share("port", 90.0),
    TableColumn::Share("path", 260.0),
    TableColumn::Fixed("result", 130.0),
    TableColumn::Fixed("time", 70.0),
    TableColumn::Share("", 330.0),
    TableColumn::Fixed("", 70.0),
];

/// How often it is tested again, where that is asked for.
const REPEAT_INTERVAL: Duration = Duration::from_secs(5);
/// How many rounds of a cell are shown.
const MAX_SHOWN_ROUNDS: usize = 5;
/// How many pods the menu offers to ask from.
const MAX_MENU_PODS: usize = 12;

/// Draws the matrix.
pub fn paths_ui(ui: &mut Ui, ctx: &PanelContext<'_>) {
    let Some(status) = &ctx.scene.path_test else {
        let hint = "Select a Service and press R to try every path to it.";
        return empty(ui, ctx.tokens, "No paths were tested", hint);
    };
    controls_ui(ui, ctx, status);
    if let Some(why) = &status.failure {
        state_label(ui, ctx.tokens, Health::Broken, why);
        return;
    }
    let Some(plan) = &status.plan else { return };
    for found in status.conclusions.iter() {
        let state = match found.severity {
            ConclusionSeverity::Works => Health::Healthy,
            ConclusionSeverity::Unknown => Health::Unknown,
            ConclusionSeverity::Affected => Health::Degraded,
            ConclusionSeverity::Broken => Health::Broken,
        };
        let ports: Vec<_> = found.ports.iter().map(u16::to_string).collect();
        let words = match plan.ports.len() {
            0 | 1 => found.text.to_string(),
            _ => format!("Port {}: {}", ports.join(", "), found.text),
        };
        ui.horizontal(|ui| {
            state_mark(ui, ctx.tokens, state);
            truncated(ui, RichText::new(&words)).on_hover_text(&words);
        });
    }
    let cells = plan.cells.len();
    table_ui(ui, ctx, "paths", &COLUMNS, cells, |row| {
        let at = row.index();
        let (Some(planned), Some(cell)) = (plan.cells.get(at), status.cells.get(at)) else {
            return;
        };
        row.col(|ui| {
            let port = plan.ports.get(planned.port);
            let words = port.map_or_else(String::new, |port| match &port.name {
                Some(name) => format!("{name} {}", port.number),
                None => port.number.to_string(),
            });
            truncated(ui, RichText::new(words).monospace());
        });
        row.col(|ui| {
            truncated(ui, RichText::new(access_path_label(&planned.access_path)))
                .on_hover_text(planned.access_path.caveat());
        });
        row.col(|ui| result_ui(ui, ctx, status, cell));
        row.col(|ui| {
            if let Some(millis) = cell.result.as_ref().and_then(|result| result.millis) {
                ui.label(RichText::new(format!("{millis} ms")).monospace());
            }
        });
        row.col(|ui| note_ui(ui, ctx, cell));
        row.col(|ui| copy_ui(ui, ctx, planned, cell));
    });
}

fn controls_ui(ui: &mut Ui, ctx: &PanelContext<'_>, status: &PathTestStatus) {
    let key = &status.request.service;
    ui.horizontal(|ui| {
        ui.label(RichText::new(format!("Paths to {key}")).strong());
        let went = match (status.last_round_duration, &status.plan) {
            _ if status.is_running => "being tried".to_owned(),
            (Some(took), Some(plan)) => {
                format!("{} in {:.1} s", plan.cells.len(), took.as_secs_f64())
            }
            _ => String::new(),
        };
        dim(ui, ctx.tokens, went);
        if status.rounds > 1 {
            dim(ui, ctx.tokens, format!("round {}", status.rounds));
        }
        if status.rounds > 0 && !status.is_running {
            dim(
                ui,
                ctx.tokens,
                format!("{} ago", ctx.age(status.round_started_at)),
            );
            let says_something = status.summary != Some(PathTestSummary::Untried);
            if says_something && !ctx.scene.path_tests.contains_key(key) {
                dim(ui, ctx.tokens, "outdated: the Service has changed since");
            }
        }
        let again = |every: Option<Duration>, insider: Option<ExecTarget>| {
            let mut asked = PathTestRequest::clone(&status.request);
            asked.repeat_interval = every;
            if let Some(insider) = insider
                && !asked.options.exec_targets.contains(&insider)
            {
                asked.options.exec_targets.push(insider);
            }
            ctx.send(WindowAction::TestPaths(asked));
        };
        let goes_on = status.is_running || status.repeats;
        if goes_on && link_button(ui, ctx.tokens, "Stop", "Stop the test of paths").clicked() {
            ctx.send(WindowAction::Send(EngineCommand::StopPathTest));
        }
        if !goes_on {
            let full = "Test all paths again";
            if link_button(ui, ctx.tokens, "Test again", full).clicked() {
                again(None, None);
            }
            let full = "Test all paths every 5 seconds";
            if link_button(ui, ctx.tokens, "Every 5 s", full).clicked() {
                again(Some(REPEAT_INTERVAL), None);
            }
        }
        let spared = status.cells.iter().filter_map(|cell| cell.result.as_ref());
        let is_spared = spared
            .into_iter()
            .any(|result| result.note.starts_with("not tested: "));
        let full = "Also test addresses of the Service that belong to this machine";
        if is_spared
            && !goes_on
            && link_button(ui, ctx.tokens, "Ask this machine too", full).clicked()
        {
            let mut asked = PathTestRequest::clone(&status.request);
            asked.options.includes_local_addresses = true;
            ctx.send(WindowAction::TestPaths(asked));
        }
        ui.menu_button("From inside…", |ui| {
            in_cluster_menu_ui(ui, ctx, key, |insider| {
                again(status.request.repeat_interval, Some(insider))
            });
        });
    });
}

/// Who may be asked inside the cluster. To choose a probe pod here is to agree to it.
fn in_cluster_menu_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    service: &ObjectKey,
    chosen: impl Fn(ExecTarget),
) {
    let namespace = &service.namespace;
    production_consent_ui(ui, ctx);
    let refused = ctx.risky_request_refusal();
    let create = format!("Create a probe pod in {namespace} for this test");
    let button = egui::Button::new(create);
    let response = ui.add_enabled(refused.is_none(), button).on_hover_text(
        "It runs curl with no rights and no credentials, and is removed after the test",
    );
    if reason_tooltip(response, refused.as_ref()).clicked() {
        chosen(ExecTarget::ProbePod {
            namespace: namespace.clone(),
            user_consented: true,
        });
        ui.close();
    }
    ui.separator();
    dim(
        ui,
        ctx.tokens,
        "or from a pod that is there and has curl or wget",
    );
    let pods: BTreeSet<_> = ctx
        .scene
        .inventory
        .pods_in(namespace)
        .filter(|pod| pod.ready && pod.deleting.is_none())
        .map(|pod| pod.key.clone())
        .take(MAX_MENU_PODS)
        .collect();
    for pod in pods {
        let button = egui::Button::new(format!("From pod {}", pod.name));
        let response = ui.add_enabled(refused.is_none(), button);
        if reason_tooltip(response, refused.as_ref()).clicked() {
            chosen(ExecTarget::Pod {
                pod,
                container: None,
            });
            ui.close();
        }
    }
}

fn result_ui(ui: &mut Ui, ctx: &PanelContext<'_>, status: &PathTestStatus, cell: &PathTestCell) {
    match &cell.result {
        Some(result) if cell.is_from_current_round || !status.is_running => {
            state_label(
                ui,
                ctx.tokens,
                state_of(result.reach),
                &result.reach.label(),
            );
        }
        _ if status.is_running => {
            state_label(ui, ctx.tokens, Health::Pending, "being tried");
        }
        _ => {
            state_label(ui, ctx.tokens, Health::Unknown, "not tried");
        }
    }
}

/// Why it came no further; and what came before, where something else did.
fn note_ui(ui: &mut Ui, ctx: &PanelContext<'_>, cell: &PathTestCell) {
    let (last, before) = match cell.past_outcomes.split_last() {
        Some((last, before)) => (Some(*last), before),
        None => (None, &[][..]),
    };
    if before.iter().any(|reach| Some(*reach) != last) {
        let shown = before.len().saturating_sub(MAX_SHOWN_ROUNDS);
        let words: Vec<_> = before
            .iter()
            .skip(shown)
            .map(|reach| reach.label())
            .collect();
        dim(ui, ctx.tokens, format!("before: {}", words.join(", ")));
    }
    if let Some(result) = cell
        .result
        .as_ref()
        .filter(|result| !result.note.is_empty())
    {
        truncated(ui, RichText::new(&*result.note).color(ctx.tokens.dim))
            .on_hover_text(&*result.note);
    }
}

fn copy_ui(ui: &mut Ui, ctx: &PanelContext<'_>, planned: &PlannedPathTest, cell: &PathTestCell) {
    let Some(command) = &cell.command else { return };
    let full = format!(
        "Copy the command that tries {}",
        access_path_label(&planned.access_path)
    );
    if link_button(ui, ctx.tokens, "Copy", &full)
        .on_hover_text(&**command)
        .clicked()
    {
        ctx.send(WindowAction::Copy {
            text: command.to_string(),
            what: "command",
        });
    }
}

/// The colour and the sign of a result.
fn state_of(reach: PathTestOutcome) -> Health {
    match reach {
        PathTestOutcome::Reached => Health::Healthy,
        PathTestOutcome::Status(status) if status < 500 => Health::Healthy,
        PathTestOutcome::Status(_) | PathTestOutcome::Silent | PathTestOutcome::Unproven(_) => {
            Health::Degraded
        }
        PathTestOutcome::NotTestable | PathTestOutcome::NotPermitted => Health::Unknown,
        _ => Health::Broken,
    }
}
