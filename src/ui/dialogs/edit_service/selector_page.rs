//! Whom the Service leads to, and how many that are while one types.

use egui::{Label, RichText, Ui};
use egui_phosphor::regular as icon;

use super::{draft::Draft, finds::Finds, pairs::pairs_ui};
use crate::{
    inventory::{Kind, ObjectKey},
    ui::{context::Ctx, widgets::dim},
};

/// So many pods are named.
const NAMED: usize = 8;

/// Draws the pairs and what they find.
pub(super) fn selector_ui(ui: &mut Ui, ctx: &Ctx<'_>, draft: &mut Draft, finds: &mut Finds) {
    pairs_ui(ui, ctx, &mut draft.selector, "label to select by");
    ui.add_space(6.0);
    finds.look(ctx.scene, draft);
    let pods = match &finds.pods {
        Ok(pods) => pods,
        Err(reason) => {
            ui.label(RichText::new(&**reason).color(ctx.tokens.degraded));
            return;
        }
    };
    if draft.selector.iter().all(|(key, _)| key.trim().is_empty()) {
        let said = "No selector: Kubernetes writes no endpoints, somebody else has to.";
        ui.label(RichText::new(said).color(ctx.tokens.degraded));
        return;
    }
    let namespace = &draft.from.key.namespace;
    if let Some(unseen) = ctx.scene.inventory.unseen(Kind::Pod, namespace) {
        let said = format!("Which pods it matches is not known: {unseen}.");
        ui.label(RichText::new(said).color(ctx.tokens.unknown));
        return;
    }
    let color = if pods.is_empty() {
        ctx.tokens.broken
    } else {
        ctx.tokens.text
    };
    let said = format!("Matches {} of {} pods", pods.len(), finds.all);
    ui.label(RichText::new(said).color(color));
    let joins = finds.joins.iter();
    let leaves = finds.leaves.iter();
    for (glyph, color, pod) in joins
        .map(|pod| (icon::PLUS, ctx.tokens.healthy, pod))
        .chain(leaves.map(|pod| (icon::MINUS, ctx.tokens.broken, pod)))
        .take(NAMED)
    {
        pod_ui(ui, ctx, glyph, color, pod);
    }
    match finds.joins.len() + finds.leaves.len() {
        0 => drop(dim(ui, ctx.tokens, "The same pods as now.")),
        number if number > NAMED => {
            dim(ui, ctx.tokens, format!("and {} more", number - NAMED));
        }
        _ => {}
    }
}

fn pod_ui(ui: &mut Ui, ctx: &Ctx<'_>, glyph: &str, color: egui::Color32, pod: &ObjectKey) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(glyph).color(color));
        let name = RichText::new(pod.name.to_string()).color(ctx.tokens.text);
        ui.add(Label::new(name).truncate());
    });
}
