//! `pods/portforward`: the ways into a pod's ports, all over one upgraded connection.
//!
//! In comes a request that wants to switch protocols; out go the bytes of the pod's listeners, until client,
//! pod or server ends it. `handshake` agrees on the protocol, `channels` and [`spdy`] speak them.

mod channels;
pub(super) mod handshake;

use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, protocol::Role};

use super::app::{self, App, Call};
use super::http::Answer;
use super::json;
use super::resource::Kind;
use super::spdy;
use super::status::Status;
use super::store::Key;
use handshake::Transport;

pub(super) async fn answer(app: Arc<App>, mut call: Call) -> Result<Answer, Status> {
    let key = Key::new(
        call.target.namespace.as_deref().unwrap_or_default(),
        call.target.name.as_deref().unwrap_or_default(),
    );
    let pod = app::find(&app, Kind::Pod, &key)?;
    if json::text(&pod, "spec/nodeName").is_empty() {
        return Err(Status::bad_request(format!(
            "pod {} does not have a host assigned",
            key.name
        )));
    }
    let (transport, answer) = handshake::agree(&call.request, &call.query)?;
    let upgrade = hyper::upgrade::on(&mut call.request);
    tokio::spawn(session(app, pod, transport, upgrade));
    Ok(answer)
}

/// Carries the bytes of one session until client, pod or server ends it.
async fn session(app: Arc<App>, pod: Value, transport: Transport, upgrade: OnUpgrade) {
    let carried = tokio::select! {
        carried = carry(upgrade, &pod, &transport) => carried,
        () = gone(&app, &pod) => Ok(()),
        () = app.cut() => Ok(()),
    };
    if let Err(error) = carried {
        tracing::debug!(%error, "a port-forward ended early");
    }
}

async fn carry(
    upgrade: OnUpgrade,
    pod: &Value,
    transport: &Transport,
) -> Result<(), tungstenite::Error> {
    let connection = TokioIo::new(upgrade.await.map_err(std::io::Error::other)?);
    let socket = |connection| WebSocketStream::from_raw_socket(connection, Role::Server, None);
    match transport {
        Transport::Channels(ports) => channels::carry(socket(connection).await, pod, ports).await,
        Transport::Tunnel => spdy::tunnel(socket(connection).await, pod).await,
        Transport::Spdy => Ok(spdy::serve(connection, pod).await?),
    }
}

/// Returns when the pod is no longer there: its connections end with it.
async fn gone(app: &App, pod: &Value) {
    let key = Key::of(pod);
    let uid = json::text(pod, "metadata/uid");
    let mut signal = app.registry.store.lock().signal(Kind::Pod);
    loop {
        let now = app.registry.store.lock().get(Kind::Pod, &key).cloned();
        let there = now.is_some_and(|now| json::text(&now.read(), "metadata/uid") == uid);
        if !there || signal.changed().await.is_err() {
            return;
        }
    }
}

/// What containerd says when nothing listens.
pub(super) fn refusal(pod: &Value, port: u16) -> String {
    let uid = json::text(pod, "metadata/uid");
    let sandbox = super::random::hash(uid).repeat(6);
    let space = format!("/var/run/netns/cni-{uid}");
    format!(
        "error forwarding port {port} to pod {sandbox}, uid : failed to execute portforward in network namespace {space:?}: failed to connect to localhost:{port} inside namespace {sandbox:?}, IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found "
    )
}
