//! Pods that are named without a Service: themselves, or by what owns them.

use super::{
    Candidate, Fitness, Found, NoPod,
    known::{Known, absent, is_readable, known_pod, unknown, unseen},
};
use crate::{
    forward::RemotePort,
    inventory::{
        Inventory, Kind, ObjectKey, PodPhase, PodRecord, Protocol, ServicePort, TargetPort,
        ports::resolve_target_port,
    },
};

/// The pod itself, ready or not.
pub(super) fn of_pod(
    inventory: &Inventory,
    key: &ObjectKey,
    wanted: &RemotePort,
) -> Result<Vec<Candidate>, NoPod> {
    let pod = match known_pod(inventory, key) {
        Known::Is(pod) => pod,
        Known::Gone | Known::Unlisted => return Err(absent(inventory, Kind::Pod, key)),
        // Forwarding needs no right to read pods, only the right to forward.
        Known::Unreadable => {
            return match wanted {
                RemotePort::Number(port) => Ok(vec![Candidate {
                    pod: key.clone(),
                    uid: None,
                    port: *port,
                    fitness: Fitness::Ready,
                }]),
                RemotePort::Name(name) => Err(NoPod::refused(format!(
                    "{}, so port `{name}` can't be looked up; give its number",
                    unknown(inventory, Kind::Pod, &key.namespace)
                ))),
            };
        }
    };
    match pod.phase {
        PodPhase::Running | PodPhase::Unknown => {}
        PodPhase::Pending => {
            return Err(NoPod::waiting(format!("pod {} is still Pending", key.name)));
        }
        PodPhase::Succeeded | PodPhase::Failed => {
            return Err(NoPod::refused(format!(
                "pod {} has finished ({:?}); choose one that runs",
                key.name, pod.phase
            )));
        }
    }
    let port = pod_port(pod, wanted).ok_or_else(|| {
        NoPod::refused(format!(
            "pod {} declares no TCP port named `{wanted}`; give a number",
            key.name
        ))
    })?;
    Ok(vec![Candidate {
        pod: key.clone(),
        uid: Some(pod.uid.clone()),
        port,
        fitness: Fitness::Ready,
    }])
}

/// The pods of a Deployment, a StatefulSet and so on: the ready ones, else those that run.
pub(super) fn of_workload(
    inventory: &Inventory,
    kind: &str,
    key: &ObjectKey,
    wanted: &RemotePort,
) -> Result<Vec<Candidate>, NoPod> {
    if !is_readable(inventory, Kind::Pod, &key.namespace) {
        return Err(unseen(inventory, &[Kind::Pod], &key.namespace));
    }
    let mut found = Found::default();
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
            (PodPhase::Running, true) => Some(Fitness::Ready),
            (PodPhase::Running, false) => Some(Fitness::Serving),
            _ => None,
        };
        found.add(pod.key.clone(), Some(pod.uid.clone()), number, fitness);
    }
    let target = format!("{}/{}", kind.to_lowercase(), key.name);
    found.best_first().ok_or_else(|| {
        NoPod::waiting(match (found.unfit, without_port) {
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
