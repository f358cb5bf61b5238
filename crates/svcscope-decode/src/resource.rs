//! What a watched resource is: where the server has it, and how its objects become records.

use serde::Deserialize;

use crate::{meta::HasMetadata, text::TextInterner};
use svcscope_model::inventory::{
    EndpointSliceRecord, EventRecord, InventoryChange, NamespaceRecord, NodeRecord, ObjectKey,
    PodRecord, RecordDelta, RelatedRecord, ResourceKind, ServiceRecord, SharedStr,
};

/// A record that the inventory holds.
pub trait WatchedRecord: Sized + Send + 'static {
    /// Wraps a change of the records of this kind for the inventory.
    fn change(kind: ResourceKind, delta: RecordDelta<Self>) -> InventoryChange;
}

macro_rules! watched_records {
    ($($record:ident => $variant:ident,)*) => {$(
        impl WatchedRecord for $record {
            fn change(_: ResourceKind, delta: RecordDelta<Self>) -> InventoryChange {
                InventoryChange::$variant(delta)
            }
        }
    )*};
}

watched_records! {
    NamespaceRecord => Namespace,
    ServiceRecord => Service,
    EndpointSliceRecord => EndpointSlice,
    PodRecord => Pod,
    NodeRecord => Node,
    EventRecord => Event,
}

impl WatchedRecord for RelatedRecord {
    fn change(kind: ResourceKind, delta: RecordDelta<Self>) -> InventoryChange {
        InventoryChange::Related(kind, delta)
    }
}

/// A resource that is listed and watched, and how its objects become records.
pub trait WatchedResource: Send + 'static {
    /// An object, borrowed from its JSON.
    type Object<'json>: Deserialize<'json> + HasMetadata + Send;
    /// What the inventory holds of it.
    type Record: WatchedRecord;

    /// The kind in the inventory.
    const KIND: ResourceKind;
    /// The kind in its objects: `HTTPRoute`.
    const OBJECT_KIND: &'static str;
    /// `/api/v1` or `/apis/GROUP/VERSION`.
    const API: &'static str;
    /// Other versions in which the server may have it, the newest first: their objects look alike.
    const OLDER_APIS: &'static [&'static str] = &[];
    /// `pods`.
    const PLURAL: &'static str = Self::KIND.plural();
    /// Whether an object can make more or less than one record.
    const MAKES_MANY_RECORDS: bool = false;
    /// A filter for the server.
    const FIELD_SELECTOR: Option<&'static str> = None;
    /// Whether the server is asked for `metadata` alone, because nothing else of the object may be
    /// read.
    const METADATA_ONLY: bool = false;

    /// Its records; only Endpoints make more or less than one.
    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<Self::Record>,
    );
    /// The key of the `n`th record of an object.
    fn record_key(object: &ObjectKey, _n: usize) -> ObjectKey {
        object.clone()
    }
    /// Wraps a delta for the inventory.
    fn change(delta: RecordDelta<Self::Record>) -> InventoryChange {
        Self::Record::change(Self::KIND, delta)
    }
}

/// Defines a marker type and implements [`WatchedResource`] for it. The function after `by` makes
/// the records: it takes the object and the interner and returns an `Option` or a `Vec` of what the
/// record is made from. Constants that differ from the trait's defaults come last.
///
/// ```ignore
/// watched_resource! {
///     /// Events whose `involvedObject` is a Service.
///     EventResource: Event = "/api/v1" "Event",
///     PartialEvent<'json> => EventRecord by event,
///     const FIELD_SELECTOR: Option<&'static str> = Some("involvedObject.kind%3DService");
/// }
/// ```
macro_rules! watched_resource {
    (
        $(#[$attribute:meta])*
        $name:ident: $kind:ident = $api:literal $object_kind:literal,
        $object:ty => $record:ident by $function:expr,
        $($constants:tt)*
    ) => {
        $(#[$attribute])*
        pub struct $name;

        impl crate::resource::WatchedResource for $name {
            type Object<'json> = $object;
            type Record = $record;

            const KIND: svcscope_model::inventory::ResourceKind =
                svcscope_model::inventory::ResourceKind::$kind;
            const OBJECT_KIND: &'static str = $object_kind;
            const API: &'static str = $api;
            $($constants)*

            fn records(
                object: &Self::Object<'_>,
                texts: &mut crate::text::TextInterner,
                records: &mut Vec<$record>,
            ) {
                records.extend($function(object, texts).into_iter().map(<$record>::from));
            }
        }
    };
}
pub(crate) use watched_resource;

/// A resource in the `N`th of its older versions.
pub struct OlderApiVersion<R, const N: usize>(std::marker::PhantomData<fn() -> R>);

impl<R: WatchedResource, const N: usize> WatchedResource for OlderApiVersion<R, N> {
    type Object<'json> = R::Object<'json>;
    type Record = R::Record;

    const KIND: ResourceKind = R::KIND;
    const OBJECT_KIND: &'static str = R::OBJECT_KIND;
    const API: &'static str = R::OLDER_APIS[N];

    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<Self::Record>,
    ) {
        R::records(object, texts, records);
    }
}

/// The namespace of an object, empty where it has none.
pub fn namespace_of(object: &impl HasMetadata, texts: &mut TextInterner) -> SharedStr {
    object.metadata().key(texts).namespace
}
