//! `watch=true`: one JSON line for each change, forever or until `timeoutSeconds`.
//!
//! A watch holds nothing but the last revision it told. It wakes when its kind changes, takes the
//! finished lines from the history and sends the shared bytes on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::Stream;
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use super::app::{App, Call};
use super::http::{self as answer, Answer};
use super::list;
use super::request::Shape;
use super::resource::Resource;
use super::selector::Filter;
use super::status::Status;
use super::store::{self, Event, Object, Since, Verb};
use super::table;
use super::watch_fault::WatchFault;

/// The state of one watch.
struct Watch {
    app: Arc<App>,
    resource: &'static Resource,
    namespace: Option<String>,
    filter: Filter,
    shape: Shape,
    include_object: String,
    /// Whether the next table still has to carry its column definitions.
    columns: bool,
    told: u64,
    signal: Receiver<u64>,
    /// Objects that stood when the watch began and are still to be told.
    initial: VecDeque<Arc<Object>>,
    /// Whether the end of the initial events is still to be told, by a bookmark.
    announce: bool,
    bookmarks: bool,
    next_bookmark: Instant,
    end: Instant,
    over: bool,
}

pub(super) fn answer(app: &Arc<App>, call: Call) -> Result<Answer, Status> {
    let lines = answer::stream(lines(app, call)?);
    Ok(answer::answer(200, "application/json", lines))
}

