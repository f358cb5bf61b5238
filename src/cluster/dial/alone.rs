//! A WebSocket to `pods/portforward` for one connection, as every server speaks it.

use std::{sync::Arc, time::Duration};

use http::Request;
use tokio::time::timeout;

use super::{refusal, to_dial_error};
use crate::{
    cluster::{CallError, CallErrorKind, link::Link, path, pod_stream::PodStream as Forwarded},
    forward::{DialError, PodStream},
    inventory::ObjectKey,
};

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
    let session = link
        .session()
        .await
        .map_err(|error| call(error.while_trying(tried)))?;
    let socket = match upgrade(&session.client, pod, port, tried).await {
        Err(error) if error.kind == CallErrorKind::Unauthorized => {
            let renewed = link
                .renew(&session)
                .await
                .map_err(|error| call(error.while_trying(tried)))?;
            upgrade(&renewed.client, pod, port, tried).await
        }
        answered => answered,
    };
    let mut stream = Forwarded::new(socket.map_err(call)?.into_stream(), link.witness());
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
    client: &kube::Client,
    pod: &ObjectKey,
    port: u16,
    tried: &str,
) -> Result<kube::client::Connection, CallError> {
    let object = path::object("/api/v1", &pod.namespace, "pods", &pod.name);
    let request = Request::get(format!("{object}/portforward?ports={port}"))
        .body(Vec::new())
        .map_err(|error| CallError::new(CallErrorKind::Other, tried, &error.to_string()))?;
    timeout(UPGRADE, client.connect(request))
        .await
        .map_err(|_elapsed| CallError::timed_out(tried, UPGRADE))?
        .map_err(|error| CallError::from_client(tried, &error))
}
