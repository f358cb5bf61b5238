//! A client that is being built in place of another one, for all who wait for it.

use std::sync::Arc;

use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use tokio::task::AbortHandle;
use tokio_util::task::AbortOnDropHandle;

use super::{
    ExecPluginError, connect_error::ConnectError, credentialed_client::CredentialedClient,
};

/// What comes of it.
pub(super) type RenewalOutcome = Result<Arc<CredentialedClient>, ConnectError>;

/// Why a client is replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RenewalReason {
    /// Its credentials have expired.
    Expired,
    /// The API server answered 401.
    Refused,
    /// The user asked for it.
    Requested,
}

/// Continues when one of its waiters gives up: the user may be typing a password. Ends when it is
/// dropped and has no waiters.
pub(super) struct ClientRenewal {
    outcome: Shared<BoxFuture<'static, RenewalOutcome>>,
    abort_handle: AbortHandle,
}

impl ClientRenewal {
    pub fn start(work: impl Future<Output = RenewalOutcome> + Send + 'static) -> Self {
        let work = AbortOnDropHandle::new(tokio::spawn(work));
        let abort = work.abort_handle();
        let outcome = work.map(|joined| match joined {
            Ok(outcome) => outcome,
            Err(error) if error.is_cancelled() => Err(ExecPluginError::Cancelled.into()),
            Err(panic) => Err(ConnectError::Client(panic.to_string())),
        });
        Self {
            outcome: outcome.boxed().shared(),
            abort_handle: abort,
        }
    }

    /// What all wait for.
    pub fn outcome(&self) -> Shared<BoxFuture<'static, RenewalOutcome>> {
        self.outcome.clone()
    }

    pub fn is_running(&self) -> bool {
        self.outcome.peek().is_none()
    }

    pub fn cancel(&self) {
        self.abort_handle.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_waiters_learn_that_it_was_cancelled() {
        let renewal = ClientRenewal::start(std::future::pending());
        let (one, other) = (renewal.outcome(), renewal.outcome());
        assert!(one.clone().now_or_never().is_none() && renewal.is_running());
        renewal.cancel();
        for outcome in [one.await, other.await] {
            assert_eq!(outcome.err(), Some(ExecPluginError::Cancelled.into()));
        }
        assert!(!renewal.is_running());
    }
}
