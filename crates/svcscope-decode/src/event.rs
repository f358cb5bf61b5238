//! `v1` Events about Services.

use crate::{
    meta::{HasMetadata, PartialObjectMeta},
    partial::partial,
    reference::PartialObjectReference,
    resource::watched_resource,
    text::{JsonText, TextInterner},
};
use svcscope_model::inventory::{EventRecord, ObjectKey};

watched_resource! {
    /// Events whose `involvedObject` is a Service.
    EventResource: Event = "/api/v1" "Event",
    PartialEvent<'json> => EventRecord by event,
    const FIELD_SELECTOR: Option<&'static str> = Some("involvedObject.kind%3DService");
}

partial! {
    pub struct PartialEvent<'json> {
        metadata: PartialObjectMeta<'json>,
        involved_object: PartialObjectReference<'json>,
        kind as "type": JsonText<'json>,
        reason: JsonText<'json>,
        message: JsonText<'json>,
        count: Option<u32>,
        first_timestamp: JsonText<'json>,
        last_timestamp: JsonText<'json>,
        event_time: JsonText<'json>,
        series: PartialEventSeries<'json>,
        source: PartialEventSource<'json>,
        reporting_component: JsonText<'json>,
    }

    struct PartialEventSeries<'json> {
        count: Option<u32>,
        last_observed_time: JsonText<'json>,
    }

    struct PartialEventSource<'json> {
        component: JsonText<'json>,
    }
}

impl HasMetadata for PartialEvent<'_> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

fn event(object: &PartialEvent<'_>, texts: &mut TextInterner) -> Option<EventRecord> {
    let key = object.metadata.key(texts);
    let involved = &object.involved_object;
    let namespace = texts.intern_non_empty(&involved.namespace);
    let service = ObjectKey::new(
        namespace.unwrap_or_else(|| key.namespace.clone()),
        texts.intern(involved.name.as_str()),
    );
    // Old reporters count and stamp the Event itself, new ones keep a series.
    let last_seen = [
        &object.series.last_observed_time,
        &object.last_timestamp,
        &object.event_time,
        &object.first_timestamp,
    ];
    let count = object.series.count.or(object.count);
    Some(EventRecord {
        key,
        service,
        warning: object.kind == "Warning",
        reason: texts.intern(object.reason.as_str()),
        message: object.message.to_shared(),
        count: count.unwrap_or(1).max(1),
        last_seen: last_seen
            .into_iter()
            .find_map(JsonText::timestamp)
            .or_else(|| object.metadata.created()),
        source: texts
            .intern_non_empty(&object.source.component)
            .or_else(|| texts.intern_non_empty(&object.reporting_component))
            .unwrap_or_default(),
    })
}
