//! How far a plan can be taken back, said before it is applied.

use super::{MigrationPath, ServiceKind, UndoAssessment};
use svcscope_model::inventory::{ServiceRecord, SharedStr};

/// Of a change.
pub(crate) fn assess_change_undo(
    before: &ServiceRecord,
    after: &ServiceRecord,
    via: Option<MigrationPath>,
) -> UndoAssessment {
    let (was, to) = (ServiceKind::of(before), ServiceKind::of(after));
    let mut losses = Vec::new();
    if was.has_virtual_ip() && !to.has_virtual_ip() {
        let ips: Vec<_> = before.virtual_ips().map(|ip| &**ip).collect();
        losses.push(format!(
            "clusterIP {}, if another Service has taken it by then",
            ips.join(", ")
        ));
    }
    let released: Vec<_> = before
        .ports
        .iter()
        .filter_map(|port| port.node_port)
        .filter(|number| {
            after
                .ports
                .iter()
                .all(|port| port.node_port != Some(*number))
        })
        .map(|number| number.to_string())
        .collect();
    if !released.is_empty() {
        losses.push(format!(
            "nodePort {}, if another Service has taken it by then",
            released.join(", ")
        ));
    }
    if was == ServiceKind::LoadBalancer && to != ServiceKind::LoadBalancer {
        losses.push("its external address: the load balancer may grant another".to_owned());
    }
    if via == Some(MigrationPath::Recreate) {
        losses.push(format!("its uid {}", before.uid));
    }
    let sentence = if was.needs_migration_path(to) {
        "can be undone during this session, by either of the two migration paths"
    } else {
        "can be undone during this session"
    };
    UndoAssessment {
        sentence: sentence.into(),
        losses: losses.into_iter().map(SharedStr::from).collect(),
    }
}

/// Of a deletion.
pub(crate) fn assess_deletion_undo(before: &ServiceRecord) -> UndoAssessment {
    let mut losses = vec![SharedStr::from(format!("its uid {}", before.uid))];
    if before.virtual_ips().next().is_some() {
        losses.push("its clusterIP and nodePorts, if others have taken them by then".into());
    }
    if !before.load_balancer.is_empty() {
        losses.push("its external address: the load balancer may grant another".into());
    }
    UndoAssessment {
        sentence: "can be created again as it was, as long as this session lasts".into(),
        losses,
    }
}
