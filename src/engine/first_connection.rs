//! When a first connection that failed is tried again by itself.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    cluster::{CallErrorKind, ConnectError, ExecError, OidcError},
    inventory::Text,
};

/// The pause after the first failure; each later one doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// No pause is longer, but for credentials.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A credential plugin may open a browser each time it is asked, and a server may count failed
/// logins.
const CREDENTIALS_PAUSE: Duration = Duration::from_secs(60);

/// Why there is no connection, and what that means for the next attempt.
#[derive(Debug)]
pub(super) struct NotConnected {
    /// What was tried, what was said, what to do next.
    pub(super) reason: Text,
    /// When it makes sense to try again.
    pub(super) retry: Retry,
}

/// When it makes sense to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    /// Soon, then less and less often; not before this has passed, which the server asked for.
    Soon(Duration),
    /// Once a minute.
    Seldom,
    /// Once the kubeconfig is another one.
    WhenChanged,
}

impl From<&ConnectError> for Retry {
    fn from(error: &ConnectError) -> Self {
        match error {
            // Whoever logs in again changes the file.
            ConnectError::Kubeconfig(_)
            | ConnectError::Client(_)
            | ConnectError::Oidc(OidcError::NoRefreshToken { .. } | OidcError::BadField { .. })
            | ConnectError::Exec(ExecError::Cancelled | ExecError::NoTerminal { .. }) => {
                Self::WhenChanged
            }
            ConnectError::Exec(_) | ConnectError::Oidc(_) => Self::Seldom,
            ConnectError::OtherServer(_) => Self::Soon(Duration::ZERO),
            ConnectError::Call(error) => Self::after(error.kind, error.retry_after),
        }
    }
}

impl Retry {
    /// After a call that failed so.
    fn after(kind: CallErrorKind, asked_for: Option<Duration>) -> Self {
        match kind {
            CallErrorKind::Credentials | CallErrorKind::Unauthorized => Self::Seldom,
            _ => Self::Soon(asked_for.unwrap_or_default()),
        }
    }
}

impl From<ConnectError> for NotConnected {
    fn from(error: ConnectError) -> Self {
        Self {
            retry: Retry::from(&error),
            reason: Text::from(error.to_string()),
        }
    }
}

/// Counts failures in a row and knows when the next attempt begins.
#[derive(Debug, Default)]
pub(super) struct FirstConnection {
    failures: u32,
    at: Option<Instant>,
}

impl FirstConnection {
    /// When the next attempt begins, if by the clock.
    pub(super) fn due(&self) -> Option<Instant> {
        self.at
    }

    /// Notes a failure; says in how long the next attempt begins, if by the clock.
    pub(super) fn failed(&mut self, retry: Retry) -> Option<Duration> {
        let pause = match retry {
            Retry::Soon(asked_for) => {
                let whole = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
                Some(
                    whole
                        .min(LONGEST_PAUSE)
                        .max(asked_for.min(CREDENTIALS_PAUSE)),
                )
            }
            Retry::Seldom => Some(CREDENTIALS_PAUSE),
            Retry::WhenChanged => None,
        };
        self.failures = self.failures.saturating_add(1);
        self.at = pause.map(|pause| Instant::now() + pause);
        pause
    }

    /// An attempt begins.
    pub(super) fn begun(&mut self) {
        self.at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::KubeconfigError;

    #[tokio::test(start_paused = true)]
    async fn the_pauses_double_up_to_half_a_minute() {
        let mut first = FirstConnection::default();
        let pauses: Vec<_> = (0..8)
            .filter_map(|_| first.failed(Retry::after(CallErrorKind::Unreachable, None)))
            .map(|pause| pause.as_secs())
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(first.due(), Some(Instant::now() + LONGEST_PAUSE));
        first.begun();
        assert_eq!(first.due(), None);
    }

    #[test]
    fn a_plugin_is_not_hammered_and_a_broken_kubeconfig_not_read_by_the_clock() {
        let plugin = ConnectError::Exec(ExecError::NoCommand);
        let kubeconfig = ConnectError::Kubeconfig(KubeconfigError::Missing("none".into()));
        let calls = [
            (CallErrorKind::Unreachable, Retry::Soon(Duration::ZERO)),
            (CallErrorKind::Busy, Retry::Soon(Duration::ZERO)),
            (CallErrorKind::Unauthorized, Retry::Seldom),
            (CallErrorKind::Credentials, Retry::Seldom),
        ];
        for (kind, expected) in calls {
            assert_eq!(Retry::after(kind, None), expected, "{kind:?}");
        }
        let cases = [
            (plugin, Retry::Seldom),
            (ExecError::Cancelled.into(), Retry::WhenChanged),
            (ConnectError::Client("bad key".into()), Retry::WhenChanged),
            (kubeconfig, Retry::WhenChanged),
        ];
        for (error, expected) in cases {
            assert_eq!(Retry::from(&error), expected, "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_server_asks_for_is_kept_within_reason() {
        let mut first = FirstConnection::default();
        let asked = |secs| Retry::Soon(Duration::from_secs(secs));
        assert_eq!(first.failed(asked(7)), Some(Duration::from_secs(7)));
        assert_eq!(first.failed(asked(9_000)), Some(CREDENTIALS_PAUSE));
        assert_eq!(first.failed(Retry::Seldom), Some(CREDENTIALS_PAUSE));
        assert_eq!(first.failed(Retry::WhenChanged), None);
        assert_eq!(first.due(), None);
    }
}
