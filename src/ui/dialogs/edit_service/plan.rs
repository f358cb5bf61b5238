//! What the change would do, what the server says to it, and what it did.

use egui::{Label, RichText, Ui};
use egui_phosphor::regular as icon;

use super::{
    EditService, Form, Opening, Page,
    diff::{diff_ui, rows},
    sketch::{Sketch, sketch_ui},
};
use crate::{
    edit::{Conflict, FieldError, Outcome, Plan, Via, Way, Written, yaml_diff},
    engine::{Command, EditId, EditStatus, EditStep, ghost},
    inventory::{ServiceRecord, Text},
    ui::{
        action::Action,
        context::Ctx,
        theme::State,
        widgets::{dim, named_field, notice, primary_button, section, state_label, text_field},
        words,
    },
};

/// What was worked out of a plan for the screen, once.
#[derive(Debug, Default)]
pub(super) struct Shown {
    of: Option<EditId>,
    sketch: Sketch,
    rows: Vec<(Option<String>, Option<String>, bool)>,
}

impl Shown {
    fn of(&mut self, ctx: &Ctx<'_>, id: EditId, plan: &Plan, preview: &Written) {
        if self.of.replace(id) == Some(id) {
            return;
        }
        let before = plan.before.as_ref();
        let goes_away = plan.expected.is_none();
        let now = ctx.scene.topology.service(&plan.service);
        let ghost = ghost(&ctx.scene.inventory, plan);
        self.sketch = Sketch::of(now.map(AsRef::as_ref), &ghost);
        let lines = yaml_diff(
            before.map(|known| &*known.object),
            (!goes_away).then_some(&preview.object),
        );
        self.rows = rows(&lines);
    }
}

fn status<'a>(ctx: &Ctx<'a>, dialog: &EditService) -> Option<&'a EditStatus> {
    let id = dialog.edit()?;
    ctx.scene.edits.iter().find(|edit| edit.id == id)
}

/// Whether it is applied, so that the form asks for nothing more.
pub(super) fn is_over(ctx: &Ctx<'_>, dialog: &EditService) -> bool {
    status(ctx, dialog).is_some_and(|status| {
        matches!(
            status.step,
            EditStep::Applied(_) | EditStep::Applying { .. }
        )
    })
}

/// What is wrong with what is filled in, by field, where it was planned.
pub(super) fn field_errors<'a>(ctx: &Ctx<'a>, dialog: &EditService) -> &'a [FieldError] {
    match status(ctx, dialog).map(|status| &status.step) {
        Some(EditStep::Failed { fields, .. }) if dialog.is_current() => fields,
        _ => &[],
    }
}

/// Draws what is wrong with a field.
pub(super) fn field_error_ui(ui: &mut Ui, ctx: &Ctx<'_>, error: &FieldError) {
    ui.horizontal_top(|ui| {
        let color = ctx.tokens.broken;
        ui.label(RichText::new(&*error.field).monospace().color(color));
        ui.add(Label::new(RichText::new(&*error.message).color(color)).wrap());
    });
}

/// Draws how the plan stands.
pub(super) fn plan_ui(ui: &mut Ui, ctx: &Ctx<'_>, dialog: &mut EditService) {
    if !is_over(ctx, dialog) && !dialog.is_current() {
        return;
    }
    let Some(status) = status(ctx, dialog) else {
        if dialog.edit().is_some() {
            waiting_ui(ui, ctx, "Planning…");
        }
        return;
    };
    match &status.step {
        EditStep::Planning => waiting_ui(ui, ctx, "Planning…"),
        EditStep::Trying { plan } => {
            effects_ui(ui, ctx, plan);
            waiting_ui(ui, ctx, "Asking the server by a dry run…");
        }
        EditStep::Ready { plan, preview } => {
            effects_ui(ui, ctx, plan);
            preview_ui(ui, ctx, plan, preview);
            dialog.shown.of(ctx, status.id, plan, preview);
            section(ui, ctx.tokens, "On the map");
            sketch_ui(ui, ctx, &dialog.shown.sketch);
            ui.collapsing("YAML before and after", |ui| {
                diff_ui(ui, ctx, &dialog.shown.rows);
            });
            ui.add_space(10.0);
            apply_ui(ui, ctx, dialog, plan, status);
        }
        EditStep::Applying { plan } => {
            effects_ui(ui, ctx, plan);
            waiting_ui(ui, ctx, "Writing, then reading back…");
        }
        EditStep::Applied(outcome) => applied_ui(ui, ctx, outcome, status.entry),
        EditStep::Failed { ways, .. } if !ways.is_empty() => ways_ui(ui, ctx, dialog, ways),
        EditStep::Failed {
            reason,
            fields,
            conflict,
            ..
        } => failed_ui(ui, ctx, dialog, reason, fields, conflict.as_deref()),
    }
}

