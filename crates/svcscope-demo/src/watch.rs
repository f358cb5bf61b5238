//! `watch=true`: one JSON line for each change, forever or until `timeoutSeconds`.
//!
//! A watch holds nothing but the last revision it sent. It wakes when its kind changes, takes the
//! finished lines from the history and sends the shared bytes on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::Stream;
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use super::api_request::ApiRequest;
use super::cluster::DemoCluster;
use super::fault_injection::WatchFault;
use super::list;
use super::request::ApiResponseFormat;
use super::resource::ServedResource;
use super::response::{self as answer, ApiResponse};
use super::selector::LabelAndFieldSelector;
use super::status::FailureStatus;
use super::store::{self, EventHistoryLookup, StoreEvent, StoredObject, WatchEventType};
use super::table;

/// The state of one watch.
struct ApiWatchSession {
    app: Arc<DemoCluster>,
    resource: &'static ServedResource,
    namespace: Option<String>,
    filter: LabelAndFieldSelector,
    shape: ApiResponseFormat,
    include_object: String,
    /// Whether the next table still has to carry its column definitions.
    columns_due: bool,
    last_revision: u64,
    signal: Receiver<u64>,
    /// Objects that existed when the watch began and are still to be sent.
    initial: VecDeque<Arc<StoredObject>>,
    /// Whether the bookmark for the end of the initial events is still to be sent.
    initial_events_end_due: bool,
    bookmarks: bool,
    next_bookmark: Instant,
    deadline: Instant,
    is_over: bool,
}

pub(super) fn answer(
    app: &Arc<DemoCluster>,
    call: ApiRequest,
) -> Result<ApiResponse, FailureStatus> {
    let lines = answer::streamed_body(watch_lines(app, call)?);
    Ok(answer::response(200, "application/json", lines))
}

