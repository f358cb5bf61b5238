//! What type is wanted, and what that type needs to know.

use std::sync::Arc;

use egui::{Button, RichText, Stroke, Ui, WidgetInfo, WidgetType};
use egui_phosphor::regular as icon;

use crate::{
    edit::{Via, Wanted, WantedType},
    engine::EditId,
    inventory::{ObjectKey, ServiceRecord, Text},
    ui::{
        action::Action,
        context::Ctx,
        dialogs::field_ui,
        widgets::{dim, named_field, primary_button, text_field},
        words,
    },
};

/// The dialog: a form and the plan that was made of it.
#[derive(Debug)]
pub struct ChangeType {
    from: Arc<ServiceRecord>,
    to: Option<WantedType>,
    via: Option<Via>,
    external_name: String,
    node_ports: Vec<String>,
    planned: Option<(EditId, Wanted)>,
    /// A change is taken back: there is nothing to fill in.
    undoing: Option<EditId>,
    /// The person has asked to apply and is asked once more.
    pub(super) confirming: bool,
}

impl ChangeType {
    /// A form for a Service as it is now.
    pub fn new(service: &Arc<ServiceRecord>) -> Self {
        Self {
            external_name: service
                .external_name
                .as_deref()
                .unwrap_or_default()
                .to_owned(),
            node_ports: service
                .ports
                .iter()
                .map(|port| port.node_port.map(|port| port.to_string()))
                .map(Option::unwrap_or_default)
                .collect(),
            from: service.clone(),
            to: None,
            via: None,
            planned: None,
            undoing: None,
            confirming: false,
        }
    }

    /// No form: a change is taken back by this edit.
    pub fn undo(service: &Arc<ServiceRecord>, id: EditId) -> Self {
        Self {
            undoing: Some(id),
            ..Self::new(service)
        }
    }

    /// Whether a change is taken back.
    pub(super) fn is_undo(&self) -> bool {
        self.undoing.is_some()
    }

    /// Whose type is changed.
    pub fn service(&self) -> &ObjectKey {
        &self.from.key
    }

    /// As the person saw it.
    pub(super) fn from(&self) -> &ServiceRecord {
        &self.from
    }

    /// The edit that the dialog follows.
    pub fn edit(&self) -> Option<EditId> {
        self.undoing
            .or_else(|| self.planned.as_ref().map(|(id, _)| *id))
    }

    /// Follows the plan of this change; gives back the one followed before.
    pub fn follow(&mut self, id: EditId, change: Wanted) -> Option<EditId> {
        self.confirming = false;
        self.planned.replace((id, change)).map(|(old, _)| old)
    }

    /// Wants this type; gives back the change to plan at once where nothing more is to be asked.
    pub fn choose(&mut self, to: WantedType) -> Option<Wanted> {
        if self.to != Some(to) {
            self.via = None;
        }
        self.to = Some(to);
        self.confirming = false;
        self.change().ok().filter(|change| !self.is_planned(change))
    }

    /// Wants this way to the type; gives back the change to plan.
    pub(super) fn go(&mut self, via: Via) -> Option<Wanted> {
        self.via = Some(via);
        self.change().ok()
    }

    /// Whether what is filled in is what was planned.
    pub(super) fn is_current(&self) -> bool {
        self.is_undo() || self.change().is_ok_and(|change| self.is_planned(&change))
    }

    fn is_planned(&self, change: &Wanted) -> bool {
        self.planned
            .as_ref()
            .is_some_and(|(_, planned)| planned == change)
    }

    /// What is filled in as a change, or what is missing.
    fn change(&self) -> Result<Wanted, Text> {
        let to = self.to.ok_or_else(|| Text::from("choose a type"))?;
        let external_name = if to == WantedType::ExternalName {
            let host = self.external_name.trim();
            if host.is_empty() {
                return Err(Text::from("fill in the name that it shall point to"));
            }
            Some(Text::from(host))
        } else {
            None
        };
        let mut node_ports = vec![None; self.from.ports.len()];
        if to.has_node_ports() {
            for (slot, typed) in node_ports.iter_mut().zip(&self.node_ports) {
                let typed = typed.trim();
                if typed.is_empty() {
                    continue;
                }
                let port = typed.parse::<u16>().ok().filter(|port| *port > 0);
                *slot = Some(port.ok_or_else(|| {
                    Text::from(format!("`{typed}` is no port; leave it empty for any"))
                })?);
            }
        }
        let mut ports = self.from.ports.clone();
        for (port, node_port) in ports.iter_mut().zip(node_ports) {
            if node_port.is_some() {
                port.node_port = node_port;
            }
        }
        Ok(Wanted {
            external_name,
            ports: (to.has_node_ports() && ports != self.from.ports).then_some(ports),
            via: self.via,
            seen: Some(self.from.clone()),
            ..Wanted::to(to)
        })
    }
}

