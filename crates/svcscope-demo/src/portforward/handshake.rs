//! How a port-forward begins: the client names protocols, the server takes one.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::super::request::ApiQueryParams;
use super::super::response::{self as answer, ApiResponse};
use super::super::status::FailureStatus;

/// Channels in a WebSocket, the protocol of most libraries.
const CHANNEL_PROTOCOL: &str = "v4.channel.k8s.io";
/// SPDY in a WebSocket, kubectl's first choice.
const TUNNEL_PROTOCOL: &str = "SPDY/3.1+portforward.k8s.io";
/// SPDY itself, kubectl's second choice and the first one of old ones.
const SPDY_PROTOCOL: &str = "SPDY/3.1";
/// What SPDY carries, in a header of its own.
const PORT_FORWARD: &str = "portforward.k8s.io";
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");
/// The most ports of one session, as the kubelet allows.
const MAX_PORTS: usize = 128;

/// What a session speaks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PortForwardTransport {
    /// `v4.channel.k8s.io`, which names its ports in the query.
    Channels(Vec<u16>),
    Tunnel,
    Spdy,
}

/// The transport that client and server agree on, and the answer that says so.
pub(super) fn negotiate_transport<B>(
    request: &Request<B>,
    query: &ApiQueryParams,
) -> Result<(PortForwardTransport, ApiResponse), FailureStatus> {
    let headers = request.headers();
    let upgrade = text(headers, header::UPGRADE);
    if upgrade.eq_ignore_ascii_case(SPDY_PROTOCOL) {
        return negotiate_spdy(headers);
    }
    let agreed = negotiate_websocket(request, &[TUNNEL_PROTOCOL, CHANNEL_PROTOCOL])?;
    let transport = if agreed.name == TUNNEL_PROTOCOL {
        PortForwardTransport::Tunnel
    } else {
        PortForwardTransport::Channels(parse_ports(query.all("ports"))?)
    };
    Ok((transport, agreed.answer))
}

/// What a WebSocket carries, and the answer that says so.
pub(in super::super) struct NegotiatedProtocol {
    pub(in super::super) name: &'static str,
    pub(in super::super) answer: ApiResponse,
}

/// The first of these protocols that the client offers too.
pub(in super::super) fn negotiate_websocket<B>(
    request: &Request<B>,
    supported: &[&'static str],
) -> Result<NegotiatedProtocol, FailureStatus> {
    let headers = request.headers();
    let upgrade = text(headers, header::UPGRADE);
    if request.method() != Method::GET || !upgrade.eq_ignore_ascii_case("websocket") {
        return Err(FailureStatus::bad_request("Upgrade request required"));
    }
    let offers = offered_protocols(headers, header::SEC_WEBSOCKET_PROTOCOL);
    let name = supported.iter().copied().find(|name| offers.contains(name));
    let name = name.ok_or_else(|| {
        let spoken = supported.join(" and ");
        FailureStatus::bad_request(format!(
            "unable to upgrade: the demo cluster supports {spoken} here"
        ))
    })?;
    let mut answer = switching_protocols("websocket");
    let accept = derive_accept_key(text(headers, header::SEC_WEBSOCKET_KEY).as_bytes());
    let accept = HeaderValue::from_str(&accept)
        .map_err(|error| FailureStatus::bad_request(error.to_string()))?;
    let headers = answer.headers_mut();
    headers.insert(
        header::SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static(name),
    );
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(NegotiatedProtocol { name, answer })
}

fn negotiate_spdy(
    headers: &HeaderMap,
) -> Result<(PortForwardTransport, ApiResponse), FailureStatus> {
    let offers = offered_protocols(headers, STREAM_PROTOCOL);
    if !offers.is_empty() && !offers.contains(&PORT_FORWARD) {
        return Err(FailureStatus::new(
            403,
            "Forbidden",
            format!(
                "unable to upgrade: unable to negotiate protocol: client supports {offers:?}, server accepts [{PORT_FORWARD:?}]"
            ),
        ));
    }
    let mut answer = switching_protocols(SPDY_PROTOCOL);
    answer
        .headers_mut()
        .insert(STREAM_PROTOCOL, HeaderValue::from_static(PORT_FORWARD));
    Ok((PortForwardTransport::Spdy, answer))
}

fn switching_protocols(to: &'static str) -> ApiResponse {
    let mut answer = Response::new(answer::full_body(Bytes::new()));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static(to));
    answer
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn offered_protocols(headers: &HeaderMap, name: HeaderName) -> Vec<&str> {
    let lists = headers.get_all(name).into_iter();
    lists
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .collect()
}

fn parse_ports(values: &[String]) -> Result<Vec<u16>, FailureStatus> {
    let wrong = || {
        FailureStatus::bad_request("query parameter \"port\" is required and must be valid ports")
    };
    let ports = values
        .iter()
        .flat_map(|list| list.split(','))
        .map(|port| {
            port.parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(wrong)
        })
        .collect::<Result<Vec<_>, _>>()?;
    if ports.is_empty() || ports.len() > MAX_PORTS {
        return Err(wrong());
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_come_in_lists_and_repeats() {
        assert_eq!(
            parse_ports(&["80,81".to_owned(), "82".to_owned()]).unwrap(),
            [80, 81, 82]
        );
        assert!(parse_ports(&[]).is_err());
        assert!(parse_ports(&["http".to_owned()]).is_err());
    }

    fn agreed(method: &str, headers: &[(&str, &str)]) -> Result<PortForwardTransport, u16> {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agreed = negotiate_transport(
            &request.body(()).unwrap(),
            &ApiQueryParams::parse("ports=80"),
        );
        agreed
            .map(|(transport, _)| transport)
            .map_err(|status| status.code)
    }

    #[test]
    fn the_tunnel_comes_before_channels() {
        let socket = ("upgrade", "websocket");
        let offer = |protocols| agreed("GET", &[socket, ("sec-websocket-protocol", protocols)]);
        let both = "v4.channel.k8s.io, SPDY/3.1+portforward.k8s.io";
        assert_eq!(offer(both), Ok(PortForwardTransport::Tunnel));
        assert_eq!(
            offer(CHANNEL_PROTOCOL),
            Ok(PortForwardTransport::Channels(vec![80]))
        );
        assert_eq!(offer("v9.channel.k8s.io"), Err(400));
        assert_eq!(agreed("POST", &[socket]), Err(400));
    }

    #[test]
    fn spdy_must_carry_port_forwards() {
        let spdy = ("upgrade", "SPDY/3.1");
        let carry = |what| agreed("POST", &[spdy, ("x-stream-protocol-version", what)]);
        assert_eq!(carry(PORT_FORWARD), Ok(PortForwardTransport::Spdy));
        assert_eq!(carry("v5.channel.k8s.io"), Err(403));
        assert_eq!(agreed("POST", &[spdy]), Ok(PortForwardTransport::Spdy));
        assert_eq!(agreed("POST", &[]), Err(400));
    }
}
