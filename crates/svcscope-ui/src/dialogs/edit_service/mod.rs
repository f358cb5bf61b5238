//! Changing a Service, or making or deleting one: filled in, planned, tried at the server,
//! confirmed, read back, followed.
//!
//! **In**: what the dialog was opened on ([`EditDialogMode`]) and the scene. **Out**: an [`EditRequest`] for
//! the engine, and the order to apply what it planned. The pages fill a `draft`; `plan` shows what
//! came of it, with the YAML side by side (`diff`) and the map (`sketch`).

mod create;
mod diagram;
mod diff;
mod draft;
mod edit_request;
mod pairs;
mod plan;
mod ports_page;
mod selector_page;
mod selector_preview;
mod traffic_page;
mod type_page;
mod yaml_page;

use std::sync::Arc;

use egui::{Button, RichText, Stroke, Ui, WidgetInfo, WidgetType};

use self::{
    create::ExposeDraft,
    draft::{KeyValuePairs, ServiceDraft},
    plan::PlanPreview,
    selector_preview::SelectorPreview,
    yaml_page::YamlDraft,
};
use super::modal_ui;
use crate::{action::WindowAction, context::PanelContext, widgets::primary_button};
use svcscope_edit::{FieldError, MigrationPath};
use svcscope_engine::{EditId, Scene};
use svcscope_model::inventory::{ObjectKey, ServiceRecord, SharedStr};

pub use edit_request::{EditDialogMode, EditPage, EditRequest};

/// The dialog: a form and the plan that was made of it.
#[derive(Debug)]
pub struct EditServiceDialog {
    form: EditForm,
    planned_request: Option<(EditId, EditRequest)>,
    /// The user has asked to apply and is asked once more.
    is_confirming: bool,
    /// The Service's name as typed, where that is asked for.
    typed_name: String,
    preview: PlanPreview,
}

/// What there is to fill in.
#[derive(Debug)]
enum EditForm {
    Change(Box<ChangeServiceForm>),
    Duplicate(ObjectKey, String),
    Expose(SharedStr, ObjectKey, ExposeDraft),
    /// Nothing: planned as it is.
    None(EditRequest),
}

/// The pages of a change.
#[derive(Debug)]
struct ChangeServiceForm {
    page: EditPage,
    draft: ServiceDraft,
    selector_preview: SelectorPreview,
    yaml: Option<YamlDraft>,
}

impl ChangeServiceForm {
    fn edit_request(&self) -> Result<EditRequest, SharedStr> {
        let wanted = match (self.page, &self.yaml) {
            (EditPage::Yaml, Some(yaml)) => yaml.desired_state(&self.draft)?,
            _ => None,
        };
        let wanted = match wanted {
            Some(wanted) => wanted,
            None => self.draft.desired_state()?,
        };
        Ok(EditRequest::Change(
            self.draft.original.key.clone(),
            Box::new(wanted),
        ))
    }

    /// Whether there is anything to plan.
    fn has_changes(&self) -> bool {
        let is_typed = |yaml: &YamlDraft| !matches!(yaml.desired_state(&self.draft), Ok(None));
        match (self.page, &self.yaml) {
            (EditPage::Yaml, Some(yaml)) => is_typed(yaml),
            _ => {
                self.draft.desired_type.is_some()
                    || self.draft.desired_state().is_err()
                    || self.draft.is_changed()
            }
        }
    }
}

impl EditServiceDialog {
    /// The dialog, and what to plan at once; nothing where the Service is not there any more.
    pub fn open(scene: &Scene, opening: EditDialogMode) -> Option<(Self, Option<EditRequest>)> {
        let service = |key: &ObjectKey| scene.inventory.service(key);
        let change = |page, draft| {
            EditForm::Change(Box::new(ChangeServiceForm {
                page,
                draft,
                selector_preview: SelectorPreview::default(),
                yaml: None,
            }))
        };
        let mut mends = false;
        let form = match opening {
            EditDialogMode::Type(key, wanted) => {
                let mut draft = ServiceDraft::new(service(&key)?);
                if let Some(wanted) = wanted {
                    draft.choose_type(wanted);
                }
                change(EditPage::Type, draft)
            }
            EditDialogMode::ApplyFix(key, fix) => {
                let mut draft = ServiceDraft::new(service(&key)?);
                let page = draft.apply_fix(&fix);
                mends = true;
                change(page, draft)
            }
            EditDialogMode::Page(key, page) => change(page, ServiceDraft::new(service(&key)?)),
            EditDialogMode::Delete(key) => {
                EditForm::None(EditRequest::Delete(service(&key)?.key.clone()))
            }
            EditDialogMode::Duplicate(key) => {
                let name = create::copy_name(&ServiceDraft::new(service(&key)?));
                EditForm::Duplicate(key, name)
            }
            EditDialogMode::Expose(kind, key) => {
                let draft = ExposeDraft::new(scene, &kind, &key);
                EditForm::Expose(kind, key, draft)
            }
            EditDialogMode::Undo(key, entry) => EditForm::None(EditRequest::Undo(key, entry)),
        };
        let dialog = Self {
            form,
            planned_request: None,
            is_confirming: false,
            typed_name: String::new(),
            preview: PlanPreview::default(),
        };
        let at_once = match &dialog.form {
            EditForm::None(request) => Some(request.clone()),
            EditForm::Change(form) if mends || form.draft.desired_type.is_some() => {
                form.edit_request().ok()
            }
            _ => None,
        };
        Some((dialog, at_once))
    }

