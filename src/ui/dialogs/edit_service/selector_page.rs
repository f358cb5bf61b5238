//! Whom the Service leads to, and how many that are while one types.

use std::collections::BTreeSet;

use egui::{Label, RichText, Ui};
use egui_phosphor::regular as icon;

use super::{
    draft::{Draft, read},
    pairs::pairs_ui,
};
use crate::{
    inventory::{ObjectKey, PodRecord, ServiceRecord},
    ui::{context::Ctx, widgets::dim},
};

/// So many pods are named.
const NAMED: usize = 8;

/// Draws the pairs and what they find.
pub(super) fn selector_ui(ui: &mut Ui, ctx: &Ctx<'_>, draft: &mut Draft) {
    pairs_ui(ui, ctx, &mut draft.selector, "label to select by");
    ui.add_space(6.0);
    let selector = match read(&draft.selector) {
        Ok(selector) => selector,
        Err(reason) => {
            ui.label(RichText::new(&*reason).color(ctx.tokens.degraded));
            return;
        }
    };
    if selector.is_empty() {
        let said = "No selector: Kubernetes writes no endpoints, somebody else has to.";
        ui.label(RichText::new(said).color(ctx.tokens.degraded));
        return;
    }
    let found = ServiceRecord {
        selector,
        ..ServiceRecord::clone(&draft.from)
    };
    let inventory = &ctx.scene.inventory;
    let pods = inventory.pods_selected_by(&found);
    let now = inventory.pods_selected_by(&draft.from);
    let all = inventory.pods_in(&draft.from.key.namespace).count();
    let color = if pods.is_empty() {
        ctx.tokens.broken
    } else {
        ctx.tokens.text
    };
    let said = format!("Matches {} of {all} pods", pods.len());
    ui.label(RichText::new(said).color(color));
    let mut named = 0;
    let joins = pods
        .iter()
        .filter(|pod| !now.iter().any(|it| it.key == pod.key));
    let leaves = now
        .iter()
        .filter(|pod| !pods.iter().any(|it| it.key == pod.key));
    for (glyph, color, pod) in joins
        .map(|pod| (icon::PLUS, ctx.tokens.healthy, pod))
        .chain(leaves.map(|pod| (icon::MINUS, ctx.tokens.broken, pod)))
    {
        named += 1;
        if named <= NAMED {
            pod_ui(ui, ctx, glyph, color, pod);
        }
    }
    if named > NAMED {
        dim(ui, ctx.tokens, format!("and {} more", named - NAMED));
    } else if named == 0 {
        dim(ui, ctx.tokens, "The same pods as now.");
    }
}

/// The pods that the selector as it is typed finds; nothing where it can't be read.
pub(super) fn found(ctx: &Ctx<'_>, draft: &Draft) -> Option<BTreeSet<ObjectKey>> {
    let service = ServiceRecord {
        selector: read(&draft.selector).ok()?,
        ..ServiceRecord::clone(&draft.from)
    };
    let pods = ctx.scene.inventory.pods_selected_by(&service);
    Some(pods.into_iter().map(|pod| pod.key.clone()).collect())
}

fn pod_ui(ui: &mut Ui, ctx: &Ctx<'_>, glyph: &str, color: egui::Color32, pod: &PodRecord) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(glyph).color(color));
        let name = RichText::new(pod.key.name.to_string()).color(ctx.tokens.text);
        ui.add(Label::new(name).truncate());
    });
}
