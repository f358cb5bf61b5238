//! When a first connection that failed is tried again by itself.

use std::time::Duration;

use tokio::time::Instant;

use svcscope_cluster::{CallErrorKind, ConnectError, ExecPluginError, OidcError};
use svcscope_model::inventory::SharedStr;

/// The pause after the first failure; each later one doubles.
const FIRST_RETRY_PAUSE: Duration = Duration::from_secs(1);
/// No pause is longer, but for credentials.
const LONGEST_RETRY_PAUSE: Duration = Duration::from_secs(30);
/// A credential plugin may open a browser each time it is asked, and a server may count failed
/// logins.
const CREDENTIAL_RETRY_PAUSE: Duration = Duration::from_secs(60);

/// Why there is no connection, and what that means for the next attempt.
#[derive(Debug)]
pub(super) struct ConnectFailure {
    /// What was tried, what was said, what to do next.
    pub(super) reason: SharedStr,
    /// When it makes sense to try again.
    pub(super) retry: ConnectRetryTiming,
}

/// When it makes sense to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectRetryTiming {
    /// Soon, then less and less often; not before this has passed, which the server asked for.
    Backoff(Duration),
    /// Once a minute.
    EveryMinute,
    /// Once the kubeconfig is another one.
    AfterKubeconfigChange,
}

impl From<&ConnectError> for ConnectRetryTiming {
    fn from(error: &ConnectError) -> Self {
        match error {
            // Whoever logs in again changes the file.
            ConnectError::Kubeconfig(_)
            | ConnectError::Client(_)
            | ConnectError::Oidc(OidcError::NoRefreshToken { .. } | OidcError::BadField { .. })
            | ConnectError::Exec(ExecPluginError::Cancelled | ExecPluginError::NoTerminal { .. }) => {
                Self::AfterKubeconfigChange
            }
            ConnectError::Exec(_) | ConnectError::Oidc(_) => Self::EveryMinute,
            ConnectError::ServerChanged(_) => Self::Backoff(Duration::ZERO),
            ConnectError::Call(error) => Self::after(error.kind, error.retry_after),
        }
    }
}

impl ConnectRetryTiming {
    /// After a call that failed so.
    fn after(kind: CallErrorKind, asked_for: Option<Duration>) -> Self {
        match kind {
            CallErrorKind::Credentials | CallErrorKind::Unauthorized => Self::EveryMinute,
            _ => Self::Backoff(asked_for.unwrap_or_default()),
        }
    }
}

impl From<ConnectError> for ConnectFailure {
    fn from(error: ConnectError) -> Self {
        Self {
            retry: ConnectRetryTiming::from(&error),
            reason: SharedStr::from(error.to_string()),
        }
    }
}

/// Counts failures in a row and knows when the next attempt begins.
#[derive(Debug, Default)]
pub(super) struct ConnectRetryState {
    failures: u32,
    next_attempt: Option<Instant>,
}

impl ConnectRetryState {
    /// When the next attempt begins, if by the clock.
    pub(super) fn next_attempt(&self) -> Option<Instant> {
        self.next_attempt
    }

    /// Notes a failure; says in how long the next attempt begins, if by the clock.
    pub(super) fn record_failure(&mut self, retry: ConnectRetryTiming) -> Option<Duration> {
        let pause = match retry {
            ConnectRetryTiming::Backoff(asked_for) => {
                let whole = FIRST_RETRY_PAUSE.saturating_mul(1 << self.failures.min(16));
                Some(
                    whole
                        .min(LONGEST_RETRY_PAUSE)
                        .max(asked_for.min(CREDENTIAL_RETRY_PAUSE)),
                )
            }
            ConnectRetryTiming::EveryMinute => Some(CREDENTIAL_RETRY_PAUSE),
            ConnectRetryTiming::AfterKubeconfigChange => None,
        };
        self.failures = self.failures.saturating_add(1);
        self.next_attempt = pause.map(|pause| Instant::now() + pause);
        pause
    }

    /// An attempt begins.
    pub(super) fn attempt_started(&mut self) {
        self.next_attempt = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_cluster::KubeconfigError;

    #[tokio::test(start_paused = true)]
    async fn the_pauses_double_up_to_half_a_minute() {
        let mut first = ConnectRetryState::default();
        let pauses: Vec<_> = (0..8)
            .filter_map(|_| {
                first.record_failure(ConnectRetryTiming::after(CallErrorKind::Unreachable, None))
            })
            .map(|pause| pause.as_secs())
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(
            first.next_attempt(),
            Some(Instant::now() + LONGEST_RETRY_PAUSE)
        );
        first.attempt_started();
        assert_eq!(first.next_attempt(), None);
    }

    #[test]
    fn a_plugin_is_not_hammered_and_a_broken_kubeconfig_not_read_by_the_clock() {
        let plugin = ConnectError::Exec(ExecPluginError::NoCommand);
        let kubeconfig = ConnectError::Kubeconfig(KubeconfigError::Missing("none".into()));
        let calls = [
            (
                CallErrorKind::Unreachable,
                ConnectRetryTiming::Backoff(Duration::ZERO),
            ),
            (
                CallErrorKind::Busy,
                ConnectRetryTiming::Backoff(Duration::ZERO),
            ),
            (CallErrorKind::Unauthorized, ConnectRetryTiming::EveryMinute),
            (CallErrorKind::Credentials, ConnectRetryTiming::EveryMinute),
        ];
        for (kind, expected) in calls {
            assert_eq!(ConnectRetryTiming::after(kind, None), expected, "{kind:?}");
        }
        let cases = [
            (plugin, ConnectRetryTiming::EveryMinute),
            (
                ExecPluginError::Cancelled.into(),
                ConnectRetryTiming::AfterKubeconfigChange,
            ),
            (
                ConnectError::Client("bad key".into()),
                ConnectRetryTiming::AfterKubeconfigChange,
            ),
            (kubeconfig, ConnectRetryTiming::AfterKubeconfigChange),
        ];
        for (error, expected) in cases {
            assert_eq!(ConnectRetryTiming::from(&error), expected, "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_server_asks_for_is_kept_within_reason() {
        let mut first = ConnectRetryState::default();
        let asked = |secs| ConnectRetryTiming::Backoff(Duration::from_secs(secs));
        assert_eq!(first.record_failure(asked(7)), Some(Duration::from_secs(7)));
        assert_eq!(
            first.record_failure(asked(9_000)),
            Some(CREDENTIAL_RETRY_PAUSE)
        );
        assert_eq!(
            first.record_failure(ConnectRetryTiming::EveryMinute),
            Some(CREDENTIAL_RETRY_PAUSE)
        );
        assert_eq!(
            first.record_failure(ConnectRetryTiming::AfterKubeconfigChange),
            None
        );
        assert_eq!(first.next_attempt(), None);
    }
}
