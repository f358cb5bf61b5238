//! The server itself, and the way into its pods.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderMap, header::DATE};
use jiff::{SignedDuration, Timestamp};

use super::{Outcome, access::Permissions, result::Finding};
use crate::{
    cluster::{
        CallError, CallErrorKind,
        connect::{Version, is_api_server},
        dial::KubeDialer,
        error::without_advice,
        exec::Exec,
        link::{self, Link},
    },
    forward::DialErrorKind,
    inventory::{ObjectKey, Text},
    probe::inside::{PodCommand, PodErrorKind},
};

/// Tokens and certificates are refused when clocks differ; by more than this it is worth a word.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// How long the command in the container may take.
const COMMAND: Duration = Duration::from_secs(10);

/// A running pod: what to test with.
pub(super) struct RunningPod {
    pub key: ObjectKey,
    /// A port of a container.
    pub port: u16,
    /// Its first container: old servers choose none by themselves.
    pub container: Option<Text>,
}

/// None where there is none, or why it can't be known.
pub(super) type FoundPod = Result<Option<RunningPod>, CallError>;

/// `GET /version`: what answers, how fast, and how late it is there. Everything else works without it.
pub(super) async fn version(link: &Link) -> Outcome<Option<Version>> {
    let tried = format!("ask {} for its version", link.current().server);
    let asked = Instant::now();
    let answer = match link::get(&tried, "/version") {
        Ok(request) => link.fetch(&tried, &request).await,
        Err(error) => Err(error),
    };
    let round_trip = asked.elapsed();
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if is_api_server(link, &error).await => return unknown(&error.said),
        Err(error) => {
            let advice = "check that the API server is well";
            return (Finding::failed(&error.said, Some(advice)), None);
        }
    };
    let Ok(version) = serde_json::from_slice::<Version>(answer.body()) else {
        let found = "what answers there is no Kubernetes API server";
        let error = CallError::new(CallErrorKind::Other, &tried, found);
        if is_api_server(link, &error).await {
            return unknown("the answer can't be read");
        }
        let advice = "check `server` in the kubeconfig";
        return (Finding::failed(found, Some(advice)), None);
    };
    let found = format!(
        "Kubernetes {}, round trip {} ms",
        version.git_version,
        round_trip.as_millis()
    );
    let finding = match skew(answer.headers(), Timestamp::now()) {
        Some(skew) if skew.abs() > SKEW => {
            let side = if skew.is_positive() {
                "ahead of"
            } else {
                "behind"
            };
            let found = format!(
                "{found}; this machine's clock is {} s {side} the server's",
                skew.abs().as_secs()
            );
            Finding::warning(
                found,
                "set the clock: tokens and certificates may seem to have ended, or not to have begun",
            )
        }
        Some(_) => Finding::ok(format!("{found}, clocks agree")),
        None => Finding::ok(found),
    };
    (finding, Some(Some(version)))
}

/// A server that does not say its version, which only we would like to know.
fn unknown(said: &str) -> Outcome<Option<Version>> {
    let finding = Finding::warning(
        format!("its version is unknown: {said}"),
        "all else goes on: lists are read in pages. An administrator can grant /version by the ClusterRole system:public-info-viewer",
    );
    (finding, Some(None))
}

/// How far this machine's clock is ahead of the `Date` of an answer, which is whole seconds.
fn skew(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let there = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    Some(now.duration_since(there))
}

/// The upgrade to a session, as a forward begins. No stream is opened where the server multiplexes
/// them, so the application hears nothing.
pub(super) async fn port_forward(
    dialer: &KubeDialer,
    rights: &Permissions,
    pod: &FoundPod,
) -> Outcome<()> {
    let pod = match pod {
        Ok(Some(pod)) => pod,
        Ok(None) => return (no_pod(rights, "pods/portforward"), Some(())),
        Err(_told_by_its_watch) => return (pods_unread(), None),
    };
    let finding = match dialer.protocol(&pod.key, pod.port).await {
        Ok(protocol) => Finding::ok(format!(
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
                    "only that port of that pod refuses: the way into pods works"
                }
                _ => "a proxy or load balancer between may not pass upgrades (WebSocket, SPDY)",
            };
            Finding::failed(without_advice(&error.message), Some(advice))
        }
    };
    (finding, Some(()))
}

/// A command that does nothing, where the user agreed; else the right alone.
pub(super) async fn exec(
    link: &Arc<Link>,
    rights: &Permissions,
    pod: &FoundPod,
    agreed: bool,
) -> Outcome<()> {
    let pod = match pod {
        Ok(Some(pod)) => pod,
        Ok(None) => return (no_pod(rights, "pods/exec"), Some(())),
        Err(_told_by_its_watch) => return (pods_unread(), None),
    };
    if !agreed {
        let finding = match rights.missing_of("pods/exec") {
            None if rights.is_unknown("pods/exec") => {
                Finding::skipped("whether it is permitted could not be asked; no command was run")
            }
            None => Finding::skipped("permitted; no command was run, which others could notice"),
            Some(missing) => Finding::warning(
                format!("not permitted: {missing}"),
                "without it no request is sent from inside a pod",
            ),
        };
        return (finding, Some(()));
    }
    let command = PodCommand {
        container: pod.container.clone(),
        ..PodCommand::new(pod.key.clone(), vec!["true".to_owned()], COMMAND)
    };
    let pod = &pod.key;
    let finding = match Exec::new(link.clone()).run(&command).await {
        Ok(output) if output.code == Some(0) => Finding::ok(format!("ran `true` in pod {pod}")),
        Ok(output) => Finding::ok(format!(
            "`true` in pod {pod} ended with code {}",
            output.code.unwrap_or(-1)
        )),
        Err(error) if error.kind == PodErrorKind::NoProgram => {
            Finding::ok(format!("pod {pod} was reached; it has no program `true`"))
        }
        Err(error) => Finding::failed(
            without_advice(&error.message),
            Some("without it no request is sent from inside a pod"),
        ),
    };
    (finding, Some(()))
}

fn no_pod(rights: &Permissions, resource: &str) -> Finding {
    match rights.missing_of(resource) {
        None if rights.is_unknown(resource) => Finding::skipped(
            "whether it is permitted could not be asked; not tried, because no pod is running",
        ),
        None => Finding::skipped("permitted; not tried, because no pod is running"),
        Some(missing) => Finding::warning(
            format!("not permitted: {missing}"),
            "ask an administrator of the cluster for that right",
        ),
    }
}

fn pods_unread() -> Finding {
    Finding::not_tried("pods can't be listed")
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
        assert_eq!(skew(&headers, ahead).unwrap().as_secs(), 125);
        let behind = there - SignedDuration::from_secs(90);
        assert_eq!(skew(&headers, behind).unwrap().as_secs(), -90);
        assert_eq!(skew(&HeaderMap::new(), there), None);
    }
}
