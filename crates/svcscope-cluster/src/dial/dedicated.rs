//! A WebSocket to `pods/portforward` for one connection, as every server speaks it.

use std::{sync::Arc, time::Duration};

use kube_tunnel::{PodStream, WebSocketPodStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;

use super::{
    dial_error::{refusal_error, to_dial_error},
    session_opener::UPGRADE_RETRY_WAIT,
};
use crate::{
    CallError,
    api_client::ApiClient,
    path,
    upgrade::{self, UpgradedStream},
};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::forward::DialError;

/// The first byte of a message names its channel.
const CHANNEL_PROTOCOL: &str = "v4.channel.k8s.io";

/// How long the upgrade may take: TLS, the API server, the kubelet.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a node is given to say that nothing listens. It says so within milliseconds, and
/// every connection that is accepted waits this long.
const REFUSAL_WAIT: Duration = Duration::from_millis(10);

/// Connects by a WebSocket of its own.
pub(super) async fn connect(
    link: &Arc<ApiClient>,
    pod: &ObjectKey,
    port: u16,
    tried: &str,
) -> Result<Box<dyn PodStream>, DialError> {
    let call = |error: CallError| to_dial_error(&error);
    let socket = link
        .with_retries(tried, UPGRADE_RETRY_WAIT, || {
            upgrade(link, pod, port, tried)
        })
        .await;
    let mut stream = WebSocketPodStream::new(socket.map_err(call)?, link.liveness_check());
    let refused = timeout(UPGRADE_TIMEOUT, stream.wait_for_refusal(REFUSAL_WAIT))
        .await
        .map_err(|_elapsed| call(CallError::timed_out(tried, UPGRADE_TIMEOUT)))?
        .map_err(|error| call(CallError::from_transport(tried, &error)))?;
    match refused {
        None => Ok(Box::new(stream)),
        Some(words) => Err(refusal_error(tried, &words)),
    }
}

async fn upgrade(
    link: &ApiClient,
    pod: &ObjectKey,
    port: u16,
    tried: &str,
) -> Result<WebSocketStream<UpgradedStream>, CallError> {
    let object = path::object("/api/v1", &pod.namespace, "pods", &pod.name);
    let uri = format!("{object}/portforward?ports={port}");
    let uri = &*uri;
    let upgraded = link.with_client(tried, |client| async move {
        let upgraded = upgrade::upgrade_to_websocket(&client, uri, CHANNEL_PROTOCOL, tried);
        let (socket, _agreed) = timeout(UPGRADE_TIMEOUT, upgraded)
            .await
            .map_err(|_elapsed| CallError::timed_out(tried, UPGRADE_TIMEOUT))??;
        Ok(socket)
    });
    upgraded.await
}
