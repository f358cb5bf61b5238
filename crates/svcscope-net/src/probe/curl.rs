//! One request, from its door to the end of its answer.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::{
    AccessPath, AccessPaths, CurlError, CurlRequest, CurlResponse, ExchangeSummary, FailureKind,
    HttpHead, ProxyBody, RequestKind, RequestProgress, ResponseKind, ResponseObserver, UnreadBody,
    authority::RequestAuthority,
    body::{self, BodyEnd},
    connect_probe, cookies,
    diagnosis::{self, FailureContext, diagnose},
    grpc,
    http::{HttpExchange, PhaseTimestamps, UNDECODABLE, WireCapture},
    in_cluster::to_curl_error,
    redirect,
    resolved_access_path::{ResolvedAccessPath, api_proxy},
    response_heads::{ResponseHeads, head_bytes},
};
use svcscope_model::inventory::SharedStr;

/// An answer, and what of its body was not read.
#[derive(Debug)]
pub struct ResumableResponse {
    /// What came.
    pub response: CurlResponse,
    /// The rest of the body, where more was sent than is kept.
    pub unread_body: Option<Box<UnreadBody>>,
}

/// Sends a request through its door and gives the answer, whatever its status. No proxy of the
/// environment is used. Dropping the future cancels the request.
pub async fn curl(
    request: &CurlRequest,
    ways: &AccessPaths,
    outlet: &ResponseObserver,
) -> Result<ResumableResponse, CurlError> {
    let deadline = Instant::now() + request.timeout;
    if let RequestKind::GrpcHealth(service) = &request.kind {
        let asking = grpc::request(request, service);
        let mut answer = http(&asking, ways, &ResponseObserver::default(), deadline).await?;
        let head = answer.response.http().cloned();
        let said = head
            .ok_or_else(|| "no HTTP head".to_owned())
            .and_then(|head| grpc::health(&head, &answer.response.body))
            .map_err(|reason| CurlError::new(FailureKind::NotHttp, reason))?;
        answer.response.kind = ResponseKind::GrpcHealth(said);
        return Ok(answer);
    }
    let knocks = matches!(request.kind, RequestKind::Tcp | RequestKind::Tls);
    match (&request.access_path, knocks) {
        (AccessPath::InCluster { .. }, true) => send_in_cluster(request, ways).await.map(complete),
        (AccessPath::ServiceProxy | AccessPath::PodProxy(_), true) => Err(CurlError::new(
            FailureKind::NoTarget,
            "the API server's proxy carries HTTP only; use a forward",
        )),
        (_, true) => connect_probe::connect_probe(request, ways, deadline)
            .await
            .map(complete),
        (_, false) => http(request, ways, outlet, deadline).await,
    }
}

fn complete(response: CurlResponse) -> ResumableResponse {
    ResumableResponse {
        response,
        unread_body: None,
    }
}

/// HTTP, with the redirects that shall be followed.
async fn http(
    request: &CurlRequest,
    ways: &AccessPaths,
    outlet: &ResponseObserver,
    deadline: Instant,
) -> Result<ResumableResponse, CurlError> {
    let started = Instant::now();
    let mut hops = Vec::new();
    let mut heads = Vec::new();
    let mut asked = request.clone();
    let mut redirecting = Duration::ZERO;
    loop {
        let url = redirect::url_of(&asked, &ways.inventory.borrow());
        let sent = cookies::with_cookies(&asked, &url);
        let mut begun = start(&sent, ways, deadline).await?;
        cookies::learn(&mut asked.cookies, begun.response(), &url);
        heads.extend_from_slice(&begun.response().exchange.heads);
        let facts = &mut begun.response_mut().exchange;
        *facts = ExchangeSummary {
            method: sent.method.clone(),
            url,
            referer: header(&sent, "referer"),
            heads: heads.clone().into(),
            bytes_uploaded: sent.body.as_ref().map_or(0, |body| body.len() as u64),
            redirect_time: redirecting,
            cookies: asked.cookies.clone(),
            ..std::mem::take(facts)
        };
        let next = redirect::next(&asked, begun.response(), &ways.inventory.borrow())?;
        if let Some((hop, then)) = next {
            hops.push(hop);
            if hops.len() > asked.max_redirects as usize {
                let error = CurlError::new(
                    FailureKind::TooManyRedirects,
                    format!(
                        "{} redirects were followed, and there are more",
                        asked.max_redirects
                    ),
                );
                let mut response = begun.into_response();
                response.hops = hops;
                response.phases.total = started.elapsed();
                return Err(CurlError {
                    progress: Box::new(RequestProgress {
                        via: Some(response.via.clone()),
                        partial: Some(response),
                        ..RequestProgress::default()
                    }),
                    ..error
                });
            }
            asked = then;
            redirecting = started.elapsed();
            continue;
        }
        return match begun {
            ResponseStart::Streaming(mut open) => {
                open.response.hops = hops;
                finish(&asked, *open, started, deadline, outlet).await
            }
            ResponseStart::Complete(mut response) => {
                response.hops = hops;
                if let Some(progress) = &outlet.progress {
                    progress((*response).clone());
                }
                if let Some(tap) = &outlet.body_sink {
                    tap.send(response.body.clone()).await;
                }
                Ok(complete(*response))
            }
        };
    }
}