/// Draws the form.
pub(super) fn form_ui(ui: &mut Ui, ctx: &Ctx<'_>, dialog: &mut ChangeType) {
    let from = dialog.from.clone();
    field_ui(ui, ctx, "From", |ui| {
        ui.horizontal(|ui| {
            let color = ctx.tokens.service_type(&from);
            ui.label(RichText::new(from.type_word()).color(color));
            dim(
                ui,
                ctx.tokens,
                format!("resourceVersion {}", from.resource_version),
            );
        });
    });
    field_ui(ui, ctx, "To", |ui| types_ui(ui, ctx, dialog));
    match dialog.to {
        Some(WantedType::ExternalName) => {
            field_ui(ui, ctx, "Points to", |ui| {
                let field = text_field(&mut dialog.external_name)
                    .hint_text("db.example.com")
                    .desired_width(300.0);
                let response = ui.add(field);
                named_field(&response, "External name", &dialog.external_name);
            });
        }
        Some(to) if to.has_node_ports() => {
            field_ui(ui, ctx, "nodePort", |ui| node_ports_ui(ui, ctx, dialog));
        }
        _ => {}
    }
    if dialog.to.is_none() || dialog.is_current() {
        return;
    }
    ui.add_space(6.0);
    let change = dialog.change();
    let disabled = change.as_ref().err().cloned().or_else(|| ctx.no_edit());
    if let Some(reason) = &disabled {
        ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
    }
    let clicked = primary_button(ui, ctx.tokens, "Check with the server", disabled.as_ref())
        .on_hover_text("Plans the change and tries it by a dry run; nothing is changed yet")
        .clicked();
    if clicked && let Ok(change) = change {
        ctx.send(Action::PlanEdit(from.key.clone(), change));
    }
}

fn types_ui(ui: &mut Ui, ctx: &Ctx<'_>, dialog: &mut ChangeType) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for to in WantedType::ALL {
            let now = WantedType::of(&dialog.from) == to;
            let chosen = dialog.to == Some(to);
            let color = if to == WantedType::Headless {
                ctx.tokens.headless
            } else {
                ctx.tokens.type_named(to.service_type())
            };
            let mut button = Button::new(RichText::new(to.as_str()).color(color));
            if chosen {
                button = button
                    .fill(ctx.tokens.tint(color))
                    .stroke(Stroke::new(1.0, color));
            }
            let response = ui.add(button);
            response.widget_info(|| {
                WidgetInfo::selected(WidgetType::RadioButton, true, chosen, to.as_str())
            });
            let hint = if now {
                "It has this type now"
            } else {
                meaning(to)
            };
            if response.on_hover_text(hint).clicked()
                && let Some(change) = dialog.choose(to)
                && ctx.no_edit().is_none()
            {
                ctx.send(Action::PlanEdit(dialog.from.key.clone(), change));
            }
        }
    });
}

fn meaning(to: WantedType) -> &'static str {
    match to {
        WantedType::ClusterIP => "Reached inside the cluster only",
        WantedType::Headless => "DNS answers with the pods themselves",
        WantedType::NodePort => "Reached at a port of every node as well",
        WantedType::LoadBalancer => "Reached through a load balancer outside as well",
        WantedType::ExternalName => "A DNS alias of a name elsewhere; has no pods",
    }
}

fn node_ports_ui(ui: &mut Ui, ctx: &Ctx<'_>, dialog: &mut ChangeType) {
    for (port, typed) in dialog.from.ports.iter().zip(&mut dialog.node_ports) {
        ui.horizontal(|ui| {
            let name = words::port(port);
            let field = text_field(typed).hint_text("any").desired_width(70.0);
            let response = ui.add(field);
            named_field(&response, &format!("nodePort for {name}"), typed);
            dim(ui, ctx.tokens, format!("for {name}"));
        });
    }
    dim(
        ui,
        ctx.tokens,
        format!(
            "{} Empty: the cluster chooses one that is free.",
            icon::INFO
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Protocol, ServicePort, TargetPort};

    fn dialog() -> ChangeType {
        let mut service = ServiceRecord::new(ObjectKey::new("shop", "web"));
        service.ports.push(ServicePort {
            name: None,
            protocol: Protocol::Tcp,
            port: 80,
            target_port: TargetPort::Number(80),
            node_port: None,
            app_protocol: None,
        });
        ChangeType::new(&Arc::new(service))
    }

    #[test]
    fn a_type_that_needs_nothing_more_is_planned_at_once() {
        let change = dialog().choose(WantedType::NodePort).expect("complete");
        assert_eq!(change.to, Some(WantedType::NodePort));
        assert_eq!(change.ports, None);
        assert_eq!(change.external_name, None);
    }

    #[test]
    fn an_alias_needs_a_name_first() {
        let mut dialog = dialog();
        assert_eq!(dialog.choose(WantedType::ExternalName), None);
        dialog.external_name = " db.example.com ".to_owned();
        let change = dialog.change().expect("complete");
        assert_eq!(change.external_name.as_deref(), Some("db.example.com"));
    }

    #[test]
    fn a_plan_is_current_until_the_form_says_something_else() {
        let mut dialog = dialog();
        let change = dialog.choose(WantedType::NodePort).expect("complete");
        assert_eq!(dialog.follow(EditId(1), change), None);
        assert!(dialog.is_current());
        dialog.node_ports[0] = "30080".to_owned();
        assert!(!dialog.is_current());
        let change = dialog.change().expect("complete");
        let ports = change.ports.as_ref().expect("another port");
        assert_eq!(ports[0].node_port, Some(30080));
        assert_eq!(dialog.follow(EditId(2), change), Some(EditId(1)));
    }

    #[test]
    fn what_is_no_port_is_named() {
        let mut dialog = dialog();
        dialog.to = Some(WantedType::NodePort);
        dialog.node_ports[0] = "http".to_owned();
        assert!(dialog.change().expect_err("no number").contains("`http`"));
    }
}