/// The lines of a watch, as they come.
pub(super) fn lines(
    app: &Arc<App>,
    call: Call,
) -> Result<impl Stream<Item = Bytes> + Send + use<>, Status> {
    let query = &call.query;
    let streaming = query.is_true("sendInitialEvents");
    if !query.get("sendInitialEvents").is_empty() && !app.faults.watch_list(app.options.watch_list)
    {
        return Err(Status::no_watch_list());
    }
    let from = match query.get("resourceVersion") {
        "" | "0" => None,
        text => Some(text.parse::<u64>().map_err(|_bad| {
            Status::bad_request(format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"))
        })?),
    };
    let filter = list::filter(&call)?;
    let seconds = query
        .number("timeoutSeconds")
        .unwrap_or(1800)
        .clamp(1, 86_400);
    let (kind, namespace) = (call.target.resource.kind, call.target.namespace.clone());
    let state = app.registry.store.lock();
    let initial = match from {
        Some(_) if !streaming => VecDeque::new(),
        _ if query.get("sendInitialEvents") == "false" => VecDeque::new(),
        _ => state.list(kind, namespace.as_deref()).into(),
    };
    let told = match from {
        Some(from) if !streaming => from,
        _ => state.revision(),
    };
    let now = Instant::now();
    let watch = Watch {
        app: app.clone(),
        resource: call.target.resource,
        namespace,
        filter,
        shape: call.shape,
        include_object: query.get("includeObject").to_owned(),
        columns: true,
        told,
        signal: state.signal(kind),
        initial,
        announce: streaming,
        bookmarks: query.is_true("allowWatchBookmarks"),
        next_bookmark: now + app.options.bookmark_every,
        end: now + Duration::from_secs(seconds),
        over: false,
    };
    drop(state);
    let lines = futures::stream::unfold(watch, |mut watch| async move {
        let piece = watch.next().await?;
        Some((futures::stream::iter(piece), watch))
    });
    Ok(futures::StreamExt::flatten(lines))
}

impl Watch {
    /// The next lines to send, as soon as there are some; `None` when the watch is over.
    async fn next(&mut self) -> Option<Vec<Bytes>> {
        loop {
            self.app.faults.wait_while_hung().await;
            if self.over {
                return None;
            }
            if let Some(piece) = self.initial_piece() {
                return Some(vec![piece]);
            }
            if self.announce {
                self.announce = false;
                return Some(vec![self.bookmark(true)]);
            }
            self.signal.mark_unchanged();
            let since = self
                .app
                .registry
                .store
                .lock()
                .since(self.resource.kind, self.told);
            match since {
                Since::Events(events) => {
                    if let Some(last) = events.last() {
                        self.told = last.revision;
                    }
                    let is_lossy = self.app.faults.watch_fault() == Some(WatchFault::Lossy);
                    let lines = events
                        .iter()
                        .filter(|_| !is_lossy)
                        .filter_map(|event| self.line(event))
                        .collect::<Vec<_>>();
                    if !lines.is_empty() {
                        return Some(lines);
                    }
                }
                Since::Compacted(known) => {
                    self.over = true;
                    let status = Status::expired(format!(
                        "too old resource version: {} ({known})",
                        self.told
                    ));
                    return Some(vec![store::line(
                        "ERROR",
                        status.to_value().to_string().as_bytes(),
                    )]);
                }
            }
            let bookmark = if self.bookmarks {
                self.next_bookmark
            } else {
                self.end
            };
            tokio::select! {
                changed = self.signal.changed() => {
                    if changed.is_err() {
                        return None;
                    }
                }
                () = sleep_until(bookmark), if self.bookmarks => {
                    self.next_bookmark = Instant::now() + self.app.options.bookmark_every;
                    return Some(vec![self.bookmark(false)]);
                }
                () = sleep_until(self.end) => return None,
            }
        }
    }

    /// Some of the objects that stood at the beginning, as one piece.
    fn initial_piece(&mut self) -> Option<Bytes> {
        let mut piece = BytesMut::new();
        while piece.len() < 64 << 10 {
            let Some(object) = self.initial.pop_front() else {
                break;
            };
            if self.admits(&object) {
                let line = self.shaped(Verb::Added, &object, None);
                piece.extend_from_slice(&line);
            }
        }
        (!piece.is_empty()).then(|| piece.freeze())
    }

    fn admits(&self, object: &Object) -> bool {
        self.namespace
            .as_ref()
            .is_none_or(|namespace| &object.key.namespace == namespace)
            && self.filter.admits(object)
    }

    /// What this watch says of an event: an object may enter or leave what its selectors show.
    fn line(&mut self, event: &Event) -> Option<Bytes> {
        let was = event
            .before
            .as_deref()
            .is_some_and(|before| self.admits(before));
        let is = event.verb != Verb::Deleted && self.admits(&event.object);
        let verb = match (was, is) {
            (false, false) => return None,
            (false, true) => Verb::Added,
            (true, true) => Verb::Modified,
            (true, false) => Verb::Deleted,
        };
        let finished = (verb == event.verb).then(|| event.line());
        Some(self.shaped(verb, &event.object, finished))
    }

    fn shaped(&mut self, verb: Verb, object: &Object, finished: Option<Bytes>) -> Bytes {
        let alias = self.resource.kind.resource().group != self.resource.group;
        if self.shape == Shape::Whole && !alias {
            return finished.unwrap_or_else(|| store::line(verb.name(), object.bytes()));
        }
        let mut value = object.read();
        list::to_served(self.resource, &mut value);
        let value = match self.shape {
            Shape::Whole => value,
            Shape::Metadata => table::metadata_only(&value, "PartialObjectMetadata"),
            Shape::Table => {
                let columns = std::mem::take(&mut self.columns);
                let revision = object.revision.to_string();
                table::of(
                    self.resource.kind,
                    [value],
                    &revision,
                    &self.include_object,
                    columns,
                )
            }
        };
        store::line(verb.name(), &list::bytes_of(&value))
    }

    /// A bookmark: everything up to its revision has been told.
    fn bookmark(&mut self, initial_events_end: bool) -> Bytes {
        let mut meta = json!({"resourceVersion": self.told.to_string(), "creationTimestamp": null});
        if initial_events_end {
            super::json::set(
                &mut meta,
                "annotations",
                json!({"k8s.io/initial-events-end": "true"}),
            );
        }
        let mut object = json!({
            "kind": self.resource.name,
            "apiVersion": self.resource.api_version(),
            "metadata": meta,
        });
        match self.shape {
            Shape::Whole => {}
            Shape::Metadata => object = table::metadata_only(&object, "PartialObjectMetadata"),
            Shape::Table => {
                let columns = std::mem::take(&mut self.columns);
                let revision = self.told.to_string();
                object = table::of(
                    self.resource.kind,
                    std::iter::empty::<Value>(),
                    &revision,
                    "",
                    columns,
                );
                super::json::set(&mut object, "metadata", meta_of(&revision));
            }
        }
        store::line("BOOKMARK", &list::bytes_of(&object))
    }
}

fn meta_of(revision: &str) -> Value {
    json!({"resourceVersion": revision})
}
