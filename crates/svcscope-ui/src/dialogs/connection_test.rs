//! The test of the connection: what works, what does not, and what to do next.

use egui::{Label, RichText, ScrollArea, Ui, vec2};
use egui_phosphor::regular as icon;

use super::modal_ui;
use crate::{
    action::WindowAction,
    context::PanelContext,
    formatting,
    theme::Health,
    widgets::{dim, primary_button, state_label, state_mark},
};
use svcscope_engine::{
    ConnectionStepResult, ConnectionTestStatus, EngineCommand, StepStatus, connection_summary,
    connection_text, took_text, untried_text,
};

/// The width of the longest name of a step.
const NAME_WIDTH: f32 = 145.0;

/// What stands below the steps.
const FOOT_HEIGHT: f32 = 76.0;

/// What the next test may do.
#[derive(Debug, Default)]
pub struct ConnectionTestForm {
    run_command: bool,
}

/// Draws the dialog.
pub fn connection_test_ui(
    egui: &egui::Context,
    ctx: &PanelContext<'_>,
    form: &mut ConnectionTestForm,
) {
    modal_ui(egui, ctx, "Test the connection", 900.0, |ui| {
        let test = ctx.scene.connection_test.as_deref();
        if let Some(test) = test {
            summary_ui(ui, ctx, test);
            let room = ui.available_height() - FOOT_HEIGHT;
            ScrollArea::vertical()
                .max_height(room.max(80.0))
                .show(ui, |ui| steps_ui(ui, ctx, test));
        }
        ui.add_space(12.0);
        ui.checkbox(
            &mut form.run_command,
            "Run the command “true” in a running container too, which shows up in audit logs",
        );
        ui.add_space(4.0);
        buttons_ui(ui, ctx, form, test);
    });
}

fn summary_ui(ui: &mut Ui, ctx: &PanelContext<'_>, test: &ConnectionTestStatus) {
    let context = match &test.context {
        Some(name) => format!(
            "Context {name}, tested at {}",
            formatting::time_of_day(test.began)
        ),
        None => format!(
            "The current context, tested at {}",
            formatting::time_of_day(test.began)
        ),
    };
    dim(ui, ctx.tokens, context);
    match test.current() {
        Some(step) => {
            state_label(
                ui,
                ctx.tokens,
                Health::Pending,
                &format!("Testing: {step}…"),
            );
        }
        None if test.is_whole() => {
            let outcomes = test.steps.iter().map(|result| state_of(result.outcome));
            let worst = outcomes.filter(|state| *state != Health::Unknown).max();
            let state = worst.unwrap_or(Health::Unknown);
            state_label(ui, ctx.tokens, state, &connection_summary(&test.steps));
        }
        None => {
            state_label(ui, ctx.tokens, Health::Unknown, "Stopped before its end.");
        }
    }
    ui.add_space(8.0);
}

fn steps_ui(ui: &mut Ui, ctx: &PanelContext<'_>, test: &ConnectionTestStatus) {
    ui.spacing_mut().item_spacing.y = 5.0;
    for result in &test.steps {
        if result.outcome != StepStatus::NotTried {
            step_ui(ui, ctx, result);
        }
    }
    if let Some(untried) = untried_text(&test.steps) {
        row_ui(ui, ctx, StepStatus::NotTried, "not tried", |ui| {
            ui.add(Label::new(RichText::new(untried).color(ctx.tokens.dim)).wrap());
        });
    }
}

fn step_ui(ui: &mut Ui, ctx: &PanelContext<'_>, result: &ConnectionStepResult) {
    row_ui(ui, ctx, result.outcome, &result.step.to_string(), |ui| {
        let color = match result.outcome {
            StepStatus::Ok | StepStatus::Warning | StepStatus::Failed => ctx.tokens.text,
            StepStatus::NotTried | StepStatus::Skipped => ctx.tokens.dim,
        };
        let found = format!("{}{}", result.summary, took_text(result));
        ui.add(Label::new(RichText::new(found).color(color)).wrap());
        if let Some(advice) = &result.advice {
            let text = RichText::new(format!("{} {advice}", icon::ARROW_RIGHT));
            ui.add(Label::new(text.color(ctx.tokens.accent)).wrap());
        }
    });
}

/// The mark, the name and beside them what there is to say, all from the top.
fn row_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    outcome: StepStatus,
    name: &str,
    text: impl FnOnce(&mut Ui),
) {
    ui.horizontal_top(|ui| {
        state_mark(ui, ctx.tokens, state_of(outcome)).on_hover_text(word(outcome));
        ui.allocate_ui(vec2(NAME_WIDTH, 0.0), |ui| {
            ui.set_width(NAME_WIDTH);
            ui.label(RichText::new(name).strong());
        });
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            text(ui);
        });
    });
}

fn buttons_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    form: &ConnectionTestForm,
    test: Option<&ConnectionTestStatus>,
) {
    ui.horizontal(|ui| {
        if test.is_some_and(|test| test.is_running) {
            if ui.button("Stop the test").clicked() {
                ctx.send(WindowAction::Send(EngineCommand::StopConnectionTest));
            }
        } else if primary_button(ui, ctx.tokens, "Test again", None).clicked() {
            ctx.send(WindowAction::Send(EngineCommand::StartConnectionTest {
                run_command: form.run_command,
            }));
        }
        if let Some(test) = test.filter(|test| !test.steps.is_empty())
            && ui
                .button("Copy as text")
                .on_hover_text("It holds no token, password or key")
                .clicked()
        {
            ctx.send(WindowAction::Copy {
                text: connection_text(&test.steps),
                what: "test of the connection",
            });
        }
    });
}

fn state_of(outcome: StepStatus) -> Health {
    match outcome {
        StepStatus::Ok => Health::Healthy,
        StepStatus::Warning => Health::Degraded,
        StepStatus::Failed => Health::Broken,
        StepStatus::NotTried | StepStatus::Skipped => Health::Unknown,
    }
}

fn word(outcome: StepStatus) -> &'static str {
    match outcome {
        StepStatus::Ok => "works",
        StepStatus::Warning => "works, with a warning",
        StepStatus::Failed => "does not work",
        StepStatus::NotTried => "not tried",
        StepStatus::Skipped => "nothing to try",
    }
}
