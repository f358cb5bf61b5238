//! `v1` Events about Services.

use serde::Deserialize;

use super::{
    HasMetadata, TextInterner, WatchedResource,
    meta::{PartialObjectMeta, timestamp},
    text::{JsonText, owned_text},
};
use svcscope_model::inventory::{
    EventRecord, InventoryChange, ObjectKey, RecordDelta, ResourceKind,
};

/// Events whose `involvedObject` is a Service.
pub struct EventResource;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PartialEvent<'json> {
    #[serde(borrow)]
    metadata: PartialObjectMeta<'json>,
    #[serde(borrow)]
    involved_object: Option<PartialInvolvedObject<'json>>,
    #[serde(borrow, rename = "type")]
    kind: Option<JsonText<'json>>,
    #[serde(borrow)]
    reason: Option<JsonText<'json>>,
    #[serde(borrow)]
    message: Option<JsonText<'json>>,
    count: Option<u32>,
    #[serde(borrow)]
    first_timestamp: Option<JsonText<'json>>,
    #[serde(borrow)]
    last_timestamp: Option<JsonText<'json>>,
    #[serde(borrow)]
    event_time: Option<JsonText<'json>>,
    #[serde(borrow)]
    series: Option<PartialEventSeries<'json>>,
    #[serde(borrow)]
    source: Option<PartialEventSource<'json>>,
    #[serde(borrow)]
    reporting_component: Option<JsonText<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialInvolvedObject<'json> {
    #[serde(borrow)]
    namespace: Option<JsonText<'json>>,
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialEventSeries<'json> {
    count: Option<u32>,
    #[serde(borrow)]
    last_observed_time: Option<JsonText<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialEventSource<'json> {
    #[serde(borrow)]
    component: Option<JsonText<'json>>,
}

impl HasMetadata for PartialEvent<'_> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

impl WatchedResource for EventResource {
    type Object<'json> = PartialEvent<'json>;
    type Record = EventRecord;

    const KIND: ResourceKind = ResourceKind::Event;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "events";
    const FIELD_SELECTOR: Option<&'static str> = Some("involvedObject.kind%3DService");

    fn records(
        object: &PartialEvent<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<EventRecord>,
    ) {
        let key = object.metadata.key(texts);
        let involved = object.involved_object.as_ref();
        let name = involved.and_then(|involved| involved.name.as_ref());
        let namespace =
            involved.and_then(|involved| texts.intern_non_empty(involved.namespace.as_ref()));
        let service = ObjectKey::new(
            namespace.unwrap_or_else(|| key.namespace.clone()),
            texts.intern(name.map(JsonText::as_str).unwrap_or_default()),
        );
        let series = object.series.as_ref();
        let component = object
            .source
            .as_ref()
            .and_then(|source| source.component.as_ref());
        // Old reporters count and stamp the Event itself, new ones keep a series.
        let last_seen = [
            series.and_then(|series| series.last_observed_time.as_ref()),
            object.last_timestamp.as_ref(),
            object.event_time.as_ref(),
            object.first_timestamp.as_ref(),
        ];
        records.push(EventRecord {
            key,
            service,
            warning: object
                .kind
                .as_ref()
                .is_some_and(|kind| kind.as_str() == "Warning"),
            reason: texts.intern(
                object
                    .reason
                    .as_ref()
                    .map(JsonText::as_str)
                    .unwrap_or_default(),
            ),
            message: owned_text(object.message.as_ref()),
            count: series
                .and_then(|series| series.count)
                .or(object.count)
                .unwrap_or(1)
                .max(1),
            last_seen: last_seen
                .into_iter()
                .find_map(timestamp)
                .or_else(|| object.metadata.created()),
            source: texts
                .intern_non_empty(component)
                .or_else(|| texts.intern_non_empty(object.reporting_component.as_ref()))
                .unwrap_or_default(),
        });
    }

    fn change(delta: RecordDelta<EventRecord>) -> InventoryChange {
        InventoryChange::Event(delta)
    }
}
