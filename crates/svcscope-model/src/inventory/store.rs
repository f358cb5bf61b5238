//! The store: every record by its key, cheap to clone, with the joins that rules need.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use imbl::{OrdMap, OrdSet};

use super::{
    DecodeFailure, EndpointSliceRecord, EventRecord, InventoryChange, NamespaceRecord,
    NodePortRules, NodeRecord, ObjectKey, PodRecord, RecordDelta, RelatedRecord, ResourceKind,
    ServiceRecord, SharedStr, SyncState, WatchScope, labels::LabelIndex, selector,
};

/// All that is known about a cluster at one moment.
///
/// The maps are persistent: a clone costs a few counters however large the cluster is, so that a
/// reader keeps a consistent view without a lock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    namespaces: OrdMap<ObjectKey, Arc<NamespaceRecord>>,
    services: OrdMap<ObjectKey, Arc<ServiceRecord>>,
    slices: OrdMap<ObjectKey, Arc<EndpointSliceRecord>>,
    pods: OrdMap<ObjectKey, Arc<PodRecord>>,
    nodes: OrdMap<ObjectKey, Arc<NodeRecord>>,
    node_ports: Arc<NodePortRules>,
    events: OrdMap<ObjectKey, Arc<EventRecord>>,
    slices_of: OrdMap<ObjectKey, OrdSet<ObjectKey>>,
    label_index: LabelIndex,
    related: OrdMap<ResourceKind, OrdMap<ObjectKey, Arc<RelatedRecord>>>,
    /// Service and object, for every object that leads traffic to a Service or decides about it.
    related_by_service: OrdSet<(ObjectKey, ResourceKind, ObjectKey)>,
    sync: OrdMap<(ResourceKind, WatchScope), SyncState>,
    unreadable: OrdMap<(ResourceKind, WatchScope), Arc<BTreeMap<ObjectKey, DecodeFailure>>>,
}

/// One object that a [`InventoryChange`] really changed.
///
/// `before` and `after` let whoever derives something tell what is affected: a label that moved
/// away concerns the Services that matched before.
#[derive(Clone, Debug, PartialEq)]
pub enum ChangedRecord {
    /// A namespace.
    Namespace(ObjectKey),
    /// A Service.
    Service(ObjectKey),
    /// An EndpointSlice.
    EndpointSlice {
        /// As it was.
        before: Option<Arc<EndpointSliceRecord>>,
        /// As it is.
        after: Option<Arc<EndpointSliceRecord>>,
    },
    /// A pod.
    Pod {
        /// As it was.
        before: Option<Arc<PodRecord>>,
        /// As it is.
        after: Option<Arc<PodRecord>>,
    },
    /// A node.
    Node(ObjectKey),
    /// What is known of nodePorts.
    NodePorts,
    /// An Event about this Service.
    Event(ObjectKey),
    /// An object of a kind on demand.
    Related {
        /// As it was.
        before: Option<Arc<RelatedRecord>>,
        /// As it is.
        after: Option<Arc<RelatedRecord>>,
    },
    /// How well this kind is known.
    Sync(ResourceKind, WatchScope),
}

