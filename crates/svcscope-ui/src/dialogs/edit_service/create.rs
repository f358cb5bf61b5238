//! A Service that is not there yet: its name, its type, its ports.

use egui::{ComboBox, Ui, WidgetInfo, WidgetType};

use super::{
    draft::{PortDraft, ServiceDraft},
    ports_page::port_cards_ui,
};
use crate::{
    context::PanelContext,
    dialogs::form_row_ui,
    widgets::{dim, named_field, text_field},
};
use svcscope_edit::{ExposableWorkload, ExposeOptions, ServiceKind};
use svcscope_engine::Scene;
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// What is filled in to expose something.
#[derive(Clone, Debug)]
pub struct ExposeDraft {
    name: String,
    service_type: ServiceKind,
    /// Empty: those that the containers declare.
    ports: Vec<PortDraft>,
}

impl ExposeDraft {
    /// Prefilled with what the pods declare, where they are known.
    pub fn new(scene: &Scene, kind: &str, key: &ObjectKey) -> Self {
        let inventory = &scene.inventory;
        let pod = if kind == "Pod" {
            inventory.pod(key)
        } else {
            inventory.pods_in(&key.namespace).find(|pod| {
                let owner = pod.workload();
                owner.is_some_and(|owner| &*owner.kind == kind && owner.name == key.name)
            })
        };
        let ports = pod.map(|pod| ExposableWorkload::of_pod(pod).service_ports());
        Self {
            name: key.name.to_string(),
            service_type: ServiceKind::ClusterIP,
            ports: ports
                .unwrap_or_default()
                .iter()
                .map(PortDraft::of)
                .collect(),
        }
    }

    /// What is filled in, or what is wrong with it.
    pub fn exposure(&self) -> Result<ExposeOptions, SharedStr> {
        let read = |port: &PortDraft| port.parse(self.service_type.has_node_ports());
        Ok(ExposeOptions {
            name: Some(parse_name(&self.name)?),
            to: Some(self.service_type),
            ports: self.ports.iter().map(read).collect::<Result<_, _>>()?,
        })
    }
}

/// The name that was typed.
pub(super) fn parse_name(typed: &str) -> Result<SharedStr, SharedStr> {
    match typed.trim() {
        "" => Err("fill in a name".into()),
        name => Ok(name.into()),
    }
}

/// Draws the name.
pub(super) fn name_ui(ui: &mut Ui, ctx: &PanelContext<'_>, name: &mut String) {
    form_row_ui(ui, ctx, "Name", |ui| {
        let response = ui.add(text_field(name).desired_width(300.0));
        named_field(&response, "Name of the new Service", name);
    });
}

/// Draws the form.
pub(super) fn expose_ui(ui: &mut Ui, ctx: &PanelContext<'_>, draft: &mut ExposeDraft) {
    name_ui(ui, ctx, &mut draft.name);
    form_row_ui(ui, ctx, "Type", |ui| {
        let response = ComboBox::from_id_salt("type")
            .selected_text(draft.service_type.as_str())
            .show_ui(ui, |ui| {
                let leads_to_pods = |to: &ServiceKind| *to != ServiceKind::ExternalName;
                for to in ServiceKind::ALL.into_iter().filter(leads_to_pods) {
                    ui.selectable_value(&mut draft.service_type, to, to.as_str());
                }
            })
            .response;
        response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, true, "Type"));
    });
    if draft.ports.is_empty() {
        dim(
            ui,
            ctx.tokens,
            "No port is filled in: those that the containers declare are taken.",
        );
    }
    port_cards_ui(
        ui,
        ctx,
        &mut draft.ports,
        &Default::default(),
        draft.service_type.has_node_ports(),
        &[],
    );
}

/// The name that a copy is offered.
pub(super) fn copy_name(draft: &ServiceDraft) -> String {
    format!("{}-copy", draft.original.key.name)
}
