//! Waiting for what watches tell.

use std::time::Duration;

use svcscope_cluster::{ClusterClient, ClusterWatches};
use svcscope_model::inventory::{
    Inventory, InventoryChange, ResourceKind, SharedStr, SyncState, WatchScope,
};
use tokio::{sync::mpsc, time::timeout};

/// No test waits longer for anything; a machine that is busy may need a while.
const LIMIT: Duration = Duration::from_secs(30);

/// An inventory that is fed by watches.
pub struct WatchedInventory {
    pub inventory: Inventory,
    pub watches: ClusterWatches,
    pub log: Vec<InventoryChange>,
    changes: mpsc::Receiver<InventoryChange>,
}

impl WatchedInventory {
    pub fn of(cluster: &ClusterClient, namespaces: &[&str]) -> Self {
        let (sender, changes) = mpsc::channel(256);
        let names = namespaces.iter().map(|name| (*name).to_owned()).collect();
        Self {
            inventory: Inventory::default(),
            watches: cluster.watch(names, &ResourceKind::ALL.into(), sender),
            log: Vec::new(),
            changes,
        }
    }

    /// Takes in changes until `done`.
    pub async fn until(&mut self, what: &str, done: impl Fn(&Inventory) -> bool) {
        while !done(&self.inventory) {
            let change = timeout(LIMIT, self.changes.recv()).await;
            let Ok(Some(change)) = change else {
                let states: Vec<_> = self.inventory.sync_states().collect();
                panic!("waited for {what}; the states are {states:#?}");
            };
            self.log.push(change.clone());
            self.inventory.apply(change);
        }
    }

    /// Takes in changes until every kind is live in the whole cluster.
    pub async fn live(&mut self) {
        self.until("every kind to be live", |inventory| {
            ResourceKind::ALL
                .into_iter()
                .all(|kind| state(inventory, kind, None).is_live())
        })
        .await;
    }
}

/// How well a kind is known in the cluster or in one namespace.
pub fn state(inventory: &Inventory, kind: ResourceKind, namespace: Option<&str>) -> SyncState {
    let wanted = namespace.map_or(WatchScope::Cluster, |name| {
        WatchScope::Namespace(SharedStr::from(name))
    });
    inventory
        .sync_states()
        .find(|(known, scope, _)| *known == kind && **scope == wanted)
        .map_or(SyncState::Syncing, |(_, _, state)| state.clone())
}
