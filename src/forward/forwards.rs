//! All forwards of a connection to a cluster.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    Dialer, ForwardId, ForwardSpec, ForwardStatus, InventoryFeed, OnChange,
    bind::bind,
    choice::NoPod,
    connection::Way,
    ledger::Ledger,
    listener::{follow, run},
    sessions::Sessions,
};

/// Dials of one forward under way at the same time: a page that opens 50 connections must not
/// bury the API server.
const MAX_DIALS: usize = 16;

/// Starts, lists and stops forwards. Dropping it stops them all.
pub struct Forwards {
    inventory: InventoryFeed,
    dialer: watch::Sender<Arc<dyn Dialer>>,
    on_change: OnChange,
    all: Mutex<Vec<Running>>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

struct Running {
    ledger: Arc<Ledger>,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Forwards {
    /// No forwards yet. `on_change` is called whenever a status is another one, at most four times
    /// a second while only bytes flow; it must not block.
    pub fn new(inventory: InventoryFeed, dialer: Arc<dyn Dialer>, on_change: OnChange) -> Self {
        let stop = CancellationToken::new();
        Self {
            inventory,
            dialer: watch::Sender::new(dialer),
            on_change,
            all: Mutex::default(),
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        }
    }

    /// Starts a forward and says how it stands: bound, or failed and why. A forward that had the
    /// same id is stopped first. Must be called within a tokio runtime.
    pub async fn start(&self, id: ForwardId, spec: ForwardSpec) -> ForwardStatus {
        self.remove(id).await;
        let ledger = Arc::new(Ledger::new(id, spec, self.on_change.clone()));
        let stop = self.stop.child_token();
        let way = Arc::new(Way {
            ledger: ledger.clone(),
            inventory: self.inventory.clone(),
            dialer: self.dialer.subscribe(),
            dials: Semaphore::new(MAX_DIALS),
            sessions: Arc::new(Sessions::default()),
        });
        let task = match open(&way).await {
            Ok(listener) => Some(tokio::spawn(run(listener, way, stop.clone()))),
            Err(reason) => {
                ledger.failed(reason);
                None
            }
        };
        let status = ledger.status();
        self.all().push(Running { ledger, stop, task });
        (self.on_change)();
        status
    }

    /// Closes the listener and all connections of a forward, which stays in the list. When this
    /// returns, its local port is free again.
    pub async fn stop(&self, id: ForwardId) {
        let found = self
            .all()
            .iter_mut()
            .find(|running| running.ledger.id() == id)
            .map(|running| {
                running.stop.cancel();
                (running.ledger.clone(), running.task.take())
            });
        let Some((ledger, task)) = found else {
            return;
        };
        ledger.stopped();
        if let Some(task) = task {
            // It ends by itself, and a panic in it was reported by the panic hook.
            task.await.ok();
        }
    }

    /// Stops a forward and takes it from the list.
    pub async fn remove(&self, id: ForwardId) {
        self.stop(id).await;
        let removed = {
            let mut all = self.all();
            let before = all.len();
            all.retain(|running| running.ledger.id() != id);
            all.len() != before
        };
        if removed {
            (self.on_change)();
        }
    }

    /// How every forward stands, in the order of their start. Never waits for anything.
    pub fn statuses(&self) -> Vec<ForwardStatus> {
        self.all()
            .iter()
            .map(|running| running.ledger.status())
            .collect()
    }

    /// How one forward stands.
    pub fn status(&self, id: ForwardId) -> Option<ForwardStatus> {
        self.all()
            .iter()
            .find(|running| running.ledger.id() == id)
            .map(|running| running.ledger.status())
    }

    /// From now on new connections are dialled this way; open ones go on as they are.
    pub fn replace_dialer(&self, dialer: Arc<dyn Dialer>) {
        self.dialer.send_replace(dialer);
    }

    // Held for a few assignments only, and never across an await.
    fn all(&self) -> MutexGuard<'_, Vec<Running>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Binds, unless the target can't be forwarded to at all.
async fn open(way: &Way) -> Result<tokio::net::TcpListener, crate::inventory::Text> {
    if let Err(NoPod::Refused(reason)) = follow(way) {
        return Err(reason);
    }
    let listener = bind(way.ledger.spec()).await?;
    let local = listener.local_addr().map_err(|error| error.to_string())?;
    way.ledger.bound(local);
    Ok(listener)
}

#[cfg(test)]
mod tests;
