//! `pods/portforward`: connections to a pod's ports, all over one upgraded connection.
//!
//! In comes a request that wants to switch protocols; out go the bytes of the pod's listeners, until client,
//! pod or server ends it. `handshake` agrees on the protocol, `websocket_channels` and [`spdy`] speak them.

pub(super) mod handshake;
mod websocket_channels;

use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, protocol::Role};

use super::api_request::ApiRequest;
use super::cluster;
use super::cluster::DemoCluster;
use super::json;
use super::resource::ServedKind;
use super::response::ApiResponse;
use super::spdy;
use super::status::FailureStatus;
use super::store::NamespacedName;
use handshake::PortForwardTransport;

pub(super) async fn answer(
    app: Arc<DemoCluster>,
    mut call: ApiRequest,
) -> Result<ApiResponse, FailureStatus> {
    let key = NamespacedName::new(
        call.target.namespace.as_deref().unwrap_or_default(),
        call.target.name.as_deref().unwrap_or_default(),
    );
    let pod = cluster::find(&app, ServedKind::Pod, &key)?;
    if json::text(&pod, "spec/nodeName").is_empty() {
        return Err(FailureStatus::bad_request(format!(
            "pod {} does not have a host assigned",
            key.name
        )));
    }
    let (transport, answer) = handshake::negotiate_transport(&call.request, &call.query)?;
    let upgrade = hyper::upgrade::on(&mut call.request);
    tokio::spawn(run_session(app, pod, transport, upgrade));
    Ok(answer)
}

/// Carries the bytes of one session until client, pod or server ends it.
async fn run_session(
    app: Arc<DemoCluster>,
    pod: Value,
    transport: PortForwardTransport,
    upgrade: OnUpgrade,
) {
    let carried = tokio::select! {
        carried = relay(upgrade, &pod, &transport) => carried,
        () = wait_until_deleted(&app, &pod) => Ok(()),
        () = app.connections_cut() => Ok(()),
    };
    if let Err(error) = carried {
        tracing::debug!(%error, "a port-forward ended early");
    }
}

async fn relay(
    upgrade: OnUpgrade,
    pod: &Value,
    transport: &PortForwardTransport,
) -> Result<(), tungstenite::Error> {
    let connection = TokioIo::new(upgrade.await.map_err(std::io::Error::other)?);
    let socket = |connection| WebSocketStream::from_raw_socket(connection, Role::Server, None);
    match transport {
        PortForwardTransport::Channels(ports) => {
            websocket_channels::relay_channels(socket(connection).await, pod, ports).await
        }
        PortForwardTransport::Tunnel => spdy::serve_websocket(socket(connection).await, pod).await,
        PortForwardTransport::Spdy => Ok(spdy::serve(connection, pod).await?),
    }
}

/// Returns when the pod is no longer there: its connections end with it.
async fn wait_until_deleted(app: &DemoCluster, pod: &Value) {
    let key = NamespacedName::of(pod);
    let uid = json::text(pod, "metadata/uid");
    let mut signal = app.registry.store.lock().change_signal(ServedKind::Pod);
    loop {
        let now = app
            .registry
            .store
            .lock()
            .get(ServedKind::Pod, &key)
            .cloned();
        let there = now.is_some_and(|now| json::text(&now.to_value(), "metadata/uid") == uid);
        if !there || signal.changed().await.is_err() {
            return;
        }
    }
}

/// What containerd says when nothing listens.
pub(super) fn connection_refused_message(pod: &Value, port: u16) -> String {
    let uid = json::text(pod, "metadata/uid");
    let sandbox = super::random::hash(uid).repeat(6);
    let space = format!("/var/run/netns/cni-{uid}");
    format!(
        "error forwarding port {port} to pod {sandbox}, uid : failed to execute portforward in network namespace {space:?}: failed to connect to localhost:{port} inside namespace {sandbox:?}, IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found "
    )
}
