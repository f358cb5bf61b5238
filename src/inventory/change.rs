//! What `cluster/` tells the inventory.

use std::collections::BTreeMap;

use super::{
    EndpointSliceRecord, EventRecord, Kind, NamespaceRecord, NodePortRules, NodeRecord, ObjectKey,
    PodRecord, Related, Scope, ServiceRecord, Sync, Unreadable,
};

/// What happened to the objects of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta<R> {
    /// The object was added or changed; it now is as given.
    Upsert(R),
    /// The object is gone.
    Remove(ObjectKey),
    /// A complete list of a scope: what is not in it is gone. Sent only when a relist has
    /// arrived whole, so that the view is swapped and never emptied.
    Replace {
        /// What the list covers.
        scope: Scope,
        /// All objects in that scope.
        records: Vec<R>,
    },
}

/// One step of what is known about the cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Namespaces changed.
    Namespace(Delta<NamespaceRecord>),
    /// Services changed.
    Service(Delta<ServiceRecord>),
    /// EndpointSlices (or Endpoints) changed.
    EndpointSlice(Delta<EndpointSliceRecord>),
    /// Pods changed.
    Pod(Delta<PodRecord>),
    /// Nodes changed.
    Node(Delta<NodeRecord>),
    /// Events about Services changed.
    Event(Delta<EventRecord>),
    /// What is known of the cluster's nodePorts beside its Services.
    NodePorts(NodePortRules),
    /// Objects of a kind on demand changed: all of them are of this kind.
    Related(Kind, Delta<Related>),
    /// These are the objects of a kind that can't be read in a scope, and no others.
    Unreadable(Kind, Scope, BTreeMap<ObjectKey, Unreadable>),
    /// How well a kind is known in a scope changed.
    Sync(Kind, Scope, Sync),
}
