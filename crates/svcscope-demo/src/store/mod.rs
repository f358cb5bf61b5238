//! What the demo cluster holds: objects by kind, one revision counter, and for each kind the
//! recent events that watches resume from.
//!
//! In come finished objects (defaults, validation and allocation are done before); out go
//! shared bytes for lists and watches, and a stream of changes for the controllers.

pub(crate) mod object;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

pub(crate) use object::{NamespacedName, StoredObject, labels};

use super::json;
use super::resource::ServedKind;
use super::service::ServiceAllocations;

/// What a watch line says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WatchEventType {
    Added,
    Modified,
    Deleted,
}

impl WatchEventType {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// One change of one object.
#[derive(Debug)]
pub(super) struct StoreEvent {
    pub(super) kind: ServedKind,
    pub(super) event_type: WatchEventType,
    pub(super) revision: u64,
    pub(super) object: Arc<StoredObject>,
    /// The object before, for selectors that an object enters or leaves.
    pub(super) before: Option<Arc<StoredObject>>,
    watch_line: OnceLock<Bytes>,
}

impl StoreEvent {
    /// The finished watch line, made for the first watch that sends whole objects and shared by all.
    pub(super) fn watch_line(&self) -> Bytes {
        let line = || format_watch_line(self.event_type.name(), self.object.bytes());
        self.watch_line.get_or_init(line).clone()
    }
}

/// A watch line around an object's bytes.
pub(super) fn format_watch_line(verb: &str, object: &[u8]) -> Bytes {
    let mut line = BytesMut::with_capacity(object.len() + 32);
    line.extend_from_slice(b"{\"type\":\"");
    line.extend_from_slice(verb.as_bytes());
    line.extend_from_slice(b"\",\"object\":");
    line.extend_from_slice(object);
    line.extend_from_slice(b"}\n");
    line.freeze()
}

/// The objects of one kind.
#[derive(Debug)]
struct KindCollection {
    objects: BTreeMap<NamespacedName, Arc<StoredObject>>,
    history: VecDeque<Arc<StoreEvent>>,
    /// Watches from a revision below this one get 410.
    oldest_revision: u64,
    change_signal: watch::Sender<u64>,
}

/// Everything behind the store's lock.
#[derive(Debug)]
pub(super) struct StoreState {
    revision: u64,
    history_limit: usize,
    collections: Vec<KindCollection>,
    changes: Option<mpsc::UnboundedSender<Arc<StoreEvent>>>,
    /// Cluster IPs and nodePorts in use, kept in step with every Service that is stored.
    pub(super) allocations: ServiceAllocations,
}

/// The store. Its lock is held for the time of one read or write, never across an await.
#[derive(Debug)]
pub(super) struct DemoObjectStore {
    state: Mutex<StoreState>,
}

/// The events after a revision, or why they are no longer available.
pub(super) enum EventHistoryLookup {
    Events(Vec<Arc<StoreEvent>>),
    /// Older than the history reaches; the revision that is still known.
    Compacted(u64),
}

impl DemoObjectStore {
    /// An empty store that keeps `keep` events of each kind.
    pub(super) fn new(history_limit: usize) -> Self {
        let collections = ServedKind::ALL
            .iter()
            .map(|_| KindCollection {
                objects: BTreeMap::new(),
                history: VecDeque::new(),
                oldest_revision: 0,
                change_signal: watch::Sender::new(0),
            })
            .collect();
        Self {
            state: Mutex::new(StoreState {
                revision: 1000,
                history_limit: history_limit.max(1),
                collections,
                changes: None,
                allocations: ServiceAllocations::default(),
            }),
        }
    }

    /// The state, for one short piece of work.
    pub(super) fn lock(&self) -> MutexGuard<'_, StoreState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on every change goes to the receiver too. One receiver at a time.
    pub(super) fn subscribe(&self) -> mpsc::UnboundedReceiver<Arc<StoreEvent>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.lock().changes = Some(sender);
        receiver
    }
}

