//! How a session begins: what the client asks for, and whether the server has switched to it.
//!
//! The requests are sent by the caller, with its credentials, over its HTTP client.

use http::{HeaderMap, HeaderName, HeaderValue, Request, header, request};
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};

/// SPDY in a WebSocket, from Kubernetes 1.31 on: the WebSocket protocol to offer.
pub const SPDY_OVER_WEBSOCKET: &str = "SPDY/3.1+portforward.k8s.io";
/// What SPDY carries for a port-forward.
pub const PORT_FORWARD: &str = "portforward.k8s.io";

/// SPDY itself, which every server since 1.5 speaks.
const SPDY: &str = "SPDY/3.1";
/// What SPDY carries, in a header of its own.
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// What carries a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelProtocol {
    /// SPDY in a WebSocket.
    SpdyOverWebSocket,
    /// SPDY.
    Spdy,
}

/// A request to switch to SPDY, by POST. `stream_protocol` names what SPDY shall carry.
pub fn spdy_request(uri: &str, stream_protocol: &'static str) -> request::Builder {
    Request::post(uri)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, SPDY)
        .header(STREAM_PROTOCOL, stream_protocol)
}

/// Whether a `101 Switching Protocols` switches to SPDY. Servers before 1.10 do not name what it
/// carries.
pub fn is_spdy_response(headers: &HeaderMap) -> bool {
    has_header_value(headers, header::UPGRADE, SPDY)
}

/// The handshake of a WebSocket (RFC 6455).
#[derive(Debug)]
pub struct WebSocketHandshake {
    key: String,
    offers: &'static str,
}

impl WebSocketHandshake {
    /// Offers these protocols, separated by `, `.
    pub fn new(offers: &'static str) -> Self {
        Self {
            key: generate_key(),
            offers,
        }
    }

    /// The request to switch, by GET.
    pub fn request(&self, uri: &str) -> request::Builder {
        Request::get(uri)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, &self.key)
            .header(header::SEC_WEBSOCKET_PROTOCOL, self.offers)
    }

    /// Which of the offered protocols a `101 Switching Protocols` chooses, if it switches to a
    /// WebSocket.
    pub fn agreed_protocol(&self, headers: &HeaderMap) -> Option<String> {
        let accept = derive_accept_key(self.key.as_bytes());
        let accepted = headers.get(header::SEC_WEBSOCKET_ACCEPT);
        if !has_header_value(headers, header::UPGRADE, "websocket")
            || accepted.is_none_or(|found| found.as_bytes() != accept.as_bytes())
        {
            return None;
        }
        let chosen = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
        let mut offers = self.offers.split(", ");
        offers
            .any(|offer| offer.eq_ignore_ascii_case(chosen))
            .then(|| chosen.to_owned())
    }
}

fn has_header_value(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    let found = headers.get(name).map(HeaderValue::as_bytes);
    found.is_some_and(|found| found.eq_ignore_ascii_case(wanted.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_to_something_else_is_no_agreement() {
        let handshake = WebSocketHandshake {
            key: "dGhlIHNhbXBsZSBub25jZQ==".to_owned(),
            offers: "v5.channel.k8s.io, v4.channel.k8s.io",
        };
        let chosen = |protocol: &str, accept: &str| {
            let mut headers = HeaderMap::new();
            for (name, value) in [
                ("upgrade", "WebSocket"),
                ("sec-websocket-protocol", protocol),
                ("sec-websocket-accept", accept),
            ] {
                headers.insert(name, value.parse().unwrap());
            }
            handshake.agreed_protocol(&headers)
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
