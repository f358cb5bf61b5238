//! Changing a Service, or making or deleting one: filled in, planned, tried at the server,
//! confirmed, read back, followed.
//!
//! **In**: what the dialog was opened on ([`Opening`]) and the scene. **Out**: an [`EditWish`] for
//! the engine, and the order to apply what it planned. The pages fill a `draft`; `plan` shows what
//! came of it, with the YAML side by side (`diff`) and the map (`sketch`).

mod create;
mod diff;
mod draft;
mod finds;
mod pairs;
mod plan;
mod ports_page;
mod selector_page;
mod sketch;
mod traffic_page;
mod type_page;
mod wish;
mod yaml_page;

use std::sync::Arc;

use egui::{Button, RichText, Stroke, Ui, WidgetInfo, WidgetType};

use self::{
    create::ExposeDraft,
    draft::{Draft, Pairs},
    finds::Finds,
    plan::Shown,
    yaml_page::YamlDraft,
};
use super::modal_ui;
use crate::{
    edit::{FieldError, Via},
    engine::{EditId, Scene},
    inventory::{ObjectKey, ServiceRecord, Text},
    ui::{action::Action, context::Ctx, widgets::primary_button},
};

pub use wish::{EditWish, Opening, Page};

/// The dialog: a form and the plan that was made of it.
#[derive(Debug)]
pub struct EditService {
    form: Form,
    planned: Option<(EditId, EditWish)>,
    /// The person has asked to apply and is asked once more.
    confirming: bool,
    /// The Service's name as typed, where that is asked for.
    typed_name: String,
    shown: Shown,
}

/// What there is to fill in.
#[derive(Debug)]
enum Form {
    Change(Box<Change>),
    Duplicate(ObjectKey, String),
    Expose(Text, ObjectKey, ExposeDraft),
    /// Nothing: planned as it is.
    None(EditWish),
}

/// The pages of a change.
#[derive(Debug)]
struct Change {
    page: Page,
    draft: Draft,
    finds: Finds,
    yaml: Option<YamlDraft>,
}

impl Change {
    fn wish(&self) -> Result<EditWish, Text> {
        let wanted = match (self.page, &self.yaml) {
            (Page::Yaml, Some(yaml)) => yaml.wanted(&self.draft)?,
            _ => None,
        };
        let wanted = match wanted {
            Some(wanted) => wanted,
            None => self.draft.wanted()?,
        };
        Ok(EditWish::Change(
            self.draft.from.key.clone(),
            Box::new(wanted),
        ))
    }

    /// Whether there is anything to plan.
    fn is_touched(&self) -> bool {
        let is_typed = |yaml: &YamlDraft| !matches!(yaml.wanted(&self.draft), Ok(None));
        match (self.page, &self.yaml) {
            (Page::Yaml, Some(yaml)) => is_typed(yaml),
            _ => self.draft.to.is_some() || self.draft.wanted().is_err() || self.draft.is_changed(),
        }
    }
}

impl EditService {
    /// The dialog, and what to plan at once; nothing where the Service is not there any more.
    pub fn open(scene: &Scene, opening: Opening) -> Option<(Self, Option<EditWish>)> {
        let service = |key: &ObjectKey| scene.inventory.service(key);
        let change = |page, draft| {
            Form::Change(Box::new(Change {
                page,
                draft,
                finds: Finds::default(),
                yaml: None,
            }))
        };
        let mut mends = false;
        let form = match opening {
            Opening::Type(key, wanted) => {
                let mut draft = Draft::new(service(&key)?);
                if let Some(wanted) = wanted {
                    draft.choose(wanted);
                }
                change(Page::Type, draft)
            }
            Opening::Mend(key, fix) => {
                let mut draft = Draft::new(service(&key)?);
                let page = draft.mend(&fix);
                mends = true;
                change(page, draft)
            }
            Opening::Page(key, page) => change(page, Draft::new(service(&key)?)),
            Opening::Delete(key) => Form::None(EditWish::Delete(service(&key)?.key.clone())),
            Opening::Duplicate(key) => {
                let name = create::copy_name(&Draft::new(service(&key)?));
                Form::Duplicate(key, name)
            }
            Opening::Expose(kind, key) => {
                let draft = ExposeDraft::new(scene, &kind, &key);
                Form::Expose(kind, key, draft)
            }
            Opening::Undo(key, entry) => Form::None(EditWish::Undo(key, entry)),
        };
        let dialog = Self {
            form,
            planned: None,
            confirming: false,
            typed_name: String::new(),
            shown: Shown::default(),
        };
        let at_once = match &dialog.form {
            Form::None(wish) => Some(wish.clone()),
            Form::Change(form) if mends || form.draft.to.is_some() => form.wish().ok(),
            _ => None,
        };
        Some((dialog, at_once))
    }

