//! Sessions by the protocol that the server speaks: SPDY in a WebSocket (Kubernetes 1.31), else SPDY
//! itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kube_tunnel::{OpeningSession, SessionOpener, TunnelProtocol, TunnelSession};
use tokio::time::{Instant, timeout};

use super::dial_error::{error_kind_of_node_message, to_dial_error};
use crate::{
    CallError, CallErrorKind, ConnectError,
    api_client::ApiClient,
    upgrade::{self, UpgradeError},
};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::forward::{DialError, DialErrorKind};

type TunnelDialError = kube_tunnel::TunnelDialError<DialError>;

/// How long the upgrade may take: TLS, the API server, the kubelet.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a server may ask to wait: a client of the forward waits meanwhile, and not longer than
/// this and an upgrade.
pub(super) const UPGRADE_RETRY_WAIT: Duration = Duration::from_secs(8);

/// An upgrade is tried so often where the connection breaks within a moment.
const ATTEMPTS: u32 = 3;
const RETRY_WINDOW: Duration = Duration::from_secs(1);

/// Opens sessions.
pub(super) struct KubeSessionOpener(Arc<ProtocolNegotiation>);

impl KubeSessionOpener {
    pub fn new(link: Arc<ApiClient>) -> Self {
        Self(Arc::new(ProtocolNegotiation {
            link,
            prefers_spdy: AtomicBool::new(false),
        }))
    }
}

impl KubeSessionOpener {
    /// Opens a session, leaves it, and says by which protocol it was.
    pub async fn probe_protocol(&self, pod: &ObjectKey) -> Result<TunnelProtocol, TunnelDialError> {
        let (protocol, session) = self.0.open(pod).await?;
        session.drain();
        Ok(protocol)
    }
}

struct ProtocolNegotiation {
    link: Arc<ApiClient>,
    /// SPDY itself goes first: the server does not know it in a WebSocket, or the user may `create`
    /// a port-forward and not `get` one. Learned.
    prefers_spdy: AtomicBool,
}

impl SessionOpener for KubeSessionOpener {
    type Pod = ObjectKey;
    type Error = DialError;

    fn open(&self, pod: &ObjectKey) -> OpeningSession<DialError> {
        let opening = self.0.clone();
        let pod = pod.clone();
        Box::pin(async move { opening.open(&pod).await.map(|(_protocol, session)| session) })
    }

    fn is_port_refusal(&self, message: &str) -> bool {
        error_kind_of_node_message(message) == DialErrorKind::Refused
    }
}

impl ProtocolNegotiation {
    /// A WebSocket is a GET and needs the verb `get` (from 1.35 on also `create`), SPDY is a POST and
    /// needs `create`: where one is refused the other may do. kubectl falls back on every answer but
    /// a switch of protocols (`createDialer` in kubectl/pkg/cmd/portforward/portforward.go).
    async fn open(
        &self,
        pod: &ObjectKey,
    ) -> Result<(TunnelProtocol, Arc<TunnelSession>), TunnelDialError> {
        let tried = format!("forward to pod {pod}");
        let order = if self.prefers_spdy.load(Ordering::Relaxed) {
            [TunnelProtocol::Spdy, TunnelProtocol::SpdyOverWebSocket]
        } else {
            [TunnelProtocol::SpdyOverWebSocket, TunnelProtocol::Spdy]
        };
        let mut certain = true;
        let mut refusals = Vec::new();
        for protocol in order {
            match self.upgrade(protocol, pod, &tried).await {
                Ok(session) => {
                    if certain {
                        let is_spdy = protocol == TunnelProtocol::Spdy;
                        self.prefers_spdy.store(is_spdy, Ordering::Relaxed);
                    }
                    return Ok((protocol, session));
                }
                Err(UpgradeError::Failed(why)) if why.kind == CallErrorKind::Forbidden => {
                    tracing::debug!(%why, ?protocol, "not permitted by this protocol");
                    refusals.push((protocol, why));
                }
                Err(UpgradeError::Failed(why)) => {
                    return Err(TunnelDialError::SessionFailed(to_dial_error(&why)));
                }
                Err(UpgradeError::Unsupported(why)) => {
                    tracing::debug!(%why, ?protocol, "not spoken");
                }
                Err(UpgradeError::Unclear(why)) => {
                    tracing::debug!(%why, ?protocol, "the server may not support this protocol");
                    certain = false;
                }
            }
        }
        match refusals.as_slice() {
            // `create` alone is enough, so its refusal is the one to report.
            [_, _] => {
                let last = refusals.iter().find(|(of, _)| *of == TunnelProtocol::Spdy);
                let why = last.map(|(_, why)| to_dial_error(why));
                Err(why.map_or(
                    TunnelDialError::Unsupported { certain },
                    TunnelDialError::SessionFailed,
                ))
            }
            _ => Err(TunnelDialError::Unsupported { certain }),
        }
    }

    /// Upgrades with the newest credentials. A kept connection that the server has closed
    /// meanwhile, as it does after an upgrade that it refused, says nothing about the next one: an
    /// upgrade that found no answer at once is tried again.
    async fn upgrade(
        &self,
        protocol: TunnelProtocol,
        pod: &ObjectKey,
        tried: &str,
    ) -> Result<Arc<TunnelSession>, UpgradeError> {
        let credentials = |error: ConnectError| UpgradeError::Failed(error.into_call_error(tried));
        let mut session = self.link.valid_client().await.map_err(credentials)?;
        let started = Instant::now();
        let mut renewed = false;
        let (mut pauses, mut patience) = (1, UPGRADE_RETRY_WAIT);
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
                        && started.elapsed() < RETRY_WINDOW => {}
                Err(UpgradeError::Failed(error))
                    if self
                        .link
                        .wait_before_retry(tried, &error, pauses, &mut patience)
                        .await =>
                {
                    pauses += 1;
                }
                answered => return answered,
            }
        }
        Err(UpgradeError::Failed(CallError::timed_out(
            tried,
            UPGRADE_TIMEOUT,
        )))
    }

    async fn upgrade_with(
        &self,
        client: &kube::Client,
        protocol: TunnelProtocol,
        pod: &ObjectKey,
        tried: &str,
    ) -> Result<Arc<TunnelSession>, UpgradeError> {
        let upgrade =
            upgrade::open_session(client, protocol, pod, tried, self.link.liveness_check());
        let too_late =
            |_elapsed| UpgradeError::Failed(CallError::timed_out(tried, UPGRADE_TIMEOUT));
        timeout(UPGRADE_TIMEOUT, upgrade).await.map_err(too_late)?
    }
}
