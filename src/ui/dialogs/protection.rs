//! Marks contexts as read-only or production, and asks before a mark is taken away.

use egui::{Label, RichText, ScrollArea, Ui};

use super::modal_ui;
use crate::{
    engine::Command,
    inventory::Text,
    session::{ContextMarks, MarkChange, ProtectedContexts},
    ui::{
        action::Action,
        context::Ctx,
        widgets::{dim, notice, primary_button},
    },
};

/// What is about to be taken away.
#[derive(Debug, Default)]
pub struct ProtectionForm {
    removal: Option<(Text, ContextMarks)>,
}

/// What stands below the list.
const FOOT_HEIGHT: f32 = 120.0;

/// Draws the dialog.
pub fn protection_ui(egui: &egui::Context, ctx: &Ctx<'_>, form: &mut ProtectionForm) {
    modal_ui(egui, ctx, "Protect contexts", 640.0, |ui| {
        let protected = &ctx.scene.protected;
        if let Some(fault) = &protected.fault {
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
                context_ui(ui, ctx, form, &Text::from(&**name));
            }
        });
        removal_ui(ui, ctx, form);
    });
}

fn context_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut ProtectionForm, name: &Text) {
    let marks = ctx.scene.protected.of(name);
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
            let words = match ProtectedContexts::meant(name, contexts) {
                Some(meant) => format!("not in the kubeconfig; it does not protect {meant}"),
                None => "not in the kubeconfig".to_owned(),
            };
            dim(ui, ctx.tokens, words);
        }
    });
    if wanted == marks {
        return;
    }
    let change = MarkChange::between(marks, wanted);
    if change.removed == ContextMarks::default() {
        form.removal = None;
        ctx.send(protect(name, change));
    } else {
        form.removal = Some((name.clone(), change.removed));
    }
}

/// Names the context and the effect.
fn removal_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut ProtectionForm) {
    let Some((name, asked)) = form.removal.clone() else {
        return;
    };
    let removed = ctx.scene.protected.of(&name).and(asked);
    if removed == ContextMarks::default() {
        // Somebody else has done it meanwhile.
        form.removal = None;
        return;
    }
    ui.add_space(8.0);
    notice(ui, ctx.tokens, ctx.tokens.broken, |ui| {
        let effect = format!("{}.", removed.effect_of_removal(&name));
        ui.add(Label::new(effect).wrap());
        ui.horizontal(|ui| {
            let yes = format!("Take {} away from {name}", removed.words());
            if primary_button(ui, ctx.tokens, &yes, None).clicked() {
                let change = MarkChange::between(removed, ContextMarks::default());
                ctx.send(protect(&name, change));
                form.removal = None;
            }
            if ui.button("Keep it").clicked() {
                form.removal = None;
            }
        });
    });
}

fn protect(name: &Text, change: MarkChange) -> Action {
    Action::Send(Command::Protect {
        context: name.clone(),
        change,
    })
}
