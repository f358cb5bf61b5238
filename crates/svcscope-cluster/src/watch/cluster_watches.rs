//! The supervisors of all kinds: started, restarted and ended together.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    capabilities::ServerCapabilities,
    resource_watcher::ResourceWatcher,
    supervisor::{self, RequestedScopes},
    timing::WatchTiming,
};
use crate::api_client::ApiClient;
use svcscope_model::inventory::{InventoryChange, ResourceKind, SharedStr};

/// Running watches; dropping them ends all of them.
pub struct ClusterWatches {
    /// What the user should know about how the cluster is watched, in sentences: that Endpoints
    /// stand in for EndpointSlices, that only one namespace is permitted.
    pub notes: mpsc::UnboundedReceiver<SharedStr>,
    restart_signal: watch::Sender<()>,
    supervise:
        Box<dyn Fn(ResourceKind, watch::Receiver<()>) -> supervisor::SupervisorFuture + Send>,
    /// Those that are watched; to tell one has its list read again.
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

    /// Has the lists of these read again now, because something speaks against what is held. What
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
pub(crate) fn start(
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
