//! How a session begins: the client asks for a protocol, the server switches to it or does not.

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header, request};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use kube::client::{Body, Client};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::{client::generate_key, derive_accept_key},
        protocol::Role,
    },
};

use super::{
    session::TunnelSession,
    transport::{RawStreamTransport, WebSocketTransport},
};
use crate::{
    CallError, CallErrorKind,
    api_client::{self, LivenessCheck},
    path,
};
use svcscope_model::inventory::ObjectKey;

use std::sync::Arc;

/// SPDY in a WebSocket, from Kubernetes 1.31 on.
const SPDY_OVER_WEBSOCKET: &str = "SPDY/3.1+portforward.k8s.io";
/// SPDY itself, which every server since 1.5 speaks.
const SPDY: &str = "SPDY/3.1";
/// What SPDY carries, in a header of its own.
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");
const PORT_FORWARD: &str = "portforward.k8s.io";

/// What a session stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum TunnelProtocol {
    /// SPDY in a WebSocket.
    SpdyOverWebSocket,
    /// SPDY.
    Spdy,
}

/// Why there is no session.
#[derive(Debug)]
pub(in super::super) enum UpgradeError {
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
pub(in super::super) type UpgradedStream = TokioIo<Upgraded>;

/// Opens a session to a pod.
pub(in super::super) async fn open_session(
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
            TunnelSession::start(RawStreamTransport::new(stream), liveness_check)
        }
        TunnelProtocol::SpdyOverWebSocket => {
            let (socket, _agreed) =
                upgrade_to_websocket(client, &uri, SPDY_OVER_WEBSOCKET, tried).await?;
            TunnelSession::start(WebSocketTransport::new(socket), liveness_check)
        }
    })
}

/// Upgrades to SPDY by POST, which carries what `speaks` names.
pub(in super::super) async fn upgrade_to_spdy(
    client: &Client,
    uri: &str,
    stream_protocol: &'static str,
    tried: &str,
) -> Result<UpgradedStream, UpgradeError> {
    let request = Request::post(uri)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, SPDY)
        .header(STREAM_PROTOCOL, stream_protocol);
    let answer = request_upgrade(client, request, tried).await?;
    // Servers before 1.10 do not name what SPDY carries.
    if !has_header_value(answer.headers(), header::UPGRADE, SPDY) {
        return Err(wrong_protocol_error(tried));
    }
    upgraded_stream(answer, tried).await
}

/// Upgrades to a WebSocket by GET; `offers` are its protocols, of which the server has chosen one.
pub(in super::super) async fn upgrade_to_websocket(
    client: &Client,
    uri: &str,
    offers: &'static str,
    tried: &str,
) -> Result<(WebSocketStream<UpgradedStream>, String), UpgradeError> {
    let key = generate_key();
    let request = Request::get(uri)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, &key)
        .header(header::SEC_WEBSOCKET_PROTOCOL, offers);
    let answer = request_upgrade(client, request, tried).await?;
    let Some(agreed) = agreed_protocol(answer.headers(), offers, &key) else {
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

fn has_header_value(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    let found = headers.get(name).map(HeaderValue::as_bytes);
    found.is_some_and(|found| found.eq_ignore_ascii_case(wanted.as_bytes()))
}

/// Which of the protocols offered the server has chosen, if it switched to a WebSocket.
fn agreed_protocol(headers: &HeaderMap, offers: &str, key: &str) -> Option<String> {
    let accept = derive_accept_key(key.as_bytes());
    let accepted = headers.get(header::SEC_WEBSOCKET_ACCEPT);
    if !has_header_value(headers, header::UPGRADE, "websocket")
        || accepted.is_none_or(|found| found.as_bytes() != accept.as_bytes())
    {
        return None;
    }
    let chosen = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let mut offers = offers.split(", ");
    offers
        .any(|offer| offer.eq_ignore_ascii_case(chosen))
        .then(|| chosen.to_owned())
}

/// A right that lacks and a pod that is gone are said by the API server in a `Status`. Old kubelets
/// refuse a WebSocket protocol with a bare 403; proxies have answers of every kind.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_to_something_else_is_no_agreement() {
        let key = "dGhlIHNhbXBsZSBub25jZQ==";
        let chosen = |protocol: &str, accept: &str| {
            let mut headers = HeaderMap::new();
            for (name, value) in [
                ("upgrade", "WebSocket"),
                ("sec-websocket-protocol", protocol),
                ("sec-websocket-accept", accept),
            ] {
                headers.insert(name, value.parse().unwrap());
            }
            agreed_protocol(&headers, "v5.channel.k8s.io, v4.channel.k8s.io", key)
        };
        // The example of RFC 6455 §1.3.
        let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        for protocol in ["v5.channel.k8s.io", "v4.channel.k8s.io"] {
            assert_eq!(chosen(protocol, accept).as_deref(), Some(protocol));
        }
        assert_eq!(chosen("SPDY/3.1+portforward.k8s.io", accept), None);
        assert_eq!(chosen("v4.channel.k8s.io", "other"), None);
    }
}
