//! Kinds that are listed again and again because watches bring nothing, told once for all of them.

use std::time::Duration;

use super::{Inventory, ResourceKind, SharedStr, SyncState};

/// What is polled instead of watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollingSummary {
    /// Which kinds; none where it is all that can be read.
    kinds: Vec<ResourceKind>,
    every: Duration,
    reason: SharedStr,
}

impl PollingSummary {
    /// What is polled of the kinds that are watched in every cluster, if anything is.
    pub fn of(inventory: &Inventory) -> Option<Self> {
        let mut kinds = Vec::new();
        let mut is_whole = true;
        let mut slowest: Option<(Duration, &SharedStr)> = None;
        for (kind, _, state) in inventory.sync_states() {
            match state {
                _ if kind.is_on_demand() => {}
                SyncState::Polled { every, reason } => {
                    kinds.push(kind);
                    if slowest.is_none_or(|(slowest, _)| slowest < *every) {
                        slowest = Some((*every, reason));
                    }
                }
                SyncState::Forbidden { .. } | SyncState::Absent { .. } => {}
                SyncState::Syncing
                | SyncState::Failing { .. }
                | SyncState::Live
                | SyncState::Stale { .. } => {
                    is_whole = false;
                }
            }
        }
        let (every, reason) = slowest?;
        kinds.dedup();
        if is_whole {
            kinds.clear();
        }
        Some(Self {
            kinds,
            every,
            reason: reason.clone(),
        })
    }

    /// `read every 5 s: the API server closes each watch immediately`.
    pub fn words(&self) -> String {
        let read = format!(
            "read every {} s: {}",
            self.every.as_secs().max(1),
            self.reason
        );
        match self.plurals().as_str() {
            "" => read,
            plurals => format!("{plurals} {read}"),
        }
    }

    /// The same as a sentence, with what may be the cause.
    pub fn sentence(&self) -> String {
        let who = match self.plurals().as_str() {
            "" => "The cluster is".to_owned(),
            // Each kind finds out by itself, and this is told once: names would be out of date.
            _ => "All or some kinds are".to_owned(),
        };
        let read = format!(
            "{who} read every {} s instead of watched: {}",
            self.every.as_secs().max(1),
            self.reason
        );
        // A right that lacks is no matter of the network.
        if self.reason.starts_with("watching is forbidden") {
            return read;
        }
        format!("{read}. A proxy in between may cut or buffer long responses.")
    }

    fn plurals(&self) -> String {
        let plurals: Vec<_> = self.kinds.iter().map(|kind| kind.plural()).collect();
        plurals.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{InventoryChange, WatchScope};

    #[test]
    fn it_is_told_once_and_whose_it_is_only_where_that_is_not_all() {
        let mut inventory = Inventory::default();
        let polled = SyncState::Polled {
            every: Duration::from_secs(5),
            reason: "the API server closes each watch immediately".into(),
        };
        let mut say = |kind, state: &SyncState| {
            inventory.apply(InventoryChange::Sync(
                kind,
                WatchScope::Cluster,
                state.clone(),
            ));
            PollingSummary::of(&inventory).map(|polled| polled.words())
        };
        assert_eq!(say(ResourceKind::Service, &SyncState::Live), None);
        assert_eq!(
            say(ResourceKind::Ingress, &polled),
            None,
            "nobody waits for it"
        );
        let words = say(ResourceKind::Pod, &polled).unwrap();
        assert_eq!(
            words,
            "pods read every 5 s: the API server closes each watch immediately"
        );
        let words = say(ResourceKind::Service, &polled).unwrap();
        assert_eq!(
            words,
            "read every 5 s: the API server closes each watch immediately"
        );
        let stale = SyncState::Stale {
            since: jiff::Timestamp::now(),
            reason: "refused".into(),
        };
        assert!(
            say(ResourceKind::Pod, &stale)
                .unwrap()
                .starts_with("services read")
        );
        assert_eq!(say(ResourceKind::Service, &stale), None);
        inventory.apply(InventoryChange::Sync(
            ResourceKind::Node,
            WatchScope::Cluster,
            SyncState::Live,
        ));
        inventory.apply(InventoryChange::Sync(
            ResourceKind::Pod,
            WatchScope::Cluster,
            polled,
        ));
        let sentence = PollingSummary::of(&inventory).unwrap().sentence();
        assert!(sentence.starts_with("All or some kinds are read every 5 s"));
    }
}
