//! gRPC's health check, without a gRPC library: one message there, one back.
//!
//! <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>,
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>

use bytes::{BufMut, Bytes, BytesMut};

use super::{CurlRequest, HttpHead, HttpScheme};
use svcscope_model::inventory::SharedStr;

/// The request that asks for the health of a service.
pub(super) fn request(of: &CurlRequest, service: &str) -> CurlRequest {
    let mut headers = of.headers.clone();
    headers.push(("content-type".to_owned(), "application/grpc".to_owned()));
    headers.push(("te".to_owned(), "trailers".to_owned()));
    CurlRequest {
        method: "POST".to_owned(),
        path: "/grpc.health.v1.Health/Check".to_owned(),
        headers,
        body: Some(message(service)),
        scheme: match of.scheme {
            HttpScheme::Https => HttpScheme::Https,
            HttpScheme::Http | HttpScheme::H2c => HttpScheme::H2c,
        },
        version: super::HttpVersion::Http2,
        ..of.clone()
    }
}

/// `HealthCheckRequest { service }`, not compressed, behind its length.
fn message(service: &str) -> Bytes {
    let mut inner = BytesMut::new();
    if !service.is_empty() {
        inner.put_u8(0x0a);
        put_varint(&mut inner, service.len() as u64);
        inner.put_slice(service.as_bytes());
    }
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(inner.len()).unwrap_or(u32::MAX));
    framed.put_slice(&inner);
    framed.freeze()
}

fn put_varint(into: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        into.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    into.put_u8(value as u8);
}

/// What the answer says: a serving status, or why there is none.
pub(super) fn health(head: &HttpHead, body: &[u8]) -> Result<SharedStr, String> {
    if let Some(code) = head.header("grpc-status").filter(|code| *code != "0") {
        let said = head.header("grpc-message").unwrap_or_default();
        return match code {
            // NOT_FOUND: the protocol's way to say that it does not know the service.
            "5" => Ok(SharedStr::from("SERVICE_UNKNOWN")),
            "12" => {
                Err("the server has no health service (gRPC status 12, unimplemented)".to_owned())
            }
            code => Err(format!("gRPC status {code}: {said}")),
        };
    }
    if head.status != 200
        || !head
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/grpc"))
    {
        return Err(format!(
            "the answer is not gRPC: HTTP status {}",
            head.status
        ));
    }
    let message = body.get(5..).unwrap_or_default();
    // Field 1, a varint; left out where it is 0.
    let status = match message {
        [] if body.is_empty() => return Err("the answer holds no message".to_owned()),
        [] => 0,
        [0x08, status, ..] => *status,
        _ => return Err("the answer holds no serving status".to_owned()),
    };
    Ok(SharedStr::from(match status {
        1 => "SERVING",
        2 => "NOT_SERVING",
        3 => "SERVICE_UNKNOWN",
        _ => "UNKNOWN",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&str, &str)]) -> HttpHead {
        HttpHead {
            version: "HTTP/2.0".to_owned(),
            status: 200,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn a_service_is_asked_for_by_name_and_the_whole_server_without() {
        assert_eq!(&message("")[..], [0, 0, 0, 0, 0]);
        assert_eq!(
            &message("a.B")[..],
            [0, 0, 0, 0, 5, 0x0a, 3, b'a', b'.', b'B']
        );
        assert_eq!(message(&"x".repeat(300)).len(), 5 + 3 + 300);
    }

    #[test]
    fn answers_are_read() {
        let grpc = head(&[("content-type", "application/grpc+proto")]);
        assert_eq!(
            health(&grpc, &[0, 0, 0, 0, 2, 8, 1]).as_deref(),
            Ok("SERVING")
        );
        assert_eq!(
            health(&grpc, &[0, 0, 0, 0, 2, 8, 2]).as_deref(),
            Ok("NOT_SERVING")
        );
        assert_eq!(health(&grpc, &[0, 0, 0, 0, 0]).as_deref(), Ok("UNKNOWN"));
        assert!(health(&grpc, &[]).is_err());
        let unknown = head(&[("content-type", "application/grpc"), ("grpc-status", "5")]);
        assert_eq!(health(&unknown, &[]).as_deref(), Ok("SERVICE_UNKNOWN"));
        let html = head(&[("content-type", "text/html")]);
        assert!(health(&html, b"<html>").unwrap_err().contains("not gRPC"));
    }
}
