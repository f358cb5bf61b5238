//! An API server in memory that lists the truth and tells events as they are meant to arrive.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::Arc,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use futures::stream;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::recording::{COLLECTIONS, RecordedState, line};

/// What arrives of an event.
#[derive(Clone)]
pub(super) enum DeliveryContent {
    /// A line.
    EventLine(Bytes),
    /// The watch says 410 and ends.
    Gone,
    /// The watch ends; the next one is answered 410.
    HangUp,
}

/// When something of a kind arrives.
#[derive(Clone)]
pub(super) struct EventDelivery {
    /// Its kind's place in [`COLLECTIONS`].
    pub(super) collection: usize,
    /// After the start.
    pub(super) at: Duration,
    /// The event's own revision: watches from before it receive it.
    pub(super) revision: u64,
    pub(super) arrival: DeliveryContent,
    /// Whether it is sent to watches that are open at its time, and to no later one.
    pub(super) is_delivered_once: bool,
}

/// What was true from a time on.
pub(super) struct TimedState {
    pub(super) at: Duration,
    pub(super) revision: u64,
    pub(super) state: RecordedState,
}

/// The server. It is made for one replay.
pub(super) struct ReplayApiServer {
    begun: Instant,
    truth: Arc<[TimedState]>,
    deliveries: Vec<EventDelivery>,
    is_gone: AtomicBool,
}

type ReplayBody = UnsyncBoxBody<Bytes, Infallible>;

impl ReplayApiServer {
    /// `deliveries` in any order.
    pub(super) fn new(truth: Arc<[TimedState]>, mut deliveries: Vec<EventDelivery>) -> Arc<Self> {
        deliveries.sort_by_key(|delivery| delivery.at);
        Arc::new(Self {
            begun: Instant::now(),
            truth,
            deliveries,
            is_gone: AtomicBool::new(false),
        })
    }

    /// Answers what a watch asks.
    pub(super) fn answer<B>(self: &Arc<Self>, request: &Request<B>) -> Response<ReplayBody> {
        let path = request.uri().path();
        let query = request.uri().query().unwrap_or_default();
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let Some(at) = COLLECTIONS.iter().position(|of| of.path() == path) else {
            return discovery(path);
        };
        if value("watch").is_none() {
            return whole(200, self.list(at));
        }
        let streams = value("sendInitialEvents").is_some();
        let from = value("resourceVersion").and_then(|text| text.parse().ok());
        let last = |delivery: &&EventDelivery| matches!(delivery.arrival, DeliveryContent::HangUp);
        let hangs_up = self.deliveries.iter().find(last);
        if hangs_up.is_some_and(|delivery| delivery.collection == at)
            && !streams
            && self.is_gone.swap(false, Ordering::Relaxed)
        {
            return whole(410, status("the history is gone"));
        }
        let lasting = value("timeoutSeconds").and_then(|text| text.parse().ok());
        let end = Instant::now() + Duration::from_secs(lasting.unwrap_or(60));
        let (first, from) = match from {
            Some(from) if !streams => (VecDeque::new(), from),
            _ => (self.initial(at), self.now().revision),
        };
        self.watch(at, first, from, end)
    }

    /// What is true now.
    fn now(&self) -> &TimedState {
        let passed = self.begun.elapsed();
        let mut past = self.truth.iter().rev();
        past.find(|moment| moment.at <= passed)
            .unwrap_or(&self.truth[0])
    }

    fn list(&self, at: usize) -> String {
        let now = self.now();
        let items: Vec<_> = now.state[at]
            .values()
            .map(|object| String::from_utf8_lossy(object))
            .collect();
        format!(
            r#"{{"metadata":{{"resourceVersion":"{}"}},"items":[{}]}}"#,
            now.revision,
            items.join(",")
        )
    }

    /// The list that a watch begins with.
    fn initial(&self, at: usize) -> VecDeque<Bytes> {
        let now = self.now();
        let objects = now.state[at].values().map(|object| line("ADDED", object));
        let end = json!({"metadata": {
            "resourceVersion": now.revision.to_string(),
            "annotations": {"k8s.io/initial-events-end": "true"},
        }});
        objects
            .chain([line("BOOKMARK", end.to_string().as_bytes())])
            .collect()
    }

    fn watch(
        self: &Arc<Self>,
        at: usize,
        first: VecDeque<Bytes>,
        from: u64,
        end: Instant,
    ) -> Response<ReplayBody> {
        let passed = self.begun.elapsed();
        let mine = self.deliveries.iter().filter(|delivery| {
            delivery.collection == at
                && delivery.revision > from
                && !(delivery.is_delivered_once && delivery.at < passed)
        });
        let watch = ReplayWatch {
            api: self.clone(),
            first,
            next: mine.cloned().collect(),
            end,
            is_over: false,
        };
        let lines = stream::unfold(watch, |mut watch| async move {
            let line = watch.next().await?;
            Some((Ok(Frame::data(line)), watch))
        });
        Response::new(StreamBody::new(lines).boxed_unsync())
    }
}

/// An open watch.
struct ReplayWatch {
    api: Arc<ReplayApiServer>,
    first: VecDeque<Bytes>,
    next: VecDeque<EventDelivery>,
    end: Instant,
    is_over: bool,
}

impl ReplayWatch {
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        if let Some(line) = self.first.pop_front() {
            return Some(line);
        }
        let at = self.next.front().map(|next| self.api.begun + next.at);
        let Some(at) = at.filter(|at| *at < self.end) else {
            sleep_until(self.end).await;
            return None;
        };
        sleep_until(at).await;
        match self.next.pop_front()?.arrival {
            DeliveryContent::EventLine(line) => Some(line),
            DeliveryContent::Gone => {
                self.is_over = true;
                let said = status("too old resource version");
                Some(line("ERROR", said.as_bytes()))
            }
            DeliveryContent::HangUp => {
                self.api.is_gone.store(true, Ordering::Relaxed);
                None
            }
        }
    }
}

fn status(message: &str) -> String {
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
        "reason": "Expired", "code": 410,
    })
    .to_string()
}

/// What the server has of a group.
fn discovery(group: &str) -> Response<ReplayBody> {
    let names: Vec<_> = COLLECTIONS
        .iter()
        .filter(|of| of.api == group)
        .map(|of| json!({"name": of.kind.plural()}))
        .collect();
    if names.is_empty() {
        let said = json!({"kind": "Status", "message": "not found", "code": 404});
        return whole(404, said.to_string());
    }
    whole(200, json!({"resources": names}).to_string())
}

fn whole(code: u16, body: String) -> Response<ReplayBody> {
    let mut response = Response::new(Full::new(Bytes::from(body)).boxed_unsync());
    *response.status_mut() = http::StatusCode::from_u16(code).expect("a status code");
    response
}