/// What a door gave.
enum ResponseStart {
    /// The head of an answer.
    Streaming(Box<StreamingResponse>),
    /// All of an answer: curl in a pod tells it at its end.
    Complete(Box<CurlResponse>),
}

impl ResponseStart {
    fn response(&self) -> &CurlResponse {
        match self {
            Self::Streaming(open) => &open.response,
            Self::Complete(response) => response,
        }
    }

    fn response_mut(&mut self) -> &mut CurlResponse {
        match self {
            Self::Streaming(open) => &mut open.response,
            Self::Complete(response) => response,
        }
    }

    /// The answer without its body.
    fn into_response(self) -> CurlResponse {
        match self {
            Self::Streaming(open) => open.response,
            Self::Complete(response) => CurlResponse {
                body: Bytes::new(),
                body_bytes: 0,
                ..*response
            },
        }
    }
}

/// The first header of a request of this name.
fn header(request: &CurlRequest, name: &str) -> Option<String> {
    let is_it = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
    request
        .headers
        .iter()
        .find(is_it)
        .map(|(_, value)| value.clone())
}

/// The head of an answer, with its body still to be read.
pub(super) struct StreamingResponse {
    response: CurlResponse,
    body: ProxyBody,
    access_path: Option<Arc<ResolvedAccessPath>>,
    timestamps: Arc<PhaseTimestamps>,
    capture: Option<Arc<WireCapture>>,
}

async fn start(
    request: &CurlRequest,
    ways: &AccessPaths,
    deadline: Instant,
) -> Result<ResponseStart, CurlError> {
    match &request.access_path {
        AccessPath::ServiceProxy | AccessPath::PodProxy(_) => {
            let open = start_via_proxy(request, ways, deadline).await?;
            Ok(ResponseStart::Streaming(Box::new(open)))
        }
        AccessPath::InCluster { .. } => {
            let whole = send_in_cluster(request, ways).await?;
            Ok(ResponseStart::Complete(Box::new(whole)))
        }
        _ => {
            let door = Arc::new(ResolvedAccessPath::open(request, ways).await?);
            let open = start_direct(request, ways, deadline, door).await?;
            Ok(ResponseStart::Streaming(Box::new(open)))
        }
    }
}

/// From a pod. The time that it takes to make one is none of the request's.
async fn send_in_cluster(
    request: &CurlRequest,
    ways: &AccessPaths,
) -> Result<CurlResponse, CurlError> {
    let AccessPath::InCluster { from, .. } = &request.access_path else {
        return Err(CurlError::other(
            "this access path does not start inside the cluster",
        ));
    };
    let asker = ways.in_cluster.client(from).await.map_err(to_curl_error)?;
    let inventory = ways.inventory.borrow().clone();
    asker.send(request, &inventory).await
}

pub(super) async fn start_direct(
    request: &CurlRequest,
    ways: &AccessPaths,
    deadline: Instant,
    door: Arc<ResolvedAccessPath>,
) -> Result<StreamingResponse, CurlError> {
    let authority = RequestAuthority::of(request, &ways.inventory.borrow());
    let exchange = HttpExchange::new(request, &authority, &door)?;
    let (marks, tls) = (exchange.timestamps.clone(), exchange.tls.clone());
    let seen = || {
        tls.as_ref()
            .and_then(|recorder| recorder.summary())
            .map(Arc::new)
    };
    let so_far = |error: CurlError| CurlError {
        progress: Box::new(door.progress(&marks, seen())),
        ..error
    };
    let sent = match timeout_at(deadline, exchange.send()).await {
        Ok(Ok(sent)) => sent,
        Ok(Err(error)) => {
            let facts = seen();
            let scene = FailureContext {
                access_path: &door,
                scheme: request.scheme,
                rejection: facts.as_ref().and_then(|facts| facts.rejection.as_deref()),
            };
            return Err(so_far(diagnose(&*error, &scene)));
        }
        Err(_elapsed) => {
            return Err(so_far(diagnosis::timed_out(request.timeout, &door, &marks)));
        }
    };
    let response = CurlResponse {
        kind: ResponseKind::Http(to_http_head(&sent.head, &sent.heads)),
        via: via(request, &door),
        pod: door.pod(),
        address: sent.socket_addresses.1,
        phases: marks.timings(),
        tls: seen(),
        exchange: ExchangeSummary {
            heads: sent.heads,
            local: sent.socket_addresses.0,
            ..ExchangeSummary::default()
        },
        ..CurlResponse::empty()
    };
    Ok(StreamingResponse {
        response,
        body: sent.body,
        access_path: Some(door),
        timestamps: marks,
        capture: Some(sent.capture),
    })
}

