//! Sessions by the protocol that the server speaks: SPDY in a WebSocket (Kubernetes 1.31), else SPDY
//! itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::time::{Instant, timeout};

use super::{kind_of, to_dial_error};
use crate::{
    cluster::{
        CallError, CallErrorKind, ConnectError,
        link::Link,
        tunnel::{self, Failure, Opener, Protocol, Session, UpgradeError},
    },
    forward::DialErrorKind,
    inventory::ObjectKey,
};

/// How long the upgrade may take: TLS, the API server, the kubelet.
const UPGRADE: Duration = Duration::from_secs(10);

/// An upgrade is tried so often where the connection breaks within a moment.
const ATTEMPTS: u32 = 3;
const AT_ONCE: Duration = Duration::from_secs(1);

/// Opens sessions.
pub(super) struct Sessions(Arc<Opening>);

impl Sessions {
    pub fn new(link: Arc<Link>) -> Self {
        Self(Arc::new(Opening {
            link,
            no_tunnel: AtomicBool::new(false),
        }))
    }
}

impl Sessions {
    /// Opens a session, leaves it, and says by which protocol it was.
    pub async fn protocol(&self, pod: &ObjectKey) -> Result<Protocol, Failure> {
        let (protocol, session) = self.0.open(pod).await?;
        session.retire();
        Ok(protocol)
    }
}

struct Opening {
    link: Arc<Link>,
    /// The server speaks SPDY, but not in a WebSocket: learned as well.
    no_tunnel: AtomicBool,
}

impl Opener for Sessions {
    fn open(&self, pod: &ObjectKey) -> BoxFuture<'static, Result<Arc<Session>, Failure>> {
        let opening = self.0.clone();
        let pod = pod.clone();
        Box::pin(async move { opening.open(&pod).await.map(|(_protocol, session)| session) })
    }

    fn kind_of(&self, words: &str) -> DialErrorKind {
        kind_of(words)
    }
}

impl Opening {
    async fn open(&self, pod: &ObjectKey) -> Result<(Protocol, Arc<Session>), Failure> {
        let tried = format!("forward to pod {pod}");
        let no_tunnel = self.no_tunnel.load(Ordering::Relaxed);
        let mut certain = true;
        if !no_tunnel {
            match self.upgrade(Protocol::Tunnel, pod, &tried).await {
                Ok(session) => return Ok((Protocol::Tunnel, session)),
                Err(UpgradeError::Failed(why)) => {
                    return Err(Failure::Session(to_dial_error(&why)));
                }
                Err(UpgradeError::Unsupported(why)) => {
                    tracing::debug!(%why, "no SPDY in a WebSocket");
                }
                Err(UpgradeError::Unclear(why)) => {
                    tracing::debug!(%why, "perhaps no SPDY in a WebSocket");
                    certain = false;
                }
            }
        }
        match self.upgrade(Protocol::Spdy, pod, &tried).await {
            Ok(session) => {
                if certain {
                    self.no_tunnel.store(true, Ordering::Relaxed);
                }
                Ok((Protocol::Spdy, session))
            }
            Err(UpgradeError::Unsupported(why)) => {
                tracing::debug!(%why, "no SPDY");
                Err(Failure::Unsupported { certain })
            }
            Err(UpgradeError::Unclear(why)) => {
                tracing::debug!(%why, "perhaps no SPDY");
                Err(Failure::Unsupported { certain: false })
            }
            // SPDY needs another right than WebSockets.
            Err(UpgradeError::Failed(why))
                if why.kind == CallErrorKind::Forbidden && !no_tunnel =>
            {
                tracing::debug!(%why, "no right to SPDY");
                Err(Failure::Unsupported { certain })
            }
            Err(UpgradeError::Failed(why)) => Err(Failure::Session(to_dial_error(&why))),
        }
    }

    /// Upgrades with the newest credentials. A kept connection that the server has closed
    /// meanwhile, as it does after an upgrade that it refused, says nothing about the next one: an
    /// upgrade that found no answer at once is tried again.
    async fn upgrade(
        &self,
        protocol: Protocol,
        pod: &ObjectKey,
        tried: &str,
    ) -> Result<Arc<Session>, UpgradeError> {
        let credentials = |error: ConnectError| UpgradeError::Failed(error.while_trying(tried));
        let mut session = self.link.session().await.map_err(credentials)?;
        let started = Instant::now();
        let mut renewed = false;
        for attempt in 1.. {
            match self
                .upgrade_with(&session.client, protocol, pod, tried)
                .await
            {
                Err(UpgradeError::Failed(error))
                    if error.kind == CallErrorKind::Unauthorized && !renewed =>
                {
                    session = self.link.renew(&session).await.map_err(credentials)?;
                    renewed = true;
                }
                Err(UpgradeError::Failed(error))
                    if error.kind == CallErrorKind::Unreachable
                        && attempt < ATTEMPTS
                        && started.elapsed() < AT_ONCE => {}
                answered => return answered,
            }
        }
        Err(UpgradeError::Failed(CallError::timed_out(tried, UPGRADE)))
    }

    async fn upgrade_with(
        &self,
        client: &kube::Client,
        protocol: Protocol,
        pod: &ObjectKey,
        tried: &str,
    ) -> Result<Arc<Session>, UpgradeError> {
        let upgrade = tunnel::upgrade(client, protocol, pod, tried, self.link.witness());
        let too_late = |_elapsed| UpgradeError::Failed(CallError::timed_out(tried, UPGRADE));
        timeout(UPGRADE, upgrade).await.map_err(too_late)?
    }
}
