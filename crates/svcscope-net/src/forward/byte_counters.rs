//! Counters that the pump feeds and a status reads, without a lock.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

/// Bytes through one forward.
#[derive(Debug, Default)]
pub(crate) struct ByteCounters {
    up: AtomicU64,
    down: AtomicU64,
    has_new_bytes: AtomicBool,
    activity: Notify,
}

impl ByteCounters {
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

    /// Resolves when bytes have flowed since [`Self::acknowledge`] was last called.
    pub(crate) async fn activity(&self) {
        self.activity.notified().await;
    }

    /// Says that whoever waits in [`Self::activity`] has told about the bytes counted so far.
    pub(crate) fn acknowledge(&self) {
        self.has_new_bytes.store(false, Ordering::Release);
    }

    // Only the first bytes after `settle` cost a wake-up, so that the pump never pays for being
    // watched.
    fn wake(&self) {
        if !self.has_new_bytes.swap(true, Ordering::AcqRel) {
            self.activity.notify_one();
        }
    }
}