impl Inventory {
    /// Takes in one change and says which objects are different now.
    ///
    /// A record that equals the one held touches nothing, so that a relist after a lost watch
    /// costs only what changed meanwhile.
    pub fn apply(&mut self, change: InventoryChange) -> Vec<ChangedRecord> {
        match change {
            InventoryChange::Namespace(delta) => {
                update(&mut self.namespaces, delta, cluster_key_ns)
                    .into_iter()
                    .map(|step| ChangedRecord::Namespace(step.key))
                    .collect()
            }
            InventoryChange::Service(delta) => update(&mut self.services, delta, |r| r.key.clone())
                .into_iter()
                .map(|step| ChangedRecord::Service(step.key))
                .collect(),
            InventoryChange::EndpointSlice(delta) => {
                let steps = update(&mut self.slices, delta, |r| r.key.clone());
                for step in &steps {
                    self.reindex_slice(step);
                }
                steps
                    .into_iter()
                    .map(
                        |RecordUpdate { before, after, .. }| ChangedRecord::EndpointSlice {
                            before,
                            after,
                        },
                    )
                    .collect()
            }
            InventoryChange::Pod(delta) => update(&mut self.pods, delta, |r| r.key.clone())
                .into_iter()
                .map(|RecordUpdate { before, after, .. }| {
                    self.label_index.follow(before.as_deref(), after.as_deref());
                    ChangedRecord::Pod { before, after }
                })
                .collect(),
            InventoryChange::Node(delta) => update(&mut self.nodes, delta, cluster_key_node)
                .into_iter()
                .map(|step| ChangedRecord::Node(step.key))
                .collect(),
            InventoryChange::NodePorts(rules) => {
                if *self.node_ports == rules {
                    return Vec::new();
                }
                self.node_ports = Arc::new(rules);
                vec![ChangedRecord::NodePorts]
            }
            InventoryChange::Event(delta) => update(&mut self.events, delta, |r| r.key.clone())
                .into_iter()
                .flat_map(|step| {
                    let about = |event: &Arc<EventRecord>| event.service.clone();
                    let (before, after) = (step.before.as_ref(), step.after.as_ref());
                    let (before, after) = (before.map(about), after.map(about));
                    let moved = before.filter(|before| after.as_ref() != Some(before));
                    moved.into_iter().chain(after).map(ChangedRecord::Event)
                })
                .collect(),
            InventoryChange::Related(kind, delta) => {
                let held = self.related.entry(kind).or_default();
                let steps = update(held, delta, |r: &RelatedRecord| r.key().clone());
                for step in &steps {
                    self.reindex_related(kind, step);
                }
                steps
                    .into_iter()
                    .map(
                        |RecordUpdate { before, after, .. }| ChangedRecord::Related {
                            before,
                            after,
                        },
                    )
                    .collect()
            }
            InventoryChange::Unreadable(kind, scope, objects) => {
                let at = (kind, scope);
                let held = self.unreadable.get(&at);
                if held.map_or(objects.is_empty(), |held| **held == objects) {
                    return Vec::new();
                }
                if objects.is_empty() {
                    self.unreadable.remove(&at);
                } else {
                    self.unreadable.insert(at.clone(), Arc::new(objects));
                }
                // It says how completely the kind is known.
                vec![ChangedRecord::Sync(at.0, at.1)]
            }
            InventoryChange::Sync(kind, scope, state) => {
                let at = (kind, scope);
                if self.sync.get(&at) == Some(&state) {
                    return Vec::new();
                }
                self.sync.insert(at.clone(), state);
                vec![ChangedRecord::Sync(at.0, at.1)]
            }
        }
    }

    fn reindex_slice(&mut self, step: &RecordUpdate<EndpointSliceRecord>) {
        let owner = |slice: &Option<Arc<EndpointSliceRecord>>| {
            slice.as_ref().and_then(|slice| slice.service_key())
        };
        if let Some(service) = owner(&step.before) {
            let emptied = self.slices_of.get_mut(&service).is_some_and(|slices| {
                slices.remove(&step.key);
                slices.is_empty()
            });
            if emptied {
                self.slices_of.remove(&service);
            }
        }
        if let Some(service) = owner(&step.after) {
            self.slices_of
                .entry(service)
                .or_default()
                .insert(step.key.clone());
        }
    }

    fn reindex_related(&mut self, kind: ResourceKind, step: &RecordUpdate<RelatedRecord>) {
        for service in step.before.iter().flat_map(|before| before.services()) {
            self.related_by_service
                .remove(&(service, kind, step.key.clone()));
        }
        for service in step.after.iter().flat_map(|after| after.services()) {
            self.related_by_service
                .insert((service, kind, step.key.clone()));
        }
    }

