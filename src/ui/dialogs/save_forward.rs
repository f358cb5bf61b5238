//! Asks what a forward is called and kept as.

use egui::{Key, RichText, Ui};

use super::{field_ui, forward::local_port, modal_ui, spread_choice::SpreadChoice};
use crate::{
    engine::{Command, Scene},
    forward::{ForwardId, ForwardSpec, ForwardTarget},
    inventory::Text,
    session::SavedForward,
    ui::{
        action::Action,
        context::Ctx,
        widgets::{dim, named_field, primary_button, text_field},
        words,
    },
};

/// The fields that make a forward one that is kept.
#[derive(Debug, Default)]
pub struct Keep {
    name: String,
    group: String,
    start_with_app: bool,
}

impl Keep {
    /// Whether anybody wants it kept.
    pub fn is_wanted(&self) -> bool {
        !self.name.trim().is_empty()
    }

    /// What is kept of a forward; one of several bears its port behind the name.
    pub fn forward(&self, port: Option<&str>, spec: ForwardSpec) -> Result<SavedForward, Text> {
        let mut name = self.name.trim().to_owned();
        if let Some(port) = port {
            name.push_str(&format!(" {port}"));
        }
        let group = self.group.trim();
        let words = [Some(&*name), Some(group).filter(|group| !group.is_empty())];
        if let Some(why) = words
            .into_iter()
            .flatten()
            .find_map(SavedForward::refuse_name)
        {
            return Err(Text::from(why));
        }
        let mut forward = SavedForward::new(name, spec);
        forward.group = (!group.is_empty()).then(|| Text::from(group));
        forward.start_with_app = self.start_with_app;
        Ok(forward)
    }

    /// Draws the fields.
    pub fn keep_ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let is_forgetful = ctx.scene.is_forgetful;
        field_ui(ui, ctx, "Save as", |ui| {
            let field = text_field(&mut self.name)
                .hint_text(if is_forgetful {
                    "a name, to have it until svcscope ends"
                } else {
                    "a name, to have it the next time"
                })
                .desired_width(230.0);
            let response = ui.add(field);
            named_field(&response, "Name", &self.name);
        });
        if !self.is_wanted() {
            return;
        }
        ui.add_space(4.0);
        field_ui(ui, ctx, "Group", |ui| {
            ui.horizontal_wrapped(|ui| {
                let field = text_field(&mut self.group)
                    .hint_text("started together")
                    .desired_width(130.0);
                let response = ui.add(field);
                named_field(&response, "Group", &self.group);
                for group in groups(ctx.scene) {
                    let chosen = *self.group == *group;
                    if !chosen && ui.small_button(&*group).clicked() {
                        self.group = group.to_string();
                    }
                }
            });
            if !is_forgetful {
                ui.checkbox(&mut self.start_with_app, "Start with the app")
                    .on_hover_text("Whenever the window comes to this context");
            }
        });
    }
}

/// The groups of the context, by name.
pub fn groups(scene: &Scene) -> Vec<Text> {
    let all = scene.saved.iter().filter_map(|saved| saved.group.clone());
    let mut groups: Vec<_> = all.collect();
    groups.sort();
    groups.dedup();
    groups
}

/// The form.
#[derive(Debug)]
pub struct SaveForward {
    running: Option<ForwardId>,
    was: Option<Text>,
    spec: ForwardSpec,
    spread: SpreadChoice,
    local_port: String,
    keep: Keep,
    /// The keyboard was put into the first field.
    focused: bool,
}

impl SaveForward {
    /// A form for a forward that runs, or that was kept under a name.
    pub fn new(
        scene: &Scene,
        running: Option<ForwardId>,
        was: Option<Text>,
        spec: ForwardSpec,
    ) -> Self {
        let known = was
            .as_ref()
            .and_then(|was| scene.saved.iter().find(|saved| saved.name == *was));
        let keep = Keep {
            name: match &was {
                Some(name) => name.to_string(),
                None => spec.target.key().name.to_string(),
            },
            group: known
                .and_then(|saved| saved.group.as_ref())
                .map_or_else(String::new, ToString::to_string),
            start_with_app: known.is_some_and(|saved| saved.start_with_app),
        };
        Self {
            running,
            was,
            spread: SpreadChoice::new(scene, &spec.target, spec.spread.clone()),
            local_port: spec
                .local_port
                .map_or_else(String::new, |port| port.to_string()),
            spec,
            keep,
            focused: false,
        }
    }

    fn forward(&self) -> Result<SavedForward, Text> {
        if !self.keep.is_wanted() {
            return Err(Text::from("a name is needed"));
        }
        let spec = ForwardSpec {
            local_port: local_port(&self.local_port)?,
            spread: self.spread.spread().clone(),
            ..self.spec.clone()
        };
        self.keep.forward(None, spec)
    }
}

/// Draws the dialog.
pub fn save_forward_ui(egui: &egui::Context, ctx: &Ctx<'_>, form: &mut SaveForward) {
    let title = match &form.was {
        Some(name) => format!("Saved forward {name}"),
        None => "Save the forward".to_owned(),
    };
    modal_ui(egui, ctx, &title, 480.0, |ui| {
        let spec = &form.spec;
        let to = format!("{}, port {}", words::target(&spec.target), spec.port);
        field_ui(ui, ctx, "Leads to", |ui| {
            ui.label(to);
            if !matches!(form.spec.target, ForwardTarget::Pod(_)) {
                form.spread.choice_ui(ui);
            }
        });
        ui.add_space(4.0);
        field_ui(ui, ctx, "Local port", |ui| {
            let field = text_field(&mut form.local_port)
                .hint_text("any free port")
                .desired_width(110.0);
            let response = ui.add(field);
            named_field(&response, "Local port", &form.local_port);
            if !std::mem::replace(&mut form.focused, true) {
                response.request_focus();
            }
        });
        ui.add_space(4.0);
        form.keep.keep_ui(ui, ctx);
        if form.running.is_some() {
            let words =
                "The running forward bears the name at once; the rest counts from its next start.";
            dim(ui, ctx.tokens, words);
        }
        ui.add_space(12.0);
        buttons_ui(ui, ctx, form);
    });
}

fn buttons_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &SaveForward) {
    let forward = form.forward();
    let replaced = forward.as_ref().ok().filter(|forward| {
        let other = form.was.as_ref() != Some(&forward.name);
        other
            && ctx
                .scene
                .saved
                .iter()
                .any(|saved| saved.name == forward.name)
    });
    if let Some(forward) = replaced {
        let words = format!("The saved forward {} will be replaced.", forward.name);
        ui.label(RichText::new(words).color(ctx.tokens.degraded));
    }
    let disabled = forward.as_ref().err().cloned();
    if let Some(reason) = &disabled {
        ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
    }
    ui.horizontal(|ui| {
        let enter = ui.input(|input| input.key_pressed(Key::Enter));
        let save = primary_button(ui, ctx.tokens, "Save forward", disabled.as_ref());
        let cancel = ui.button("Cancel");
        if cancel.clicked() {
            ctx.send(Action::CloseDialog);
        } else if (save.clicked() || enter && !cancel.has_focus())
            && let Ok(forward) = forward
        {
            ctx.send(Action::Send(Command::SaveForward {
                running: form.running,
                was: form.was.clone(),
                forward: Box::new(forward),
            }));
            ctx.send(Action::CloseDialog);
        }
    });
}
