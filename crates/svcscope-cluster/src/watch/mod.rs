//! Watches: one supervisor per kind keeps the inventory current, or reports that it is not.
//!
//! The list-and-watch loop is our own instead of kube-runtime's: it turns each object into a
//! record while its line is still in the read buffer (kube-runtime holds whole pages of typed
//! objects and copies every line into a string), honours `Retry-After`, lists again on a 410 that
//! comes as HTTP status, and knows since when the other side has been silent.
//!
//! A watch does not report an event that was lost, so each list is read again after some minutes.
//! Where watches bring nothing at all, lists replace them (`health`), which is reported as
//! [`SyncState::Polled`](svcscope_model::inventory::SyncState::Polled).

mod backoff;
mod discovery;
mod event_lines;
mod health;
mod item_splitter;
mod list;
mod next_round;
mod request;
mod round;
mod scope;
mod supervisor;
mod sync_state;
mod watch_trial;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{api_client::ApiClient, connect::ServerVersion};
use discovery::ApiDiscoveryCache;
use scope::ResourceWatcher;
use supervisor::RequestedScopes;
pub(super) use supervisor::try_watch;
use svcscope_model::inventory::{InventoryChange, ResourceKind, SharedStr};
pub(super) use watch_trial::WatchTrialError;

/// How patient the watches are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchTiming {
    /// The server is asked to end a watch after this long; it is taken up again where it ended.
    pub watch_duration: Duration,
    /// A connection that brought nothing for this long is dead. Longer than `watch`, so that a
    /// live one has ended by itself before.
    pub silence_timeout: Duration,
    /// How long the server may think before it answers a watch.
    pub answer_timeout: Duration,
    /// How long it may think before it answers a list.
    pub list_timeout: Duration,
    /// How long until what was refused is asked for again.
    pub refused_delay: Duration,
    /// The delay before the second retry; the first comes at once and each later one doubles.
    pub first_delay: Duration,
    /// No retry waits longer.
    pub max_delay: Duration,
    /// How old a list may become before it is read again although the watch works: an event that
    /// was lost, or a state that an older API server brought back, is never reported by a watch.
    /// Each kind waits a quarter more or less, so that they don't list all together, and longer
    /// where its list is expensive.
    pub relist_interval: Duration,
    /// How often the list is read where watches bring nothing.
    pub poll_interval: Duration,
    /// How often, at the least, a watch is tried meanwhile.
    pub max_trial_interval: Duration,
}

impl WatchTiming {
    /// When a watch that the server does not end is ended here: the server takes whole seconds,
    /// and one that goes on talking for ever would never be listed again.
    fn max_watch_duration(&self) -> Duration {
        if self.watch_duration < Duration::from_secs(1) {
            self.watch_duration
        } else {
            self.silence_timeout.saturating_add(Duration::from_secs(5))
        }
    }

    /// A watch that lived this long was a good one: the next failure is a first one.
    fn healthy_watch_duration(&self) -> Duration {
        // The clock of the server began a little later.
        Duration::from_secs(5).min(self.watch_duration.mul_f64(0.8))
    }
}

/// A dead connection is noticed within a minute: `silence` and then `answer`.
impl Default for WatchTiming {
    fn default() -> Self {
        Self {
            watch_duration: Duration::from_secs(40),
            silence_timeout: Duration::from_secs(45),
            answer_timeout: Duration::from_secs(10),
            list_timeout: Duration::from_secs(30),
            refused_delay: Duration::from_secs(60),
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(30),
            relist_interval: Duration::from_secs(5 * 60),
            poll_interval: Duration::from_secs(5),
            max_trial_interval: Duration::from_secs(60),
        }
    }
}

/// What was learned about the server and need not be tried again.
#[derive(Clone)]
pub(super) struct ServerCapabilities {
    streaming_lists: Arc<AtomicBool>,
    discovery: ApiDiscoveryCache,
}

impl ServerCapabilities {
    /// Streaming lists came with 1.27; an older server might not know the parameter and ignore it, and
    /// so might one that does not say which it is.
    pub fn new(version: Option<&ServerVersion>) -> Self {
        let streaming = version.is_some_and(|version| version.is_at_least(27));
        Self {
            streaming_lists: Arc::new(AtomicBool::new(streaming)),
            discovery: ApiDiscoveryCache::default(),
        }
    }

    /// Whether the server may know streaming lists.
    pub fn streams_lists(&self) -> bool {
        self.streaming_lists.load(Ordering::Relaxed)
    }