/// The lines of a watch, as they come.
pub(super) fn watch_lines(
    app: &Arc<DemoCluster>,
    call: ApiRequest,
) -> Result<impl Stream<Item = Bytes> + Send + use<>, FailureStatus> {
    let query = &call.query;
    let streaming = query.is_true("sendInitialEvents");
    if !query.get("sendInitialEvents").is_empty() && !app.faults.watch_list(app.options.watch_list)
    {
        return Err(FailureStatus::no_watch_list());
    }
    let from = match query.get("resourceVersion") {
        "" | "0" => None,
        text => Some(text.parse::<u64>().map_err(|_bad| {
            FailureStatus::bad_request(format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"))
        })?),
    };
    let filter = list::parse_selector(&call)?;
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
    let last_sent = match from {
        Some(from) if !streaming => from,
        _ => state.revision(),
    };
    let now = Instant::now();
    let watch = ApiWatchSession {
        app: app.clone(),
        resource: call.target.resource,
        namespace,
        filter,
        shape: call.format,
        include_object: query.get("includeObject").to_owned(),
        columns_due: true,
        last_revision: last_sent,
        signal: state.change_signal(kind),
        initial,
        initial_events_end_due: streaming,
        bookmarks: query.is_true("allowWatchBookmarks"),
        next_bookmark: now + app.options.bookmark_every,
        deadline: now + Duration::from_secs(seconds),
        is_over: false,
    };
    drop(state);
    let lines = futures::stream::unfold(watch, |mut watch| async move {
        let piece = watch.next().await?;
        Some((futures::stream::iter(piece), watch))
    });
    Ok(futures::StreamExt::flatten(lines))
}

impl ApiWatchSession {
    /// The next lines to send, as soon as there are some; `None` when the watch is over.
    async fn next(&mut self) -> Option<Vec<Bytes>> {
        loop {
            self.app.faults.wait_while_hung().await;
            if self.is_over {
                return None;
            }
            if let Some(piece) = self.initial_piece() {
                return Some(vec![piece]);
            }
            if self.initial_events_end_due {
                self.initial_events_end_due = false;
                return Some(vec![self.bookmark(true)]);
            }
            self.signal.mark_unchanged();
            let since = self
                .app
                .registry
                .store
                .lock()
                .events_since(self.resource.kind, self.last_revision);
            match since {
                EventHistoryLookup::Events(events) => {
                    if let Some(last) = events.last() {
                        self.last_revision = last.revision;
                    }
                    let is_lossy = self.app.faults.watch_fault() == Some(WatchFault::DropsEvents);
                    let lines = events
                        .iter()
                        .filter(|_| !is_lossy)
                        .filter_map(|event| self.line(event))
                        .collect::<Vec<_>>();
                    if !lines.is_empty() {
                        return Some(lines);
                    }
                }
                EventHistoryLookup::Compacted(known) => {
                    self.is_over = true;
                    let status = FailureStatus::expired(format!(
                        "too old resource version: {} ({known})",
                        self.last_revision
                    ));
                    return Some(vec![store::format_watch_line(
                        "ERROR",
                        status.to_value().to_string().as_bytes(),
                    )]);
                }
            }
            let bookmark = if self.bookmarks {
                self.next_bookmark
            } else {
                self.deadline
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
                () = sleep_until(self.deadline) => return None,
            }
        }
    }

    /// Some of the initial objects, as one chunk.
    fn initial_piece(&mut self) -> Option<Bytes> {
        let mut piece = BytesMut::new();
        while piece.len() < 64 << 10 {
            let Some(object) = self.initial.pop_front() else {
                break;
            };
            if self.admits(&object) {
                let line = self.formatted_line(WatchEventType::Added, &object, None);
                piece.extend_from_slice(&line);
            }
        }
        (!piece.is_empty()).then(|| piece.freeze())
    }

    fn admits(&self, object: &StoredObject) -> bool {
        self.namespace
            .as_ref()
            .is_none_or(|namespace| &object.key.namespace == namespace)
            && self.filter.matches(object)
    }

    /// What this watch sends for an event: an object may enter or leave its selectors.
    fn line(&mut self, event: &StoreEvent) -> Option<Bytes> {
        let was = event
            .before
            .as_deref()
            .is_some_and(|before| self.admits(before));
        let is = event.event_type != WatchEventType::Deleted && self.admits(&event.object);
        let verb = match (was, is) {
            (false, false) => return None,
            (false, true) => WatchEventType::Added,
            (true, true) => WatchEventType::Modified,
            (true, false) => WatchEventType::Deleted,
        };
        let finished = (verb == event.event_type).then(|| event.watch_line());
        Some(self.formatted_line(verb, &event.object, finished))
    }

    fn formatted_line(
        &mut self,
        verb: WatchEventType,
        object: &StoredObject,
        finished: Option<Bytes>,
    ) -> Bytes {
        let alias = self.resource.kind.resource().group != self.resource.group;
        if self.shape == ApiResponseFormat::FullObject && !alias {
            return finished
                .unwrap_or_else(|| store::format_watch_line(verb.name(), object.bytes()));
        }
        let mut value = object.to_value();
        list::to_served(self.resource, &mut value);
        let value = match self.shape {
            ApiResponseFormat::FullObject => value,
            ApiResponseFormat::MetadataOnly => {
                table::metadata_only(&value, "PartialObjectMetadata")
            }
            ApiResponseFormat::Table => {
                let columns = std::mem::take(&mut self.columns_due);
                let revision = object.revision.to_string();
                table::table_of(
                    self.resource.kind,
                    [value],
                    &revision,
                    &self.include_object,
                    columns,
                )
            }
        };
        store::format_watch_line(verb.name(), &list::bytes_of(&value))
    }

    /// A bookmark: everything up to its revision has been sent.
    fn bookmark(&mut self, initial_events_end: bool) -> Bytes {
        let mut meta =
            json!({"resourceVersion": self.last_revision.to_string(), "creationTimestamp": null});
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
            ApiResponseFormat::FullObject => {}
            ApiResponseFormat::MetadataOnly => {
                object = table::metadata_only(&object, "PartialObjectMetadata")
            }
            ApiResponseFormat::Table => {
                let columns = std::mem::take(&mut self.columns_due);
                let revision = self.last_revision.to_string();
                object = table::table_of(
                    self.resource.kind,
                    std::iter::empty::<Value>(),
                    &revision,
                    "",
                    columns,
                );
                super::json::set(&mut object, "metadata", meta_of(&revision));
            }
        }
        store::format_watch_line("BOOKMARK", &list::bytes_of(&object))
    }
}

fn meta_of(revision: &str) -> Value {
    json!({"resourceVersion": revision})
}