    /// The edit that the dialog follows.
    pub fn edit(&self) -> Option<EditId> {
        self.planned.as_ref().map(|(id, _)| *id)
    }

    /// Follows the plan of this wish; gives back the one followed before.
    pub fn follow(&mut self, id: EditId, wish: EditWish) -> Option<EditId> {
        self.confirming = false;
        self.typed_name.clear();
        self.planned.replace((id, wish)).map(|(old, _)| old)
    }

    /// What is filled in, or what is missing.
    fn wish(&self) -> Result<EditWish, Text> {
        match &self.form {
            Form::Change(form) => form.wish(),
            Form::Duplicate(key, name) => Ok(EditWish::Duplicate(key.clone(), create::name(name)?)),
            Form::Expose(kind, key, draft) => Ok(EditWish::Expose(
                kind.clone(),
                key.clone(),
                draft.exposure()?,
            )),
            Form::None(wish) => Ok(wish.clone()),
        }
    }

    /// Whether what is filled in is what was planned.
    fn is_current(&self) -> bool {
        let planned = self.planned.as_ref().map(|(_, wish)| wish);
        planned.is_some_and(|planned| self.wish().as_ref() == Ok(planned))
    }

    /// Wants this way to the type; gives back what to plan.
    fn go(&mut self, via: Via) -> Option<EditWish> {
        let Form::Change(form) = &mut self.form else {
            return None;
        };
        form.draft.via = Some(via);
        self.wish().ok()
    }

    /// Goes over to the Service as it is now with what was filled in; gives back what to plan. Text
    /// that was typed as YAML stays, and is planned only where nobody changed the same.
    fn rebase(&mut self, now: &Arc<ServiceRecord>) -> Option<EditWish> {
        let Form::Change(form) = &mut self.form else {
            return None;
        };
        form.draft = form.draft.clone().onto(now);
        self.wish().ok()
    }

    /// How to open it again on the Service as it is by then.
    fn reopening(&self) -> Opening {
        match &self.form {
            Form::Change(form) => Opening::Page(form.draft.from.key.clone(), form.page),
            Form::Duplicate(key, _) => Opening::Duplicate(key.clone()),
            Form::Expose(kind, key, _) => Opening::Expose(kind.clone(), key.clone()),
            Form::None(EditWish::Undo(key, entry)) => Opening::Undo(key.clone(), *entry),
            Form::None(wish) => Opening::Delete(wish.subject().clone()),
        }
    }

    fn title(&self) -> String {
        match &self.form {
            Form::Change(form) => format!("Change Service {}", form.draft.from.key),
            Form::Duplicate(key, _) => format!("Duplicate Service {key}"),
            Form::Expose(kind, key, _) => format!("Expose {} {key}", kind.to_lowercase()),
            Form::None(wish) => wish.title(),
        }
    }
}

