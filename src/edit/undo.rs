//! The opposite of what was applied.

use std::sync::Arc;

use super::{Outcome, Via, Wanted, WantedType, Wish, manifest, node_ports::NodePorts, patch};
use crate::inventory::{Inventory, ServiceRecord, Text};

/// The wish to have a Service as it was before a plan was applied, and what of it can't come back.
///
/// It is planned with the Service as it then is: where somebody changed meanwhile what it takes
/// back, there is no plan ([`super::PlanError::Changed`]).
pub fn undo(outcome: &Outcome, inventory: &Inventory) -> (Wish, Vec<Text>) {
    match (&outcome.plan.before, &outcome.after) {
        (Some(before), Some(after)) => {
            let (wanted, losses) = back(outcome, &before.record, &after.record, inventory);
            (Wish::Change(Box::new(wanted)), losses)
        }
        (Some(before), None) => (
            Wish::Create(manifest::restored(&before.object, inventory)),
            outcome.plan.undo.losses.clone(),
        ),
        (None, _) => (Wish::Delete, Vec::new()),
    }
}

fn back(
    outcome: &Outcome,
    before: &ServiceRecord,
    after: &Arc<ServiceRecord>,
    inventory: &Inventory,
) -> (Wanted, Vec<Text>) {
    let mut losses: Vec<Text> = Vec::new();
    let mut wanted = Wanted::between(after, before);
    let goal = outcome.plan.goal();
    // Others write labels and annotations too: only those that the plan wrote are taken back.
    let is_own = |field: &str, key: &Text| {
        goal.get("metadata")
            .and_then(|metadata| metadata.get(field)?.get(&**key))
            .is_some()
            || &**key == patch::SOURCE_RANGES_ANNOTATION
    };
    wanted.labels.retain(|key, _| is_own("labels", key));
    wanted
        .annotations
        .retain(|key, _| is_own("annotations", key));
    if WantedType::of(after).needs_a_way(WantedType::of(before)) {
        wanted.via = Some(match &outcome.plan.wish {
            Wish::Change(wanted) => wanted.via.unwrap_or(Via::ExternalName),
            _ => Via::ExternalName,
        });
    }
    if let Some(ips) = &wanted.cluster_ips {
        let holder = inventory.services().find(|other| {
            other.key != before.key && other.virtual_ips().any(|held| ips.contains(held))
        });
        if let Some(holder) = holder {
            losses.push(
                format!(
                    "clusterIP {} is Service {}'s now; another is allocated",
                    ips.join(", "),
                    holder.key
                )
                .into(),
            );
            wanted.cluster_ips = None;
        }
    }
    let others = NodePorts::beside(inventory, &before.key);
    for port in wanted.ports.iter_mut().flatten() {
        if let Some((number, holder)) = port
            .node_port
            .and_then(|number| Some((number, others.holder(number)?)))
        {
            losses.push(
                format!("nodePort {number} is Service {holder}'s now; another is allocated").into(),
            );
            port.node_port = None;
        }
    }
    if WantedType::of(before) == WantedType::LoadBalancer
        && WantedType::of(after) != WantedType::LoadBalancer
    {
        losses.push("the load balancer may grant another external address".into());
    }
    wanted.seen = Some(after.clone());
    (wanted, losses)
}
