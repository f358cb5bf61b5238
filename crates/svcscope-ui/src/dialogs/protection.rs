//! Marks contexts as read-only or production, and asks before a mark is taken away.

use egui::{Label, RichText, ScrollArea, Ui};

use super::modal_ui;
use crate::{
    action::WindowAction,
    context::PanelContext,
    widgets::{dim, notice, primary_button},
};
use svcscope_engine::{
    EngineCommand,
    settings::{ProtectedContexts, ProtectionChange, ProtectionFlags},
};
use svcscope_model::inventory::SharedStr;

/// What is about to be taken away.
#[derive(Debug, Default)]
pub struct ProtectionForm {
    removal: Option<(SharedStr, ProtectionFlags)>,
}

/// What stands below the list.
const FOOT_HEIGHT: f32 = 120.0;

/// Draws the dialog.
pub fn protection_ui(egui: &egui::Context, ctx: &PanelContext<'_>, form: &mut ProtectionForm) {
    modal_ui(egui, ctx, "Protect contexts", 640.0, |ui| {
        let protected = &ctx.scene.protected_contexts;
        if let Some(fault) = &protected.unknown_reason {
            notice(ui, ctx.tokens, ctx.tokens.broken, |ui| {
                ui.add(Label::new(format!("Nothing is written: {fault}")).wrap());
            });
        }
        for words in [
            "Read-only: nothing is changed, no pod is made and no command is run in one, and only \
             GET, HEAD and OPTIONS requests are sent.",
            "Production: a change asks for the Service's name; commands in pods and other requests \
             are asked for once.",
        ] {
            ui.add(Label::new(RichText::new(words).color(ctx.tokens.dim)).wrap());
        }
        ui.add_space(8.0);
        let room = (ui.available_height() - FOOT_HEIGHT).max(80.0);
        ScrollArea::vertical().max_height(room).show(ui, |ui| {
            for context in ctx.scene.contexts.iter() {
                context_ui(ui, ctx, form, &context.name);
            }
            let known = |name: &&String| {
                let mut contexts = ctx.scene.contexts.iter();
                contexts.any(|context| *context.name == ***name)
            };
            let marked = protected.read_only.union(&protected.production);
            for name in marked.filter(|name| !known(name)) {
                context_ui(ui, ctx, form, &SharedStr::from(&**name));
            }
        });
        removal_ui(ui, ctx, form);
    });
}

fn context_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut ProtectionForm, name: &SharedStr) {
    let marks = ctx.scene.protected_contexts.flags_of(name);
    let mut wanted = marks;
    ui.horizontal(|ui| {
        for (mark, word) in [
            (&mut wanted.read_only, "Read-only"),
            (&mut wanted.production, "Production"),
        ] {
            let response = ui.checkbox(mark, word);
            let label = format!("{word}: {name}");
            let is_set = *mark;
            response.widget_info(|| {
                egui::WidgetInfo::selected(egui::WidgetType::Checkbox, true, is_set, &label)
            });
        }
        let is_current = ctx.scene.context.as_ref() == Some(name);
        let text = RichText::new(&**name);
        ui.label(if is_current { text.strong() } else { text });
        if !ctx.scene.contexts.iter().any(|known| known.name == *name) {
            let contexts = ctx.scene.contexts.iter().map(|known| &*known.name);
            let words = match ProtectedContexts::closest_context(name, contexts) {
                Some(meant) => format!("not in the kubeconfig; it does not protect {meant}"),
                None => "not in the kubeconfig".to_owned(),
            };
            dim(ui, ctx.tokens, words);
        }
    });
    if wanted == marks {
        return;
    }
    let change = ProtectionChange::between(marks, wanted);
    if change.removed == ProtectionFlags::default() {
        form.removal = None;
        ctx.send(protect(name, change));
    } else {
        form.removal = Some((name.clone(), change.removed));
    }
}

/// Names the context and the effect.
fn removal_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut ProtectionForm) {
    let Some((name, asked)) = form.removal.clone() else {
        return;
    };
    let removed = ctx.scene.protected_contexts.flags_of(&name).and(asked);
    if removed == ProtectionFlags::default() {
        // Somebody else has done it meanwhile.
        form.removal = None;
        return;
    }
    ui.add_space(8.0);
    notice(ui, ctx.tokens, ctx.tokens.broken, |ui| {
        let effect = format!("{}.", removed.effect_of_removal(&name));
        ui.add(Label::new(effect).wrap());
        ui.horizontal(|ui| {
            let yes = format!("Take {} away from {name}", removed.label());
            if primary_button(ui, ctx.tokens, &yes, None).clicked() {
                let change = ProtectionChange::between(removed, ProtectionFlags::default());
                ctx.send(protect(&name, change));
                form.removal = None;
            }
            if ui.button("Keep it").clicked() {
                form.removal = None;
            }
        });
    });
}

fn protect(name: &SharedStr, change: ProtectionChange) -> WindowAction {
    WindowAction::Send(EngineCommand::ChangeProtection {
        context: name.clone(),
        change,
    })
}
