//! What the change would do, what the server says to it, and what it did.

use egui::{Label, RichText, Ui};
use egui_phosphor::regular as icon;

use super::{
    EditDialogMode, EditForm, EditPage, EditServiceDialog,
    diagram::{ChangeDiagram, diagram_ui},
    diff::{diff_ui, yaml_diff_rows},
};
use crate::{
    action::WindowAction,
    context::PanelContext,
    formatting,
    theme::Health,
    widgets::{dim, named_field, notice, primary_button, section, state_label, text_field},
};
use svcscope_edit::{
    ChangeOutcome, ChangePlan, EditConflict, FieldError, MigrationOption, MigrationPath,
    WriteResponse, yaml_diff,
};
use svcscope_engine::{EditId, EditState, EditStatus, EngineCommand, preview_diff};
use svcscope_model::inventory::{ServiceRecord, SharedStr};

/// What was worked out of a plan for the screen, once.
#[derive(Debug, Default)]
pub(super) struct PlanPreview {
    computed_for: Option<EditId>,
    diagram: ChangeDiagram,
    rows: Vec<(Option<String>, Option<String>, bool)>,
}

impl PlanPreview {
    fn refresh(
        &mut self,
        ctx: &PanelContext<'_>,
        id: EditId,
        plan: &ChangePlan,
        preview: &WriteResponse,
    ) {
        if self.computed_for.replace(id) == Some(id) {
            return;
        }
        let before = plan.before.as_ref();
        let goes_away = plan.projected_service.is_none();
        let now = ctx.scene.topology.service(&plan.service);
        let diff = preview_diff(&ctx.scene.inventory, plan);
        self.diagram = ChangeDiagram::of(now.map(AsRef::as_ref), &diff);
        let lines = yaml_diff(
            before.map(|known| &*known.object),
            (!goes_away).then_some(&preview.object),
        );
        self.rows = yaml_diff_rows(&lines);
    }
}

fn status<'a>(ctx: &PanelContext<'a>, dialog: &EditServiceDialog) -> Option<&'a EditStatus> {
    let id = dialog.edit_id()?;
    ctx.scene.edits.iter().find(|edit| edit.id == id)
}

/// Whether it is applied, so that the form asks for nothing more.
pub(super) fn is_applied_or_applying(ctx: &PanelContext<'_>, dialog: &EditServiceDialog) -> bool {
    status(ctx, dialog).is_some_and(|status| {
        matches!(
            status.step,
            EditState::Applied(_) | EditState::Applying { .. }
        )
    })
}

/// What is wrong with what is filled in, by field, where it was planned.
pub(super) fn field_errors<'a>(
    ctx: &PanelContext<'a>,
    dialog: &EditServiceDialog,
) -> &'a [FieldError] {
    match status(ctx, dialog).map(|status| &status.step) {
        Some(EditState::Failed { fields, .. }) if dialog.is_current() => fields,
        _ => &[],
    }
}

/// Draws what is wrong with a field.
pub(super) fn field_error_ui(ui: &mut Ui, ctx: &PanelContext<'_>, error: &FieldError) {
    ui.horizontal_top(|ui| {
        let color = ctx.tokens.broken;
        ui.label(RichText::new(&*error.field).monospace().color(color));
        ui.add(Label::new(RichText::new(&*error.message).color(color)).wrap());
    });
}

/// Draws how the plan stands.
pub(super) fn plan_ui(ui: &mut Ui, ctx: &PanelContext<'_>, dialog: &mut EditServiceDialog) {
    if !is_applied_or_applying(ctx, dialog) && !dialog.is_current() {
        return;
    }
    let Some(status) = status(ctx, dialog) else {
        if dialog.edit_id().is_some() {
            waiting_ui(ui, ctx, "Planning…");
        }
        return;
    };
    match &status.step {
        EditState::Planning => waiting_ui(ui, ctx, "Planning…"),
        EditState::DryRunning { plan } => {
            effects_ui(ui, ctx, plan);
            waiting_ui(ui, ctx, "Asking the server by a dry run…");
        }
        EditState::Ready { plan, preview } => {
            effects_ui(ui, ctx, plan);
            preview_ui(ui, ctx, plan, preview);
            dialog.preview.refresh(ctx, status.id, plan, preview);
            section(ui, ctx.tokens, "On the map");
            diagram_ui(ui, ctx, &dialog.preview.diagram);
            ui.collapsing("YAML before and after", |ui| {
                diff_ui(ui, ctx, &dialog.preview.rows);
            });
            ui.add_space(10.0);
            apply_ui(ui, ctx, dialog, plan, status);
        }
        EditState::Applying { plan } => {
            effects_ui(ui, ctx, plan);
            waiting_ui(ui, ctx, "Writing, then reading back…");
        }
        EditState::Applied(outcome) => applied_ui(ui, ctx, outcome, status.audit_number),
        EditState::Failed {
            migration_options: ways,
            ..
        } if !ways.is_empty() => migration_options_ui(ui, ctx, dialog, ways),
        EditState::Failed {
            reason,
            fields,
            conflict,
            ..
        } => failed_ui(ui, ctx, dialog, reason, fields, conflict.as_deref()),
    }
}

