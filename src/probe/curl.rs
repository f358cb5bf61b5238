//! One request through a temporary port-forward.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header::HOST};
use tokio::time::{Instant, timeout_at};

use super::{
    CurlError, CurlRequest, CurlResponse, Scheme,
    authority::{Authority, absolute, scheme_word},
    diagnosis::diagnose,
};
use crate::{
    forward::{
        Dialer, ForwardId, ForwardSpec, ForwardState, ForwardStatus, Forwards, InventoryFeed,
    },
    inventory::Text,
};

/// How many bytes of a body are kept; reading stops behind them.
pub const MAX_BODY: usize = 1024 * 1024;

/// The temporary forward is the only one of its manager.
const ONLY: ForwardId = ForwardId(0);

/// Sends a request to a pod behind the target and gives the answer, whatever its status. Redirects
/// are shown and not followed; no proxy is used. Dropping the future cancels the request.
///
/// `https` is spoken without verifying the certificate, which [`CurlResponse::via`] says: the
/// request goes to a pod under a name of the cluster, for which hardly any certificate is made.
pub async fn curl(
    request: &CurlRequest,
    inventory: InventoryFeed,
    dialer: Arc<dyn Dialer>,
) -> Result<CurlResponse, CurlError> {
    let started = Instant::now();
    let deadline = started + request.timeout;
    let authority = Authority::of(request, &inventory.borrow());
    let forwards = Forwards::new(inventory, dialer, Arc::new(|| {}));
    let spec = ForwardSpec::new(request.target.clone(), request.port.clone());
    let begun = forwards.start(ONLY, spec).await;
    let local = match (&begun.state, begun.local) {
        (ForwardState::Failed { reason } | ForwardState::Waiting { reason, .. }, _) => {
            let reason = reason.clone();
            return Err(CurlError::NoWay { reason });
        }
        (_, Some(local)) => local,
        (_, None) => {
            return Err(CurlError::NoWay {
                reason: Text::from("the temporary forward has no local address"),
            });
        }
    };
    let forward = || forwards.status(ONLY).unwrap_or_else(|| begun.clone());

    let sending = build(request, &authority, local)?.send();
    let mut response = match timeout_at(deadline, sending).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(diagnose(&error, &forward(), request.scheme)),
        Err(_elapsed) => {
            let step = match forward() {
                ForwardStatus { pod: None, .. } => Text::from("no pod could be reached"),
                ForwardStatus { pod: Some(pod), .. } => {
                    format!("pod {} took the connection and did not answer", pod.name).into()
                }
            };
            return Err(timed_out(request.timeout, step));
        }
    };
    let first_byte = started.elapsed();
    let body = match timeout_at(deadline, read_body(&mut response)).await {
        Ok(Ok(body)) => body,
        Ok(Err((error, bytes))) => {
            let way = forward().last_error;
            return Err(CurlError::BrokenBody {
                status: response.status().as_u16(),
                bytes,
                reason: way.unwrap_or_else(|| error.without_url().to_string().into()),
            });
        }
        Err(_elapsed) => {
            let step = format!("status {} came, but not all of the body", response.status());
            return Err(timed_out(request.timeout, step.into()));
        }
    };
    let status = forward();
    Ok(CurlResponse {
        version: format!("{:?}", response.version()),
        status: response.status().as_u16(),
        headers: in_words(response.headers()),
        truncated: body.bytes > MAX_BODY as u64,
        body_bytes: body.bytes,
        body: body.kept.into(),
        via: via(&status, request.scheme),
        pod: status.pod,
        first_byte,
        total: started.elapsed(),
    })
}

fn timed_out(after: Duration, step: Text) -> CurlError {
    CurlError::Timeout { after, step }
}

/// Prepares the request: to the forward's address, under the target's name.
fn build(
    request: &CurlRequest,
    authority: &Authority,
    local: SocketAddr,
) -> Result<reqwest::RequestBuilder, CurlError> {
    let wrong = |what: &str, word: &str| CurlError::Malformed {
        reason: format!("`{word}` is no {what}").into(),
    };
    let method = Method::from_bytes(request.method.as_bytes())
        .map_err(|_source| wrong("HTTP method", &request.method))?;
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        headers.append(
            HeaderName::try_from(name).map_err(|_source| wrong("header name", name))?,
            // The value may be a secret: it is not repeated.
            HeaderValue::try_from(value)
                .map_err(|_source| wrong("header with a value that can be sent", name))?,
        );
    }
    // Name resolution leads to the forward only if the URL has no port of its own.
    let host = own_host(&headers).unwrap_or_else(|| authority.host.clone());
    if !headers.contains_key(HOST)
        && authority.port.is_some()
        && let Ok(value) = HeaderValue::try_from(authority.to_string())
    {
        headers.insert(HOST, value);
    }
    let url = format!(
        "{}://{host}{}",
        scheme_word(request.scheme),
        absolute(&request.path)
    );
    let url = reqwest::Url::parse(&url).map_err(|source| CurlError::Malformed {
        reason: format!("{url}: {source}").into(),
    })?;
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .no_gzip()
        .tls_danger_accept_invalid_certs(true)
        .resolve(&host, local)
        .build()
        .map_err(|source| CurlError::Other {
            reason: format!("the HTTP client can't be made: {source}").into(),
        })?;
    let mut sending = client.request(method, url).headers(headers);
    if let Some(body) = &request.body {
        sending = sending.body(body.clone());
    }
    Ok(sending)
}

/// The name in a `Host` header that the person gave: TLS asks for it too. An address would be
/// connected to instead of the forward.
fn own_host(headers: &HeaderMap) -> Option<String> {
    let given: http::uri::Authority = headers.get(HOST)?.to_str().ok()?.parse().ok()?;
    let host = given.host();
    let is_name = !host.starts_with('[') && host.parse::<std::net::IpAddr>().is_err();
    is_name.then(|| host.to_owned())
}

struct Body {
    kept: Vec<u8>,
    bytes: u64,
}

/// Reads until the end or just past the limit.
async fn read_body(response: &mut reqwest::Response) -> Result<Body, (reqwest::Error, u64)> {
    let mut body = Body {
        kept: Vec::new(),
        bytes: 0,
    };
    while body.bytes <= MAX_BODY as u64 {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                body.bytes += chunk.len() as u64;
                let room = MAX_BODY - body.kept.len();
                body.kept.extend(chunk.iter().take(room));
            }
            Ok(None) => break,
            Err(error) => return Err((error, body.bytes)),
        }
    }
    Ok(body)
}

fn in_words(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        })
        .collect()
}

fn via(status: &ForwardStatus, scheme: Scheme) -> Text {
    let to = match (&status.pod, status.pod_port) {
        (Some(pod), Some(port)) => format!("port-forward to pod {} port {port}", pod.name),
        _ => "port-forward".to_owned(),
    };
    match scheme {
        Scheme::Http => to.into(),
        Scheme::Https => format!("{to}, certificate not verified").into(),
    }
}

#[cfg(test)]
mod tests;
