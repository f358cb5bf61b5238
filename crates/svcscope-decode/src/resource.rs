//! What a watched resource is: where the server has it, and how its objects become records.

use serde::Deserialize;

use crate::{meta::HasMetadata, text::TextInterner};
use svcscope_model::inventory::{
    EndpointSliceRecord, EventRecord, InventoryChange, NamespaceRecord, NodeRecord, ObjectKey,
    PodRecord, RecordDelta, RelatedRecord, ResourceKind, ServiceRecord, SharedStr, WatchScope,
};

/// A record that the inventory holds.
pub trait WatchedRecord: Sized + Send + 'static {
    /// Wraps a change of the records of this kind for the inventory.
    fn change(kind: ResourceKind, delta: RecordDelta<Self>) -> InventoryChange;
    /// An empty list of such records.
    fn no_records() -> WatchedRecords;
    /// The list, where it is one of such records.
    fn list_in(records: &mut WatchedRecords) -> Option<&mut Vec<Self>>;
}

macro_rules! watched_records {
    ($($record:ident => $variant:ident by $change:expr;)*) => {
        /// Records of one kind.
        #[derive(Debug)]
        pub enum WatchedRecords {
            $(#[doc = concat!("Each a [`", stringify!($record), "`].")] $variant(Vec<$record>),)*
        }

        impl WatchedRecords {
            /// How many there are.
            pub fn count(&self) -> usize {
                match self {
                    $(Self::$variant(records) => records.len(),)*
                }
            }

            /// Each as added or changed.
            pub fn into_upserts(self, kind: ResourceKind) -> Vec<InventoryChange> {
                match self {
                    $(Self::$variant(records) => {
                        let upserts = records.into_iter().map(RecordDelta::Upsert);
                        upserts.map(|delta| WatchedRecord::change(kind, delta)).collect()
                    })*
                }
            }

            /// All that there are in a scope.
            pub fn into_replacement(self, kind: ResourceKind, scope: WatchScope) -> InventoryChange {
                match self {
                    $(Self::$variant(records) => {
                        WatchedRecord::change(kind, RecordDelta::Replace { scope, records })
                    })*
                }
            }
        }

        $(impl WatchedRecord for $record {
            fn change(kind: ResourceKind, delta: RecordDelta<Self>) -> InventoryChange {
                let change: fn(ResourceKind, RecordDelta<Self>) -> InventoryChange = $change;
                change(kind, delta)
            }
            fn no_records() -> WatchedRecords {
                WatchedRecords::$variant(Vec::new())
            }
            fn list_in(records: &mut WatchedRecords) -> Option<&mut Vec<Self>> {
                match records {
                    WatchedRecords::$variant(records) => Some(records),
                    _ => None,
                }
            }
        })*
    };
}

watched_records! {
    NamespaceRecord => Namespace by |_, delta| InventoryChange::Namespace(delta);
    ServiceRecord => Service by |_, delta| InventoryChange::Service(delta);
    EndpointSliceRecord => EndpointSlice by |_, delta| InventoryChange::EndpointSlice(delta);
    PodRecord => Pod by |_, delta| InventoryChange::Pod(delta);
    NodeRecord => Node by |_, delta| InventoryChange::Node(delta);
    EventRecord => Event by |_, delta| InventoryChange::Event(delta);
    RelatedRecord => Related by InventoryChange::Related;
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

/// The namespace of an object, empty where it has none.
pub fn namespace_of(object: &impl HasMetadata, texts: &mut TextInterner) -> SharedStr {
    object.metadata().key(texts).namespace
}
