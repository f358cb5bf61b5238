//! Asks what a forward is called and kept as.

use egui::{Key, RichText, Ui};

use super::{
    connection_spread_choice::ConnectionSpreadChoice, form_row_ui, forward::parse_local_port,
    modal_ui,
};
use crate::{
    action::WindowAction,
    context::PanelContext,
    formatting,
    widgets::{dim, named_field, primary_button, text_field},
};
use svcscope_engine::{EngineCommand, Scene, settings::SavedForward};
use svcscope_model::inventory::SharedStr;
use svcscope_net::forward::{ForwardId, ForwardSpec, ForwardTarget};

/// The fields that make a forward one that is kept.
#[derive(Debug, Default)]
pub struct SaveForwardFields {
    name: String,
    group: String,
    start_with_app: bool,
}

impl SaveForwardFields {
    /// Whether anybody wants it kept.
    pub fn is_filled_in(&self) -> bool {
        !self.name.trim().is_empty()
    }

    /// What is kept of a forward; one of several bears its port behind the name.
    pub fn to_saved_forward(
        &self,
        port: Option<&str>,
        spec: ForwardSpec,
    ) -> Result<SavedForward, SharedStr> {
        let mut name = self.name.trim().to_owned();
        if let Some(port) = port {
            name.push_str(&format!(" {port}"));
        }
        let group = self.group.trim();
        let words = [Some(&*name), Some(group).filter(|group| !group.is_empty())];
        if let Some(why) = words
            .into_iter()
            .flatten()
            .find_map(SavedForward::invalid_name_reason)
        {
            return Err(SharedStr::from(why));
        }
        let mut forward = SavedForward::new(name, spec);
        forward.group = (!group.is_empty()).then(|| SharedStr::from(group));
        forward.start_with_app = self.start_with_app;
        Ok(forward)
    }

    /// Draws the fields.
    pub fn fields_ui(&mut self, ui: &mut Ui, ctx: &PanelContext<'_>) {
        let is_forgetful = ctx.scene.is_ephemeral;
        form_row_ui(ui, ctx, "Save as", |ui| {
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
        if !self.is_filled_in() {
            return;
        }
        ui.add_space(4.0);
        form_row_ui(ui, ctx, "Group", |ui| {
            ui.horizontal_wrapped(|ui| {
                let field = text_field(&mut self.group)
                    .hint_text("started together")
                    .desired_width(130.0);
                let response = ui.add(field);
                named_field(&response, "Group", &self.group);
                for group in saved_groups(ctx.scene) {
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
pub fn saved_groups(scene: &Scene) -> Vec<SharedStr> {
    let all = scene
        .saved_forwards
        .iter()
        .filter_map(|saved| saved.group.clone());
    let mut groups: Vec<_> = all.collect();
    groups.sort();
    groups.dedup();
    groups
}

/// The form.
#[derive(Debug)]
pub struct SaveForwardForm {
    running: Option<ForwardId>,
    previous_name: Option<SharedStr>,
    spec: ForwardSpec,
    spread: ConnectionSpreadChoice,
    local_port: String,
    save_fields: SaveForwardFields,
    /// The keyboard was put into the first field.
    focused: bool,
}

impl SaveForwardForm {
    /// A form for a forward that runs, or that was kept under a name.
    pub fn new(
        scene: &Scene,
        running: Option<ForwardId>,
        previous_name: Option<SharedStr>,
        spec: ForwardSpec,
    ) -> Self {
        let known = previous_name
            .as_ref()
            .and_then(|was| scene.saved_forwards.iter().find(|saved| saved.name == *was));
        let save_fields = SaveForwardFields {
            name: match &previous_name {
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
            previous_name,
            spread: ConnectionSpreadChoice::new(scene, &spec.target, spec.spread.clone()),
            local_port: spec
                .local_port
                .map_or_else(String::new, |port| port.to_string()),
            spec,
            save_fields,
            focused: false,
        }
    }

    fn to_saved_forward(&self) -> Result<SavedForward, SharedStr> {
        if !self.save_fields.is_filled_in() {
            return Err(SharedStr::from("a name is needed"));
        }
        let spec = ForwardSpec {
            local_port: parse_local_port(&self.local_port)?,
            spread: self.spread.spread().clone(),
            ..self.spec.clone()
        };
        self.save_fields.to_saved_forward(None, spec)
    }
}

/// Draws the dialog.
pub fn save_forward_ui(egui: &egui::Context, ctx: &PanelContext<'_>, form: &mut SaveForwardForm) {
    let title = match &form.previous_name {
        Some(name) => format!("Saved forward {name}"),
        None => "Save the forward".to_owned(),
    };
    modal_ui(egui, ctx, &title, 480.0, |ui| {
        let spec = &form.spec;
        let to = format!(
            "{}, port {}",
            formatting::target_label(&spec.target),
            spec.port
        );
        form_row_ui(ui, ctx, "Leads to", |ui| {
            ui.label(to);
            if !matches!(form.spec.target, ForwardTarget::Pod(_)) {
                form.spread.choice_ui(ui);
            }
        });
        ui.add_space(4.0);
        form_row_ui(ui, ctx, "Local port", |ui| {
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
        form.save_fields.fields_ui(ui, ctx);
        if form.running.is_some() {
            let words = "The running forward takes the name now; the other settings apply from its next start.";
            dim(ui, ctx.tokens, words);
        }
        ui.add_space(12.0);
        buttons_ui(ui, ctx, form);
    });
}

fn buttons_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &SaveForwardForm) {
    let forward = form.to_saved_forward();
    let replaced = forward.as_ref().ok().filter(|forward| {
        let other = form.previous_name.as_ref() != Some(&forward.name);
        other
            && ctx
                .scene
                .saved_forwards
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
            ctx.send(WindowAction::CloseDialog);
        } else if (save.clicked() || enter && !cancel.has_focus())
            && let Ok(forward) = forward
        {
            ctx.send(WindowAction::Send(EngineCommand::SaveForward {
                running: form.running,
                previous_name: form.previous_name.clone(),
                forward: Box::new(forward),
            }));
            ctx.send(WindowAction::CloseDialog);
        }
    });
}
