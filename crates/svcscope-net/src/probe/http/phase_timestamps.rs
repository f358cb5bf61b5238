//! When each step of an exchange was done.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::probe::PhaseTimings;

/// The moments of one exchange, written by whoever sees them. The first of its kind counts.
#[derive(Debug)]
pub(in crate::probe) struct PhaseTimestamps {
    created: Instant,
    instants: Mutex<PhaseInstants>,
}

#[derive(Clone, Copy, Debug, Default)]
struct PhaseInstants {
    begun: Option<Instant>,
    resolving: Option<Instant>,
    resolved: Option<Instant>,
    handshake: Option<Instant>,
    connected: Option<Instant>,
    dialled: Option<Instant>,
    head: Option<Instant>,
}

impl PhaseTimestamps {
    pub(in crate::probe) fn new() -> Self {
        Self {
            created: Instant::now(),
            instants: Mutex::default(),
        }
    }

    /// Everything is prepared and the first step begins.
    pub(in crate::probe) fn begin(&self) {
        self.mark(|seen| &mut seen.begun);
    }

    pub(in crate::probe) fn resolving(&self) {
        self.mark(|seen| &mut seen.resolving);
    }

    pub(in crate::probe) fn resolved(&self) {
        self.mark(|seen| &mut seen.resolved);
    }

    /// The TCP connection is there and TLS begins.
    pub(in crate::probe) fn handshake(&self) {
        self.mark(|seen| &mut seen.handshake);
    }

    /// TCP, and TLS where it is spoken, are done.
    pub(in crate::probe) fn connected(&self) {
        self.mark(|seen| &mut seen.connected);
    }

    /// The forward has reached the pod.
    pub(in crate::probe) fn dialled(&self) {
        self.mark(|seen| &mut seen.dialled);
    }

    /// The head of the answer is there.
    pub(in crate::probe) fn head(&self) {
        self.mark(|seen| &mut seen.head);
    }

    /// Whether the TCP connection was opened.
    pub(in crate::probe) fn is_open(&self) -> bool {
        let seen = self.instants();
        seen.handshake.or(seen.connected).is_some()
    }

    fn mark(&self, which: impl FnOnce(&mut PhaseInstants) -> &mut Option<Instant>) {
        let mut seen = self.instants.lock().unwrap_or_else(PoisonError::into_inner);
        which(&mut seen).get_or_insert_with(Instant::now);
    }

    fn instants(&self) -> PhaseInstants {
        *self.instants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long each step took, the whole up to now.
    pub(in crate::probe) fn timings(&self) -> PhaseTimings {
        let seen = self.instants();
        let since =
            |from: Option<Instant>, to: Option<Instant>| Some(to?.saturating_duration_since(from?));
        let start = seen.begun.unwrap_or(self.created);
        let begun = seen.resolved.or(Some(start));
        let open = seen.handshake.or(seen.connected);
        // The pod is dialled while TLS already waits for it.
        let reached = seen.dialled.max(seen.handshake);
        PhaseTimings {
            dns: since(seen.resolving, seen.resolved),
            connect: since(begun, open),
            pod_dial: since(open, seen.dialled),
            tls: seen.handshake.and_then(|_| since(reached, seen.connected)),
            first_byte: since(Some(start), seen.head),
            total: start.elapsed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_steps_follow_one_another() {
        let marks = PhaseTimestamps::new();
        let step = || tokio::time::advance(Duration::from_millis(10));
        marks.resolving();
        step().await;
        marks.resolved();
        step().await;
        marks.handshake();
        step().await;
        marks.dialled();
        step().await;
        marks.connected();
        step().await;
        marks.head();
        step().await;
        let ten = Some(Duration::from_millis(10));
        assert_eq!(
            marks.timings(),
            PhaseTimings {
                dns: ten,
                connect: ten,
                pod_dial: ten,
                tls: ten,
                first_byte: Some(Duration::from_millis(50)),
                total: Duration::from_millis(60),
            }
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_did_not_happen_took_no_time() {
        let marks = PhaseTimestamps::new();
        tokio::time::advance(Duration::from_millis(10)).await;
        marks.connected();
        let phases = marks.timings();
        assert_eq!(phases.connect, Some(Duration::from_millis(10)));
        assert_eq!(
            (phases.dns, phases.tls, phases.pod_dial),
            (None, None, None)
        );
        assert_eq!(phases.first_byte, None);
        assert!(marks.is_open());
    }
}
