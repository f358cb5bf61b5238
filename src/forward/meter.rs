//! Counters that the pump feeds and a status reads, without a lock.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

/// Bytes through one forward.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    up: AtomicU64,
    down: AtomicU64,
    fresh: AtomicBool,
    flowed: Notify,
}

impl Meter {
    /// Counts bytes sent to a pod.
    pub(crate) fn add_up(&self, bytes: u64) {
        self.up.fetch_add(bytes, Ordering::Relaxed);
        self.wake();
    }

    /// Counts bytes received from a pod.
    pub(crate) fn add_down(&self, bytes: u64) {
        self.down.fetch_add(bytes, Ordering::Relaxed);
        self.wake();
    }

    /// Bytes sent to pods so far.
    pub(crate) fn up(&self) -> u64 {
        self.up.load(Ordering::Relaxed)
    }

    /// Bytes received from pods so far.
    pub(crate) fn down(&self) -> u64 {
        self.down.load(Ordering::Relaxed)
    }

    /// Resolves when bytes have flowed since [`Self::settle`] was last called.
    pub(crate) async fn flowed(&self) {
        self.flowed.notified().await;
    }

    /// Says that whoever waits in [`Self::flowed`] has told about the bytes counted so far.
    pub(crate) fn settle(&self) {
        self.fresh.store(false, Ordering::Release);
    }

    // Only the first bytes after `settle` cost a wake-up, so that the pump never pays for being
    // watched.
    fn wake(&self) {
        if !self.fresh.swap(true, Ordering::AcqRel) {
            self.flowed.notify_one();
        }
    }
}
