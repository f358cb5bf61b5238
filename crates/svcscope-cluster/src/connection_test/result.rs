//! What a step of the test found, in words.

use std::{fmt, time::Duration};

use serde::{Serialize, Serializer};

use svcscope_model::inventory::{ResourceKind, SharedStr, plain::plain};

/// A step of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionStep {
    /// The kubeconfig is read and the context found.
    Kubeconfig,
    /// Which proxy leads to the API server, and that it does.
    Proxy,
    /// The server's name is resolved and a TCP connection opened.
    Network,
    /// The TLS handshake and the server's certificate.
    Tls,
    /// Credentials are had, and the server accepts them.
    Credentials,
    /// The server's version, the round trip and the clocks.
    Server,
    /// What RBAC permits.
    Permissions,
    /// A kind is listed and watched.
    Watch(ResourceKind),
    /// The upgrade of `pods/portforward`.
    PortForward,
    /// A command in a container.
    Exec,
}

impl ConnectionStep {
    /// All steps in the order in which they are tried.
    pub const ALL: [Self; 15] = [
        Self::Kubeconfig,
        Self::Proxy,
        Self::Network,
        Self::Tls,
        Self::Credentials,
        Self::Server,
        Self::Permissions,
        Self::Watch(ResourceKind::ALL[0]),
        Self::Watch(ResourceKind::ALL[1]),
        Self::Watch(ResourceKind::ALL[2]),
        Self::Watch(ResourceKind::ALL[3]),
        Self::Watch(ResourceKind::ALL[4]),
        Self::Watch(ResourceKind::ALL[5]),
        Self::PortForward,
        Self::Exec,
    ];

    /// Whether there is no cluster to talk to while this step fails.
    pub fn is_connecting(self) -> bool {
        matches!(
            self,
            Self::Kubeconfig
                | Self::Proxy
                | Self::Network
                | Self::Tls
                | Self::Credentials
                | Self::Server
        )
    }
}

impl fmt::Display for ConnectionStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kubeconfig => f.pad("kubeconfig"),
            Self::Proxy => f.pad("proxy"),
            Self::Network => f.pad("network"),
            Self::Tls => f.pad("TLS"),
            Self::Credentials => f.pad("credentials"),
            Self::Server => f.pad("version"),
            Self::Permissions => f.pad("rights"),
            Self::Watch(kind) => f.pad(&format!("watch {kind}")),
            Self::PortForward => f.pad("port-forward"),
            Self::Exec => f.pad("exec"),
        }
    }
}

impl Serialize for ConnectionStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StepStatus {
    /// It works.
    Ok,
    /// It works, but not all of it, or not safely.
    Warning,
    /// It does not work.
    Failed,
    /// It could not be tried, because something else failed.
    NotTried,
    /// There is nothing to try, or the user did not agree to it.
    Skipped,
}

impl StepStatus {
    /// One character for it; colour is never the only sign.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Ok => "✓",
            Self::Warning => "▲",
            Self::Failed => "✕",
            Self::NotTried | Self::Skipped => "–",
        }
    }
}

/// What came of a step. No text of it is a secret; what others said in it is one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConnectionStepResult {
    /// Which step.
    pub step: ConnectionStep,
    /// How it went.
    pub outcome: StepStatus,
    /// What was tried and what was found.
    #[serde(rename = "found")]
    pub summary: SharedStr,
    /// What to do next, where there is something to do.
    pub advice: Option<SharedStr>,
    /// How long it took; none where it was not tried.
    pub millis: Option<u64>,
}

/// What a step found, before it is known how long it took.
pub(super) struct StepFinding {
    outcome: StepStatus,
    summary: String,
    advice: Option<String>,
}

impl StepFinding {
    fn new(outcome: StepStatus, found: impl fmt::Display, advice: Option<&str>) -> Self {
        Self {
            outcome,
            summary: found.to_string(),
            advice: advice.map(str::to_owned),
        }
    }

    pub fn ok(found: impl fmt::Display) -> Self {
        Self::new(StepStatus::Ok, found, None)
    }

    pub fn warning(found: impl fmt::Display, advice: &str) -> Self {
        Self::new(StepStatus::Warning, found, Some(advice))
    }

    pub fn failed(found: impl fmt::Display, advice: Option<&str>) -> Self {
        Self::new(StepStatus::Failed, found, advice)
    }

    pub fn skipped(found: impl fmt::Display) -> Self {
        Self::new(StepStatus::Skipped, found, None)
    }

    pub fn not_tried(why: &str) -> Self {
        Self::new(StepStatus::NotTried, format!("not tried: {why}"), None)
    }

    pub fn no_answer(waited: Duration) -> Self {
        Self::failed(
            format!("no answer within {:.0} s", waited.as_secs_f32()),
            Some("check the network, the VPN and the proxy; or allow more time (--timeout)"),
        )
    }

    /// Of two findings about the same thing the one that matters more.
    pub fn worse(self, other: Self) -> Self {
        let weight = |outcome| match outcome {
            StepStatus::Failed => 3,
            StepStatus::Warning => 2,
            StepStatus::Ok => 1,
            StepStatus::NotTried | StepStatus::Skipped => 0,
        };
        if weight(other.outcome) > weight(self.outcome) {
            other
        } else {
            self
        }
    }

    /// The same with a warning beside it.
    pub fn and_warning(self, said: &str, advice: &str) -> Self {
        let outcome = match self.outcome {
            StepStatus::Failed => StepStatus::Failed,
            _ => StepStatus::Warning,
        };
        let advice = self.advice.as_deref().unwrap_or(advice);
        Self::new(outcome, format!("{said}; {}", self.summary), Some(advice))
    }

    /// Less than a failure, where svcscope can do without.
    pub fn downgrade_unless_needed(self, is_needed: bool) -> Self {
        match self.outcome {
            StepStatus::Failed if !is_needed => Self {
                outcome: StepStatus::Warning,
                ..self
            },
            _ => self,
        }
    }

    pub fn into_result(self, step: ConnectionStep, took: Option<Duration>) -> ConnectionStepResult {
        ConnectionStepResult {
            step,
            outcome: self.outcome,
            summary: SharedStr::from(&*plain(&self.summary)),
            advice: self.advice.map(|advice| SharedStr::from(&*plain(&advice))),
            millis: took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_watched_kind_has_its_step() {
        for kind in ResourceKind::ALL {
            let watch = ConnectionStep::Watch(kind);
            assert!(ConnectionStep::ALL.contains(&watch), "{watch}");
        }
    }

    #[test]
    fn of_two_namespaces_the_failure_is_said() {
        let both = StepFinding::ok("fine").worse(StepFinding::failed("gone", None));
        assert_eq!(both.outcome, StepStatus::Failed);
        let both = StepFinding::failed("gone", None).worse(StepFinding::ok("fine"));
        assert_eq!(both.summary, "gone");
        assert_eq!(
            both.downgrade_unless_needed(false).outcome,
            StepStatus::Warning
        );
    }
}