    /// The edit that the dialog follows.
    pub fn edit_id(&self) -> Option<EditId> {
        self.planned_request.as_ref().map(|(id, _)| *id)
    }

    /// Follows the plan of this request; gives back the one followed before.
    pub fn follow(&mut self, id: EditId, request: EditRequest) -> Option<EditId> {
        self.is_confirming = false;
        self.typed_name.clear();
        self.planned_request
            .replace((id, request))
            .map(|(old, _)| old)
    }

    /// What is filled in, or what is missing.
    fn edit_request(&self) -> Result<EditRequest, SharedStr> {
        match &self.form {
            EditForm::Change(form) => form.edit_request(),
            EditForm::Duplicate(key, name) => Ok(EditRequest::Duplicate(
                key.clone(),
                create::parse_name(name)?,
            )),
            EditForm::Expose(kind, key, draft) => Ok(EditRequest::Expose(
                kind.clone(),
                key.clone(),
                draft.exposure()?,
            )),
            EditForm::None(request) => Ok(request.clone()),
        }
    }

    /// Whether what is filled in is what was planned.
    fn is_current(&self) -> bool {
        let planned = self.planned_request.as_ref().map(|(_, request)| request);
        planned.is_some_and(|planned| self.edit_request().as_ref() == Ok(planned))
    }

    /// Wants this way to the type; gives back what to plan.
    fn choose_migration_option(&mut self, via: MigrationPath) -> Option<EditRequest> {
        let EditForm::Change(form) = &mut self.form else {
            return None;
        };
        form.draft.via = Some(via);
        self.edit_request().ok()
    }

    /// Goes over to the Service as it is now with what was filled in; gives back what to plan. Text
    /// that was typed as YAML stays, and is planned only where nobody changed the same.
    fn rebase(&mut self, now: &Arc<ServiceRecord>) -> Option<EditRequest> {
        let EditForm::Change(form) = &mut self.form else {
            return None;
        };
        form.draft = form.draft.clone().rebased_onto(now);
        self.edit_request().ok()
    }

    /// How to open it again on the Service as it is by then.
    fn reopen_mode(&self) -> EditDialogMode {
        match &self.form {
            EditForm::Change(form) => {
                EditDialogMode::Page(form.draft.original.key.clone(), form.page)
            }
            EditForm::Duplicate(key, _) => EditDialogMode::Duplicate(key.clone()),
            EditForm::Expose(kind, key, _) => EditDialogMode::Expose(kind.clone(), key.clone()),
            EditForm::None(EditRequest::Undo(key, entry)) => {
                EditDialogMode::Undo(key.clone(), *entry)
            }
            EditForm::None(request) => EditDialogMode::Delete(request.service().clone()),
        }
    }

    fn title(&self) -> String {
        match &self.form {
            EditForm::Change(form) => format!("Change Service {}", form.draft.original.key),
            EditForm::Duplicate(key, _) => format!("Duplicate Service {key}"),
            EditForm::Expose(kind, key, _) => format!("Expose {} {key}", kind.to_lowercase()),
            EditForm::None(request) => request.title(),
        }
    }
}

/// Draws the dialog.
pub fn edit_service_ui(
    egui: &egui::Context,
    ctx: &PanelContext<'_>,
    dialog: &mut EditServiceDialog,
) {
    let title = dialog.title();
    modal_ui(egui, ctx, &title, 720.0, |ui| {
        let room = (ui.ctx().content_rect().height() - 160.0).max(160.0);
        egui::ScrollArea::vertical()
            .id_salt("edit service")
            .max_height(room)
            .show(ui, |ui| {
                if !plan::is_applied_or_applying(ctx, dialog) {
                    form_ui(ui, ctx, dialog);
                }
                plan::plan_ui(ui, ctx, dialog);
            });
    });
    let found = match &dialog.form {
        EditForm::Change(form)
            if form.page == EditPage::Selector && !plan::is_applied_or_applying(ctx, dialog) =>
        {
            form.selector_preview.pods.as_ref().ok()
        }
        _ => None,
    };
    if found != ctx.view.highlighted_pods.as_deref() {
        ctx.send(WindowAction::HighlightPods(found.cloned()));
    }
}

