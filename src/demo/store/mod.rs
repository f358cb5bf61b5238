//! What the demo cluster holds: objects by kind, one revision counter, and for each kind the
//! recent events that watches resume from.
//!
//! In come finished objects (defaults, validation and allocation are done before); out go
//! shared bytes for lists and watches, and a stream of changes for the controllers.

mod object;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

pub(in crate::demo) use object::{Key, Object, labels};

use super::json;
use super::resource::Kind;
use super::service::Allocations;

/// What a watch line says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Added,
    Modified,
    Deleted,
}

impl Verb {
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
pub(super) struct Event {
    pub(super) kind: Kind,
    pub(super) verb: Verb,
    pub(super) revision: u64,
    pub(super) object: Arc<Object>,
    /// What stood there before, for selectors that an object enters or leaves.
    pub(super) before: Option<Arc<Object>>,
    line: OnceLock<Bytes>,
}

impl Event {
    /// The finished watch line, made for the first watch that sends whole objects and shared by all.
    pub(super) fn line(&self) -> Bytes {
        let line = || line(self.verb.name(), self.object.bytes());
        self.line.get_or_init(line).clone()
    }
}

/// A watch line around an object's bytes.
pub(super) fn line(verb: &str, object: &[u8]) -> Bytes {
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
struct Collection {
    objects: BTreeMap<Key, Arc<Object>>,
    history: VecDeque<Arc<Event>>,
    /// Watches from a revision below this one get 410.
    compacted: u64,
    signal: watch::Sender<u64>,
}

/// Everything behind the store's lock.
#[derive(Debug)]
pub(super) struct State {
    revision: u64,
    keep: usize,
    collections: Vec<Collection>,
    changes: Option<mpsc::UnboundedSender<Arc<Event>>>,
    /// Cluster IPs and nodePorts in use, kept in step with every Service that is stored.
    pub(super) allocations: Allocations,
}

/// The store. Its lock is held for the time of one read or write, never across an await.
#[derive(Debug)]
pub(super) struct Store {
    state: Mutex<State>,
}

/// The events after a revision, or why they can't be told any more.
pub(super) enum Since {
    Events(Vec<Arc<Event>>),
    /// Older than the history reaches; the revision that is still known.
    Compacted(u64),
}

impl Store {
    /// An empty store that keeps `keep` events of each kind.
    pub(super) fn new(keep: usize) -> Self {
        let collections = Kind::ALL
            .iter()
            .map(|_| Collection {
                objects: BTreeMap::new(),
                history: VecDeque::new(),
                compacted: 0,
                signal: watch::Sender::new(0),
            })
            .collect();
        Self {
            state: Mutex::new(State {
                revision: 1000,
                keep: keep.max(1),
                collections,
                changes: None,
                allocations: Allocations::default(),
            }),
        }
    }

    /// The state, for one short piece of work.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on every change goes to the receiver too. One receiver at a time.
    pub(super) fn follow(&self) -> mpsc::UnboundedReceiver<Arc<Event>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.lock().changes = Some(sender);
        receiver
    }
}

impl State {
    /// The revision of the last change.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn get(&self, kind: Kind, key: &Key) -> Option<&Arc<Object>> {
        self.collection(kind)?.objects.get(key)
    }

    /// The objects of a kind in a namespace, or in all, in order.
    pub(super) fn list(&self, kind: Kind, namespace: Option<&str>) -> Vec<Arc<Object>> {
        let Some(collection) = self.collection(kind) else {
            return Vec::new();
        };
        match namespace {
            None => collection.objects.values().cloned().collect(),
            Some(namespace) => collection
                .objects
                .range(Key::new(namespace, "")..)
                .take_while(|(key, _)| key.namespace == namespace)
                .map(|(_, object)| object.clone())
                .collect(),
        }
    }

    /// The object of a kind at the place, in their order, that `place` chooses below their number.
    pub(super) fn pick(
        &self,
        kind: Kind,
        place: impl FnOnce(usize) -> usize,
    ) -> Option<Arc<Object>> {
        let objects = &self.collection(kind)?.objects;
        objects.values().nth(place(objects.len())).cloned()
    }

