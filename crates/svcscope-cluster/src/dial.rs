//! [`Dialer`] by the API server: many connections over a session where the server speaks SPDY, else
//! a WebSocket to `pods/portforward` for each.

mod dedicated;
mod dial_error;
mod refusal_mapping;
mod session_opener;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use kube_tunnel::{PodStream, SessionPool, TunnelDialError, TunnelProtocol};
use tokio::time::Instant;

use self::{
    dial_error::refusal_error, refusal_mapping::RefusalMappingStream,
    session_opener::KubeSessionOpener,
};
use super::api_client::ApiClient;
use svcscope_model::inventory::ObjectKey;
use svcscope_net::forward::{DialError, DialErrorKind, Dialer};

/// Opens port-forwards.
pub(super) struct KubeDialer {
    link: Arc<ApiClient>,
    sessions: SessionPool<KubeSessionOpener>,
    /// Until when the server is taken to speak no SPDY: learned, and kept for a day where it is
    /// certain.
    no_multiplexing_until: Mutex<Option<Instant>>,
}

const CERTAIN_TTL: Duration = Duration::from_secs(24 * 60 * 60);
const UNCERTAIN_TTL: Duration = Duration::from_secs(30);

impl KubeDialer {
    pub fn new(link: Arc<ApiClient>) -> Self {
        Self {
            sessions: SessionPool::new(KubeSessionOpener::new(link.clone())),
            link,
            no_multiplexing_until: Mutex::default(),
        }
    }

    async fn connect(&self, pod: &ObjectKey, port: u16) -> Result<Box<dyn PodStream>, DialError> {
        let tried = format!("forward to port {port} of pod {pod}");
        if self.is_multiplexing_unsupported() {
            match dedicated::connect(&self.link, pod, port, &tried).await {
                // It needs another right than SPDY, which may be there for this pod.
                Err(error) if error.kind == DialErrorKind::Forbidden => {}
                settled => return settled,
            }
        }
        match self.sessions.dial(pod, port).await {
            Ok(stream) => Ok(Box::new(RefusalMappingStream { stream, tried })),
            Err(TunnelDialError::Unsupported { certain }) => {
                let stream = dedicated::connect(&self.link, pod, port, &tried).await?;
                self.remember_no_multiplexing(if certain { CERTAIN_TTL } else { UNCERTAIN_TTL });
                Ok(stream)
            }
            Err(TunnelDialError::SessionFailed(error)) => Err(error),
            Err(TunnelDialError::Refused(words)) => Err(refusal_error(&tried, &words)),
            Err(TunnelDialError::SessionLost(why)) => Err(DialError {
                kind: DialErrorKind::Unreachable,
                message: format!("could not {tried}: {why}").into(),
            }),
        }
    }

    /// The protocol by which a forward to this pod would be carried, found by upgrading to it. Only
    /// where each connection has a WebSocket of its own does the port notice.
    pub async fn probe_protocol(
        &self,
        pod: &ObjectKey,
        port: u16,
    ) -> Result<&'static str, DialError> {
        match KubeSessionOpener::new(self.link.clone())
            .probe_protocol(pod)
            .await
        {
            Ok(TunnelProtocol::SpdyOverWebSocket) => Ok("SPDY over WebSocket"),
            Ok(TunnelProtocol::Spdy) => Ok("SPDY"),
            Err(TunnelDialError::Unsupported { .. }) => {
                let tried = format!("forward to port {port} of pod {pod}");
                let stream = dedicated::connect(&self.link, pod, port, &tried).await;
                stream.map(|_closed| "a WebSocket for each connection")
            }
            Err(TunnelDialError::SessionFailed(error)) => Err(error),
            Err(TunnelDialError::Refused(why) | TunnelDialError::SessionLost(why)) => {
                Err(DialError {
                    kind: DialErrorKind::Unreachable,
                    message: format!("could not forward to pod {pod}: {why}").into(),
                })
            }
        }
    }

    fn is_multiplexing_unsupported(&self) -> bool {
        let until = self
            .no_multiplexing_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn remember_no_multiplexing(&self, time: Duration) {
        let mut until = self
            .no_multiplexing_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *until = Some(Instant::now() + time);
    }
}

impl Dialer for KubeDialer {
    fn dial<'a>(
        &'a self,
        pod: &'a ObjectKey,
        port: u16,
    ) -> BoxFuture<'a, Result<Box<dyn PodStream>, DialError>> {
        Box::pin(self.connect(pod, port))
    }

    fn recheck(&self) {
        self.sessions.drain();
    }
}