fn waiting_ui(ui: &mut Ui, ctx: &Ctx<'_>, what: &str) {
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        ui.spinner();
        dim(ui, ctx.tokens, what);
    });
}

fn effects_ui(ui: &mut Ui, ctx: &Ctx<'_>, plan: &Plan) {
    section(ui, ctx.tokens, "What will happen");
    let tokens = ctx.tokens;
    if plan.steps.len() > 1 {
        for (index, step) in plan.steps.iter().enumerate() {
            let said = format!("{}. {}", index + 1, step.sentence);
            ui.add(Label::new(RichText::new(said).color(tokens.text)).wrap());
        }
    }
    for (glyph, color, lines) in [
        (icon::PLUS, tokens.healthy, &plan.gains),
        (icon::MINUS, tokens.broken, &plan.losses),
        (icon::INFO, tokens.dim, &plan.notes),
    ] {
        for line in lines {
            line_ui(ui, glyph, color, line, tokens.text);
        }
    }
    if plan.gains.is_empty() && plan.losses.is_empty() && plan.notes.is_empty() {
        dim(ui, tokens, "Nothing that a client would notice.");
    }
    let undo = undo_sentence(plan);
    line_ui(
        ui,
        icon::ARROW_COUNTER_CLOCKWISE,
        tokens.dim,
        &undo,
        tokens.dim,
    );
}

/// `it can be taken back; not: clusterIP 10.96.0.7`.
fn undo_sentence(plan: &Plan) -> String {
    let undo = &plan.undo;
    if undo.losses.is_empty() {
        undo.sentence.to_string()
    } else {
        format!("{}; not: {}", undo.sentence, undo.losses.join(", "))
    }
}

fn line_ui(ui: &mut Ui, glyph: &str, color: egui::Color32, text: &str, text_color: egui::Color32) {
    ui.horizontal_top(|ui| {
        ui.label(RichText::new(glyph).color(color));
        ui.add(Label::new(RichText::new(text).color(text_color)).wrap());
    });
}

fn preview_ui(ui: &mut Ui, ctx: &Ctx<'_>, plan: &Plan, preview: &Written) {
    section(ui, ctx.tokens, "What the server says");
    state_label(
        ui,
        ctx.tokens,
        State::Healthy,
        "It would accept the change (dry run)",
    );
    if plan.expected.is_some() {
        dim(ui, ctx.tokens, described(&preview.service));
    }
    warnings_ui(ui, ctx, &preview.warnings);
}

fn warnings_ui(ui: &mut Ui, ctx: &Ctx<'_>, warnings: &[Text]) {
    let color = ctx.tokens.degraded;
    for warning in warnings {
        line_ui(ui, icon::WARNING, color, warning, color);
    }
}

/// `NodePort · 10.96.0.7 · http 80 → nodePort 30080`.
fn described(service: &ServiceRecord) -> String {
    let mut parts = vec![service.type_word().to_owned()];
    parts.extend(service.virtual_ips().map(ToString::to_string));
    parts.extend(service.external_name.iter().map(|name| format!("→ {name}")));
    for port in &service.ports {
        if let Some(node_port) = port.node_port {
            parts.push(format!("{} → nodePort {node_port}", words::port(port)));
        }
    }
    parts.join(" · ")
}

