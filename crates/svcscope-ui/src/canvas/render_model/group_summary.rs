//! What a district's header and chip say.

use std::iter::Sum;

use crate::theme::Health;

/// Counts of Services by state, and of endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::canvas) struct ServiceGroupSummary {
    /// Services with at least one error.
    pub broken: usize,
    /// Services that work in part.
    pub degraded: usize,
    /// Services with something under way.
    pub pending: usize,
    /// Services that nothing certain is known of.
    pub unknown: usize,
    /// Services with nothing found.
    pub healthy: usize,
    /// Ready endpoints of all Services.
    pub ready: usize,
    /// Pods that should be endpoints.
    pub expected: usize,
}

impl ServiceGroupSummary {
    /// The worst that is in it. A district of unknown Services is never drawn as a good one; where
    /// others are healthy the unknown ones are counted, as every ExternalName is one.
    pub fn worst(&self) -> Health {
        if self.broken > 0 {
            Health::Broken
        } else if self.degraded > 0 {
            Health::Degraded
        } else if self.pending > 0 {
            Health::Pending
        } else if self.healthy == 0 {
            Health::Unknown
        } else {
            Health::Healthy
        }
    }

    /// The states that are worth a number, the worst first.
    pub fn counts(&self) -> impl Iterator<Item = (Health, usize)> {
        [
            (Health::Broken, self.broken),
            (Health::Degraded, self.degraded),
            (Health::Pending, self.pending),
            (Health::Unknown, self.unknown),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
    }

    /// Counts one Service.
    pub fn add(&mut self, state: Health) {
        match state {
            Health::Broken => self.broken += 1,
            Health::Degraded => self.degraded += 1,
            Health::Pending => self.pending += 1,
            Health::Unknown => self.unknown += 1,
            Health::Healthy => self.healthy += 1,
        }
    }
}

impl Sum for ServiceGroupSummary {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |all, part| Self {
            broken: all.broken + part.broken,
            degraded: all.degraded + part.degraded,
            pending: all.pending + part.pending,
            unknown: all.unknown + part.unknown,
            healthy: all.healthy + part.healthy,
            ready: all.ready + part.ready,
            expected: all.expected + part.expected,
        })
    }
}
