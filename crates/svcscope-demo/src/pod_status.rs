//! Reading and making the state of a pod.

use serde_json::{Value, json};

use super::json;
use super::time;

/// The annotation of a pod template that says how its pods behave: `crash-loop` or `never-ready`. Anybody
/// may set it on their own pods in the demo cluster.
pub(super) const BEHAVIOUR_ANNOTATION: &str = "demo.svcscope/behaviour";

/// How a pod behaves once its containers are to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PodBehaviour {
    BecomesReady,
    CrashLoop,
    NeverReady,
}

impl PodBehaviour {
    pub(super) fn of(pod: &Value) -> Self {
        let said = json::object(pod, "metadata/annotations")
            .and_then(|annotations| annotations.get(BEHAVIOUR_ANNOTATION))
            .and_then(Value::as_str);
        match said {
            Some("crash-loop") => Self::CrashLoop,
            Some("never-ready") => Self::NeverReady,
            _ => Self::BecomesReady,
        }
    }
}

/// The condition that decides what EndpointSlices call `serving`.
pub(super) fn is_ready(pod: &Value) -> bool {
    json::list(pod, "status/conditions")
        .iter()
        .any(|condition| {
            json::text(condition, "type") == "Ready" && json::text(condition, "status") == "True"
        })
}

pub(super) fn is_terminating(pod: &Value) -> bool {
    json::at(pod, "metadata/deletionTimestamp").is_some()
}

/// Whether the pod has run to its end.
pub(super) fn is_finished(pod: &Value) -> bool {
    matches!(json::text(pod, "status/phase"), "Succeeded" | "Failed")
}

/// The state of containers that a status is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SimulatedContainerState {
    Running { ready: bool },
    CrashLoop,
}

/// Gives the pod a status as its node's kubelet would write it.
pub(super) fn set_status(
    pod: &mut Value,
    containers: SimulatedContainerState,
    restarts: i64,
    since: &str,
) {
    let ready = containers == SimulatedContainerState::Running { ready: true };
    let statuses = json::list(pod, "spec/containers")
        .iter()
        .map(|container| container_status(container, containers, restarts, since))
        .collect::<Vec<_>>();
    json::set(pod, "status/phase", "Running");
    json::set(pod, "status/containerStatuses", statuses);
    json::set_default(pod, "status/startTime", since);
    let names = json::list(pod, "spec/containers")
        .iter()
        .map(|container| json::text(container, "name"))
        .collect::<Vec<_>>()
        .join(" ");
    let mut conditions = Vec::new();
    for (kind, met) in [
        ("PodReadyToStartContainers", true),
        ("Initialized", true),
        ("Ready", ready),
        ("ContainersReady", ready),
        ("PodScheduled", true),
    ] {
        let status = if met { "True" } else { "False" };
        let previous = json::list(pod, "status/conditions")
            .iter()
            .find(|condition| {
                json::text(condition, "type") == kind && json::text(condition, "status") == status
            });
        let changed = previous.map_or(since, |previous| json::text(previous, "lastTransitionTime"));
        let mut condition = json!({
            "type": kind,
            "status": status,
            "lastProbeTime": null,
            "lastTransitionTime": changed,
        });
        if !met {
            json::set(&mut condition, "reason", "ContainersNotReady");
            json::set(
                &mut condition,
                "message",
                format!("containers with unready status: [{names}]"),
            );
        }
        conditions.push(condition);
    }
    json::set(pod, "status/conditions", conditions);
}

fn container_status(
    container: &Value,
    state: SimulatedContainerState,
    restarts: i64,
    since: &str,
) -> Value {
    let name = json::text(container, "name");
    let image = json::text(container, "image");
    let ended = json!({"terminated": {
        "exitCode": 1,
        "reason": "Error",
        "startedAt": since,
        "finishedAt": time::now(),
        "containerID": format!("containerd://{}", super::random::hash(name).repeat(6)),
    }});
    let (current, ready) = match state {
        SimulatedContainerState::Running { ready } => {
            (json!({"running": {"startedAt": since}}), ready)
        }
        SimulatedContainerState::CrashLoop => (
            json!({"waiting": {
                "reason": "CrashLoopBackOff",
                "message": format!("back-off 5m0s restarting failed container={name}"),
            }}),
            false,
        ),
    };
    json!({
        "name": name,
        "state": current,
        "lastState": if restarts > 0 { ended } else { json!({}) },
        "ready": ready,
        "restartCount": restarts,
        "image": image,
        "imageID": format!("{image}@sha256:{}", super::random::hash(image).repeat(6)),
        "containerID": format!("containerd://{}", super::random::hash(image).repeat(6)),
        "started": ready,
    })
}

/// Flips the readiness of a running pod, as its probe would.
pub(super) fn set_ready(pod: &mut Value, ready: bool) {
    let restarts = json::list(pod, "status/containerStatuses")
        .iter()
        .map(|status| json::number(status, "restartCount"))
        .max()
        .unwrap_or(0);
    let started = json::list(pod, "status/containerStatuses")
        .first()
        .map(|status| json::text(status, "state/running/startedAt").to_owned())
        .filter(|since| !since.is_empty());
    let since = started.unwrap_or_else(time::now);
    let previous = json::list(pod, "status/conditions").to_vec();
    set_status(
        pod,
        SimulatedContainerState::Running { ready },
        restarts,
        &since,
    );
    // What changed now changed now, not when the container began.
    for condition in json::list_mut(pod, "status/conditions")
        .into_iter()
        .flatten()
    {
        let same = previous.iter().any(|before| {
            before.get("type") == condition.get("type")
                && before.get("status") == condition.get("status")
        });
        if !same {
            json::set(condition, "lastTransitionTime", time::now());
        }
    }
}
