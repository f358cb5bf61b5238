//! What `cluster/` tells the inventory.

use std::collections::BTreeMap;

use super::{
    DecodeFailure, EndpointSliceRecord, EventRecord, NamespaceRecord, NodePortRules, NodeRecord,
    ObjectKey, PodRecord, RelatedRecord, ResourceKind, ServiceRecord, SyncState, WatchScope,
};

/// What happened to the objects of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordDelta<R> {
    /// The object was added or changed; it now is as given.
    Upsert(R),
    /// The object is gone.
    Remove(ObjectKey),
    /// A complete list of a scope: what is not in it is gone. Sent only when a relist has
    /// arrived whole, so that the view is swapped and never emptied.
    Replace {
        /// What the list covers.
        scope: WatchScope,
        /// All objects in that scope.
        records: Vec<R>,
    },
}

/// One step of what is known about the cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum InventoryChange {
    /// Namespaces changed.
    Namespace(RecordDelta<NamespaceRecord>),
    /// Services changed.
    Service(RecordDelta<ServiceRecord>),
    /// EndpointSlices (or Endpoints) changed.
    EndpointSlice(RecordDelta<EndpointSliceRecord>),
    /// Pods changed.
    Pod(RecordDelta<PodRecord>),
    /// Nodes changed.
    Node(RecordDelta<NodeRecord>),
    /// Events about Services changed.
    Event(RecordDelta<EventRecord>),
    /// What is known of the cluster's nodePorts beside its Services.
    NodePorts(NodePortRules),
    /// Objects of a kind on demand changed: all of them are of this kind.
    Related(ResourceKind, RecordDelta<RelatedRecord>),
    /// These are the objects of a kind that can't be read in a scope, and no others.
    Unreadable(ResourceKind, WatchScope, BTreeMap<ObjectKey, DecodeFailure>),
    /// How well a kind is known in a scope changed.
    Sync(ResourceKind, WatchScope, SyncState),
}
