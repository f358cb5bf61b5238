//! The server itself, and access to its pods.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderMap, header::DATE};
use jiff::{SignedDuration, Timestamp};

use super::{
    StepOutput, permissions::RbacPermissions, result::StepFinding, running_pod::RunningPodLookup,
};
use crate::{
    CallError, CallErrorKind,
    api_client::{self, ApiClient},
    connect::{ServerVersion, is_api_server},
    dial::KubeDialer,
    error::without_advice,
    pod_exec::PodCommandRunner,
};

use svcscope_net::{
    forward::DialErrorKind,
    probe::in_cluster::{PodCommand, PodErrorKind},
};

/// Tokens and certificates are refused when clocks differ; by more than this it is worth a warning.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);
/// How long the command in the container may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// `GET /version`: what answers, how fast, and how late it is there. Everything else works without it.
pub(super) async fn test_version(link: &ApiClient) -> StepOutput<Option<ServerVersion>> {
    let tried = format!("ask {} for its version", link.current_client().server);
    let asked = Instant::now();
    let answer = match api_client::get_request(&tried, "/version") {
        Ok(request) => link.fetch(&tried, &request).await,
        Err(error) => Err(error),
    };
    let round_trip = asked.elapsed();
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if is_api_server(link, &error).await => return version_unknown(&error.cause),
        Err(error) => {
            let advice = "check that the API server is healthy";
            return (StepFinding::failed(&error.cause, Some(advice)), None);
        }
    };
    let Ok(version) = serde_json::from_slice::<ServerVersion>(answer.body()) else {
        let found = "the server at this address is not a Kubernetes API server";
        let error = CallError::new(CallErrorKind::Other, &tried, found);
        if is_api_server(link, &error).await {
            return version_unknown("the response can't be parsed");
        }
        let advice = "check `server` in the kubeconfig";
        return (StepFinding::failed(found, Some(advice)), None);
    };
    let found = format!(
        "Kubernetes {}, round trip {} ms",
        version.git_version,
        round_trip.as_millis()
    );
    let finding = match clock_skew(answer.headers(), Timestamp::now()) {
        Some(skew) if skew.abs() > MAX_CLOCK_SKEW => {
            let side = if skew.is_positive() {
                "ahead of"
            } else {
                "behind"
            };
            let found = format!(
                "{found}; this machine's clock is {} s {side} the server's",
                skew.abs().as_secs()
            );
            StepFinding::warning(
                found,
                "correct this machine's clock: tokens and certificates may appear expired or not yet valid",
            )
        }
        Some(_) => StepFinding::ok(format!("{found}, clocks agree")),
        None => StepFinding::ok(found),
    };
    (finding, Some(Some(version)))
}

/// A server that does not say its version, which only we would like to know.
fn version_unknown(said: &str) -> StepOutput<Option<ServerVersion>> {
    let finding = StepFinding::warning(
        format!("its version is unknown: {said}"),
        "all else goes on: lists are read in pages. An administrator can grant /version by the ClusterRole system:public-info-viewer",
    );
    (finding, Some(None))
}

/// How far this machine's clock is ahead of the `Date` of an answer, which is whole seconds.
fn clock_skew(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let there = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    Some(now.duration_since(there))
}

/// The upgrade to a session, as a forward begins. No stream is opened where the server multiplexes
/// them, so the application does not notice.
pub(super) async fn test_port_forward(
    dialer: &KubeDialer,
    rights: &RbacPermissions,
    pod: &RunningPodLookup,
) -> StepOutput<()> {
    let pod = match pod {
        Ok(Some(pod)) => pod,
        Ok(None) => return (no_pod_finding(rights, "pods/portforward"), Some(())),
        Err(_reported_by_its_watch) => return (pods_not_listed_finding(), None),
    };
    let finding = match dialer.probe_protocol(&pod.key, pod.port).await {
        Ok(protocol) => StepFinding::ok(format!(
            "opened to pod {} by {protocol}; nothing was sent to it",
            pod.key
        )),
        Err(error) => {
            let advice = match error.kind {
                DialErrorKind::Forbidden => {
                    "ask an administrator for the verb create of pods/portforward"
                }
                DialErrorKind::PodGone => "the pod is gone: try again",
                DialErrorKind::Refused => {
                    "only this port of this pod refused the connection; port-forwarding itself works"
                }
                _ => {
                    "a proxy or load balancer in between may block connection upgrades (WebSocket, SPDY)"
                }
            };
            StepFinding::failed(without_advice(&error.message), Some(advice))
        }
    };
    (finding, Some(()))
}

/// A command that does nothing, where the user agreed; else the right alone.
pub(super) async fn test_exec(
    link: &Arc<ApiClient>,
    rights: &RbacPermissions,
    pod: &RunningPodLookup,
    agreed: bool,
) -> StepOutput<()> {
    let pod = match pod {
        Ok(Some(pod)) => pod,
        Ok(None) => return (no_pod_finding(rights, "pods/exec"), Some(())),
        Err(_reported_by_its_watch) => return (pods_not_listed_finding(), None),
    };
    if !agreed {
        let finding = match rights.missing_of("pods/exec") {
            None if rights.is_unknown("pods/exec") => {
                StepFinding::skipped("the permission could not be checked; no command was run")
            }
            None => StepFinding::skipped(
                "permitted; no command was run, because it would show up in audit logs",
            ),
            Some(missing) => StepFinding::warning(
                format!("not permitted: {missing}"),
                "without it svcscope can't send requests from inside a pod",
            ),
        };
        return (finding, Some(()));
    }
    let command = PodCommand {
        container: pod.container.clone(),
        ..PodCommand::new(pod.key.clone(), vec!["true".to_owned()], COMMAND_TIMEOUT)
    };
    let pod = &pod.key;
    let finding = match PodCommandRunner::new(link.clone()).run(&command).await {
        Ok(output) if output.code == Some(0) => StepFinding::ok(format!("ran `true` in pod {pod}")),
        Ok(output) => StepFinding::ok(format!(
            "`true` in pod {pod} exited with code {}",
            output.code.unwrap_or(-1)
        )),
        Err(error) if error.kind == PodErrorKind::NoProgram => {
            StepFinding::ok(format!("pod {pod} was reached; it has no program `true`"))
        }
        Err(error) => StepFinding::failed(
            without_advice(&error.message),
            Some("without it svcscope can't send requests from inside a pod"),
        ),
    };
    (finding, Some(()))
}

fn no_pod_finding(rights: &RbacPermissions, resource: &str) -> StepFinding {
    match rights.missing_of(resource) {
        None if rights.is_unknown(resource) => StepFinding::skipped(
            "the permission could not be checked; not tested, because no pod is running",
        ),
        None => StepFinding::skipped("permitted; not tested, because no pod is running"),
        Some(missing) => StepFinding::warning(
            format!("not permitted: {missing}"),
            "ask a cluster administrator for that permission",
        ),
    }
}

fn pods_not_listed_finding() -> StepFinding {
    StepFinding::not_tried("pods can't be listed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_compared_by_the_date_of_the_answer() {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        let there: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        let ahead = there + SignedDuration::from_secs(125);
        assert_eq!(clock_skew(&headers, ahead).unwrap().as_secs(), 125);
        let behind = there - SignedDuration::from_secs(90);
        assert_eq!(clock_skew(&headers, behind).unwrap().as_secs(), -90);
        assert_eq!(clock_skew(&HeaderMap::new(), there), None);
    }
}
