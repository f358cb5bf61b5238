//! The opposite of what was applied.

use std::sync::Arc;

use super::{
    ChangeOutcome, DesiredServiceState, MigrationPath, RequestedChange, ServiceKind, manifest,
    node_ports::NodePortAllocations, projection,
};
use svcscope_model::inventory::{Inventory, ServiceRecord, SharedStr};

/// The requested change to have a Service as it was before a plan was applied, and what of it can't come back.
///
/// It is planned with the Service as it then is: where somebody changed meanwhile what it takes
/// back, there is no plan ([`super::PlanError::ChangedNode`]).
pub fn undo_request(
    outcome: &ChangeOutcome,
    inventory: &Inventory,
) -> (RequestedChange, Vec<SharedStr>) {
    match (&outcome.plan.before, &outcome.after) {
        (Some(before), Some(after)) => {
            let (wanted, losses) =
                desired_previous_state(outcome, &before.record, &after.record, inventory);
            (RequestedChange::Change(Box::new(wanted)), losses)
        }
        (Some(before), None) => (
            RequestedChange::Create(manifest::restoration_manifest(&before.object, inventory)),
            outcome.plan.undo_assessment.losses.clone(),
        ),
        (None, _) => (RequestedChange::Delete, Vec::new()),
    }
}

fn desired_previous_state(
    outcome: &ChangeOutcome,
    before: &ServiceRecord,
    after: &Arc<ServiceRecord>,
    inventory: &Inventory,
) -> (DesiredServiceState, Vec<SharedStr>) {
    let mut losses: Vec<SharedStr> = Vec::new();
    let mut wanted = DesiredServiceState::between(after, before);
    let goal = outcome.plan.goal();
    // Others write labels and annotations too: only those that the plan wrote are taken back.
    let is_own = |field: &str, key: &SharedStr| {
        goal.get("metadata")
            .and_then(|metadata| metadata.get(field)?.get(&**key))
            .is_some()
            || &**key == projection::SOURCE_RANGES_ANNOTATION
    };
    wanted.labels.retain(|key, _| is_own("labels", key));
    wanted
        .annotations
        .retain(|key, _| is_own("annotations", key));
    if ServiceKind::of(after).needs_migration_path(ServiceKind::of(before)) {
        wanted.migration_path = Some(match &outcome.plan.requested_change {
            RequestedChange::Change(wanted) => {
                wanted.migration_path.unwrap_or(MigrationPath::ExternalName)
            }
            _ => MigrationPath::ExternalName,
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
    let others = NodePortAllocations::excluding_service(inventory, &before.key);
    for port in wanted.ports.iter_mut().flatten() {
        if let Some((number, holder)) = port
            .node_port
            .and_then(|number| Some((number, others.owner(number)?)))
        {
            losses.push(
                format!("nodePort {number} is Service {holder}'s now; another is allocated").into(),
            );
            port.node_port = None;
        }
    }
    if ServiceKind::of(before) == ServiceKind::LoadBalancer
        && ServiceKind::of(after) != ServiceKind::LoadBalancer
    {
        losses.push("the load balancer may grant another external address".into());
    }
    wanted.seen_record = Some(after.clone());
    (wanted, losses)
}
