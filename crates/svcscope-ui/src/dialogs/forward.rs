//! Asks where a forward shall lead and where it shall listen.

use std::net::IpAddr;

use egui::{Key, RichText, Ui};

use super::{
    connection_spread_choice::ConnectionSpreadChoice, form_row_ui, modal_ui,
    port_choice::PortChoice, save_forward::SaveForwardFields,
};
use crate::{
    action::WindowAction,
    context::PanelContext,
    formatting,
    widgets::{dim, named_field, primary_button, text_field},
};
use svcscope_engine::{Scene, settings::SavedForward};
use svcscope_model::inventory::SharedStr;
use svcscope_net::forward::{ForwardSpec, ForwardTarget, RemotePort, SpreadPolicy};

/// The form.
#[derive(Debug)]
pub struct ForwardForm {
    target: ForwardTarget,
    port: PortChoice,
    /// Whether every port of the target is meant.
    all_ports: bool,
    spread: ConnectionSpreadChoice,
    local_port: String,
    /// Another address than loopback, as it was typed.
    address: Option<String>,
    /// What it is kept as, where it is.
    save_fields: SaveForwardFields,
    /// The keyboard was put into the first field.
    focused: bool,
}

impl ForwardForm {
    /// A form for this target.
    pub fn new(scene: &Scene, target: ForwardTarget, port: Option<RemotePort>) -> Self {
        Self {
            port: PortChoice::new(scene, &target, port.as_ref()),
            all_ports: false,
            spread: ConnectionSpreadChoice::new(scene, &target, SpreadPolicy::default()),
            target,
            local_port: String::new(),
            address: None,
            save_fields: SaveForwardFields::default(),
            focused: false,
        }
    }

    /// What is asked for, and what of it is kept.
    fn forward_specs(&self) -> Result<(Vec<ForwardSpec>, Vec<SavedForward>), SharedStr> {
        let local_address = match self.address.as_deref().map(str::trim) {
            None | Some("localhost") => None,
            Some(typed) => Some(typed.parse::<IpAddr>().map_err(|_wrong| {
                SharedStr::from("the address to listen at is one such as 0.0.0.0 or 192.168.1.7")
            })?),
        };
        let base = ForwardSpec {
            local_address,
            spread: self.spread.spread().clone(),
            ..ForwardSpec::new(self.target.clone(), RemotePort::Number(0))
        };
        let mut specs = Vec::new();
        if self.all_ports {
            specs.extend(
                self.port
                    .all_tcp_ports()
                    .into_iter()
                    .map(|option| ForwardSpec {
                        port: option.port,
                        ..base.clone()
                    }),
            );
        } else {
            specs.push(ForwardSpec {
                port: self.port.port()?.port,
                local_port: parse_local_port(&self.local_port)?,
                ..base
            });
        }
        let mut saved = Vec::new();
        if self.save_fields.is_filled_in() {
            let several = specs.len() > 1;
            for spec in &mut specs {
                let port = several.then(|| spec.port.to_string());
                let forward = self
                    .save_fields
                    .to_saved_forward(port.as_deref(), spec.clone())?;
                spec.name = Some(forward.name.clone());
                saved.push(forward);
            }
        }
        Ok((specs, saved))
    }
}

/// The local port as it was typed; nothing means any free one.
pub(super) fn parse_local_port(typed: &str) -> Result<Option<u16>, SharedStr> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let number = typed.parse::<u16>().ok().filter(|port| *port > 0);
    number.map(Some).ok_or_else(|| {
        SharedStr::from("the local port is a number from 1 to 65535, or empty for any free one")
    })
}

/// Draws the dialog.
pub fn forward_ui(egui: &egui::Context, ctx: &PanelContext<'_>, form: &mut ForwardForm) {
    let title = format!("Forward {}", formatting::target_label(&form.target));
    modal_ui(egui, ctx, &title, 480.0, |ui| {
        form_row_ui(ui, ctx, "Port", |ui| ports_ui(ui, ctx, form));
        ui.add_space(4.0);
        form_row_ui(ui, ctx, "Local port", |ui| local_ui(ui, ctx, form));
        ui.add_space(4.0);
        if !matches!(form.target, ForwardTarget::Pod(_)) {
            form_row_ui(ui, ctx, "Leads to", |ui| form.spread.choice_ui(ui));
            ui.add_space(4.0);
        }
        form_row_ui(ui, ctx, "Listens at", |ui| address_ui(ui, ctx, form));
        ui.add_space(4.0);
        form.save_fields.fields_ui(ui, ctx);
        ui.add_space(12.0);
        start_ui(ui, ctx, form);
    });
}

fn ports_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut ForwardForm) {
    let every = form.port.all_tcp_ports().len();
    ui.add_enabled_ui(!form.all_ports, |ui| {
        form.port.choice_ui(ui, ctx, &form.target);
    });
    if every > 0 {
        ui.checkbox(&mut form.all_ports, format!("All {every} ports"))
            .on_hover_text("A forward for each port that can be carried");
    }
}

fn local_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut ForwardForm) {
    if form.all_ports {
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

fn address_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &mut ForwardForm) {
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
        let warning =
            "Anyone who can reach this address can reach the pods without authentication.";
        ui.label(RichText::new(warning).color(ctx.tokens.degraded));
    }
}

fn start_ui(ui: &mut Ui, ctx: &PanelContext<'_>, form: &ForwardForm) {
    let request = form.forward_specs();
    let disabled = request
        .as_ref()
        .err()
        .cloned()
        .or_else(|| ctx.forward_refusal());
    if let Some(reason) = &disabled {
        ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
    }
    ui.horizontal(|ui| {
        let enter = ui.input(|input| input.key_pressed(Key::Enter));
        let start = primary_button(ui, ctx.tokens, "Start forward", disabled.as_ref());
        let cancel = ui.button("Cancel");
        if cancel.clicked() {
            ctx.send(WindowAction::CloseDialog);
        } else if (start.clicked() || enter && !cancel.has_focus())
            && disabled.is_none()
            && let Ok((specs, saved)) = request
        {
            ctx.send(WindowAction::StartForwards(specs, saved));
        }
    });
}
