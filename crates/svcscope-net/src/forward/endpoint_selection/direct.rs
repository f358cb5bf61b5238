//! Pods that are named without a Service: themselves, or by what owns them.

use super::{
    CandidateEndpoint, CandidateSet, EndpointReadiness, NoEndpointReason,
    pod_lookup::{PodLookup, absent, is_readable, look_up_pod, not_visible, not_visible_reason},
};
use crate::forward::RemotePort;
use svcscope_model::inventory::{
    Inventory, ObjectKey, PodPhase, PodRecord, Protocol, ResourceKind, ServicePort, TargetPort,
    ports::resolve_target_port,
};

/// The pod itself, ready or not.
pub(super) fn of_pod(
    inventory: &Inventory,
    key: &ObjectKey,
    wanted: &RemotePort,
) -> Result<Vec<CandidateEndpoint>, NoEndpointReason> {
    let pod = match look_up_pod(inventory, key) {
        PodLookup::Present(pod) => pod,
        PodLookup::Absent | PodLookup::Unlisted => {
            return Err(absent(inventory, ResourceKind::Pod, key));
        }
        // Forwarding needs no right to read pods, only the right to forward.
        PodLookup::Unreadable => {
            return match wanted {
                RemotePort::Number(port) => Ok(vec![CandidateEndpoint {
                    pod: key.clone(),
                    uid: None,
                    port: *port,
                    readiness: EndpointReadiness::Ready,
                }]),
                RemotePort::Name(name) => Err(NoEndpointReason::refused(format!(
                    "{}, so port `{name}` can't be looked up; give its number",
                    not_visible_reason(inventory, ResourceKind::Pod, &key.namespace)
                ))),
            };
        }
    };
    match pod.phase {
        PodPhase::Running | PodPhase::Unknown => {}
        PodPhase::Pending => {
            return Err(NoEndpointReason::waiting(format!(
                "pod {} is still Pending",
                key.name
            )));
        }
        PodPhase::Succeeded | PodPhase::Failed => {
            return Err(NoEndpointReason::refused(format!(
                "pod {} has finished ({:?}); choose a running pod",
                key.name, pod.phase
            )));
        }
    }
    let port = pod_port(pod, wanted).ok_or_else(|| {
        NoEndpointReason::refused(format!(
            "pod {} declares no TCP port named `{wanted}`; give a number",
            key.name
        ))
    })?;
    Ok(vec![CandidateEndpoint {
        pod: key.clone(),
        uid: Some(pod.uid.clone()),
        port,
        readiness: EndpointReadiness::Ready,
    }])
}

/// The pods of a Deployment, a StatefulSet and so on: the ready ones, else those that run.
pub(super) fn of_workload(
    inventory: &Inventory,
    kind: &str,
    key: &ObjectKey,
    wanted: &RemotePort,
) -> Result<Vec<CandidateEndpoint>, NoEndpointReason> {
    if !is_readable(inventory, ResourceKind::Pod, &key.namespace) {
        return Err(not_visible(inventory, &[ResourceKind::Pod], &key.namespace));
    }
    let mut found = CandidateSet::default();
    let mut without_port = 0_u32;
    for pod in inventory.pods_in(&key.namespace) {
        // The ReplicaSet of a Deployment is a target too.
        let owned = [pod.workload(), pod.owner.clone()]
            .into_iter()
            .flatten()
            .any(|owner| owner.kind.eq_ignore_ascii_case(kind) && owner.name == key.name);
        if !owned || !pod.is_active() {
            continue;
        }
        let Some(number) = pod_port(pod, wanted) else {
            without_port += 1;
            continue;
        };
        let fitness = match (pod.phase, pod.ready && pod.deleting.is_none()) {
            (PodPhase::Running, true) => Some(EndpointReadiness::Ready),
            (PodPhase::Running, false) => Some(EndpointReadiness::Serving),
            _ => None,
        };
        found.add(pod.key.clone(), Some(pod.uid.clone()), number, fitness);
    }
    let target = format!("{}/{}", kind.to_lowercase(), key.name);
    found.best_first().ok_or_else(|| {
        NoEndpointReason::waiting(match (found.unusable, without_port) {
            (0, 0) => format!("{target} has no pod"),
            (0, _) => format!("no pod of {target} declares a TCP port named `{wanted}`"),
            _ => format!("no pod of {target} is running"),
        })
    })
}

fn pod_port(pod: &PodRecord, wanted: &RemotePort) -> Option<u16> {
    match wanted {
        RemotePort::Number(number) => Some(*number),
        RemotePort::Name(name) => resolve_target_port(
            &ServicePort {
                name: None,
                protocol: Protocol::Tcp,
                port: 0,
                target_port: TargetPort::Name(name.clone()),
                node_port: None,
                app_protocol: None,
            },
            pod,
        ),
    }
}
