//! Whom the Service leads to, and how many that are while one types.

use egui::{Label, RichText, Ui};
use egui_phosphor::regular as icon;

use super::{draft::ServiceDraft, pairs::pairs_ui, selector_preview::SelectorPreview};
use crate::{context::PanelContext, widgets::dim};
use svcscope_model::inventory::{ObjectKey, ResourceKind};

/// So many pods are named.
const MAX_NAMED_PODS: usize = 8;

/// Draws the pairs and what they find.
pub(super) fn selector_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    draft: &mut ServiceDraft,
    finds: &mut SelectorPreview,
) {
    pairs_ui(ui, ctx, &mut draft.selector, "label to select by");
    ui.add_space(6.0);
    finds.refresh(ctx.scene, draft);
    let pods = match &finds.pods {
        Ok(pods) => pods,
        Err(reason) => {
            ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
            return;
        }
    };
    if draft.selector.iter().all(|(key, _)| key.trim().is_empty()) {
        let said = "No selector: Kubernetes does not manage endpoints for this Service; another controller must.";
        ui.label(RichText::new(said).color(ctx.tokens.degraded));
        return;
    }
    let namespace = &draft.original.key.namespace;
    if let Some(unseen) = ctx
        .scene
        .inventory
        .why_unknown(ResourceKind::Pod, namespace)
    {
        let said = format!("Which pods it matches is not known: {unseen}.");
        ui.label(RichText::new(said).color(ctx.tokens.unknown));
        return;
    }
    let color = if pods.is_empty() {
        ctx.tokens.broken
    } else {
        ctx.tokens.text
    };
    let said = format!("Matches {} of {} pods", pods.len(), finds.pods_in_namespace);
    ui.label(RichText::new(said).color(color));
    let joins = finds.added.iter();
    let leaves = finds.removed.iter();
    for (glyph, color, pod) in joins
        .map(|pod| (icon::PLUS, ctx.tokens.healthy, pod))
        .chain(leaves.map(|pod| (icon::MINUS, ctx.tokens.broken, pod)))
        .take(MAX_NAMED_PODS)
    {
        pod_ui(ui, ctx, glyph, color, pod);
    }
    match finds.added.len() + finds.removed.len() {
        0 => drop(dim(ui, ctx.tokens, "The same pods as now.")),
        number if number > MAX_NAMED_PODS => {
            dim(
                ui,
                ctx.tokens,
                format!("and {} more", number - MAX_NAMED_PODS),
            );
        }
        _ => {}
    }
}

fn pod_ui(ui: &mut Ui, ctx: &PanelContext<'_>, glyph: &str, color: egui::Color32, pod: &ObjectKey) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(glyph).color(color));
        let name = RichText::new(pod.name.to_string()).color(ctx.tokens.text);
        ui.add(Label::new(name).truncate());
    });
}
