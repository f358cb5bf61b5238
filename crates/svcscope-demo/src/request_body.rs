//! Bodies of requests: read within a limit, decoded by their content type.

use bytes::Bytes;
use http::{Request, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

use super::protobuf;
use super::status::FailureStatus;

/// The largest body that is read, in bytes (the API server's own limit is 3 MiB).
const MAX_BODY_BYTES: usize = 3 << 20;

pub(super) fn content_type(request: &Request<Incoming>) -> String {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

/// Reads a body to its end, within the limit.
pub(super) async fn read(request: Request<Incoming>) -> Result<Bytes, FailureStatus> {
    let body = http_body_util::Limited::new(request.into_body(), MAX_BODY_BYTES);
    let collected = body.collect().await.map_err(|error| {
        FailureStatus::new(
            413,
            "RequestEntityTooLarge",
            format!("can't read the request: {error}"),
        )
    })?;
    Ok(collected.to_bytes())
}

/// Reads a JSON body.
pub(super) async fn read_json(request: Request<Incoming>) -> Result<Value, FailureStatus> {
    parse(&read(request).await?)
}

/// Reads the object of a write: JSON, or the protobuf of kubectl's generators.
pub(super) async fn read_object(request: Request<Incoming>) -> Result<Value, FailureStatus> {
    let content_type = content_type(&request);
    if content_type.contains("yaml") || content_type.contains("cbor") {
        return Err(FailureStatus::unsupported_media(format!(
            "the body of the request was in an unknown format - accepted media types include: application/json, application/vnd.kubernetes.protobuf (got {content_type:?})"
        )));
    }
    let object = decode(&content_type, &read(request).await?)?;
    if object.is_object() {
        Ok(object)
    } else {
        Err(FailureStatus::bad_request(
            "the body of the request is no object",
        ))
    }
}

/// Parses a body by its content type.
pub(super) fn decode(content_type: &str, body: &[u8]) -> Result<Value, FailureStatus> {
    if content_type.contains("protobuf") {
        return protobuf::decode_object(body).map_err(FailureStatus::bad_request);
    }
    parse(body)
}

fn parse(body: &[u8]) -> Result<Value, FailureStatus> {
    serde_json::from_slice(body).map_err(|error| {
        FailureStatus::bad_request(format!("the object provided is unrecognized (must be of type Object): couldn't get version/kind; json parse error: {error}"))
    })
}
