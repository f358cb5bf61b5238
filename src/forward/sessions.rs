//! Open connections by the pod they lead to, so that a deleted pod ends its own and no others.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::choice::Candidate;
use crate::inventory::Inventory;

/// All connections of a forward that have reached a pod.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<Table>);

#[derive(Default)]
struct Table {
    next: u64,
    open: BTreeMap<u64, (Candidate, CancellationToken)>,
}

/// One connection in the table, taken out when dropped.
pub(crate) struct Session {
    number: u64,
    gone: CancellationToken,
    sessions: Arc<Sessions>,
}

impl Sessions {
    /// Enters a connection.
    pub(crate) fn enter(self: &Arc<Self>, to: Candidate) -> Session {
        let gone = CancellationToken::new();
        let mut table = self.table();
        let number = table.next;
        table.next += 1;
        table.open.insert(number, (to, gone.clone()));
        drop(table);
        Session {
            number,
            gone,
            sessions: self.clone(),
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

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Resolves when the pod is deleted.
    pub(crate) async fn pod_deleted(&self) {
        self.gone.cancelled().await;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.sessions.table().open.remove(&self.number);
    }
}