    fn disable_streaming_lists(&self) {
        self.streaming_lists.store(false, Ordering::Relaxed);
    }
}

/// Running watches; dropping them ends all of them.
pub struct ClusterWatches {
    /// What the user should know about how the cluster is watched, in sentences: that Endpoints
    /// replace EndpointSlices, that only one namespace is permitted.
    pub notes: mpsc::UnboundedReceiver<SharedStr>,
    restart_signal: watch::Sender<()>,
    supervise:
        Box<dyn Fn(ResourceKind, watch::Receiver<()>) -> supervisor::SupervisorFuture + Send>,
    /// Those that are watched; notifying one has its list read again.
    relist_signals: BTreeMap<ResourceKind, watch::Sender<()>>,
    tasks: JoinSet<()>,
}

impl ClusterWatches {
    /// Starts to watch these as well, as far as they aren't watched yet.
    pub fn ensure_watched(&mut self, kinds: &BTreeSet<ResourceKind>) {
        for kind in kinds {
            if let Entry::Vacant(entry) = self.relist_signals.entry(*kind) {
                let relist = entry.insert(watch::Sender::new(())).subscribe();
                self.tasks.spawn((self.supervise)(*kind, relist));
            }
        }
    }

    /// Drops every connection and takes all watches up again now, also those that wait.
    pub fn restart(&self) {
        self.restart_signal.send_replace(());
    }

    /// Has the lists of these read again now, because something contradicts what is held. What
    /// is the same stays as it is.
    pub fn relist(&self, kinds: &[ResourceKind]) {
        for started in kinds
            .iter()
            .filter_map(|kind| self.relist_signals.get(kind))
        {
            started.send_replace(());
        }
    }
}

/// Starts a supervisor for each of these kinds.
pub(super) fn start(
    link: Arc<ApiClient>,
    memory: ServerCapabilities,
    pace: WatchTiming,
    default_namespace: &str,
    namespaces: Vec<String>,
    kinds: &BTreeSet<ResourceKind>,
    changes: mpsc::Sender<InventoryChange>,
) -> ClusterWatches {
    let (kick, kicked) = watch::channel(());
    let (note, notes) = mpsc::unbounded_channel();
    let watcher = ResourceWatcher {
        link,
        capabilities: memory,
        timing: pace,
        changes,
        notes: note,
        restarts: kicked,
        relists: watch::Sender::new(()).subscribe(),
    };
    let ahead = watcher.clone();
    let default_namespace = SharedStr::from(default_namespace);
    let namespaces: Vec<SharedStr> = namespaces.iter().map(|name| name.as_str().into()).collect();
    let start = move |kind: ResourceKind, relist| -> supervisor::SupervisorFuture {
        let requested = if kind.is_cluster_scoped() {
            RequestedScopes::Cluster { fallback: None }
        } else if namespaces.is_empty() {
            RequestedScopes::Cluster {
                fallback: Some(default_namespace.clone()),
            }
        } else {
            RequestedScopes::Namespaces(namespaces.clone())
        };
        let watcher = ResourceWatcher {
            relists: relist,
            ..watcher.clone()
        };
        Box::pin(supervisor::run(watcher, kind, requested))
    };
    let mut watches = ClusterWatches {
        notes,
        restart_signal: kick,
        supervise: Box::new(start),
        relist_signals: BTreeMap::new(),
        tasks: JoinSet::new(),
    };
    watches.ensure_watched(kinds);
    watches.tasks.spawn(supervisor::prefetch_discovery(ahead));
    watches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams(major: &str, minor: &str) -> bool {
        let version = ServerVersion {
            major: major.to_owned(),
            minor: minor.to_owned(),
            git_version: String::new(),
        };
        ServerCapabilities::new(Some(&version)).streams_lists()
    }

    #[test]
    fn streaming_lists_are_asked_only_of_servers_that_could_know_them() {
        assert!(!streams("1", "20"));
        assert!(!streams("1", "26+"));
        assert!(streams("1", "27"));
        assert!(streams("1", "34+"));
        assert!(streams("2", "0"));
        assert!(!streams("", ""));
        assert!(!ServerCapabilities::new(None).streams_lists());
    }

    #[test]
    fn a_dead_connection_is_noticed_within_a_minute() {
        let pace = WatchTiming::default();
        assert!(pace.watch_duration < pace.silence_timeout);
        assert!(pace.silence_timeout + pace.answer_timeout <= Duration::from_secs(60));
    }
}
