//! One request, from its door to the end of its answer.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use http::HeaderMap;
use tokio::time::{Instant, timeout_at};

use super::{
    Ask, CurlError, CurlRequest, CurlResponse, FailureKind, HttpHead, Outlet, ProxyBody, Rest,
    Said, SoFar, Vantage, Ways,
    authority::Authority,
    body::{self, End},
    diagnosis::{self, Scene, diagnose},
    door::{Door, proxy},
    grpc,
    http::{Exchange, Marks},
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
    let mut asked = request.clone();
    loop {
        let begun = begin(&asked, ways, deadline).await?;
        let next = redirect::next(&asked, begun.response(), &ways.inventory.borrow())?;
        if let Some((hop, then)) = next {
            hops.push(hop);
            if hops.len() > redirect::MAX_HOPS {
                return Err(CurlError::new(
                    FailureKind::TooManyRedirects,
                    format!(
                        "{} redirects were followed, and there are more",
                        redirect::MAX_HOPS
                    ),
                ));
            }
            asked = then;
            continue;
        }
        return match begun {
            Begun::Open(mut open) => {
                open.response.hops = hops;
                finish(&asked, *open, started, deadline, outlet).await
            }
            Begun::Whole(mut response) => {
                response.hops = hops;
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
}

/// The head of an answer, with its body still to be read.
pub(super) struct Open {
    response: CurlResponse,
    body: ProxyBody,
    door: Option<Arc<Door>>,
    marks: Arc<Marks>,
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
            return Err(so_far(diagnose(&error, &scene)));
        }
        Err(_elapsed) => {
            return Err(so_far(diagnosis::timed_out(request.timeout, &door, &marks)));
        }
    };
    let response = CurlResponse {
        said: Said::Http(HttpHead {
            version: format!("{:?}", sent.version()),
            status: sent.status().as_u16(),
            headers: in_words(sent.headers()),
        }),
        via: via(request, &door),
        pod: door.pod(),
        address: sent.remote_addr(),
        phases: marks.phases(),
        tls: seen(),
        ..CurlResponse::empty()
    };
    let body = sent
        .bytes_stream()
        .map_err(|error| diagnosis::innermost(&error.without_url()))
        .boxed();
    Ok(Open {
        response,
        body,
        door: Some(door),
        marks,
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
    let response = CurlResponse {
        said: Said::Http(HttpHead {
            version: format!("{:?}", head.version),
            status: head.status.as_u16(),
            headers: in_words(&head.headers),
        }),
        via: way.words,
        pod: way.pod,
        phases: marks.phases(),
        ..CurlResponse::empty()
    };
    Ok(Open {
        response,
        body,
        door: None,
        marks,
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
    } = begun;
    let status = response.status().unwrap_or_default();
    let end = body::read(&mut response, body, door.clone(), deadline, outlet).await;
    response.phases = marks.phases();
    response.phases.total = started.elapsed();
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
            broken(
                FailureKind::BrokenBody,
                format!(
                    "status {status} came, but the body broke off after {} bytes: {said}",
                    response.body_bytes
                ),
            )
        }
    }
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
