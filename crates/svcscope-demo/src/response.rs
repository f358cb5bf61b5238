//! Bodies and answers, the same for all handlers.

use std::convert::Infallible;

use bytes::Bytes;
use futures::Stream;
use futures::StreamExt;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use serde_json::Value;

use super::status::FailureStatus;

/// Any body the server sends.
pub(super) type ApiResponseBody = UnsyncBoxBody<Bytes, Infallible>;
/// Any answer.
pub(super) type ApiResponse = Response<ApiResponseBody>;

/// A body that is there at once.
pub(super) fn full_body(bytes: impl Into<Bytes>) -> ApiResponseBody {
    Full::new(bytes.into()).boxed_unsync()
}

/// A body that comes in pieces.
pub(super) fn streamed_body(chunks: impl Stream<Item = Bytes> + Send + 'static) -> ApiResponseBody {
    let frames = chunks.map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
    StreamBody::new(frames).boxed_unsync()
}

/// An answer of any kind.
pub(super) fn response(
    code: u16,
    content_type: &'static str,
    body: ApiResponseBody,
) -> ApiResponse {
    let mut answer = Response::new(body);
    *answer.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, private"),
    );
    answer
}

/// A JSON answer.
pub(super) fn json(code: u16, value: &Value) -> ApiResponse {
    response(code, "application/json", full_body(value.to_string()))
}

/// A plain text answer.
pub(super) fn text(code: u16, text: impl Into<String>) -> ApiResponse {
    response(code, "text/plain; charset=utf-8", full_body(text.into()))
}

/// A refusal.
pub(super) fn error_response(status: &FailureStatus) -> ApiResponse {
    let mut answer = json(status.code, &status.to_value());
    if let Some(seconds) = status.retry_after {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}
