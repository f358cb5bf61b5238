//! Requests through the API server's own proxy.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future::BoxFuture};
use http::{Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Limited};
use kube::{client::Body, core::Status};
use tower::BoxError;

use super::{
    CallError, CallErrorKind,
    api_client::{ApiClient, MAX_RETRY_WAIT},
};
use svcscope_net::probe::{ApiProxy, CurlError, FailureKind, ProxyBody};

/// What a request through the proxy is trying.
const TRIED: &str = "send the request through the API server's proxy";

/// The longest `Status` that is worth reading.
const MAX_STATUS: usize = 64 * 1024;

/// `services/proxy` and `pods/proxy` of the connected cluster.
pub(super) struct KubeApiProxy(pub(super) Arc<ApiClient>);

impl ApiProxy for KubeApiProxy {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<ProxyBody>, CurlError>> {
        Box::pin(async move {
            let answered = self
                .0
                .with_retries(TRIED, MAX_RETRY_WAIT, || self.send_once(request.clone()));
            let response = answered.await.map_err(|error| call_failure(&error))?;
            let own_words = matches!(
                response.status(),
                StatusCode::UNAUTHORIZED
                    | StatusCode::FORBIDDEN
                    | StatusCode::NOT_FOUND
                    | StatusCode::BAD_REQUEST
                    | StatusCode::INTERNAL_SERVER_ERROR
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT
            );
            if own_words && is_json(&response) {
                return refusal_or_answer(response).await;
            }
            Ok(response.map(|body| {
                body.into_data_stream()
                    .map_err(|error| error.to_string())
                    .boxed()
            }))
        })
    }
}

impl KubeApiProxy {
    /// An answer, unless the API server itself has none for now; one of the application that is busy
    /// is an answer like any other.
    async fn send_once(&self, request: Request<Bytes>) -> Result<Response<Body>, CallError> {
        let session = self.0.valid_client().await;
        let session = session.map_err(|error| error.into_call_error(TRIED))?;
        let answered = session.client.send(request.map(Body::from)).await;
        let response = answered.map_err(|error| CallError::from_client(TRIED, &error))?;
        if response.status() != StatusCode::TOO_MANY_REQUESTS {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let broken = |error: BoxError| CallError::from_transport(TRIED, &*error);
        let limited = Limited::new(body, MAX_STATUS).collect().await;
        let bytes = limited.map_err(broken)?.to_bytes();
        if *bytes.trim_ascii() == *TOO_MANY_REQUESTS_BODY {
            return Err(CallError::from_non_status(TRIED, &head, &bytes));
        }
        Ok(Response::from_parts(head, Body::from(bytes.to_vec())))
    }
}

/// All that an API server says with a 429 of its own (`tooManyRequests` in
/// k8s.io/apiserver/pkg/server/filters/maxinflight.go).
const TOO_MANY_REQUESTS_BODY: &[u8] = b"Too many requests, please try again later.";

fn is_json(response: &Response<Body>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    kind.and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/json"))
}

/// Tells a refusal of the API server from an answer of the application: the former is a `Status`.
async fn refusal_or_answer(response: Response<Body>) -> Result<Response<ProxyBody>, CurlError> {
    let (head, body) = response.into_parts();
    let read = Limited::new(body, MAX_STATUS).collect().await;
    let bytes = read
        .map_err(|error| CurlError::other(format!("the response was cut off: {error}")))?
        .to_bytes();
    let status = serde_json::from_slice::<Status>(&bytes).ok();
    let of_server =
        |status: &Status| status.code == head.status.as_u16() && !status.message.is_empty();
    match status.filter(of_server) {
        Some(status) => Err(server_refusal(&CallError::from_status(TRIED, status, None))),
        None => {
            let piece = futures::stream::iter([Ok(bytes)]).boxed();
            Ok(Response::from_parts(head, piece))
        }
    }
}

fn call_failure(error: &CallError) -> CurlError {
    let kind = match error.kind {
        CallErrorKind::Forbidden | CallErrorKind::Unauthorized | CallErrorKind::Credentials => {
            FailureKind::NotPermitted
        }
        // Between this machine and the API server: nothing behind it was asked.
        _ => FailureKind::NoTarget,
    };
    CurlError::new(kind, error.message.clone())
}

/// The words are those of Go's network library (net/http, net), which the API server passes on. All
/// else is about the API server itself: it is too busy, its tunnel to the nodes is down.
fn server_refusal(error: &CallError) -> CurlError {
    let said = &*error.cause;
    let has = |word: &str| said.contains(word);
    let kind = match error.kind {
        CallErrorKind::Forbidden | CallErrorKind::Unauthorized => FailureKind::NotPermitted,
        CallErrorKind::NotFound => FailureKind::NoTarget,
        _ if has("no endpoints available") || has("no service port") => FailureKind::NoTarget,
        _ if has("connection refused") => FailureKind::Refused,
        _ if has("i/o timeout") || has("deadline exceeded") => FailureKind::TimedOut,
        _ if has("HTTP response to HTTPS client") || has("does not look like a TLS handshake") => {
            FailureKind::NotTls
        }
        _ if has("x509:") => FailureKind::Certificate,
        _ if has("malformed HTTP") => FailureKind::NotHttp,
        _ if has("connection reset") => FailureKind::Reset,
        _ if has("EOF") => FailureKind::Closed,
        _ if has("no route to host") || has("is unreachable") => FailureKind::Unreachable,
        _ => FailureKind::NoTarget,
    };
    CurlError::new(kind, error.message.clone())
}
