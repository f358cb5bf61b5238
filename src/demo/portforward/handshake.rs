//! How a port-forward begins: the client names protocols, the server takes one.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::super::http::{self as answer, Answer};
use super::super::request::Query;
use super::super::status::Status;

/// Channels in a WebSocket, the protocol of most libraries.
const CHANNELS: &str = "v4.channel.k8s.io";
/// SPDY in a WebSocket, kubectl's first choice.
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
/// SPDY itself, kubectl's second choice and the first one of old ones.
const SPDY: &str = "SPDY/3.1";
/// What SPDY carries, in a header of its own.
const PORT_FORWARD: &str = "portforward.k8s.io";
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");
/// The most ports of one session, as the kubelet allows.
const MOST_PORTS: usize = 128;

/// What a session speaks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// `v4.channel.k8s.io`, which names its ports in the query.
    Channels(Vec<u16>),
    Tunnel,
    Spdy,
}

/// The transport that client and server agree on, and the answer that says so.
pub(super) fn agree<B>(request: &Request<B>, query: &Query) -> Result<(Transport, Answer), Status> {
    let headers = request.headers();
    let upgrade = text(headers, header::UPGRADE);
    if upgrade.eq_ignore_ascii_case(SPDY) {
        return spdy(headers);
    }
    let agreed = websocket(request, &[TUNNEL, CHANNELS])?;
    let transport = if agreed.name == TUNNEL {
        Transport::Tunnel
    } else {
        Transport::Channels(ports(query.all("ports"))?)
    };
    Ok((transport, agreed.answer))
}

/// What a WebSocket carries, and the answer that says so.
pub(in super::super) struct Agreed {
    pub(in super::super) name: &'static str,
    pub(in super::super) answer: Answer,
}

/// The first of these protocols that the client offers too.
pub(in super::super) fn websocket<B>(
    request: &Request<B>,
    spoken: &[&'static str],
) -> Result<Agreed, Status> {
    let headers = request.headers();
    let upgrade = text(headers, header::UPGRADE);
    if request.method() != Method::GET || !upgrade.eq_ignore_ascii_case("websocket") {
        return Err(Status::bad_request("Upgrade request required"));
    }
    let offers = offers(headers, header::SEC_WEBSOCKET_PROTOCOL);
    let name = spoken.iter().copied().find(|name| offers.contains(name));
    let name = name.ok_or_else(|| {
        let spoken = spoken.join(" and ");
        Status::bad_request(format!(
            "unable to upgrade: the demo cluster speaks {spoken} here"
        ))
    })?;
    let mut answer = switch("websocket");
    let accept = derive_accept_key(text(headers, header::SEC_WEBSOCKET_KEY).as_bytes());
    let accept =
        HeaderValue::from_str(&accept).map_err(|error| Status::bad_request(error.to_string()))?;
    let headers = answer.headers_mut();
    headers.insert(
        header::SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static(name),
    );
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(Agreed { name, answer })
}

fn spdy(headers: &HeaderMap) -> Result<(Transport, Answer), Status> {
    let offers = offers(headers, STREAM_PROTOCOL);
    if !offers.is_empty() && !offers.contains(&PORT_FORWARD) {
        return Err(Status::new(
            403,
            "Forbidden",
            format!(
                "unable to upgrade: unable to negotiate protocol: client supports {offers:?}, server accepts [{PORT_FORWARD:?}]"
            ),
        ));
    }
    let mut answer = switch(SPDY);
    answer
        .headers_mut()
        .insert(STREAM_PROTOCOL, HeaderValue::from_static(PORT_FORWARD));
    Ok((Transport::Spdy, answer))
}

fn switch(to: &'static str) -> Answer {
    let mut answer = Response::new(answer::full(Bytes::new()));
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

fn offers(headers: &HeaderMap, name: HeaderName) -> Vec<&str> {
    let lists = headers.get_all(name).into_iter();
    lists
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .collect()
}

fn ports(said: &[String]) -> Result<Vec<u16>, Status> {
    let wrong =
        || Status::bad_request("query parameter \"port\" is required and must be valid ports");
    let ports = said
        .iter()
        .flat_map(|list| list.split(','))
        .map(|port| {
            port.parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(wrong)
        })
        .collect::<Result<Vec<_>, _>>()?;
    if ports.is_empty() || ports.len() > MOST_PORTS {
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
            ports(&["80,81".to_owned(), "82".to_owned()]).unwrap(),
            [80, 81, 82]
        );
        assert!(ports(&[]).is_err());
        assert!(ports(&["http".to_owned()]).is_err());
    }

    fn agreed(method: &str, headers: &[(&str, &str)]) -> Result<Transport, u16> {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agreed = agree(&request.body(()).unwrap(), &Query::parse("ports=80"));
        agreed
            .map(|(transport, _)| transport)
            .map_err(|status| status.code)
    }

    #[test]
    fn the_tunnel_comes_before_channels() {
        let socket = ("upgrade", "websocket");
        let offer = |protocols| agreed("GET", &[socket, ("sec-websocket-protocol", protocols)]);
        let both = "v4.channel.k8s.io, SPDY/3.1+portforward.k8s.io";
        assert_eq!(offer(both), Ok(Transport::Tunnel));
        assert_eq!(offer(CHANNELS), Ok(Transport::Channels(vec![80])));
        assert_eq!(offer("v9.channel.k8s.io"), Err(400));
        assert_eq!(agreed("POST", &[socket]), Err(400));
    }

    #[test]
    fn spdy_must_carry_port_forwards() {
        let spdy = ("upgrade", "SPDY/3.1");
        let carry = |what| agreed("POST", &[spdy, ("x-stream-protocol-version", what)]);
        assert_eq!(carry(PORT_FORWARD), Ok(Transport::Spdy));
        assert_eq!(carry("v5.channel.k8s.io"), Err(403));
        assert_eq!(agreed("POST", &[spdy]), Ok(Transport::Spdy));
        assert_eq!(agreed("POST", &[]), Err(400));
    }
}
