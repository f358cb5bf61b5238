//! Where forwards run: a thread of their own.
//!
//! A forward moves bytes from one socket to another by a chain of short tasks. On a runtime of
//! several threads each hand-over between them may wake another thread; on one thread it costs
//! nothing. That is a quarter to a half of a forward's CPU time (`benches/forward_vs_kubectl`),
//! and a burst of watch events does not hold a forward up.

use std::{future::pending, sync::OnceLock, thread};

use tokio::{
    runtime::{Builder, Handle, RuntimeFlavor},
    task::JoinHandle,
};

/// Spawns on the forwards' thread, which lives as long as the process. Where the caller's runtime
/// has one thread only, as in tests, that one will do, and where there is no thread to be had too.
pub(crate) fn spawn<F>(task: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let here = Handle::current();
    if here.runtime_flavor() == RuntimeFlavor::CurrentThread {
        return here.spawn(task);
    }
    static LANE: OnceLock<Option<Handle>> = OnceLock::new();
    let lane = LANE.get_or_init(start).as_ref().unwrap_or(&here);
    lane.spawn(task)
}

fn start() -> Option<Handle> {
    let started = Builder::new_current_thread()
        .enable_all()
        .build()
        .and_then(|runtime| {
            let handle = runtime.handle().clone();
            thread::Builder::new()
                .name("svcscope-forward".to_owned())
                .spawn(move || runtime.block_on(pending::<()>()))?;
            Ok(handle)
        });
    started
        .inspect_err(|error| tracing::warn!(%error, "forwards got no thread of their own"))
        .ok()
}