    /// Objects of a kind on demand, by namespace and name, as their records.
    pub fn related<'a, R>(&'a self, kind: ResourceKind) -> impl Iterator<Item = &'a R>
    where
        &'a R: TryFrom<&'a RelatedRecord>,
        R: 'a,
    {
        let all = self.related.get(&kind).into_iter();
        all.flat_map(|all| all.values())
            .filter_map(|related| (&**related).try_into().ok())
    }

    /// Those of one namespace; costs what that namespace holds.
    pub fn related_in<'a, R>(
        &'a self,
        kind: ResourceKind,
        namespace: &SharedStr,
    ) -> impl Iterator<Item = &'a R> + use<'a, R>
    where
        &'a R: TryFrom<&'a RelatedRecord>,
        R: 'a,
    {
        let all = self.related.get(&kind);
        all.map(|all| in_namespace(all, namespace))
            .into_iter()
            .flatten()
            .filter_map(|related| (&**related).try_into().ok())
    }

    /// One of them.
    pub fn related_at<'a, R>(&'a self, kind: ResourceKind, key: &ObjectKey) -> Option<&'a R>
    where
        &'a R: TryFrom<&'a RelatedRecord>,
        R: 'a,
    {
        let related = self.related.get(&kind)?.get(key)?;
        (&**related).try_into().ok()
    }

    /// What leads traffic to a Service or decides about it: Ingresses, routes, webhooks, APIServices,
    /// BackendTLSPolicies; of a Service that is not there as well.
    pub fn related_to_service<'a>(
        &'a self,
        service: &'a ObjectKey,
    ) -> impl Iterator<Item = &'a RelatedRecord> {
        let least = (ResourceKind::Namespace, ObjectKey::new("", ""));
        self.related_by_service
            .range((service.clone(), least.0, least.1)..)
            .take_while(move |(to, ..)| to == service)
            .filter_map(|(_, kind, key)| self.related.get(kind)?.get(key))
            .map(|related| &**related)
    }

    /// The Services that something leads to, each once, whether or not they are there.
    pub fn referenced_services(&self) -> impl Iterator<Item = &ObjectKey> {
        let mut last = None;
        self.related_by_service
            .iter()
            .map(|(service, ..)| service)
            .filter(move |service| last.replace(*service) != Some(*service))
    }

    /// Whether any Service selects pods.
    pub fn has_selectors(&self) -> bool {
        self.services
            .values()
            .any(|service| !service.selector.is_empty())
    }

    /// Services, by namespace and name.
    pub fn services(&self) -> impl Iterator<Item = &Arc<ServiceRecord>> {
        self.services.values()
    }

    /// One Service.
    pub fn service(&self, key: &ObjectKey) -> Option<&Arc<ServiceRecord>> {
        self.services.get(key)
    }

    /// How many pods there are, without walking over them.
    pub fn pod_count(&self) -> usize {
        self.pods.len()
    }

    /// Pods, by namespace and name.
    pub fn pods(&self) -> impl Iterator<Item = &Arc<PodRecord>> {
        self.pods.values()
    }

    /// One pod.
    pub fn pod(&self, key: &ObjectKey) -> Option<&Arc<PodRecord>> {
        self.pods.get(key)
    }

    /// Pods of one namespace; costs what that namespace holds.
    pub fn pods_in<'a>(
        &'a self,
        namespace: &SharedStr,
    ) -> impl Iterator<Item = &'a Arc<PodRecord>> {
        in_namespace(&self.pods, namespace)
    }

    /// Pods that the selector of a Service matches, by name; costs what the rarest of its labels
    /// finds.
    pub fn pods_selected_by(&self, service: &ServiceRecord) -> Vec<&Arc<PodRecord>> {
        self.label_index
            .candidates(&service.key.namespace, &service.selector)
            .into_iter()
            .filter_map(|key| self.pods.get(key))
            .filter(|pod| {
                pod.key.namespace == service.key.namespace
                    && selector::matches(&service.selector, &pod.labels)
            })
            .collect()
    }

    /// Services of one namespace; costs what that namespace holds.
    pub fn services_in<'a>(
        &'a self,
        namespace: &SharedStr,
    ) -> impl Iterator<Item = &'a Arc<ServiceRecord>> + use<'a> {
        in_namespace(&self.services, namespace)
    }

    /// EndpointSlices, by namespace and name.
    pub fn slices(&self) -> impl Iterator<Item = &Arc<EndpointSliceRecord>> {
        self.slices.values()
    }

    /// The slices that make up the endpoints of a Service.
    pub fn slices_of(
        &self,
        service: &ObjectKey,
    ) -> impl Iterator<Item = &Arc<EndpointSliceRecord>> {
        self.slices_of
            .get(service)
            .into_iter()
            .flat_map(|keys| keys.iter().filter_map(|key| self.slices.get(key)))
    }

    /// The Services that slices belong to, if they exist or not.
    pub fn services_with_slices(&self) -> impl Iterator<Item = &ObjectKey> {
        self.slices_of.keys()
    }

    /// Nodes, by name.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<NodeRecord>> {
        self.nodes.values()
    }

    /// What is known of nodePorts beside the Services.
    pub fn node_port_rules(&self) -> &NodePortRules {
        &self.node_ports
    }

    /// One node.
    pub fn node(&self, name: &str) -> Option<&Arc<NodeRecord>> {
        self.nodes.get(&ObjectKey::cluster_scoped(name))
    }

    /// Namespaces, by name.
    pub fn namespaces(&self) -> impl Iterator<Item = &Arc<NamespaceRecord>> {
        self.namespaces.values()
    }

    /// Events about a Service, the oldest first.
    pub fn events_of(&self, service: &ObjectKey) -> Vec<&Arc<EventRecord>> {
        let mut events: Vec<_> = in_namespace(&self.events, &service.namespace)
            .filter(|event| event.service == *service)
            .collect();
        events.sort_by(|a, b| (a.last_seen, &a.key).cmp(&(b.last_seen, &b.key)));
        events
    }

    /// How well objects of `kind` in `namespace` are known: what was said of the namespace
    /// itself, else of the whole cluster, else that nothing was asked yet.
    pub fn sync(&self, kind: ResourceKind, namespace: &SharedStr) -> &SyncState {
        self.sync
            .get(&(kind, WatchScope::Namespace(namespace.clone())))
            .or_else(|| self.sync.get(&(kind, WatchScope::Cluster)))
            .unwrap_or(&SyncState::Syncing)
    }

    /// What is known of one kind in every scope that something was said of; the whole cluster first.
    pub(super) fn sync_states_of(
        &self,
        kind: ResourceKind,
    ) -> impl Iterator<Item = (&WatchScope, &SyncState)> {
        self.sync
            .range((kind, WatchScope::Cluster)..)
            .take_while(move |((of, _), _)| *of == kind)
            .map(|((_, scope), state)| (scope, state))
    }

    /// The objects of a kind that can't be read in a scope.
    pub(super) fn unreadable_in(
        &self,
        kind: ResourceKind,
        scope: &WatchScope,
    ) -> impl Iterator<Item = (&ObjectKey, &DecodeFailure)> {
        let held = self.unreadable.get(&(kind, scope.clone()));
        held.into_iter().flat_map(|held| held.iter())
    }

    /// What is known of every kind in every scope that something was said of.
    pub fn sync_states(&self) -> impl Iterator<Item = (ResourceKind, &WatchScope, &SyncState)> {
        self.sync
            .iter()
            .map(|((kind, scope), state)| (*kind, scope, state))
    }
}

