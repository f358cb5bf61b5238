//! A WebSocket to `pods/portforward` for one connection, as every server speaks it.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;

use super::{refusal, sessions::BUSY, to_dial_error};
use crate::{
    cluster::{
        CallError,
        link::Link,
        path,
        pod_stream::PodStream as Forwarded,
        tunnel::{self, Upgradable},
    },
    forward::{DialError, PodStream},
    inventory::ObjectKey,
};

/// The first byte of a message names its channel.
const CHANNELS: &str = "v4.channel.k8s.io";

/// How long the upgrade may take: TLS, the API server, the kubelet.
const UPGRADE: Duration = Duration::from_secs(10);

/// How long a node is given to say that nothing listens. It says so within milliseconds, and
/// every connection that is accepted waits this long.
const REFUSAL: Duration = Duration::from_millis(10);

/// Connects by a WebSocket of its own.
pub(super) async fn connect(
    link: &Arc<Link>,
    pod: &ObjectKey,
    port: u16,
    tried: &str,
) -> Result<Box<dyn PodStream>, DialError> {
    let call = |error: CallError| to_dial_error(&error);
    let socket = link
        .patiently(tried, BUSY, || upgrade(link, pod, port, tried))
        .await;
    let mut stream = Forwarded::new(socket.map_err(call)?, link.witness());
    let refused = timeout(UPGRADE, stream.refused(REFUSAL))
        .await
        .map_err(|_elapsed| call(CallError::timed_out(tried, UPGRADE)))?
        .map_err(|error| call(CallError::from_transport(tried, &error)))?;
    match refused {
        None => Ok(Box::new(stream)),
        Some(words) => Err(refusal(tried, &words)),
    }
}

async fn upgrade(
    link: &Link,
    pod: &ObjectKey,
    port: u16,
    tried: &str,
) -> Result<WebSocketStream<Upgradable>, CallError> {
    let object = path::object("/api/v1", &pod.namespace, "pods", &pod.name);
    let uri = format!("{object}/portforward?ports={port}");
    let uri = &*uri;
    let upgraded = link.with_client(tried, |client| async move {
        let upgraded = tunnel::websocket(&client, uri, CHANNELS, tried);
        let (socket, _agreed) = timeout(UPGRADE, upgraded)
            .await
            .map_err(|_elapsed| CallError::timed_out(tried, UPGRADE))??;
        Ok(socket)
    });
    upgraded.await
}