fn waiting_ui(ui: &mut Ui, ctx: &PanelContext<'_>, what: &str) {
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        ui.spinner();
        dim(ui, ctx.tokens, what);
    });
}

fn effects_ui(ui: &mut Ui, ctx: &PanelContext<'_>, plan: &ChangePlan) {
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
fn undo_sentence(plan: &ChangePlan) -> String {
    let undo = &plan.undo_assessment;
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

fn preview_ui(ui: &mut Ui, ctx: &PanelContext<'_>, plan: &ChangePlan, preview: &WriteResponse) {
    section(ui, ctx.tokens, "What the server says");
    state_label(
        ui,
        ctx.tokens,
        Health::Healthy,
        "It would accept the change (dry run)",
    );
    if plan.projected_service.is_some() {
        dim(ui, ctx.tokens, describe_service(&preview.service));
    }
    warnings_ui(ui, ctx, &preview.warnings);
}

fn warnings_ui(ui: &mut Ui, ctx: &PanelContext<'_>, warnings: &[SharedStr]) {
    let color = ctx.tokens.degraded;
    for warning in warnings {
        line_ui(ui, icon::WARNING, color, warning, color);
    }
}

/// `NodePort · 10.96.0.7 · http 80 → nodePort 30080`.
fn describe_service(service: &ServiceRecord) -> String {
    let mut parts = vec![service.type_word().to_owned()];
    parts.extend(service.virtual_ips().map(ToString::to_string));
    parts.extend(service.external_name.iter().map(|name| format!("→ {name}")));
    for port in &service.ports {
        if let Some(node_port) = port.node_port {
            parts.push(format!(
                "{} → nodePort {node_port}",
                formatting::port_label(port)
            ));
        }
    }
    parts.join(" · ")
}

fn apply_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    dialog: &mut EditServiceDialog,
    plan: &ChangePlan,
    status: &EditStatus,
) {
    let mut disabled = ctx.edit_refusal();
    if !dialog.is_confirming {
        ui.horizontal(|ui| {
            if primary_button(ui, ctx.tokens, "Apply…", disabled.as_ref()).clicked() {
                dialog.is_confirming = true;
            }
            if ui.button("Cancel").clicked() {
                ctx.send(WindowAction::CloseDialog);
            }
        });
        return;
    }
    let (color, asks_name) = if ctx.scene.production {
        (ctx.tokens.broken, true)
    } else {
        (ctx.tokens.degraded, plan.projected_service.is_none())
    };
    notice(ui, ctx.tokens, color, |ui| {
        ui.add(Label::new(confirmation_question(ctx, plan)).wrap());
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
            let yes = match (&plan.before, &plan.projected_service) {
                (_, None) => "Yes, delete it",
                (None, _) => "Yes, create it",
                _ => "Yes, change it",
            };
            if primary_button(ui, ctx.tokens, yes, disabled.as_ref()).clicked() {
                ctx.send(if ctx.scene.production {
                    let name = SharedStr::from(dialog.typed_name.trim());
                    WindowAction::Send(EngineCommand::ApplyEditByName(status.id, name))
                } else {
                    WindowAction::ApplyEdit(status.id)
                });
            }
            if ui.button("Not yet").clicked() {
                dialog.is_confirming = false;
            }
        });
    });
}

/// Names the context, the namespace, the Service and the effect.
fn confirmation_question(ctx: &PanelContext<'_>, plan: &ChangePlan) -> String {
    format!(
        "In context {}, namespace {}: {}?",
        ctx.scene.context.as_deref().unwrap_or("(none)"),
        plan.service.namespace,
        plan.title
    )
}

