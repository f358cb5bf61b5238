//! GET of a collection: whole, as a table or as metadata only, at once or in pages.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream as futures_stream;
use serde_json::{Value, json};

use super::api_request::ApiRequest;
use super::cluster::DemoCluster;
use super::json;
use super::request::ApiResponseFormat;
use super::resource::{ServedKind, ServedResource};
use super::response::{self as answer, ApiResponse};
use super::selector::LabelAndFieldSelector;
use super::status::FailureStatus;
use super::store::StoredObject;
use super::table;

/// Lists are sent in pieces of about this many bytes.
const CHUNK_BYTES: usize = 128 << 10;

/// The selectors of a list, a watch or a deletion of many.
pub(super) fn parse_selector(call: &ApiRequest) -> Result<LabelAndFieldSelector, FailureStatus> {
    let mut fields = call.query.get("fieldSelector").to_owned();
    if let Some(name) = &call.target.name {
        // A watch of one name is a watch of the collection with a field selector.
        let comma = if fields.is_empty() { "" } else { "," };
        fields = format!("{fields}{comma}metadata.name={name}");
    }
    LabelAndFieldSelector::parse(
        call.target.resource.kind,
        call.query.get("labelSelector"),
        &fields,
    )
}

pub(super) fn answer(app: &DemoCluster, call: &ApiRequest) -> Result<ApiResponse, FailureStatus> {
    let resource = call.target.resource;
    let page = list_page(app, call)?;
    let meta = page.meta();
    let alias = resource.kind.resource().group != resource.group;
    match call.format {
        ApiResponseFormat::FullObject if !alias => {
            return Ok(object_list(resource, &meta, page.items));
        }
        ApiResponseFormat::Table => {
            let include = call.query.get("includeObject").to_owned();
            return Ok(table_list(resource, &meta, page.items, include));
        }
        _ => {}
    }
    let values = page
        .items
        .iter()
        .map(|object| served_value(resource, object));
    let (items, kind, api_version) = match call.format {
        ApiResponseFormat::MetadataOnly => (
            values
                .map(|value| table::metadata_only(&value, "PartialObjectMetadata"))
                .collect::<Vec<_>>(),
            "PartialObjectMetadataList".to_owned(),
            "meta.k8s.io/v1".to_owned(),
        ),
        _ => (
            values.collect(),
            format!("{}List", resource.name),
            resource.api_version(),
        ),
    };
    Ok(answer::json(
        200,
        &json!({"kind": kind, "apiVersion": api_version, "metadata": meta, "items": items}),
    ))
}

fn served_value(resource: &ServedResource, object: &StoredObject) -> Value {
    let mut value = object.to_value();
    to_served(resource, &mut value);
    value
}

/// A part of a list, and what it leaves for the next.
struct ListPage {
    items: Vec<Arc<StoredObject>>,
    revision: u64,
    next: Option<String>,
    remaining: usize,
    filtered: bool,
}

impl ListPage {
    fn meta(&self) -> Value {
        let mut meta = json!({"resourceVersion": self.revision.to_string()});
        if let Some(next) = &self.next {
            json::set(&mut meta, "continue", next.as_str());
            if !self.filtered {
                json::set(&mut meta, "remainingItemCount", self.remaining);
            }
        }
        meta
    }
}

fn list_page(app: &DemoCluster, call: &ApiRequest) -> Result<ListPage, FailureStatus> {
    let limit = call
        .query
        .number("limit")
        .and_then(|limit| usize::try_from(limit).ok());
    let limit = limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let filter = parse_selector(call)?;
    let (revision, mut items) = match call.query.get("continue") {
        "" => {
            let state = app.registry.store.lock();
            let items = state.list(call.target.resource.kind, call.target.namespace.as_deref());
            (state.revision(), items)
        }
        token => app.faults.continue_tokens().get(token).ok_or_else(|| {
            FailureStatus::expired("The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.")
        })?,
    };
    if !filter.matches_everything() {
        items.retain(|object| filter.matches(object));
    }
    let mut page = ListPage {
        remaining: items.len().saturating_sub(limit),
        items,
        revision,
        next: None,
        filtered: !filter.matches_everything(),
    };
    if page.items.len() > limit {
        let rest = page.items.split_off(limit);
        page.next = Some(app.faults.continue_tokens().store(revision, rest));
    }
    Ok(page)
}

/// The plain list, assembled from the bytes that the objects are kept as.
fn object_list(
    resource: &ServedResource,
    meta: &Value,
    items: Vec<Arc<StoredObject>>,
) -> ApiResponse {
    let head = format!(
        "{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{meta},\"items\":[",
        resource.name,
        resource.api_version()
    );
    streamed_list(head, items, |object, piece| {
        piece.extend_from_slice(b"{");
        piece.extend_from_slice(&object.list_item_bytes());
    })
}

/// The list as a table, row by row: a large one must not be held in memory as a whole.
fn table_list(
    resource: &'static ServedResource,
    meta: &Value,
    items: Vec<Arc<StoredObject>>,
    include: String,
) -> ApiResponse {
    let head = format!(
        "{{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{meta},\"columnDefinitions\":{},\"rows\":[",
        table::column_definitions(resource.kind)
    );
    streamed_list(head, items, move |object, piece| {
        let row = table::row(resource.kind, served_value(resource, object), &include);
        piece.extend_from_slice(row.to_string().as_bytes());
    })
}

/// A body of a head, items and `]}`, made while it is sent.
fn streamed_list(
    head: String,
    items: Vec<Arc<StoredObject>>,
    write: impl Fn(&StoredObject, &mut BytesMut) + Send + 'static,
) -> ApiResponse {
    let mut items = items.into_iter();
    let mut head = Some(head);
    let mut comma = false;
    let mut done = false;
    let pieces = std::iter::from_fn(move || {
        if done {
            return None;
        }
        let mut piece = BytesMut::with_capacity(CHUNK_BYTES + (16 << 10));
        if let Some(head) = head.take() {
            piece.extend_from_slice(head.as_bytes());
        }
        while piece.len() < CHUNK_BYTES {
            let Some(object) = items.next() else {
                done = true;
                piece.extend_from_slice(b"]}\n");
                break;
            };
            if std::mem::replace(&mut comma, true) {
                piece.extend_from_slice(b",");
            }
            write(&object, &mut piece);
        }
        Some(piece.freeze())
    });
    answer::response(
        200,
        "application/json",
        answer::streamed_body(futures_stream::iter(pieces)),
    )
}

/// An object as the API group of `resource` shows it: Events are stored as core/v1 and look different in
/// events.k8s.io.
pub(super) fn to_served(resource: &ServedResource, object: &mut Value) {
    if resource.kind != ServedKind::Event || resource.group.is_empty() {
        return;
    }
    json::set(object, "apiVersion", resource.api_version());
    for (core, newer) in EVENT_FIELDS {
        if let Some(value) = json::remove(object, core) {
            json::set(object, newer, value);
        }
    }
    json::set_default(object, "eventTime", Value::Null);
}

/// The other way, for writes.
pub(super) fn to_stored(resource: &ServedResource, object: &mut Value) {
    if resource.kind != ServedKind::Event || resource.group.is_empty() {
        return;
    }
    for (core, newer) in EVENT_FIELDS {
        if let Some(value) = json::remove(object, newer) {
            json::set(object, core, value);
        }
    }
}

const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// Serialises a value once, for a piece of a stream.
pub(super) fn bytes_of(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}
