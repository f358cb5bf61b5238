//! Why something with a pod did not work.

use svcscope_model::inventory::SharedStr;

/// What a failure means for what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PodErrorKind {
    /// There is no such pod, or none any more.
    Gone,
    /// The pod has no such container, or it does not run.
    NoContainer,
    /// The container has no such program.
    NoProgram,
    /// The user lacks a right.
    Forbidden,
    /// A quota or a limit range of the namespace does not allow the pod.
    Quota,
    /// A policy (Pod Security, an admission webhook) does not allow the pod.
    Policy,
    /// The pod never came to run.
    NotRunning,
    /// The API server does not know who asks.
    Unauthorized,
    /// The API server can't be reached or did not answer in time.
    Unreachable,
    /// The command did not end in time.
    TimedOut,
    /// Nobody agreed to a pod being created, or everything that writes is refused.
    NotConsented,
    /// Anything else.
    Other,
}

/// A failure, in words for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PodError {
    /// What it means.
    pub kind: PodErrorKind,
    /// What was tried, what the other side said, and what to do next.
    pub message: SharedStr,
}

impl PodError {
    /// `tried` completes "could not …".
    pub fn new(kind: PodErrorKind, tried: &str, said: &str) -> Self {
        let message = match advice(kind) {
            Some(next) => format!("could not {tried}: {said}; {next}"),
            None => format!("could not {tried}: {said}"),
        };
        Self {
            kind,
            message: message.into(),
        }
    }
}

fn advice(kind: PodErrorKind) -> Option<&'static str> {
    Some(match kind {
        PodErrorKind::NoContainer => "name another container or pod",
        PodErrorKind::NoProgram => {
            "the container's image does not have it: use another pod, or let svcscope create a \
             probe pod"
        }
        PodErrorKind::Forbidden => "ask a cluster administrator for that permission",
        PodErrorKind::Quota => "choose another namespace, or use a pod that is there",
        PodErrorKind::Policy => "choose another namespace or image, or use a pod that is there",
        PodErrorKind::Unauthorized => "log in again, then reconnect",
        PodErrorKind::Unreachable => {
            "check that the cluster is running and that this machine can reach it"
        }
        _ => return None,
    })
}