/// Draws the dialog.
pub fn edit_service_ui(egui: &egui::Context, ctx: &Ctx<'_>, dialog: &mut EditService) {
    let title = dialog.title();
    modal_ui(egui, ctx, &title, 720.0, |ui| {
        let room = (ui.ctx().content_rect().height() - 160.0).max(160.0);
        egui::ScrollArea::vertical()
            .id_salt("edit service")
            .max_height(room)
            .show(ui, |ui| {
                if !plan::is_over(ctx, dialog) {
                    form_ui(ui, ctx, dialog);
                }
                plan::plan_ui(ui, ctx, dialog);
            });
    });
    let found = match &dialog.form {
        Form::Change(form) if form.page == Page::Selector && !plan::is_over(ctx, dialog) => {
            form.finds.pods.as_ref().ok()
        }
        _ => None,
    };
    if found != ctx.view.lit_pods.as_deref() {
        ctx.send(Action::LightPods(found.cloned()));
    }
}

fn form_ui(ui: &mut Ui, ctx: &Ctx<'_>, dialog: &mut EditService) {
    let mut chosen = false;
    let errors = plan::field_errors(ctx, dialog);
    let is_touched = match &mut dialog.form {
        Form::Change(form) => {
            pages_ui(ui, ctx, &mut form.page, errors);
            chosen = page_ui(ui, ctx, form, errors);
            form.is_touched()
        }
        Form::Duplicate(_, name) => {
            create::name_ui(ui, ctx, name);
            true
        }
        Form::Expose(_, _, draft) => {
            create::expose_ui(ui, ctx, draft);
            true
        }
        Form::None(_) => false,
    };
    if !is_touched || dialog.is_current() {
        return;
    }
    let wish = dialog.wish();
    if chosen && ctx.no_edit().is_none() {
        // A type that needs nothing more is planned at once.
        if let Ok(wish) = wish {
            ctx.send(Action::PlanEdit(wish));
        }
        return;
    }
    ui.add_space(6.0);
    let disabled = wish.as_ref().err().cloned().or_else(|| ctx.no_edit());
    if let Some(reason) = &disabled {
        ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
    }
    let clicked = primary_button(ui, ctx.tokens, "Check with the server", disabled.as_ref())
        .on_hover_text("Plans the change and tries it by a dry run; nothing is changed yet")
        .clicked();
    if clicked && let Ok(wish) = wish {
        ctx.send(Action::PlanEdit(wish));
    }
}

fn pages_ui(ui: &mut Ui, ctx: &Ctx<'_>, open: &mut Page, errors: &[FieldError]) {
    ui.horizontal_wrapped(|ui| {
        for page in Page::ALL {
            let is_open = *open == page;
            let is_wrong = errors
                .iter()
                .any(|error| Page::of_field(&error.field) == page);
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
fn page_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut Change, errors: &[FieldError]) -> bool {
    let pairs = |ui: &mut Ui, title: &str, pairs: &mut Pairs, what: &str| {
        ui.push_id(title, |ui| {
            crate::ui::widgets::section(ui, ctx.tokens, title);
            pairs::pairs_ui(ui, ctx, pairs, what);
        });
    };
    let draft = &mut form.draft;
    match form.page {
        Page::Type => return type_page::type_ui(ui, ctx, draft),
        Page::Ports => {
            ports_page::ports_ui(ui, ctx, draft, &mut form.finds, errors);
            return false;
        }
        Page::Selector => selector_page::selector_ui(ui, ctx, draft, &mut form.finds),
        Page::Traffic => traffic_page::traffic_ui(ui, ctx, draft),
        Page::Labels => {
            pairs(ui, "Labels", &mut draft.labels, "label");
            pairs(ui, "Annotations", &mut draft.annotations, "annotation");
        }
        Page::Yaml => yaml_page::yaml_ui(ui, ctx, draft, &mut form.yaml),
    }
    for error in errors {
        if Page::of_field(&error.field) == form.page {
            plan::field_error_ui(ui, ctx, error);
        }
    }
    false
}