fn apply_ui(
    ui: &mut Ui,
    ctx: &Ctx<'_>,
    dialog: &mut EditService,
    plan: &Plan,
    status: &EditStatus,
) {
    let mut disabled = ctx.no_edit();
    if !dialog.confirming {
        ui.horizontal(|ui| {
            if primary_button(ui, ctx.tokens, "Apply…", disabled.as_ref()).clicked() {
                dialog.confirming = true;
            }
            if ui.button("Cancel").clicked() {
                ctx.send(Action::CloseDialog);
            }
        });
        return;
    }
    let (color, asks_name) = if ctx.scene.production {
        (ctx.tokens.broken, true)
    } else {
        (ctx.tokens.degraded, plan.expected.is_none())
    };
    notice(ui, ctx.tokens, color, |ui| {
        ui.add(Label::new(question(ctx, plan)).wrap());
        for loss in &plan.losses {
            line_ui(ui, icon::MINUS, ctx.tokens.broken, loss, ctx.tokens.text);
        }
        if asks_name {
            if ctx.scene.production {
                let said = "This context is marked as production.";
                ui.label(RichText::new(said).color(color));
            }
            ui.horizontal(|ui| {
                let name = &plan.service.name;
                dim(ui, ctx.tokens, format!("Type {name} to go on"));
                let field = text_field(&mut dialog.typed_name).desired_width(200.0);
                let response = ui.add(field);
                named_field(&response, "Name of the Service", &dialog.typed_name);
            });
            if dialog.typed_name.trim() != &*plan.service.name {
                disabled.get_or_insert_with(|| "type the Service's name first".into());
            }
        }
        ui.horizontal(|ui| {
            let yes = match (&plan.before, &plan.expected) {
                (_, None) => "Yes, delete it",
                (None, _) => "Yes, create it",
                _ => "Yes, change it",
            };
            if primary_button(ui, ctx.tokens, yes, disabled.as_ref()).clicked() {
                ctx.send(if ctx.scene.production {
                    let name = Text::from(dialog.typed_name.trim());
                    Action::Send(Command::ApplyEditByName(status.id, name))
                } else {
                    Action::ApplyEdit(status.id)
                });
            }
            if ui.button("Not yet").clicked() {
                dialog.confirming = false;
            }
        });
    });
}

/// Names the context, the namespace, the Service and the effect.
fn question(ctx: &Ctx<'_>, plan: &Plan) -> String {
    format!(
        "In context {}, namespace {}: {}?",
        ctx.scene.context.as_deref().unwrap_or("(none)"),
        plan.service.namespace,
        plan.title
    )
}

fn applied_ui(ui: &mut Ui, ctx: &Ctx<'_>, outcome: &Outcome, entry: Option<u64>) {
    let key = &outcome.plan.service;
    match &outcome.after {
        Some(after) => {
            let after = &after.record;
            let said = format!("Service {key} is {} now", after.type_word());
            state_label(ui, ctx.tokens, State::Healthy, &said);
            let said = format!("Read back from the server: {}", described(after));
            dim(ui, ctx.tokens, said);
        }
        None => {
            let said = format!("Service {key} is deleted");
            state_label(ui, ctx.tokens, State::Healthy, &said);
        }
    }
    warnings_ui(ui, ctx, &outcome.warnings);
    follow_ui(ui, ctx, outcome);
    ui.add_space(10.0);
    ui.horizontal(|ui| {
        if primary_button(ui, ctx.tokens, "Done", None).clicked() {
            ctx.send(Action::CloseDialog);
        }
        let Some(entry) = entry else { return };
        let hint = undo_sentence(&outcome.plan);
        if ui.button("Undo…").on_hover_text(hint).clicked() {
            ctx.send(Action::CloseDialog);
            ctx.send(Action::OpenEdit(Opening::Undo(key.clone(), entry)));
        }
    });
}