async fn start_via_proxy(
    request: &CurlRequest,
    ways: &AccessPaths,
    deadline: Instant,
) -> Result<StreamingResponse, CurlError> {
    let marks = Arc::new(PhaseTimestamps::new());
    let way = api_proxy::resolve(request, &ways.inventory.borrow())?;
    let so_far = |error: CurlError| CurlError {
        progress: Box::new(RequestProgress {
            via: Some(way.description.clone()),
            pod: way.pod.clone(),
            phases: marks.timings(),
            ..RequestProgress::default()
        }),
        ..error
    };
    let answered = timeout_at(deadline, api_proxy::send(request, &way, &ways.proxy)).await;
    let sent = answered
        .unwrap_or_else(|_elapsed| {
            Err(diagnosis::timeout_error(
                request.timeout,
                "the API server's proxy returned no response",
            ))
        })
        .map_err(so_far)?;
    marks.head();
    let (head, body) = sent.into_parts();
    let heads = head_bytes(&head);
    let response = CurlResponse {
        kind: ResponseKind::Http(to_http_head(&head, &heads)),
        via: way.description,
        pod: way.pod,
        phases: marks.timings(),
        exchange: ExchangeSummary {
            heads,
            ..ExchangeSummary::default()
        },
        ..CurlResponse::empty()
    };
    Ok(StreamingResponse {
        response,
        body,
        access_path: None,
        timestamps: marks,
        capture: None,
    })
}

pub(super) async fn finish(
    request: &CurlRequest,
    begun: StreamingResponse,
    started: Instant,
    deadline: Instant,
    outlet: &ResponseObserver,
) -> Result<ResumableResponse, CurlError> {
    let StreamingResponse {
        mut response,
        body,
        access_path: door,
        timestamps: marks,
        capture: record,
    } = begun;
    let status = response.status().unwrap_or_default();
    let end = body::read(&mut response, body, door.clone(), deadline, outlet).await;
    response.phases = marks.timings();
    response.phases.total = started.elapsed();
    response.exchange.trailers = record
        .as_ref()
        .map(|it| it.trailer_lines().into())
        .unwrap_or_default();
    response.exchange.bytes_sent = record.map(|record| record.sent());
    let broken = |kind, message: String| {
        Err(CurlError {
            kind,
            message: message.into(),
            progress: Box::new(RequestProgress {
                via: Some(response.via.clone()),
                pod: response.pod.clone(),
                phases: response.phases,
                tls: response.tls.clone(),
                partial: Some(response.clone()),
            }),
        })
    };
    match end {
        BodyEnd::Complete => Ok(complete(response)),
        BodyEnd::Paused(rest) => Ok(ResumableResponse {
            response,
            unread_body: Some(rest),
        }),
        BodyEnd::TimedOut => broken(
            FailureKind::TimedOut,
            format!(
                "not finished within {} s: received status {status} and {} bytes of the body",
                request.timeout.as_secs_f64(),
                response.body_bytes
            ),
        ),
        BodyEnd::Broken(said) => {
            let known = door.and_then(|door| door.dial_failure());
            let said = known.map_or_else(|| said.into(), |failure| failure.message);
            // curl tells a reset and bad chunks (56) and what can't be decoded (61) from an end that
            // comes too early (18).
            let kind = if said.contains("reset by peer") {
                FailureKind::Reset
            } else if said.starts_with(UNDECODABLE) {
                FailureKind::Undecodable
            } else if said.to_lowercase().contains("invalid chunk") {
                FailureKind::BadChunk
            } else {
                FailureKind::BrokenBody
            };
            broken(
                kind,
                format!(
                    "received status {status}, but the body ended early after {} bytes: {said}",
                    response.body_bytes
                ),
            )
        }
    }
}

/// The head that counts, in the words that came.
fn to_http_head(head: &::http::response::Parts, heads: &[u8]) -> HttpHead {
    let version = format!("{:?}", head.version);
    match ResponseHeads::read(heads, Some(heads.len())) {
        Some(ResponseHeads { last, .. }) => HttpHead { version, ..last },
        None => HttpHead {
            version,
            status: head.status.as_u16(),
            headers: Vec::new(),
        },
    }
}

fn via(request: &CurlRequest, door: &ResolvedAccessPath) -> SharedStr {
    let words = door.description();
    if request.scheme == super::HttpScheme::Https && request.tls.insecure {
        format!("{words}, certificate not verified").into()
    } else {
        words
    }
}

#[cfg(test)]
mod adversarial;
#[cfg(test)]
mod tests;