fn form_ui(ui: &mut Ui, ctx: &PanelContext<'_>, dialog: &mut EditServiceDialog) {
    let mut chosen = false;
    let errors = plan::field_errors(ctx, dialog);
    let is_touched = match &mut dialog.form {
        EditForm::Change(form) => {
            pages_ui(ui, ctx, &mut form.page, errors);
            chosen = page_ui(ui, ctx, form, errors);
            form.has_changes()
        }
        EditForm::Duplicate(_, name) => {
            create::name_ui(ui, ctx, name);
            true
        }
        EditForm::Expose(_, _, draft) => {
            create::expose_ui(ui, ctx, draft);
            true
        }
        EditForm::None(_) => false,
    };
    if !is_touched || dialog.is_current() {
        return;
    }
    let request = dialog.edit_request();
    if chosen && ctx.edit_refusal().is_none() {
        // A type that needs nothing more is planned at once.
        if let Ok(request) = request {
            ctx.send(WindowAction::PlanEdit(request));
        }
        return;
    }
    ui.add_space(6.0);
    let disabled = request
        .as_ref()
        .err()
        .cloned()
        .or_else(|| ctx.edit_refusal());
    if let Some(reason) = &disabled {
        ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
    }
    let clicked = primary_button(ui, ctx.tokens, "Check with the server", disabled.as_ref())
        .on_hover_text("Plans the change and tries it by a dry run; nothing is changed yet")
        .clicked();
    if clicked && let Ok(request) = request {
        ctx.send(WindowAction::PlanEdit(request));
    }
}

fn pages_ui(ui: &mut Ui, ctx: &PanelContext<'_>, open: &mut EditPage, errors: &[FieldError]) {
    ui.horizontal_wrapped(|ui| {
        for page in EditPage::ALL {
            let is_open = *open == page;
            let is_wrong = errors
                .iter()
                .any(|error| EditPage::of_field(&error.field) == page);
            let color = match (is_wrong, is_open) {
                (true, _) => ctx.tokens.broken,
                (_, true) => ctx.tokens.text,
                _ => ctx.tokens.dim,
            };
            let button = Button::new(RichText::new(page.name()).color(color)).frame(false);
            let response = ui.add(button);
            response.widget_info(|| {
                WidgetInfo::selected(WidgetType::RadioButton, true, is_open, page.name())
            });
            if is_open {
                let stroke = Stroke::new(2.0, ctx.tokens.accent);
                let rect = response.rect;
                ui.painter()
                    .hline(rect.x_range(), rect.bottom() + 3.0, stroke);
            }
            if response.clicked() {
                *open = page;
            }
            ui.add_space(8.0);
        }
    });
    ui.add_space(8.0);
}

/// Draws the open page; says whether a type was chosen.
fn page_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    form: &mut ChangeServiceForm,
    errors: &[FieldError],
) -> bool {
    let pairs = |ui: &mut Ui, title: &str, pairs: &mut KeyValuePairs, what: &str| {
        ui.push_id(title, |ui| {
            crate::widgets::section(ui, ctx.tokens, title);
            pairs::pairs_ui(ui, ctx, pairs, what);
        });
    };
    let draft = &mut form.draft;
    match form.page {
        EditPage::Type => return type_page::type_ui(ui, ctx, draft),
        EditPage::Ports => {
            ports_page::ports_ui(ui, ctx, draft, &mut form.selector_preview, errors);
            return false;
        }
        EditPage::Selector => {
            selector_page::selector_ui(ui, ctx, draft, &mut form.selector_preview)
        }
        EditPage::Traffic => traffic_page::traffic_ui(ui, ctx, draft),
        EditPage::Labels => {
            pairs(ui, "Labels", &mut draft.labels, "label");
            pairs(ui, "Annotations", &mut draft.annotations, "annotation");
        }
        EditPage::Yaml => yaml_page::yaml_ui(ui, ctx, draft, &mut form.yaml),
    }
    for error in errors {
        if EditPage::of_field(&error.field) == form.page {
            plan::field_error_ui(ui, ctx, error);
        }
    }
    false
}
