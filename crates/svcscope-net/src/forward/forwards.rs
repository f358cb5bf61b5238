//! All forwards of a connection to a cluster.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore, watch},
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    Dialer, ForwardId, ForwardSpec, ForwardStatus, InventoryFeed, StatusCallback,
    bind::bind,
    connection::ForwardContext,
    endpoint_selection::NoEndpointReason,
    file_descriptors::connection_permits,
    listener::{apply_inventory, run},
    open_connections::OpenConnections,
    runtime_thread,
    status_board::StatusBoard,
};
use svcscope_model::inventory::SharedStr;

/// Dials of one forward under way at the same time: a page that opens 50 connections must not
/// bury the API server.
const MAX_DIALS: usize = 16;

/// Starts, lists and stops forwards. Dropping it stops them all.
pub struct Forwards {
    inventory: InventoryFeed,
    dialer: watch::Sender<Arc<dyn Dialer>>,
    on_change: StatusCallback,
    connection_permits: (Arc<Semaphore>, usize),
    link_suspected: Arc<Notify>,
    inventory_stale: Arc<Notify>,
    all: Mutex<ForwardList>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

#[derive(Default)]
struct ForwardList {
    running: Vec<ForwardHandle>,
    /// Since when the way to the cluster is known to be lost.
    link_down: Option<(Timestamp, SharedStr)>,
}

struct ForwardHandle {
    status_board: Arc<StatusBoard>,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Forwards {
    /// No forwards yet. `on_change` is called whenever a status is another one, at most four times
    /// a second while only bytes flow; it must not block.
    pub fn new(
        inventory: InventoryFeed,
        dialer: Arc<dyn Dialer>,
        on_change: StatusCallback,
    ) -> Self {
        let stop = CancellationToken::new();
        Self {
            inventory,
            dialer: watch::Sender::new(dialer),
            on_change,
            connection_permits: connection_permits(),
            link_suspected: Arc::default(),
            inventory_stale: Arc::default(),
            all: Mutex::default(),
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        }
    }

    /// The same, with so many connections at the most.
    #[cfg(test)]
    fn with_connection_permits(self, most: usize) -> Self {
        let places = (Arc::new(Semaphore::new(most)), most);
        Self {
            connection_permits: places,
            ..self
        }
    }

    /// Starts a forward and says how it stands: bound, or failed and why. A forward that had the
    /// same id is stopped first, and this one takes its place in the list. Must be called within a
    /// tokio runtime.
    pub async fn start(&self, id: ForwardId, spec: ForwardSpec) -> ForwardStatus {
        self.start_if(id, spec, std::future::ready(Ok(()))).await
    }

    /// As [`Self::start`], unless `may` says why not. It is in the list meanwhile, and may be
    /// stopped.
    pub async fn start_if(
        &self,
        id: ForwardId,
        spec: ForwardSpec,
        may: impl Future<Output = Result<(), SharedStr>>,
    ) -> ForwardStatus {
        self.stop(id).await;
        let ledger = Arc::new(StatusBoard::new(id, spec, self.on_change.clone()));
        let stop = self.stop.child_token();
        self.register(ledger.clone(), stop.clone());
        let way = Arc::new(ForwardContext {
            status_board: ledger.clone(),
            inventory: self.inventory.clone(),
            dialer: self.dialer.subscribe(),
            dials: Semaphore::new(MAX_DIALS),
            connection_permits: self.connection_permits.0.clone(),
            max_connections: self.connection_permits.1,
            open_connections: Arc::new(OpenConnections::default()),
            link_suspected: self.link_suspected.clone(),
            inventory_stale: self.inventory_stale.clone(),
        });
        let opened = async {
            if let Err(reason) = may.await {
                return ledger.failed(reason);
            }
            if let Some(listeners) = open(&way).await {
                self.attach(
                    &ledger,
                    runtime_thread::spawn(run(listeners, way, stop.clone())),
                );
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = opened => {}
        }
        ledger.status()
    }

    /// Puts a forward into the list, in the place of the one that had its id.
    fn register(&self, ledger: Arc<StatusBoard>, stop: CancellationToken) {
        let mut all = self.all();
        if let Some(lost) = all.link_down.clone() {
            ledger.link_lost(lost);
        }
        let new = ForwardHandle {
            status_board: ledger,
            stop,
            task: None,
        };
        let id = new.status_board.id();
        match all
            .running
            .iter_mut()
            .find(|old| old.status_board.id() == id)
        {
            Some(old) => *old = new,
            None => all.running.push(new),
        }
        drop(all);
        (self.on_change)();
    }

    /// Has whoever stops the forward wait for its task. One that was stopped meanwhile ends at
    /// once by itself.
    fn attach(&self, ledger: &Arc<StatusBoard>, task: JoinHandle<()>) {
        let mut all = self.all();
        let running = all
            .running
            .iter_mut()
            .find(|running| Arc::ptr_eq(&running.status_board, ledger));
        if let Some(running) = running {
            running.task = Some(task);
        }
    }

    /// Closes the listeners and all connections of a forward, which stays in the list. When this
    /// returns, its local port is free again.
    pub async fn stop(&self, id: ForwardId) {
        let found = self
            .all()
            .running
            .iter_mut()
            .find(|running| running.status_board.id() == id)
            .map(|running| {
                running.stop.cancel();
                (running.status_board.clone(), running.task.take())
            });
        let Some((ledger, task)) = found else {
            return;
        };
        if let Some(task) = task {
            // It ends by itself, and a panic in it was reported by the panic hook.
            task.await.ok();
        }
        // Whoever is told so may take the port at once.
        ledger.stopped();
    }

    /// Stops a forward and takes it from the list.
    pub async fn remove(&self, id: ForwardId) {
        self.stop(id).await;
        let removed = {
            let running = &mut self.all().running;
            let before = running.len();
            running.retain(|running| running.status_board.id() != id);
            running.len() != before
        };
        if removed {
            (self.on_change)();
        }
    }

    /// The user calls a forward so from now on.
    pub fn rename(&self, id: ForwardId, name: Option<SharedStr>) {
        let all = self.all();
        let found = all
            .running
            .iter()
            .find(|running| running.status_board.id() == id);
        if let Some(running) = found {
            running.status_board.set_name(name);
        }
    }

    /// Told when something happened that a lost way to the cluster would explain: a pod could not
    /// be reached, a connection broke. Whoever can should check, and say so by [`Self::set_link_state`].
    pub fn link_suspected(&self) -> Arc<Notify> {
        self.link_suspected.clone()
    }

    /// Told when a pod that the inventory holds turned out to be gone. Whoever can should have the
    /// lists of pods and EndpointSlices read again.
    pub fn inventory_stale(&self) -> Arc<Notify> {
        self.inventory_stale.clone()
    }

    /// Says that the way to the cluster is lost and why, or that it is there.
    pub fn set_link_state(&self, lost: Option<SharedStr>) {
        let mut all = self.all();
        let before = all.link_down.take();
        all.link_down = lost.map(|reason| {
            let since = before.as_ref().map(|(since, _)| *since);
            (since.unwrap_or_else(Timestamp::now), reason)
        });
        for running in &all.running {
            match all.link_down.clone() {
                Some(lost) => running.status_board.link_lost(lost),
                None => running.status_board.link_restored(before.is_some()),
            }
        }
    }

    /// How every forward stands, in the order of their start. Never waits for anything.
    pub fn statuses(&self) -> Vec<ForwardStatus> {
        self.all()
            .running
            .iter()
            .map(|running| running.status_board.status())
            .collect()
    }

    /// How one forward stands.
    pub fn status(&self, id: ForwardId) -> Option<ForwardStatus> {
        self.all()
            .running
            .iter()
            .find(|running| running.status_board.id() == id)
            .map(|running| running.status_board.status())
    }

    /// Whether [`Self::set_link_state`] said last that it is lost.
    pub fn is_link_down(&self) -> bool {
        self.all().link_down.is_some()
    }

    /// Has what is kept open on the way to pods show that it lives before it is used again.
    pub fn recheck(&self) {
        self.dialer.borrow().recheck();
    }

    /// From now on new connections are dialled this way; open ones go on as they are.
    pub fn replace_dialer(&self, dialer: Arc<dyn Dialer>) {
        self.dialer.send_replace(dialer);
    }

    // Held for a few assignments only, and never across an await.
    fn all(&self) -> MutexGuard<'_, ForwardList> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Binds, unless the target can't be forwarded to at all.
async fn open(context: &ForwardContext) -> Option<Vec<TcpListener>> {
    if let Err(NoEndpointReason::Refused(reason)) = apply_inventory(context) {
        context.status_board.failed(reason);
        return None;
    }
    match bind(context.status_board.spec()).await {
        Ok(listeners) => {
            let locals = listeners.iter().filter_map(|one| one.local_addr().ok());
            context.status_board.bound(locals.collect());
            Some(listeners)
        }
        Err(why) => {
            context.status_board.not_bound(why);
            None
        }
    }
}

#[cfg(test)]
mod tests;
