//! The test of all paths to a Service: what came of each, and what follows from it.

use std::{collections::BTreeSet, time::Duration};

use egui::{RichText, Ui};

use super::table::{Col, table_ui};
use crate::{
    engine::{Command, ReachCell, ReachStatus, TestPaths},
    inventory::ObjectKey,
    probe::{
        Insider,
        reach::{Meaning, PlannedCell, Reach, Verdict, vantage_words},
    },
    ui::{
        action::Action,
        context::Ctx,
        theme::State,
        widgets::{
            allow_ui, dim, empty, link_button, reason_tooltip, state_label, state_mark, truncated,
        },
    },
};

const COLUMNS: [Col; 6] = [
    Col::Share("port", 90.0),
    Col::Share("path", 260.0),
    Col::Fixed("result", 130.0),
    Col::Fixed("time", 70.0),
    Col::Share("", 330.0),
    Col::Fixed("", 70.0),
];

/// How often it is tested again, where that is asked for.
const EVERY: Duration = Duration::from_secs(5);
/// How many rounds of a cell are shown.
const ROUNDS: usize = 5;
/// How many pods the menu offers to ask from.
const PODS: usize = 12;

/// Draws the matrix.
pub fn paths_ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    let Some(status) = &ctx.scene.reach else {
        let hint = "Select a Service and press R to try every path to it.";
        return empty(ui, ctx.tokens, "No paths were tested", hint);
    };
    head_ui(ui, ctx, status);
    if let Some(why) = &status.failure {
        state_label(ui, ctx.tokens, State::Broken, why);
        return;
    }
    let Some(plan) = &status.plan else { return };
    for found in status.conclusions.iter() {
        let state = match found.means {
            Meaning::Works => State::Healthy,
            Meaning::Unknown => State::Unknown,
            Meaning::Affected => State::Degraded,
            Meaning::Broken => State::Broken,
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
            truncated(ui, RichText::new(vantage_words(&planned.vantage)))
                .on_hover_text(planned.vantage.caveat());
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

fn head_ui(ui: &mut Ui, ctx: &Ctx<'_>, status: &ReachStatus) {
    let key = &status.asked.service;
    ui.horizontal(|ui| {
        ui.label(RichText::new(format!("Paths to {key}")).strong());
        let went = match (status.took, &status.plan) {
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
            dim(ui, ctx.tokens, format!("{} ago", ctx.age(status.began)));
            let says_something = status.verdict != Some(Verdict::Untried);
            if says_something && !ctx.scene.tested.contains_key(key) {
                dim(ui, ctx.tokens, "outdated: the Service has changed since");
            }
        }
        let again = |every: Option<Duration>, insider: Option<Insider>| {
            let mut asked = TestPaths::clone(&status.asked);
            asked.every = every;
            if let Some(insider) = insider
                && !asked.options.insiders.contains(&insider)
            {
                asked.options.insiders.push(insider);
            }
            ctx.send(Action::TestPaths(asked));
        };
        let goes_on = status.is_running || status.goes_on;
        if goes_on && link_button(ui, ctx.tokens, "Stop", "Stop the test of paths").clicked() {
            ctx.send(Action::Send(Command::StopTestPaths));
        }
        if !goes_on {
            let full = "Test all paths again";
            if link_button(ui, ctx.tokens, "Test again", full).clicked() {
                again(None, None);
            }
            let full = "Test all paths every 5 seconds";
            if link_button(ui, ctx.tokens, "Every 5 s", full).clicked() {
                again(Some(EVERY), None);
            }
        }
        let spared = status.cells.iter().filter_map(|cell| cell.result.as_ref());
        let is_spared = spared
            .into_iter()
            .any(|result| result.note.starts_with("not tested: "));
        let full = "Ask the addresses too that the Service names and that are this machine's own";
        if is_spared
            && !goes_on
            && link_button(ui, ctx.tokens, "Ask this machine too", full).clicked()
        {
            let mut asked = TestPaths::clone(&status.asked);
            asked.options.asks_local = true;
            ctx.send(Action::TestPaths(asked));
        }
        ui.menu_button("From inside…", |ui| {
            inside_ui(ui, ctx, key, |insider| {
                again(status.asked.every, Some(insider))
            });
        });
    });
}

/// Who may be asked inside the cluster. To choose a probe pod here is to agree to it.
fn inside_ui(ui: &mut Ui, ctx: &Ctx<'_>, service: &ObjectKey, chosen: impl Fn(Insider)) {
    let namespace = &service.namespace;
    allow_ui(ui, ctx);
    let refused = ctx.no_risk();
    let create = format!("Create a probe pod in {namespace} for this test");
    let button = egui::Button::new(create);
    let response = ui.add_enabled(refused.is_none(), button).on_hover_text(
        "It runs curl with no rights and no credentials, and is removed after the test",
    );
    if reason_tooltip(response, refused.as_ref()).clicked() {
        chosen(Insider::ProbePod {
            namespace: namespace.clone(),
            agreed: true,
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
        .take(PODS)
        .collect();
    for pod in pods {
        let button = egui::Button::new(format!("From pod {}", pod.name));
        let response = ui.add_enabled(refused.is_none(), button);
        if reason_tooltip(response, refused.as_ref()).clicked() {
            chosen(Insider::Pod {
                pod,
                container: None,
            });
            ui.close();
        }
    }
}

fn result_ui(ui: &mut Ui, ctx: &Ctx<'_>, status: &ReachStatus, cell: &ReachCell) {
    match &cell.result {
        Some(result) if cell.is_new || !status.is_running => {
            state_label(
                ui,
                ctx.tokens,
                state_of(result.reach),
                &result.reach.words(),
            );
        }
        _ if status.is_running => {
            state_label(ui, ctx.tokens, State::Pending, "being tried");
        }
        _ => {
            state_label(ui, ctx.tokens, State::Unknown, "not tried");
        }
    }
}

/// Why it came no further; and what came before, where something else did.
fn note_ui(ui: &mut Ui, ctx: &Ctx<'_>, cell: &ReachCell) {
    let (last, before) = match cell.history.split_last() {
        Some((last, before)) => (Some(*last), before),
        None => (None, &[][..]),
    };
    if before.iter().any(|reach| Some(*reach) != last) {
        let shown = before.len().saturating_sub(ROUNDS);
        let words: Vec<_> = before
            .iter()
            .skip(shown)
            .map(|reach| reach.words())
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

fn copy_ui(ui: &mut Ui, ctx: &Ctx<'_>, planned: &PlannedCell, cell: &ReachCell) {
    let Some(command) = &cell.command else { return };
    let full = format!(
        "Copy the command that tries {}",
        vantage_words(&planned.vantage)
    );
    if link_button(ui, ctx.tokens, "Copy", &full)
        .on_hover_text(&**command)
        .clicked()
    {
        ctx.send(Action::Copy {
            text: command.to_string(),
            what: "command",
        });
    }
}

/// The colour and the sign of a result.
fn state_of(reach: Reach) -> State {
    match reach {
        Reach::Reached => State::Healthy,
        Reach::Status(status) if status < 500 => State::Healthy,
        Reach::Status(_) | Reach::Silent | Reach::Unproven(_) => State::Degraded,
        Reach::NotTestable | Reach::NotPermitted => State::Unknown,
        _ => State::Broken,
    }
}
