//! `v1` Events about Services.

use serde::Deserialize;

use super::{
    Described, Interner, Resource,
    meta::{Meta, timestamp},
    text::{Str, own},
};
use crate::inventory::{Change, Delta, EventRecord, Kind, ObjectKey};

/// Events whose `involvedObject` is a Service.
pub struct Events;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Event<'json> {
    #[serde(borrow)]
    metadata: Meta<'json>,
    #[serde(borrow)]
    involved_object: Option<Involved<'json>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Str<'json>>,
    #[serde(borrow)]
    reason: Option<Str<'json>>,
    #[serde(borrow)]
    message: Option<Str<'json>>,
    count: Option<u32>,
    #[serde(borrow)]
    first_timestamp: Option<Str<'json>>,
    #[serde(borrow)]
    last_timestamp: Option<Str<'json>>,
    #[serde(borrow)]
    event_time: Option<Str<'json>>,
    #[serde(borrow)]
    series: Option<Series<'json>>,
    #[serde(borrow)]
    source: Option<Source<'json>>,
    #[serde(borrow)]
    reporting_component: Option<Str<'json>>,
}

#[derive(Debug, Deserialize)]
struct Involved<'json> {
    #[serde(borrow)]
    namespace: Option<Str<'json>>,
    #[serde(borrow)]
    name: Option<Str<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series<'json> {
    count: Option<u32>,
    #[serde(borrow)]
    last_observed_time: Option<Str<'json>>,
}

#[derive(Debug, Deserialize)]
struct Source<'json> {
    #[serde(borrow)]
    component: Option<Str<'json>>,
}

impl Described for Event<'_> {
    fn metadata(&self) -> &Meta<'_> {
        &self.metadata
    }
}

impl Resource for Events {
    type Object<'json> = Event<'json>;
    type Record = EventRecord;

    const KIND: Kind = Kind::Event;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "events";
    const FIELD_SELECTOR: Option<&'static str> = Some("involvedObject.kind%3DService");

    fn records(object: &Event<'_>, texts: &mut Interner, records: &mut Vec<EventRecord>) {
        let key = object.metadata.key(texts);
        let involved = object.involved_object.as_ref();
        let name = involved.and_then(|involved| involved.name.as_ref());
        let namespace =
            involved.and_then(|involved| texts.common_some(involved.namespace.as_ref()));
        let service = ObjectKey::new(
            namespace.unwrap_or_else(|| key.namespace.clone()),
            texts.common(name.map(Str::as_str).unwrap_or_default()),
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
            reason: texts.common(object.reason.as_ref().map(Str::as_str).unwrap_or_default()),
            message: own(object.message.as_ref()),
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
                .common_some(component)
                .or_else(|| texts.common_some(object.reporting_component.as_ref()))
                .unwrap_or_default(),
        });
    }

    fn change(delta: Delta<EventRecord>) -> Change {
        Change::Event(delta)
    }
}
