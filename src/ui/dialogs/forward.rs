//! Asks where a forward shall lead and where it shall listen.

use std::net::IpAddr;

use egui::{Key, RichText, Ui};

use super::{
    field_ui, modal_ui, port_choice::PortChoice, save_forward::Keep, spread_choice::SpreadChoice,
};
use crate::{
    engine::Scene,
    forward::{ForwardSpec, ForwardTarget, RemotePort, Spread},
    inventory::Text,
    session::SavedForward,
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
    /// Whether every port of the target is meant.
    every: bool,
    spread: SpreadChoice,
    local_port: String,
    /// Another address than loopback, as it was typed.
    address: Option<String>,
    /// What it is kept as, where it is.
    keep: Keep,
    /// The keyboard was put into the first field.
    focused: bool,
}

impl Forward {
    /// A form for this target.
    pub fn new(scene: &Scene, target: ForwardTarget, port: Option<RemotePort>) -> Self {
        Self {
            port: PortChoice::new(scene, &target, port.as_ref()),
            every: false,
            spread: SpreadChoice::new(scene, &target, Spread::default()),
            target,
            local_port: String::new(),
            address: None,
            keep: Keep::default(),
            focused: false,
        }
    }

    /// What is asked for, and what of it is kept.
    fn wish(&self) -> Result<(Vec<ForwardSpec>, Vec<SavedForward>), Text> {
        let local_address = match self.address.as_deref().map(str::trim) {
            None | Some("localhost") => None,
            Some(typed) => Some(typed.parse::<IpAddr>().map_err(|_wrong| {
                Text::from("the address to listen at is one such as 0.0.0.0 or 192.168.1.7")
            })?),
        };
        let base = ForwardSpec {
            local_address,
            spread: self.spread.spread().clone(),
            ..ForwardSpec::new(self.target.clone(), RemotePort::Number(0))
        };
        let mut specs = Vec::new();
        if self.every {
            specs.extend(self.port.every().into_iter().map(|option| ForwardSpec {
                port: option.port,
                ..base.clone()
            }));
        } else {
            specs.push(ForwardSpec {
                port: self.port.port()?.port,
                local_port: local_port(&self.local_port)?,
                ..base
            });
        }
        let mut saved = Vec::new();
        if self.keep.is_wanted() {
            let several = specs.len() > 1;
            for spec in &mut specs {
                let port = several.then(|| spec.port.to_string());
                let forward = self.keep.forward(port.as_deref(), spec.clone())?;
                spec.name = Some(forward.name.clone());
                saved.push(forward);
            }
        }
        Ok((specs, saved))
    }
}

/// The local port as it was typed; nothing means any free one.
pub(super) fn local_port(typed: &str) -> Result<Option<u16>, Text> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let number = typed.parse::<u16>().ok().filter(|port| *port > 0);
    number.map(Some).ok_or_else(|| {
        Text::from("the local port is a number from 1 to 65535, or empty for any free one")
    })
}

/// Draws the dialog.
pub fn forward_ui(egui: &egui::Context, ctx: &Ctx<'_>, form: &mut Forward) {
    let title = format!("Forward {}", words::target(&form.target));
    modal_ui(egui, ctx, &title, 480.0, |ui| {
        field_ui(ui, ctx, "Port", |ui| ports_ui(ui, ctx, form));
        ui.add_space(4.0);
        field_ui(ui, ctx, "Local port", |ui| local_ui(ui, ctx, form));
        ui.add_space(4.0);
        if !matches!(form.target, ForwardTarget::Pod(_)) {
            field_ui(ui, ctx, "Leads to", |ui| form.spread.choice_ui(ui));
            ui.add_space(4.0);
        }
        field_ui(ui, ctx, "Listens at", |ui| address_ui(ui, ctx, form));
        ui.add_space(4.0);
        form.keep.keep_ui(ui, ctx);
        ui.add_space(12.0);
        start_ui(ui, ctx, form);
    });
}

fn ports_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut Forward) {
    let every = form.port.every().len();
    ui.add_enabled_ui(!form.every, |ui| {
        form.port.choice_ui(ui, ctx, &form.target);
    });
    if every > 0 {
        ui.checkbox(&mut form.every, format!("All {every} ports"))
            .on_hover_text("A forward for each port that can be carried");
    }
}

fn local_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut Forward) {
    if form.every {
        dim(ui, ctx.tokens, "Any free port for each");
        return;
    }
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
    let words = "The list below shows which one it became; the next time it is the same.";
    dim(ui, ctx.tokens, words);
}

fn address_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &mut Forward) {
    let loopback = form.address.is_none();
    let hint = "127.0.0.1 and ::1: only this machine reaches it";
    if ui
        .radio(loopback, "This machine only")
        .on_hover_text(hint)
        .clicked()
    {
        form.address = None;
    }
    ui.horizontal(|ui| {
        if ui.radio(!loopback, "Another address").clicked() && loopback {
            form.address = Some("0.0.0.0".to_owned());
        }
        if let Some(typed) = &mut form.address {
            let response = ui.add(text_field(typed).desired_width(150.0));
            named_field(&response, "Address to listen at", typed);
        }
    });
    let parsed = form.address.as_deref().map(|typed| typed.trim().parse());
    let inside = matches!(parsed, Some(Ok(address)) if IpAddr::is_loopback(&address));
    if parsed.is_some() && !inside {
        let warning = "Whoever reaches this machine there reaches the pods, without being asked who they are.";
        ui.label(RichText::new(warning).color(ctx.tokens.degraded));
    }
}

fn start_ui(ui: &mut Ui, ctx: &Ctx<'_>, form: &Forward) {
    let wish = form.wish();
    let disabled = wish.as_ref().err().cloned().or_else(|| ctx.no_forward());
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
            && let Ok((specs, saved)) = wish
        {
            ctx.send(Action::StartForwards(specs, saved));
        }
    });
}