    /// Stores an object, new or changed, at the next revision.
    pub(super) fn put(&mut self, kind: Kind, mut value: Value) -> Arc<Object> {
        self.revision += 1;
        let revision = self.revision;
        json::set(&mut value, "metadata/resourceVersion", revision.to_string());
        let object = Arc::new(Object::new(kind, &value, revision));
        let before = self.collection_mut(kind).and_then(|collection| {
            collection
                .objects
                .insert(object.key.clone(), object.clone())
        });
        if kind == Kind::Service {
            self.allocations.hold(&object.key, &value);
        }
        let verb = match before {
            Some(_) => Verb::Modified,
            None => Verb::Added,
        };
        self.record(kind, verb, object.clone(), before);
        object
    }

    /// Removes an object; what it was, at the revision of its end.
    pub(super) fn delete(&mut self, kind: Kind, key: &Key) -> Option<Arc<Object>> {
        let before = self.collection_mut(kind)?.objects.remove(key)?;
        if kind == Kind::Service {
            self.allocations.release(key);
        }
        self.revision += 1;
        let mut value = before.read();
        json::set(
            &mut value,
            "metadata/resourceVersion",
            self.revision.to_string(),
        );
        let object = Arc::new(Object::new(kind, &value, self.revision));
        self.record(kind, Verb::Deleted, object.clone(), Some(before));
        Some(object)
    }

    /// The events of a kind after `revision`.
    pub(super) fn since(&self, kind: Kind, revision: u64) -> Since {
        let Some(collection) = self.collection(kind) else {
            return Since::Events(Vec::new());
        };
        if revision < collection.compacted {
            return Since::Compacted(collection.compacted);
        }
        let first = collection
            .history
            .partition_point(|event| event.revision <= revision);
        Since::Events(collection.history.range(first..).cloned().collect())
    }

    /// Tells the revision whenever something of this kind changes.
    pub(super) fn signal(&self, kind: Kind) -> watch::Receiver<u64> {
        match self.collection(kind) {
            Some(collection) => collection.signal.subscribe(),
            None => watch::Sender::new(0).subscribe(),
        }
    }

    /// Forgets all history: a watch that resumes from before now gets 410.
    pub(super) fn compact(&mut self) {
        self.revision += 1;
        let now = self.revision;
        for collection in &mut self.collections {
            collection.history.clear();
            collection.compacted = now;
            // Watches that are behind must notice.
            collection.signal.send_replace(now);
        }
    }

    fn record(&mut self, kind: Kind, verb: Verb, object: Arc<Object>, before: Option<Arc<Object>>) {
        let (keep, revision) = (self.keep, self.revision);
        let event = Arc::new(Event {
            kind,
            verb,
            revision,
            line: OnceLock::new(),
            object,
            before,
        });
        if let Some(collection) = self.collection_mut(kind) {
            collection.history.push_back(event.clone());
            if collection.history.len() > keep
                && let Some(gone) = collection.history.pop_front()
            {
                collection.compacted = gone.revision;
            }
            collection.signal.send_replace(revision);
        }
        if let Some(changes) = &self.changes
            && changes.send(event).is_err()
        {
            self.changes = None;
        }
    }

    fn collection(&self, kind: Kind) -> Option<&Collection> {
        self.collections.get(kind as usize)
    }

    fn collection_mut(&mut self, kind: Kind) -> Option<&mut Collection> {
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
        let store = Store::new(2);
        let mut state = store.lock();
        let first = state.put(Kind::Pod, pod("a")).revision;
        state.put(Kind::Pod, pod("a"));
        state.delete(Kind::Pod, &Key::new("shop", "a"));
        let Since::Events(events) = state.since(Kind::Pod, first) else {
            panic!("the last two events are kept");
        };
        let verbs = events.iter().map(|event| event.verb).collect::<Vec<_>>();
        assert_eq!(verbs, [Verb::Modified, Verb::Deleted]);
        assert!(matches!(state.since(Kind::Pod, first - 1), Since::Compacted(at) if at == first));
        assert!(
            matches!(state.since(Kind::Service, first), Since::Events(events) if events.is_empty())
        );
    }

    #[test]
    fn a_namespace_is_a_range() {
        let store = Store::new(8);
        let mut state = store.lock();
        for (namespace, name) in [("a", "z"), ("b", "a"), ("b", "c"), ("ba", "a")] {
            state.put(
                Kind::Pod,
                json!({"metadata": {"namespace": namespace, "name": name}}),
            );
        }
        let names = state
            .list(Kind::Pod, Some("b"))
            .iter()
            .map(|object| object.key.name.clone())
            .collect::<Vec<_>>();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(state.list(Kind::Pod, None).len(), 4);
    }
}
