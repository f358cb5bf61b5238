//! Asks where a forward shall lead and where it shall listen.

use egui::{Key, RichText, Ui};

use super::{field_ui, modal_ui, port_choice::PortChoice};
use crate::{
    engine::Scene,
    forward::{ForwardSpec, ForwardTarget, RemotePort},
    inventory::Text,
    ui::{
        action::Action,
        context::Ctx,
        widgets::{dim, named_field, primary_button, text_field},
        words,
    },
};

/// The form.
#[derive(Debug)]
pub struct Forward {
    target: ForwardTarget,
    port: PortChoice,
    local_port: String,
    /// The keyboard was put into the first field.
    focused: bool,
}

impl Forward {
    /// A form for this target.
    pub fn new(scene: &Scene, target: ForwardTarget, port: Option<RemotePort>) -> Self {
        Self {
            port: PortChoice::new(scene, &target, port.as_ref()),
            target,
            local_port: String::new(),
            focused: false,
        }
    }

    fn spec(&self) -> Result<ForwardSpec, Text> {
        let port = self.port.port()?;
        let typed = self.local_port.trim();
        let local_port = if typed.is_empty() {
            None
        } else {
            let number = typed.parse::<u16>().ok().filter(|port| *port > 0);
            Some(number.ok_or_else(|| {
                Text::from("the local port is a number from 1 to 65535, or empty for any free one")
            })?)
        };
        Ok(ForwardSpec {
            local_port,
            ..ForwardSpec::new(self.target.clone(), port.port)
        })
    }
}

/// Draws the dialog.
pub fn forward_ui(egui: &egui::Context, ctx: &Ctx<'_>, form: &mut Forward) {
    let title = format!("Forward {}", words::target(&form.target));
    modal_ui(egui, ctx, &title, 460.0, |ui| {
        field_ui(ui, ctx, "Port", |ui| {
            form.port.choice_ui(ui, ctx, &form.target);
        });
        ui.add_space(4.0);
        field_ui(ui, ctx, "Local port", |ui| local_ui(ui, ctx, form));
        ui.add_space(4.0);
        field_ui(ui, ctx, "Listens at", |ui| {
            ui.label(RichText::new("127.0.0.1").monospace())
                .on_hover_text("Loopback: only this machine reaches it");
        });
        ui.add_space(12.0);
        start_ui(ui, ctx, form);
    });
}

fn local_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut Forward) {
    ui.horizontal(|ui| {
        let field = text_field(&mut form.local_port)
            .hint_text("any free port")
            .desired_width(110.0);
        let response = ui.add(field);
        named_field(&response, "Local port", &form.local_port);
        if !std::mem::replace(&mut form.focused, true) {
            response.request_focus();
        }
        if let Ok(port) = form.port.port() {
            let text = format!("Same: {}", port.number);
            let low = port.number < 1024;
            let hint = if low {
                "Ports below 1024 may need rights that you do not have"
            } else {
                "Listen at the number that the target has"
            };
            if ui.small_button(text).on_hover_text(hint).clicked() {
                form.local_port = port.number.to_string();
            }
        }
    });
    if !form.local_port.is_empty() {
        return;
    }
    dim(ui, ctx.tokens, "The list below shows which one it became.");
}

fn start_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &Forward) {
    let spec = form.spec();
    let disabled = spec.as_ref().err().cloned().or_else(|| ctx.no_forward());
    if let Some(reason) = &disabled {
        ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
    }
    ui.horizontal(|ui| {
        let enter = ui.input(|input| input.key_pressed(Key::Enter));
        let start = primary_button(ui, ctx.tokens, "Start forward", disabled.as_ref());
        let cancel = ui.button("Cancel");
        if cancel.clicked() {
            ctx.send(Action::CloseDialog);
        } else if (start.clicked() || enter && !cancel.has_focus())
            && disabled.is_none()
            && let Ok(spec) = spec
        {
            ctx.send(Action::StartForward(spec));
        }
    });
}
