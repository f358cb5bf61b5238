//! Connections that the API server upgrades: to SPDY, to a WebSocket.

use std::sync::Arc;

use http::{Response, StatusCode, header, request};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use kube::client::{Body, Client};
use kube_tunnel::{
    LivenessCheck, PORT_FORWARD, SPDY_OVER_WEBSOCKET, TunnelProtocol, TunnelSession,
    WebSocketHandshake, is_spdy_response, spdy_request,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

use crate::{CallError, CallErrorKind, api_client, path};
use svcscope_model::inventory::ObjectKey;

/// Why there is no session.
#[derive(Debug)]
pub(super) enum UpgradeError {
    /// The server, or something in front of it, does not know the protocol: another may do.
    Unsupported(CallError),
    /// It may not know the protocol, or be in trouble just now: another may do for the moment.
    Unclear(CallError),
    /// No protocol would do.
    Failed(CallError),
}

impl UpgradeError {
    /// What was said.
    pub fn into_call_error(self) -> CallError {
        match self {
            Self::Unsupported(error) | Self::Unclear(error) | Self::Failed(error) => error,
        }
    }
}

impl From<UpgradeError> for CallError {
    fn from(error: UpgradeError) -> Self {
        error.into_call_error()
    }
}

/// The bytes of an upgraded connection.
pub(super) type UpgradedStream = TokioIo<Upgraded>;

/// Opens a session to a pod.
pub(super) async fn open_session(
    client: &Client,
    protocol: TunnelProtocol,
    pod: &ObjectKey,
    tried: &str,
    liveness_check: LivenessCheck,
) -> Result<Arc<TunnelSession>, UpgradeError> {
    let object = path::object("/api/v1", &pod.namespace, "pods", &pod.name);
    let uri = format!("{object}/portforward");
    Ok(match protocol {
        TunnelProtocol::Spdy => {
            let stream = upgrade_to_spdy(client, &uri, PORT_FORWARD, tried).await?;
            TunnelSession::over_stream(stream, liveness_check)
        }
        TunnelProtocol::SpdyOverWebSocket => {
            let (socket, _agreed) =
                upgrade_to_websocket(client, &uri, SPDY_OVER_WEBSOCKET, tried).await?;
            TunnelSession::over_websocket(socket, liveness_check)
        }
    })
}

/// Upgrades to SPDY, which carries what `stream_protocol` names.
pub(super) async fn upgrade_to_spdy(
    client: &Client,
    uri: &str,
    stream_protocol: &'static str,
    tried: &str,
) -> Result<UpgradedStream, UpgradeError> {
    let answer = request_upgrade(client, spdy_request(uri, stream_protocol), tried).await?;
    if !is_spdy_response(answer.headers()) {
        return Err(wrong_protocol_error(tried));
    }
    upgraded_stream(answer, tried).await
}

/// Upgrades to a WebSocket; `offers` are its protocols, of which the server has chosen one.
pub(super) async fn upgrade_to_websocket(
    client: &Client,
    uri: &str,
    offers: &'static str,
    tried: &str,
) -> Result<(WebSocketStream<UpgradedStream>, String), UpgradeError> {
    let handshake = WebSocketHandshake::new(offers);
    let answer = request_upgrade(client, handshake.request(uri), tried).await?;
    let Some(agreed) = handshake.agreed_protocol(answer.headers()) else {
        return Err(wrong_protocol_error(tried));
    };
    let stream = upgraded_stream(answer, tried).await?;
    let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    Ok((socket, agreed))
}

/// The answer to a request for another protocol, where the server switches.
async fn request_upgrade(
    client: &Client,
    request: request::Builder,
    tried: &str,
) -> Result<Response<Body>, UpgradeError> {
    let request = request.body(Body::empty()).map_err(|error| {
        let said = error.to_string();
        UpgradeError::Failed(CallError::new(CallErrorKind::Other, tried, &said))
    })?;
    let answer = client
        .send(request)
        .await
        .map_err(|error| UpgradeError::Failed(CallError::from_client(tried, &error)))?;
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        Ok(answer)
    } else {
        Err(upgrade_refusal(answer, tried).await)
    }
}

async fn upgraded_stream(
    answer: Response<Body>,
    tried: &str,
) -> Result<UpgradedStream, UpgradeError> {
    hyper::upgrade::on(answer)
        .await
        .map(TokioIo::new)
        .map_err(|error| UpgradeError::Failed(CallError::from_transport(tried, &error)))
}

fn wrong_protocol_error(tried: &str) -> UpgradeError {
    let said = "the server switched to a protocol that was not requested";
    UpgradeError::Unsupported(CallError::new(CallErrorKind::Other, tried, said))
}

/// The API server reports a missing right and a missing pod in a `Status`. Old kubelets refuse a
/// WebSocket protocol with a bare 403; proxies have answers of every kind.
async fn upgrade_refusal(answer: Response<Body>, tried: &str) -> UpgradeError {
    let content_type = answer.headers().get(header::CONTENT_TYPE);
    let is_status = content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/"));
    let is_trouble =
        answer.status().is_server_error() && answer.status() != StatusCode::NOT_IMPLEMENTED;
    let error = api_client::error_response(tried, answer).await;
    match error.kind {
        CallErrorKind::Forbidden | CallErrorKind::NotFound if !is_status => {
            UpgradeError::Unsupported(error)
        }
        CallErrorKind::Busy if !is_status => UpgradeError::Unclear(error),
        CallErrorKind::Unauthorized
        | CallErrorKind::Forbidden
        | CallErrorKind::NotFound
        | CallErrorKind::Busy => UpgradeError::Failed(error),
        _ if is_trouble => UpgradeError::Unclear(error),
        _ => UpgradeError::Unsupported(error),
    }
}
