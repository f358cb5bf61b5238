//! How far a pod has come, in words.

use serde_json::Value;

use super::PodErrorKind;

/// Where a pod stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PodStartState {
    /// Its container runs.
    Running,
    /// Not yet, and why.
    Waiting(String),
    /// Nor will it, and why.
    Failed(PodErrorKind, String),
}

/// Reasons of a waiting container that time does not heal, or not within the user's patience
/// (pkg/kubelet/images/types.go, pkg/kubelet/kuberuntime/kuberuntime_container.go).
const FATAL_WAIT_REASONS: [&str; 9] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// What a pod's status says.
pub(super) fn start_state(pod: &Value) -> PodStartState {
    let text = |path: &str| pod.pointer(path).and_then(Value::as_str);
    if text("/metadata/deletionTimestamp").is_some() {
        return PodStartState::Failed(PodErrorKind::Gone, "it was deleted".to_owned());
    }
    let state = |kind: &str| pod.pointer(&format!("/status/containerStatuses/0/state/{kind}"));
    match text("/status/phase") {
        Some("Running") if state("running").is_some() => return PodStartState::Running,
        Some("Failed" | "Succeeded") => {
            let why = text("/status/message")
                .or_else(|| text("/status/containerStatuses/0/state/terminated/message"))
                .or_else(|| text("/status/reason"))
                .or_else(|| text("/status/containerStatuses/0/state/terminated/reason"));
            let why = why.unwrap_or("its container ended at once");
            return PodStartState::Failed(
                PodErrorKind::NotRunning,
                format!("the pod ended: {why}"),
            );
        }
        _ => {}
    }
    if let Some(terminated) = state("terminated") {
        let why = reason_and_message(terminated);
        return PodStartState::Failed(
            PodErrorKind::NotRunning,
            format!("its container ended: {why}"),
        );
    }
    if let Some(waiting) = state("waiting") {
        let why = reason_and_message(waiting);
        let reason = waiting.get("reason").and_then(Value::as_str);
        return if reason.is_some_and(|reason| FATAL_WAIT_REASONS.contains(&reason)) {
            PodStartState::Failed(
                PodErrorKind::NotRunning,
                format!("the container does not start: {why}"),
            )
        } else {
            PodStartState::Waiting(format!("the container is waiting: {why}"))
        };
    }
    PodStartState::Waiting(match unscheduled(pod) {
        Some(why) => format!("it can't be scheduled: {why}"),
        None => "it has not been started yet".to_owned(),
    })
}

/// `REASON: MESSAGE`.
fn reason_and_message(state: &Value) -> String {
    let text = |key: &str| state.get(key).and_then(Value::as_str);
    match (text("reason"), text("message")) {
        (Some(reason), Some(message)) => format!("{reason}: {message}"),
        (Some(word), None) | (None, Some(word)) => word.to_owned(),
        (None, None) => "no reason is given".to_owned(),
    }
}

/// What the scheduler says.
fn unscheduled(pod: &Value) -> Option<&str> {
    let conditions = pod.pointer("/status/conditions")?.as_array()?;
    let text = |condition: &'_ Value, key: &str| condition.get(key)?.as_str().map(str::to_owned);
    conditions
        .iter()
        .find(|condition| {
            text(condition, "type").as_deref() == Some("PodScheduled")
                && text(condition, "status").as_deref() == Some("False")
        })
        .and_then(|condition| condition.get("message")?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn waiting(reason: &str, message: &str) -> Value {
        json!({"status": {"phase": "Pending", "containerStatuses": [
            {"state": {"waiting": {"reason": reason, "message": message}}},
        ]}})
    }

    #[test]
    fn every_state_has_its_words() {
        assert_eq!(
            start_state(
                &json!({"status": {"phase": "Running", "containerStatuses": [
                    {"state": {"running": {"startedAt": "2026-11-21T21:00:00Z"}}},
                ]}})
            ),
            PodStartState::Running
        );
        assert_eq!(
            start_state(&waiting(
                "ImagePullBackOff",
                "Back-off pulling image \"x:1\""
            )),
            PodStartState::Failed(
                PodErrorKind::NotRunning,
                "the container does not start: ImagePullBackOff: Back-off pulling image \"x:1\""
                    .to_owned()
            )
        );
        assert_eq!(
            start_state(&waiting("ContainerCreating", "")),
            PodStartState::Waiting("the container is waiting: ContainerCreating: ".to_owned())
        );
        let words = "0/3 nodes are available: 3 Insufficient cpu.";
        assert_eq!(
            start_state(&json!({"status": {"phase": "Pending", "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": words},
            ]}})),
            PodStartState::Waiting(format!("it can't be scheduled: {words}"))
        );
        assert_eq!(
            start_state(&json!({"status": {"phase": "Failed", "reason": "DeadlineExceeded"}})),
            PodStartState::Failed(
                PodErrorKind::NotRunning,
                "the pod ended: DeadlineExceeded".to_owned()
            )
        );
    }
}
