//! What a step of the test found, in words.

use std::{fmt, time::Duration};

use serde::{Serialize, Serializer};

use crate::inventory::{Kind, Text, plain::plain};

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
    Rights,
    /// A kind is listed and watched.
    Watch(Kind),
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
        Self::Rights,
        Self::Watch(Kind::ALL[0]),
        Self::Watch(Kind::ALL[1]),
        Self::Watch(Kind::ALL[2]),
        Self::Watch(Kind::ALL[3]),
        Self::Watch(Kind::ALL[4]),
        Self::Watch(Kind::ALL[5]),
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
            Self::Rights => f.pad("rights"),
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
pub enum StepOutcome {
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

impl StepOutcome {
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
pub struct StepResult {
    /// Which step.
    pub step: ConnectionStep,
    /// How it went.
    pub outcome: StepOutcome,
    /// What was tried and what was found.
    pub found: Text,
    /// What to do next, where there is something to do.
    pub advice: Option<Text>,
    /// How long it took; none where it was not tried.
    pub millis: Option<u64>,
}

/// What a step found, before it is known how long it took.
pub(super) struct Finding {
    outcome: StepOutcome,
    found: String,
    advice: Option<String>,
}

impl Finding {
    fn new(outcome: StepOutcome, found: impl fmt::Display, advice: Option<&str>) -> Self {
        Self {
            outcome,
            found: found.to_string(),
            advice: advice.map(str::to_owned),
        }
    }

    pub fn ok(found: impl fmt::Display) -> Self {
        Self::new(StepOutcome::Ok, found, None)
    }

    pub fn warning(found: impl fmt::Display, advice: &str) -> Self {
        Self::new(StepOutcome::Warning, found, Some(advice))
    }

    pub fn failed(found: impl fmt::Display, advice: Option<&str>) -> Self {
        Self::new(StepOutcome::Failed, found, advice)
    }

    pub fn skipped(found: impl fmt::Display) -> Self {
        Self::new(StepOutcome::Skipped, found, None)
    }

    pub fn not_tried(why: &str) -> Self {
        Self::new(StepOutcome::NotTried, format!("not tried: {why}"), None)
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
            StepOutcome::Failed => 3,
            StepOutcome::Warning => 2,
            StepOutcome::Ok => 1,
            StepOutcome::NotTried | StepOutcome::Skipped => 0,
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
            StepOutcome::Failed => StepOutcome::Failed,
            _ => StepOutcome::Warning,
        };
        let advice = self.advice.as_deref().unwrap_or(advice);
        Self::new(outcome, format!("{said}; {}", self.found), Some(advice))
    }

    /// Less than a failure, where svcscope can do without.
    pub fn or_warning(self, is_needed: bool) -> Self {
        match self.outcome {
            StepOutcome::Failed if !is_needed => Self {
                outcome: StepOutcome::Warning,
                ..self
            },
            _ => self,
        }
    }

    pub fn of_step(self, step: ConnectionStep, took: Option<Duration>) -> StepResult {
        StepResult {
            step,
            outcome: self.outcome,
            found: Text::from(&*plain(&self.found)),
            advice: self.advice.map(|advice| Text::from(&*plain(&advice))),
            millis: took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_watched_kind_has_its_step() {
        for kind in Kind::ALL {
            let watch = ConnectionStep::Watch(kind);
            assert!(ConnectionStep::ALL.contains(&watch), "{watch}");
        }
    }

    #[test]
    fn of_two_namespaces_the_failure_is_said() {
        let both = Finding::ok("fine").worse(Finding::failed("gone", None));
        assert_eq!(both.outcome, StepOutcome::Failed);
        let both = Finding::failed("gone", None).worse(Finding::ok("fine"));
        assert_eq!(both.found, "gone");
        assert_eq!(both.or_warning(false).outcome, StepOutcome::Warning);
    }
}