/// What the cluster makes of it, as the watches tell: addresses, nodePorts, endpoints.
fn follow_ui(ui: &mut Ui, ctx: &Ctx<'_>, outcome: &Outcome) {
    let Some(traffic) = ctx.scene.topology.service(&outcome.plan.service) else {
        return;
    };
    section(ui, ctx.tokens, "What the cluster makes of it");
    for entry in &traffic.entries {
        let (state, said) = if entry.is_pending() {
            (
                State::Degraded,
                "load balancer: waits for its address".to_owned(),
            )
        } else {
            let at = entry.id.node_port.map(|port| format!("port {port} at "));
            let addresses = match entry.addresses.as_slice() {
                // A name that leads to the pods themselves.
                [] => entry.id.address.to_string(),
                addresses => addresses.join(", "),
            };
            let at = at.unwrap_or_default();
            (
                State::Healthy,
                format!("{}: {at}{addresses}", entry.id.kind.label()),
            )
        };
        state_label(ui, ctx.tokens, state, &said);
    }
    for port in &traffic.ports {
        let (ready, all) = (port.ready(), port.all());
        let state = if ready > 0 {
            State::Healthy
        } else {
            State::Degraded
        };
        let said = format!(
            "{}: {ready} of {all} endpoints ready",
            words::port(&port.port)
        );
        state_label(ui, ctx.tokens, state, &said);
    }
}

/// The two ways to headless and away from it, each with its price.
fn ways_ui(ui: &mut Ui, ctx: &Ctx<'_>, dialog: &mut EditService, ways: &[Way]) {
    section(ui, ctx.tokens, "Two ways, each at its price");
    let said = "A Service keeps its clusterIP, or that it has none, for as long as its type has one: \
                the API server knows no direct way.";
    ui.add(Label::new(RichText::new(said).color(ctx.tokens.dim)).wrap());
    for way in ways {
        let label = match way.via {
            Via::ExternalName => "Through ExternalName",
            Via::Recreate => "Delete and create anew",
        };
        ui.add_space(6.0);
        for price in &way.price {
            line_ui(ui, icon::MINUS, ctx.tokens.broken, price, ctx.tokens.text);
        }
        if ui.button(label).clicked()
            && let Some(wish) = dialog.go(way.via)
        {
            ctx.send(Action::PlanEdit(wish));
        }
    }
}

fn failed_ui(
    ui: &mut Ui,
    ctx: &Ctx<'_>,
    dialog: &mut EditService,
    reason: &str,
    fields: &[FieldError],
    conflict: Option<&Conflict>,
) {
    ui.add_space(8.0);
    let color = ctx.tokens.broken;
    notice(ui, ctx.tokens, color, |ui| {
        ui.add(
            Label::new(RichText::new(format!("{} {reason}", icon::X_CIRCLE)).color(color)).wrap(),
        );
        // Those of the open page stand at their fields.
        let is_seen = |error: &FieldError| match &dialog.form {
            Form::Change(form) => Page::of_field(&error.field) == form.page,
            _ => false,
        };
        for error in fields.iter().filter(|error| !is_seen(error)) {
            field_error_ui(ui, ctx, error);
        }
        let Some(conflict) = conflict else { return };
        for writer in &conflict.writers {
            line_ui(ui, icon::USER, ctx.tokens.dim, writer, ctx.tokens.text);
        }
        for change in &conflict.changes {
            let said = change.to_string();
            line_ui(
                ui,
                icon::PENCIL_SIMPLE,
                ctx.tokens.dim,
                &said,
                ctx.tokens.text,
            );
        }
    });
    let again = match dialog.form {
        Form::Change(_) => "Start over",
        _ => "Try again",
    };
    ui.horizontal(|ui| {
        if let Some(now) = conflict.and_then(|conflict| conflict.now.as_ref()) {
            let hint = "Keeps what was filled in, and all else as it is now";
            if ui.button("Plan again").on_hover_text(hint).clicked()
                && let Some(wish) = dialog.rebase(&now.record)
            {
                ctx.send(Action::PlanEdit(wish));
            }
        }
        if ui
            .button(again)
            .on_hover_text("Plan again from the Service as it is now")
            .clicked()
        {
            ctx.send(Action::CloseDialog);
            ctx.send(Action::OpenEdit(dialog.reopening()));
        }
    });
}
