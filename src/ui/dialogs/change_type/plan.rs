//! What the change would do, what the server says to it, and what it did.

use egui::{Label, RichText, Ui};
use egui_phosphor::regular as icon;

use super::ChangeType;
use crate::{
    edit::{FieldError, Outcome, Plan, Via, WantedType, Way, Written},
    engine::{EditStatus, EditStep},
    inventory::{ServiceRecord, Text},
    ui::{
        action::Action,
        context::Ctx,
        theme::State,
        widgets::{dim, notice, primary_button, section, state_label},
        words,
    },
};

fn status<'a>(ctx: &Ctx<'a>, dialog: &ChangeType) -> Option<&'a EditStatus> {
    let id = dialog.edit()?;
    ctx.scene.edits.iter().find(|edit| edit.id == id)
}

/// Whether it is applied, so that the form asks for nothing more.
pub(super) fn is_over(ctx: &Ctx<'_>, dialog: &ChangeType) -> bool {
    status(ctx, dialog).is_some_and(|status| {
        matches!(
            status.step,
            EditStep::Applied(_) | EditStep::Applying { .. }
        )
    })
}

/// Draws how the plan stands.
pub(super) fn plan_ui(ui: &mut Ui, ctx: &Ctx<'_>, dialog: &mut ChangeType) {
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
            preview_ui(ui, ctx, preview);
            ui.add_space(10.0);
            apply_ui(ui, ctx, dialog, plan, status);
        }
        EditStep::Applying { plan } => {
            effects_ui(ui, ctx, plan);
            waiting_ui(ui, ctx, "Writing, then reading back…");
        }
        EditStep::Applied(outcome) => applied_ui(ui, ctx, outcome, status.entry),
        EditStep::Failed {
            reason,
            fields,
            ways,
            ..
        } => {
            failed_ui(ui, ctx, dialog, reason, fields);
            ways_ui(ui, ctx, dialog, ways);
        }
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
}

fn line_ui(ui: &mut Ui, glyph: &str, color: egui::Color32, text: &str, text_color: egui::Color32) {
    ui.horizontal_top(|ui| {
        ui.label(RichText::new(glyph).color(color));
        ui.add(Label::new(RichText::new(text).color(text_color)).wrap());
    });
}

fn preview_ui(ui: &mut Ui, ctx: &Ctx<'_>, preview: &Written) {
    section(ui, ctx.tokens, "What the server says");
    state_label(
        ui,
        ctx.tokens,
        State::Healthy,
        "It would accept the change (dry run)",
    );
    dim(ui, ctx.tokens, described(&preview.service));
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

fn apply_ui(ui: &mut Ui, ctx: &Ctx<'_>, dialog: &mut ChangeType, plan: &Plan, status: &EditStatus) {
    let disabled = ctx.no_edit();
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
    notice(ui, ctx.tokens, ctx.tokens.degraded, |ui| {
        ui.add(Label::new(question(ctx, dialog, plan)).wrap());
        for loss in &plan.losses {
            line_ui(ui, icon::MINUS, ctx.tokens.broken, loss, ctx.tokens.text);
        }
        ui.horizontal(|ui| {
            if primary_button(ui, ctx.tokens, "Yes, change it", disabled.as_ref()).clicked() {
                ctx.send(Action::ApplyEdit(status.id));
            }
            if ui.button("Not yet").clicked() {
                dialog.confirming = false;
            }
        });
    });
}

/// Names the context, the namespace, the Service and the effect.
fn question(ctx: &Ctx<'_>, dialog: &ChangeType, plan: &Plan) -> String {
    let key = dialog.service();
    format!(
        "In context {}, namespace {}: change Service {} from {} to {}?",
        ctx.scene.context.as_deref().unwrap_or("(none)"),
        key.namespace,
        key.name,
        dialog.from().type_word(),
        plan.expected
            .as_ref()
            .map_or("nothing", |after| WantedType::of(after).as_str()),
    )
}

fn applied_ui(ui: &mut Ui, ctx: &Ctx<'_>, outcome: &Outcome, entry: Option<u64>) {
    if let Some(after) = &outcome.after {
        let after = &after.record;
        let said = format!("Service {} is {} now", after.key, after.type_word());
        state_label(ui, ctx.tokens, State::Healthy, &said);
        dim(
            ui,
            ctx.tokens,
            format!("Read back from the server: {}", described(after)),
        );
    }
    warnings_ui(ui, ctx, &outcome.warnings);
    ui.add_space(10.0);
    ui.horizontal(|ui| {
        if primary_button(ui, ctx.tokens, "Done", None).clicked() {
            ctx.send(Action::CloseDialog);
        }
        let Some(entry) = entry else { return };
        let undo = &outcome.plan.undo;
        let hint = if undo.losses.is_empty() {
            undo.sentence.to_string()
        } else {
            format!("{}; not: {}", undo.sentence, undo.losses.join(", "))
        };
        if ui.button("Undo…").on_hover_text(hint).clicked() {
            ctx.send(Action::CloseDialog);
            ctx.send(Action::UndoChange(outcome.plan.service.clone(), entry));
        }
    });
}

/// The two ways to headless and away from it, each with its price.
fn ways_ui(ui: &mut Ui, ctx: &Ctx<'_>, dialog: &mut ChangeType, ways: &[Way]) {
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
            && let Some(change) = dialog.go(way.via)
        {
            ctx.send(Action::PlanEdit(dialog.service().clone(), change));
        }
    }
}

fn failed_ui(ui: &mut Ui, ctx: &Ctx<'_>, dialog: &ChangeType, reason: &str, fields: &[FieldError]) {
    ui.add_space(8.0);
    let color = ctx.tokens.broken;
    notice(ui, ctx.tokens, color, |ui| {
        ui.add(
            Label::new(RichText::new(format!("{} {reason}", icon::X_CIRCLE)).color(color)).wrap(),
        );
        for error in fields {
            ui.horizontal_top(|ui| {
                ui.label(RichText::new(&*error.field).monospace());
                ui.add(Label::new(RichText::new(&*error.message)).wrap());
            });
        }
    });
    ui.horizontal(|ui| {
        if ui
            .button("Start over")
            .on_hover_text("Plan again from the Service as it is now")
            .clicked()
        {
            ctx.send(Action::CloseDialog);
            ctx.send(Action::OpenChangeType(dialog.service().clone(), None));
        }
    });
}
