//! One request, from its door to the end of its answer.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::{
    Ask, CurlError, CurlRequest, CurlResponse, ExchangeFacts, FailureKind, HttpHead, Outlet,
    ProxyBody, Rest, Said, SoFar, Vantage, Ways,
    authority::Authority,
    body::{self, End},
    cookies,
    diagnosis::{self, Scene, diagnose},
    door::{Door, proxy},
    grpc,
    heads::{Heads, head_bytes},
    http::{Exchange, Marks, Record, UNDECODABLE},
    inside::to_curl_error,
    knock, redirect,
};
use crate::inventory::Text;

/// An answer, and what of its body was not read.
#[derive(Debug)]
pub struct Answer {
    /// What came.
    pub response: CurlResponse,
    /// The rest of the body, where more was sent than is kept.
    pub rest: Option<Box<Rest>>,
}

/// Sends a request through its door and gives the answer, whatever its status. No proxy of the
/// environment is used. Dropping the future cancels the request.
pub async fn curl(
    request: &CurlRequest,
    ways: &Ways,
    outlet: &Outlet,
) -> Result<Answer, CurlError> {
    let deadline = Instant::now() + request.timeout;
    if let Ask::GrpcHealth(service) = &request.ask {
        let asking = grpc::request(request, service);
        let mut answer = http(&asking, ways, &Outlet::default(), deadline).await?;
        let head = answer.response.http().cloned();
        let said = head
            .ok_or_else(|| "no HTTP head".to_owned())
            .and_then(|head| grpc::health(&head, &answer.response.body))
            .map_err(|reason| CurlError::new(FailureKind::NotHttp, reason))?;
        answer.response.said = Said::Health(said);
        return Ok(answer);
    }
    let knocks = matches!(request.ask, Ask::Tcp | Ask::Tls);
    match (&request.vantage, knocks) {
        (Vantage::Inside { .. }, true) => inside(request, ways).await.map(whole),
        (Vantage::ServiceProxy | Vantage::PodProxy(_), true) => Err(CurlError::new(
            FailureKind::NoWay,
            "the API server's proxy carries HTTP only; use a forward",
        )),
        (_, true) => knock::knock(request, ways, deadline).await.map(whole),
        (_, false) => http(request, ways, outlet, deadline).await,
    }
}

fn whole(response: CurlResponse) -> Answer {
    Answer {
        response,
        rest: None,
    }
}

/// HTTP, with the redirects that shall be followed.
async fn http(
    request: &CurlRequest,
    ways: &Ways,
    outlet: &Outlet,
    deadline: Instant,
) -> Result<Answer, CurlError> {
    let started = Instant::now();
    let mut hops = Vec::new();
    let mut heads = Vec::new();
    let mut asked = request.clone();
    let mut redirecting = Duration::ZERO;
    loop {
        let url = redirect::url_of(&asked, &ways.inventory.borrow());
        let sent = cookies::with_cookies(&asked, &url);
        let mut begun = begin(&sent, ways, deadline).await?;
        cookies::learn(&mut asked.cookies, begun.response(), &url);
        heads.extend_from_slice(&begun.response().exchange.heads);
        let facts = &mut begun.response_mut().exchange;
        *facts = ExchangeFacts {
            method: sent.method.clone(),
            url,
            referer: header(&sent, "referer"),
            heads: heads.clone().into(),
            uploaded: sent.body.as_ref().map_or(0, |body| body.len() as u64),
            redirecting,
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
                    so_far: Box::new(SoFar {
                        via: Some(response.via.clone()),
                        partial: Some(response),
                        ..SoFar::default()
                    }),
                    ..error
                });
            }
            asked = then;
            redirecting = started.elapsed();
            continue;
        }
        return match begun {
            Begun::Open(mut open) => {
                open.response.hops = hops;
                finish(&asked, *open, started, deadline, outlet).await
            }
            Begun::Whole(mut response) => {
                response.hops = hops;
                if let Some(progress) = &outlet.progress {
                    progress((*response).clone());
                }
                if let Some(tap) = &outlet.tap {
                    tap.give(response.body.clone()).await;
                }
                Ok(whole(*response))
            }
        };
    }
}

