//! Open connections by the pod they lead to, so that a deleted pod ends its own and no others.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::endpoint_selection::CandidateEndpoint;
use svcscope_model::inventory::Inventory;

/// All connections of a forward that have reached a pod.
#[derive(Default)]
pub(crate) struct OpenConnections(Mutex<ConnectionTable>);

#[derive(Default)]
struct ConnectionTable {
    next: u64,
    open: BTreeMap<u64, (CandidateEndpoint, CancellationToken)>,
}

/// One connection in the table, taken out when dropped.
pub(crate) struct ConnectionRegistration {
    number: u64,
    pod_gone: CancellationToken,
    connections: Arc<OpenConnections>,
}

impl OpenConnections {
    /// Enters a connection.
    pub(crate) fn register(self: &Arc<Self>, to: CandidateEndpoint) -> ConnectionRegistration {
        let gone = CancellationToken::new();
        let mut table = self.table();
        let number = table.next;
        table.next += 1;
        table.open.insert(number, (to, gone.clone()));
        drop(table);
        ConnectionRegistration {
            number,
            pod_gone: gone,
            connections: self.clone(),
        }
    }

    /// Ends the connections to pods that are deleted. The tunnel itself would not notice: nothing
    /// says that the other end of an idle connection has left.
    ///
    /// A pod that only terminates keeps its connections: it may be draining them.
    pub(crate) fn end_deleted(&self, inventory: &Inventory) {
        for (to, gone) in self.table().open.values() {
            if to.is_gone(inventory) {
                gone.cancel();
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, ConnectionTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionRegistration {
    /// Resolves when the pod is deleted.
    pub(crate) async fn pod_deleted(&self) {
        self.pod_gone.cancelled().await;
    }
}

impl Drop for ConnectionRegistration {
    fn drop(&mut self) {
        self.connections.table().open.remove(&self.number);
    }
}