impl StoreState {
    /// The revision of the last change.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn get(&self, kind: ServedKind, key: &NamespacedName) -> Option<&Arc<StoredObject>> {
        self.collection(kind)?.objects.get(key)
    }

    /// The objects of a kind in a namespace, or in all, in order.
    pub(super) fn list(&self, kind: ServedKind, namespace: Option<&str>) -> Vec<Arc<StoredObject>> {
        let Some(collection) = self.collection(kind) else {
            return Vec::new();
        };
        match namespace {
            None => collection.objects.values().cloned().collect(),
            Some(namespace) => collection
                .objects
                .range(NamespacedName::new(namespace, "")..)
                .take_while(|(key, _)| key.namespace == namespace)
                .map(|(_, object)| object.clone())
                .collect(),
        }
    }

    /// The object of a kind at the place, in their order, that `place` chooses below their number.
    pub(super) fn nth_object(
        &self,
        kind: ServedKind,
        place: impl FnOnce(usize) -> usize,
    ) -> Option<Arc<StoredObject>> {
        let objects = &self.collection(kind)?.objects;
        objects.values().nth(place(objects.len())).cloned()
    }

    /// Stores an object, new or changed, at the next revision.
    pub(super) fn put(&mut self, kind: ServedKind, mut value: Value) -> Arc<StoredObject> {
        self.revision += 1;
        let revision = self.revision;
        json::set(&mut value, "metadata/resourceVersion", revision.to_string());
        let object = Arc::new(StoredObject::new(kind, &value, revision));
        let before = self.collection_mut(kind).and_then(|collection| {
            collection
                .objects
                .insert(object.key.clone(), object.clone())
        });
        if kind == ServedKind::Service {
            self.allocations.record(&object.key, &value);
        }
        let verb = match before {
            Some(_) => WatchEventType::Modified,
            None => WatchEventType::Added,
        };
        self.record_event(kind, verb, object.clone(), before);
        object
    }

    /// Removes an object; what it was, at the revision of its end.
    pub(super) fn delete(
        &mut self,
        kind: ServedKind,
        key: &NamespacedName,
    ) -> Option<Arc<StoredObject>> {
        let before = self.collection_mut(kind)?.objects.remove(key)?;
        if kind == ServedKind::Service {
            self.allocations.release(key);
        }
        self.revision += 1;
        let mut value = before.to_value();
        json::set(
            &mut value,
            "metadata/resourceVersion",
            self.revision.to_string(),
        );
        let object = Arc::new(StoredObject::new(kind, &value, self.revision));
        self.record_event(kind, WatchEventType::Deleted, object.clone(), Some(before));
        Some(object)
    }

    /// The events of a kind after `revision`.
    pub(super) fn events_since(&self, kind: ServedKind, revision: u64) -> EventHistoryLookup {
        let Some(collection) = self.collection(kind) else {
            return EventHistoryLookup::Events(Vec::new());
        };
        if revision < collection.oldest_revision {
            return EventHistoryLookup::Compacted(collection.oldest_revision);
        }
        let first = collection
            .history
            .partition_point(|event| event.revision <= revision);
        EventHistoryLookup::Events(collection.history.range(first..).cloned().collect())
    }

    /// A receiver of the revision whenever something of this kind changes.
    pub(super) fn change_signal(&self, kind: ServedKind) -> watch::Receiver<u64> {
        match self.collection(kind) {
            Some(collection) => collection.change_signal.subscribe(),
            None => watch::Sender::new(0).subscribe(),
        }
    }

    /// Forgets all history: a watch that resumes from before now gets 410.
    pub(super) fn compact(&mut self) {
        self.revision += 1;
        let now = self.revision;
        for collection in &mut self.collections {
            collection.history.clear();
            collection.oldest_revision = now;
            // Watches that are behind must notice.
            collection.change_signal.send_replace(now);
        }
    }

    fn record_event(
        &mut self,
        kind: ServedKind,
        verb: WatchEventType,
        object: Arc<StoredObject>,
        before: Option<Arc<StoredObject>>,
    ) {
        let (keep, revision) = (self.history_limit, self.revision);
        let event = Arc::new(StoreEvent {
            kind,
            event_type: verb,
            revision,
            watch_line: OnceLock::new(),
            object,
            before,
        });
        if let Some(collection) = self.collection_mut(kind) {
            collection.history.push_back(event.clone());
            if collection.history.len() > keep
                && let Some(gone) = collection.history.pop_front()
            {
                collection.oldest_revision = gone.revision;
            }
            collection.change_signal.send_replace(revision);
        }
        if let Some(changes) = &self.changes
            && changes.send(event).is_err()
        {
            self.changes = None;
        }
    }

    fn collection(&self, kind: ServedKind) -> Option<&KindCollection> {
        self.collections.get(kind as usize)
    }

    fn collection_mut(&mut self, kind: ServedKind) -> Option<&mut KindCollection> {
        self.collections.get_mut(kind as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": "shop"}})
    }

    #[test]
    fn history_tells_what_happened_since_and_ends_in_compacted() {
        let store = DemoObjectStore::new(2);
        let mut state = store.lock();
        let first = state.put(ServedKind::Pod, pod("a")).revision;
        state.put(ServedKind::Pod, pod("a"));
        state.delete(ServedKind::Pod, &NamespacedName::new("shop", "a"));
        let EventHistoryLookup::Events(events) = state.events_since(ServedKind::Pod, first) else {
            panic!("the last two events are kept");
        };
        let verbs = events
            .iter()
            .map(|event| event.event_type)
            .collect::<Vec<_>>();
        assert_eq!(verbs, [WatchEventType::Modified, WatchEventType::Deleted]);
        assert!(
            matches!(state.events_since(ServedKind::Pod, first - 1), EventHistoryLookup::Compacted(at) if at == first)
        );
        assert!(
            matches!(state.events_since(ServedKind::Service, first), EventHistoryLookup::Events(events) if events.is_empty())
        );
    }

    #[test]
    fn a_namespace_is_a_range() {
        let store = DemoObjectStore::new(8);
        let mut state = store.lock();
        for (namespace, name) in [("a", "z"), ("b", "a"), ("b", "c"), ("ba", "a")] {
            state.put(
                ServedKind::Pod,
                json!({"metadata": {"namespace": namespace, "name": name}}),
            );
        }
        let names = state
            .list(ServedKind::Pod, Some("b"))
            .iter()
            .map(|object| object.key.name.clone())
            .collect::<Vec<_>>();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(state.list(ServedKind::Pod, None).len(), 4);
    }
}