/// What a door gave.
enum Begun {
    /// The head of an answer.
    Open(Box<Open>),
    /// All of an answer: curl in a pod tells it at its end.
    Whole(Box<CurlResponse>),
}

impl Begun {
    fn response(&self) -> &CurlResponse {
        match self {
            Self::Open(open) => &open.response,
            Self::Whole(response) => response,
        }
    }

    fn response_mut(&mut self) -> &mut CurlResponse {
        match self {
            Self::Open(open) => &mut open.response,
            Self::Whole(response) => response,
        }
    }

    /// The answer without its body.
    fn into_response(self) -> CurlResponse {
        match self {
            Self::Open(open) => open.response,
            Self::Whole(response) => CurlResponse {
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
pub(super) struct Open {
    response: CurlResponse,
    body: ProxyBody,
    door: Option<Arc<Door>>,
    marks: Arc<Marks>,
    record: Option<Arc<Record>>,
}

async fn begin(request: &CurlRequest, ways: &Ways, deadline: Instant) -> Result<Begun, CurlError> {
    match &request.vantage {
        Vantage::ServiceProxy | Vantage::PodProxy(_) => {
            let open = begin_by_proxy(request, ways, deadline).await?;
            Ok(Begun::Open(Box::new(open)))
        }
        Vantage::Inside { .. } => {
            let whole = inside(request, ways).await?;
            Ok(Begun::Whole(Box::new(whole)))
        }
        _ => {
            let door = Arc::new(Door::open(request, ways).await?);
            let open = begin_from_here(request, ways, deadline, door).await?;
            Ok(Begun::Open(Box::new(open)))
        }
    }
}

/// From a pod. The time that it takes to make one is none of the request's.
async fn inside(request: &CurlRequest, ways: &Ways) -> Result<CurlResponse, CurlError> {
    let Vantage::Inside { from, .. } = &request.vantage else {
        return Err(CurlError::other("this door is not inside the cluster"));
    };
    let asker = ways.inside.asker(from).await.map_err(to_curl_error)?;
    let inventory = ways.inventory.borrow().clone();
    asker.send(request, &inventory).await
}

pub(super) async fn begin_from_here(
    request: &CurlRequest,
    ways: &Ways,
    deadline: Instant,
    door: Arc<Door>,
) -> Result<Open, CurlError> {
    let authority = Authority::of(request, &ways.inventory.borrow());
    let exchange = Exchange::new(request, &authority, &door)?;
    let (marks, tls) = (exchange.marks.clone(), exchange.tls.clone());
    let seen = || {
        tls.as_ref()
            .and_then(|recorder| recorder.facts())
            .map(Arc::new)
    };
    let so_far = |error: CurlError| CurlError {
        so_far: Box::new(door.so_far(&marks, seen())),
        ..error
    };
    let sent = match timeout_at(deadline, exchange.send()).await {
        Ok(Ok(sent)) => sent,
        Ok(Err(error)) => {
            let facts = seen();
            let scene = Scene {
                door: &door,
                scheme: request.scheme,
                rejected: facts.as_ref().and_then(|facts| facts.rejected.as_deref()),
            };
            return Err(so_far(diagnose(&*error, &scene)));
        }
        Err(_elapsed) => {
            return Err(so_far(diagnosis::timed_out(request.timeout, &door, &marks)));
        }
    };
    let response = CurlResponse {
        said: Said::Http(in_words(&sent.head, &sent.heads)),
        via: via(request, &door),
        pod: door.pod(),
        address: sent.ends.1,
        phases: marks.phases(),
        tls: seen(),
        exchange: ExchangeFacts {
            heads: sent.heads,
            local: sent.ends.0,
            ..ExchangeFacts::default()
        },
        ..CurlResponse::empty()
    };
    Ok(Open {
        response,
        body: sent.body,
        door: Some(door),
        marks,
        record: Some(sent.record),
    })
}

async fn begin_by_proxy(
    request: &CurlRequest,
    ways: &Ways,
    deadline: Instant,
) -> Result<Open, CurlError> {
    let marks = Arc::new(Marks::new());
    let way = proxy::way(request, &ways.inventory.borrow())?;
    let so_far = |error: CurlError| CurlError {
        so_far: Box::new(SoFar {
            via: Some(way.words.clone()),
            pod: way.pod.clone(),
            phases: marks.phases(),
            ..SoFar::default()
        }),
        ..error
    };
    let answered = timeout_at(deadline, proxy::send(request, &way, &ways.proxy)).await;
    let sent = answered
        .unwrap_or_else(|_elapsed| {
            Err(diagnosis::late(
                request.timeout,
                "the API server did not pass an answer on",
            ))
        })
        .map_err(so_far)?;
    marks.head();
    let (head, body) = sent.into_parts();
    let heads = head_bytes(&head);
    let response = CurlResponse {
        said: Said::Http(in_words(&head, &heads)),
        via: way.words,
        pod: way.pod,
        phases: marks.phases(),
        exchange: ExchangeFacts {
            heads,
            ..ExchangeFacts::default()
        },
        ..CurlResponse::empty()
    };
    Ok(Open {
        response,
        body,
        door: None,
        marks,
        record: None,
    })
}

pub(super) async fn finish(
    request: &CurlRequest,
    begun: Open,
    started: Instant,
    deadline: Instant,
    outlet: &Outlet,
) -> Result<Answer, CurlError> {
    let Open {
        mut response,
        body,
        door,
        marks,
        record,
    } = begun;
    let status = response.status().unwrap_or_default();
    let end = body::read(&mut response, body, door.clone(), deadline, outlet).await;
    response.phases = marks.phases();
    response.phases.total = started.elapsed();
    response.exchange.trailers = record
        .as_ref()
        .map(|it| it.trailing().into())
        .unwrap_or_default();
    response.exchange.sent = record.map(|record| record.sent());
    let broken = |kind, message: String| {
        Err(CurlError {
            kind,
            message: message.into(),
            so_far: Box::new(SoFar {
                via: Some(response.via.clone()),
                pod: response.pod.clone(),
                phases: response.phases,
                tls: response.tls.clone(),
                partial: Some(response.clone()),
            }),
        })
    };
    match end {
        End::Whole => Ok(whole(response)),
        End::Paused(rest) => Ok(Answer {
            response,
            rest: Some(rest),
        }),
        End::TimedOut => broken(
            FailureKind::TimedOut,
            format!(
                "no end within {} s: status {status} came, and {} bytes of the body",
                request.timeout.as_secs_f64(),
                response.body_bytes
            ),
        ),
        End::Broken(said) => {
            let known = door.and_then(|door| door.failure());
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
                    "status {status} came, but the body broke off after {} bytes: {said}",
                    response.body_bytes
                ),
            )
        }
    }
}

/// The head that counts, in the words that came.
fn in_words(head: &::http::response::Parts, heads: &[u8]) -> HttpHead {
    let version = format!("{:?}", head.version);
    match Heads::read(heads, Some(heads.len())) {
        Some(Heads { last, .. }) => HttpHead { version, ..last },
        None => HttpHead {
            version,
            status: head.status.as_u16(),
            headers: Vec::new(),
        },
    }
}

fn via(request: &CurlRequest, door: &Door) -> Text {
    let words = door.words();
    if request.scheme == super::Scheme::Https && request.tls.insecure {
        format!("{words}, certificate not verified").into()
    } else {
        words
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
