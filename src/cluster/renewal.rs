//! A client that is being built in place of another one, for all who wait for it.

use std::sync::Arc;

use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use tokio::task::AbortHandle;
use tokio_util::task::AbortOnDropHandle;

use super::{ExecError, connect::ConnectError, link::Session};

/// What comes of it.
pub(super) type RenewalOutcome = Result<Arc<Session>, ConnectError>;

/// Why a client is replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RenewalReason {
    /// Its credentials have expired.
    Expired,
    /// The API server answered 401.
    Refused,
    /// The user asked for it.
    Asked,
}

/// Goes on when one of those who wait gives up: the user may be typing a password. Ends when it is
/// dropped and nobody waits.
pub(super) struct Renewal {
    outcome: Shared<BoxFuture<'static, RenewalOutcome>>,
    work: AbortHandle,
}

impl Renewal {
    pub fn start(work: impl Future<Output = RenewalOutcome> + Send + 'static) -> Self {
        let work = AbortOnDropHandle::new(tokio::spawn(work));
        let abort = work.abort_handle();
        let outcome = work.map(|joined| match joined {
            Ok(outcome) => outcome,
            Err(error) if error.is_cancelled() => Err(ExecError::Cancelled.into()),
            Err(panic) => Err(ConnectError::Client(panic.to_string())),
        });
        Self {
            outcome: outcome.boxed().shared(),
            work: abort,
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
        self.work.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_who_wait_are_told_that_it_was_cancelled() {
        let renewal = Renewal::start(std::future::pending());
        let (one, other) = (renewal.outcome(), renewal.outcome());
        assert!(one.clone().now_or_never().is_none() && renewal.is_running());
        renewal.cancel();
        for outcome in [one.await, other.await] {
            assert_eq!(outcome.err(), Some(ExecError::Cancelled.into()));
        }
        assert!(!renewal.is_running());
    }
}