struct RecordUpdate<R> {
    key: ObjectKey,
    before: Option<Arc<R>>,
    after: Option<Arc<R>>,
}

fn cluster_key_ns(record: &NamespaceRecord) -> ObjectKey {
    ObjectKey::cluster_scoped(record.name.clone())
}

fn cluster_key_node(record: &NodeRecord) -> ObjectKey {
    ObjectKey::cluster_scoped(record.name.clone())
}

fn update<R: Clone + PartialEq>(
    map: &mut OrdMap<ObjectKey, Arc<R>>,
    delta: RecordDelta<R>,
    key_of: impl Fn(&R) -> ObjectKey,
) -> Vec<RecordUpdate<R>> {
    let mut steps = Vec::new();
    match delta {
        RecordDelta::Upsert(record) => upsert(map, key_of(&record), record, &mut steps),
        RecordDelta::Remove(key) => remove(map, key, &mut steps),
        RecordDelta::Replace { scope, records } => {
            let mut listed = std::collections::BTreeSet::new();
            for record in records {
                let key = key_of(&record);
                listed.insert(key.clone());
                upsert(map, key, record, &mut steps);
            }
            let gone: Vec<_> = map
                .keys()
                .filter(|key| scope.holds(&key.namespace) && !listed.contains(key))
                .cloned()
                .collect();
            for key in gone {
                remove(map, key, &mut steps);
            }
        }
    }
    steps
}

fn upsert<R: Clone + PartialEq>(
    map: &mut OrdMap<ObjectKey, Arc<R>>,
    key: ObjectKey,
    record: R,
    steps: &mut Vec<RecordUpdate<R>>,
) {
    if map.get(&key).is_some_and(|held| **held == record) {
        return;
    }
    let after = Arc::new(record);
    let before = map.insert(key.clone(), after.clone());
    steps.push(RecordUpdate {
        key,
        before,
        after: Some(after),
    });
}

fn remove<R: Clone>(
    map: &mut OrdMap<ObjectKey, Arc<R>>,
    key: ObjectKey,
    steps: &mut Vec<RecordUpdate<R>>,
) {
    if let Some(before) = map.remove(&key) {
        steps.push(RecordUpdate {
            key,
            before: Some(before),
            after: None,
        });
    }
}

fn in_namespace<'a, R>(
    map: &'a OrdMap<ObjectKey, Arc<R>>,
    namespace: &SharedStr,
) -> impl Iterator<Item = &'a Arc<R>> + use<'a, R> {
    let namespace = namespace.clone();
    map.range(ObjectKey::new(namespace.clone(), "")..)
        .take_while(move |(key, _)| key.namespace == namespace)
        .map(|(_, record)| record)
}
