//! The choice of a target's port, shared by the forward and the curl dialog.

use egui::{RichText, Ui};

use crate::{
    context::PanelContext,
    port_options::{PortOption, ports_of},
    widgets::{named_field, text_field},
};
use svcscope_engine::Scene;
use svcscope_model::inventory::SharedStr;
use svcscope_net::forward::{ForwardTarget, RemotePort};

/// What can be chosen and what is.
#[derive(Debug)]
pub struct PortChoice {
    options: Vec<PortOption>,
    chosen: usize,
    /// A pod may listen at ports that it does not declare.
    typed: Option<String>,
}

impl PortChoice {
    /// The ports of `target`; the wanted one is chosen, else the first that can be carried.
    pub fn new(scene: &Scene, target: &ForwardTarget, wanted: Option<&RemotePort>) -> Self {
        let options = ports_of(scene, target);
        let by_wish = wanted.and_then(|port| options.iter().position(|o| o.port == *port));
        let chosen = by_wish
            .or_else(|| options.iter().position(|option| option.is_tcp))
            .unwrap_or(0);
        let is_service = matches!(target, ForwardTarget::Service(_));
        let typed = match (by_wish, wanted) {
            (None, Some(port)) if !is_service => Some(port.to_string()),
            _ if options.is_empty() && !is_service => Some(String::new()),
            _ => None,
        };
        Self {
            options,
            chosen,
            typed,
        }
    }

    /// The chosen port with what is known of it, or what is missing.
    pub fn port(&self) -> Result<PortOption, SharedStr> {
        if let Some(typed) = &self.typed {
            let number = typed.trim().parse::<u16>().ok().filter(|port| *port > 0);
            return number
                .map(|number| PortOption {
                    port: RemotePort::Number(number),
                    label: number.to_string(),
                    number,
                    is_tcp: true,
                    likely_https: false,
                    server_name: None,
                })
                .ok_or_else(|| SharedStr::from("a port is a number from 1 to 65535"));
        }
        match self.options.get(self.chosen) {
            Some(option) if option.is_tcp => Ok(option.clone()),
            Some(_) => Err(SharedStr::from("port-forward carries TCP only")),
            None => Err(SharedStr::from("there is no port to lead to")),
        }
    }

    /// All ports that can be carried, where there are several.
    pub fn all_tcp_ports(&self) -> Vec<PortOption> {
        let tcp = self.options.iter().filter(|option| option.is_tcp);
        let all: Vec<_> = tcp.cloned().collect();
        if all.len() > 1 { all } else { Vec::new() }
    }

    /// Draws the choice; says whether it changed.
    pub fn choice_ui(
        &mut self,
        ui: &mut Ui,
        ctx: &PanelContext<'_>,
        target: &ForwardTarget,
    ) -> bool {
        let mut changed = false;
        for (at, option) in self.options.iter().enumerate() {
            let on = self.typed.is_none() && self.chosen == at;
            let text = RichText::new(&option.label).monospace();
            let response = ui
                .add_enabled(option.is_tcp, egui::RadioButton::new(on, text))
                .on_disabled_hover_text("Port-forward carries TCP only");
            if response.clicked() {
                self.chosen = at;
                self.typed = None;
                changed = true;
            }
        }
        if matches!(target, ForwardTarget::Service(_)) {
            if self.options.is_empty() {
                ui.label(RichText::new("The Service names no port.").color(ctx.tokens.dim));
            }
            return changed;
        }
        ui.horizontal(|ui| {
            if ui.radio(self.typed.is_some(), "Other").clicked() && self.typed.is_none() {
                self.typed = Some(String::new());
                changed = true;
            }
            if let Some(typed) = &mut self.typed {
                let field = text_field(typed).hint_text("port").desired_width(80.0);
                let response = ui.add(field);
                named_field(&response, "Target port", typed);
                changed |= response.changed();
            }
        });
        changed
    }
}