fn applied_ui(ui: &mut Ui, ctx: &PanelContext<'_>, outcome: &ChangeOutcome, entry: Option<u64>) {
    let key = &outcome.plan.service;
    match &outcome.after {
        Some(after) => {
            let after = &after.record;
            let said = format!("Service {key} is {} now", after.type_word());
            state_label(ui, ctx.tokens, Health::Healthy, &said);
            let said = format!("Read back from the server: {}", describe_service(after));
            dim(ui, ctx.tokens, said);
        }
        None => {
            let said = format!("Service {key} is deleted");
            state_label(ui, ctx.tokens, Health::Healthy, &said);
        }
    }
    warnings_ui(ui, ctx, &outcome.warnings);
    rollout_ui(ui, ctx, outcome);
    ui.add_space(10.0);
    ui.horizontal(|ui| {
        if primary_button(ui, ctx.tokens, "Done", None).clicked() {
            ctx.send(WindowAction::CloseDialog);
        }
        let Some(entry) = entry else { return };
        let hint = undo_sentence(&outcome.plan);
        if ui.button("Undo…").on_hover_text(hint).clicked() {
            ctx.send(WindowAction::CloseDialog);
            ctx.send(WindowAction::OpenEdit(EditDialogMode::Undo(
                key.clone(),
                entry,
            )));
        }
    });
}

/// Rollout in the cluster, as the watches tell: addresses, nodePorts, endpoints.
fn rollout_ui(ui: &mut Ui, ctx: &PanelContext<'_>, outcome: &ChangeOutcome) {
    let Some(traffic) = ctx.scene.topology.service(&outcome.plan.service) else {
        return;
    };
    section(ui, ctx.tokens, "Rollout in the cluster");
    for entry in &traffic.entry_points {
        let (state, said) = if entry.is_pending() {
            (
                Health::Degraded,
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
                Health::Healthy,
                format!("{}: {at}{addresses}", entry.id.kind.label()),
            )
        };
        state_label(ui, ctx.tokens, state, &said);
    }
    for port in &traffic.ports {
        let (ready, all) = (port.ready(), port.all());
        let state = if ready > 0 {
            Health::Healthy
        } else {
            Health::Degraded
        };
        let said = format!(
            "{}: {ready} of {all} endpoints ready",
            formatting::port_label(&port.port)
        );
        state_label(ui, ctx.tokens, state, &said);
    }
}

/// The two ways to headless and away from it, each with its price.
fn migration_options_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    dialog: &mut EditServiceDialog,
    ways: &[MigrationOption],
) {
    section(ui, ctx.tokens, "Two ways to migrate, each with a cost");
    let said = "A Service keeps its clusterIP, or that it has none, for as long as its type has one: \
                the API server allows no direct change.";
    ui.add(Label::new(RichText::new(said).color(ctx.tokens.dim)).wrap());
    for way in ways {
        let label = match way.path {
            MigrationPath::ExternalName => "Through ExternalName",
            MigrationPath::Recreate => "Delete and create again",
        };
        ui.add_space(6.0);
        for price in &way.costs {
            line_ui(ui, icon::MINUS, ctx.tokens.broken, price, ctx.tokens.text);
        }
        if ui.button(label).clicked()
            && let Some(request) = dialog.choose_migration_option(way.path)
        {
            ctx.send(WindowAction::PlanEdit(request));
        }
    }
}

fn failed_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    dialog: &mut EditServiceDialog,
    reason: &str,
    fields: &[FieldError],
    conflict: Option<&EditConflict>,
) {
    ui.add_space(8.0);
    let color = ctx.tokens.broken;
    notice(ui, ctx.tokens, color, |ui| {
        ui.add(
            Label::new(RichText::new(format!("{} {reason}", icon::X_CIRCLE)).color(color)).wrap(),
        );
        // Those of the open page stand at their fields.
        let is_seen = |error: &FieldError| match &dialog.form {
            EditForm::Change(form) => EditPage::of_field(&error.field) == form.page,
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
        EditForm::Change(_) => "Start over",
        _ => "Try again",
    };
    ui.horizontal(|ui| {
        if let Some(now) = conflict.and_then(|conflict| conflict.current.as_ref()) {
            let hint = "Keeps what was filled in, and all else as it is now";
            if ui.button("Plan again").on_hover_text(hint).clicked()
                && let Some(request) = dialog.rebase(&now.record)
            {
                ctx.send(WindowAction::PlanEdit(request));
            }
        }
        if ui
            .button(again)
            .on_hover_text("Plan again from the Service as it is now")
            .clicked()
        {
            ctx.send(WindowAction::CloseDialog);
            ctx.send(WindowAction::OpenEdit(dialog.reopen_mode()));
        }
    });
}
