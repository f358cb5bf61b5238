//! How traffic is spread: affinity, policies, who may come in.

use egui::{ComboBox, TextEdit, Ui, WidgetInfo, WidgetType};

use super::draft::{ServiceDraft, affinity_word};
use crate::{
    context::PanelContext,
    dialogs::form_row_ui,
    widgets::{dim, named_field, text_field},
};
use svcscope_edit::ServiceKind;
use svcscope_model::inventory::TrafficPolicy;

/// Draws the fields that the wanted type has.
pub(super) fn traffic_ui(ui: &mut Ui, ctx: &PanelContext<'_>, draft: &mut ServiceDraft) {
    let to = draft.effective_type();
    if to == ServiceKind::ExternalName {
        dim(
            ui,
            ctx.tokens,
            "An ExternalName is an alias: no traffic goes through it.",
        );
        return;
    }
    form_row_ui(ui, ctx, "Affinity", |ui| {
        ui.horizontal(|ui| {
            let response = ComboBox::from_id_salt("affinity")
                .selected_text(affinity_word(draft.sticky))
                .show_ui(ui, |ui| {
                    for sticky in [false, true] {
                        ui.selectable_value(&mut draft.sticky, sticky, affinity_word(sticky));
                    }
                })
                .response;
            named_combo(&response, "Session affinity");
            if draft.sticky {
                let field = text_field(&mut draft.sticky_secs)
                    .hint_text("10800")
                    .desired_width(70.0);
                let response = ui.add(field);
                named_field(&response, "Seconds of session affinity", &draft.sticky_secs);
                dim(ui, ctx.tokens, "seconds");
            }
        });
    });
    let policies = &mut draft.internal_policy;
    policy_ui(ui, ctx, "Inside", "Internal traffic policy", policies);
    if to.has_node_ports() || !draft.original.external_ips.is_empty() {
        let policies = &mut draft.external_policy;
        policy_ui(ui, ctx, "From outside", "External traffic policy", policies);
    }
    if to == ServiceKind::LoadBalancer {
        balancer_ui(ui, ctx, draft);
    }
    form_row_ui(ui, ctx, "Not ready", |ui| {
        ui.checkbox(
            &mut draft.publish_not_ready,
            "Publish the addresses of pods that are not ready",
        );
    });
}

fn policy_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    label: &str,
    name: &str,
    policy: &mut Option<TrafficPolicy>,
) {
    form_row_ui(ui, ctx, label, |ui| {
        let word = |policy: Option<TrafficPolicy>| policy.map_or("Cluster", TrafficPolicy::as_str);
        let response = ComboBox::from_id_salt(name)
            .selected_text(word(*policy))
            .show_ui(ui, |ui| {
                for known in [TrafficPolicy::Cluster, TrafficPolicy::Local] {
                    ui.selectable_value(policy, Some(known), known.as_str());
                }
            })
            .response;
        named_combo(&response, name);
    });
}

fn balancer_ui(ui: &mut Ui, ctx: &PanelContext<'_>, draft: &mut ServiceDraft) {
    form_row_ui(ui, ctx, "Sources", |ui| {
        let field = TextEdit::multiline(&mut draft.source_ranges)
            .desired_rows(2)
            .desired_width(300.0)
            .hint_text("all; or ranges such as 192.0.2.0/24, one a line");
        let response = ui.add(field);
        named_field(&response, "Source ranges", &draft.source_ranges);
    });
    let becomes = ServiceKind::of(&draft.original) != ServiceKind::LoadBalancer;
    form_row_ui(ui, ctx, "Class", |ui| {
        let field = text_field(&mut draft.class)
            .hint_text("the cluster's own")
            .desired_width(300.0);
        let response = ui.add_enabled(becomes, field);
        named_field(&response, "Load balancer class", &draft.class);
        if !becomes {
            dim(ui, ctx.tokens, "Fixed for as long as it is a LoadBalancer.");
        }
    });
    form_row_ui(ui, ctx, "nodePorts", |ui| {
        ui.checkbox(&mut draft.allocate, "Allocate a nodePort for each port");
    });
}

fn named_combo(response: &egui::Response, name: &str) {
    response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, true, name));
}
