//! How a session begins: the client asks for a protocol, the server switches to it or does not.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
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
    session::Session,
    transport::{Plain, Tunnel},
};
use crate::{
    cluster::{
        CallError, CallErrorKind,
        link::{self, Witness},
        path,
    },
    inventory::ObjectKey,
};

use std::sync::Arc;

/// SPDY in a WebSocket, from Kubernetes 1.31 on.
const TUNNEL: HeaderValue = HeaderValue::from_static("SPDY/3.1+portforward.k8s.io");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
/// SPDY itself, which every server since 1.5 speaks.
const SPDY: HeaderValue = HeaderValue::from_static("SPDY/3.1");
/// What SPDY carries, in a header of its own.
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");
const PORT_FORWARD: HeaderValue = HeaderValue::from_static("portforward.k8s.io");

/// What a session stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Protocol {
    /// SPDY in a WebSocket.
    Tunnel,
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

/// Opens a session to a pod.
pub(in super::super) async fn upgrade(
    client: &Client,
    protocol: Protocol,
    pod: &ObjectKey,
    tried: &str,
    witness: Witness,
) -> Result<Arc<Session>, UpgradeError> {
    let key = generate_key();
    let request = request(protocol, pod, &key)
        .map_err(|error| UpgradeError::Failed(other(tried, &error.to_string())))?;
    let answer = client
        .send(request)
        .await
        .map_err(|error| UpgradeError::Failed(CallError::from_client(tried, &error)))?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refusal(answer, tried).await);
    }
    if !is_agreed(protocol, answer.headers(), &key) {
        let said = "the server switched to another protocol than it was asked for";
        return Err(UpgradeError::Unsupported(other(tried, said)));
    }
    let upgraded = hyper::upgrade::on(answer)
        .await
        .map_err(|error| UpgradeError::Failed(CallError::from_transport(tried, &error)))?;
    let stream = TokioIo::new(upgraded);
    Ok(match protocol {
        Protocol::Spdy => Session::start(Plain::new(stream), witness),
        Protocol::Tunnel => {
            let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
            Session::start(Tunnel::new(socket), witness)
        }
    })
}

fn request(protocol: Protocol, pod: &ObjectKey, key: &str) -> Result<Request<Body>, http::Error> {
    let object = path::object("/api/v1", &pod.namespace, "pods", &pod.name);
    let request = Request::builder()
        .uri(format!("{object}/portforward"))
        .header(header::CONNECTION, "Upgrade");
    match protocol {
        Protocol::Tunnel => request
            .header(header::UPGRADE, WEBSOCKET)
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, key)
            .header(header::SEC_WEBSOCKET_PROTOCOL, TUNNEL),
        Protocol::Spdy => request
            .method(Method::POST)
            .header(header::UPGRADE, SPDY)
            .header(STREAM_PROTOCOL, PORT_FORWARD),
    }
    .body(Body::empty())
}

/// Whether the server switched to what it was asked for.
fn is_agreed(protocol: Protocol, headers: &HeaderMap, key: &str) -> bool {
    let is = |name: HeaderName, wanted: &[u8]| {
        let found = headers.get(name).map(HeaderValue::as_bytes);
        found.is_some_and(|found| found.eq_ignore_ascii_case(wanted))
    };
    match protocol {
        Protocol::Tunnel => {
            let accept = derive_accept_key(key.as_bytes());
            is(header::UPGRADE, WEBSOCKET.as_bytes())
                && is(header::SEC_WEBSOCKET_PROTOCOL, TUNNEL.as_bytes())
                && headers
                    .get(header::SEC_WEBSOCKET_ACCEPT)
                    .is_some_and(|found| found.as_bytes() == accept.as_bytes())
        }
        // Servers before 1.10 do not name what SPDY carries.
        Protocol::Spdy => is(header::UPGRADE, SPDY.as_bytes()),
    }
}

/// A right that lacks and a pod that is gone are said by the API server in a `Status`. Old kubelets
/// refuse a WebSocket protocol with a bare 403; proxies have answers of every kind.
async fn refusal(answer: Response<Body>, tried: &str) -> UpgradeError {
    let content_type = answer.headers().get(header::CONTENT_TYPE);
    let is_status = content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/"));
    let is_trouble =
        answer.status().is_server_error() && answer.status() != StatusCode::NOT_IMPLEMENTED;
    let error = link::refusal(tried, answer).await;
    match error.kind {
        CallErrorKind::Forbidden if !is_status => UpgradeError::Unsupported(error),
        CallErrorKind::Unauthorized
        | CallErrorKind::Forbidden
        | CallErrorKind::NotFound
        | CallErrorKind::Busy => UpgradeError::Failed(error),
        _ if is_trouble => UpgradeError::Unclear(error),
        _ => UpgradeError::Unsupported(error),
    }
}

fn other(tried: &str, said: &str) -> CallError {
    CallError::new(CallErrorKind::Other, tried, said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_to_something_else_is_no_agreement() {
        let headers = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            headers
        };
        let key = "dGhlIHNhbXBsZSBub25jZQ==";
        let agreed = |protocol: &str, accept: &str| {
            let headers = headers(&[
                ("upgrade", "WebSocket"),
                ("sec-websocket-protocol", protocol),
                ("sec-websocket-accept", accept),
            ]);
            is_agreed(Protocol::Tunnel, &headers, key)
        };
        // The example of RFC 6455 §1.3.
        let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        assert!(agreed("SPDY/3.1+portforward.k8s.io", accept));
        assert!(!agreed("v4.channel.k8s.io", accept));
        assert!(!agreed("SPDY/3.1+portforward.k8s.io", "other"));
        let spdy = |upgrade| is_agreed(Protocol::Spdy, &headers(&[("upgrade", upgrade)]), key);
        assert!(spdy("SPDY/3.1"));
        assert!(!spdy("websocket"));
    }
}
