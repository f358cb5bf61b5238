//! Kinds that are listed again and again because watches bring nothing, told once for all of them.

use std::time::Duration;

use super::{Inventory, Kind, Sync, Text};

/// What is polled instead of watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polled {
    /// Which kinds; none where it is all that can be read.
    kinds: Vec<Kind>,
    every: Duration,
    reason: Text,
}

impl Polled {
    /// What is polled of the kinds that are watched in every cluster, if anything is.
    pub fn of(inventory: &Inventory) -> Option<Self> {
        let mut kinds = Vec::new();
        let mut is_whole = true;
        let mut slowest: Option<(Duration, &Text)> = None;
        for (kind, _, state) in inventory.syncs() {
            match state {
                _ if kind.is_on_demand() => {}
                Sync::Polled { every, reason } => {
                    kinds.push(kind);
                    if slowest.is_none_or(|(slowest, _)| slowest < *every) {
                        slowest = Some((*every, reason));
                    }
                }
                Sync::Forbidden { .. } | Sync::Absent { .. } => {}
                Sync::Syncing | Sync::Failing { .. } | Sync::Live | Sync::Stale { .. } => {
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

    /// `read every 5 s: the API server ends each watch at once`.
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
        if self.reason.starts_with("watches are refused") {
            return read;
        }
        format!("{read}. A proxy on the way may cut long answers short, or hold them back.")
    }

    fn plurals(&self) -> String {
        let plurals: Vec<_> = self.kinds.iter().map(|kind| kind.plural()).collect();
        plurals.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Change, Scope};

    #[test]
    fn it_is_told_once_and_whose_it_is_only_where_that_is_not_all() {
        let mut inventory = Inventory::default();
        let polled = Sync::Polled {
            every: Duration::from_secs(5),
            reason: "the API server ends each watch at once".into(),
        };
        let mut say = |kind, state: &Sync| {
            inventory.apply(Change::Sync(kind, Scope::Cluster, state.clone()));
            Polled::of(&inventory).map(|polled| polled.words())
        };
        assert_eq!(say(Kind::Service, &Sync::Live), None);
        assert_eq!(say(Kind::Ingress, &polled), None, "nobody waits for it");
        let words = say(Kind::Pod, &polled).unwrap();
        assert_eq!(
            words,
            "pods read every 5 s: the API server ends each watch at once"
        );
        let words = say(Kind::Service, &polled).unwrap();
        assert_eq!(
            words,
            "read every 5 s: the API server ends each watch at once"
        );
        let stale = Sync::Stale {
            since: jiff::Timestamp::now(),
            reason: "refused".into(),
        };
        assert!(say(Kind::Pod, &stale).unwrap().starts_with("services read"));
        assert_eq!(say(Kind::Service, &stale), None);
        inventory.apply(Change::Sync(Kind::Node, Scope::Cluster, Sync::Live));
        inventory.apply(Change::Sync(Kind::Pod, Scope::Cluster, polled));
        let sentence = Polled::of(&inventory).unwrap().sentence();
        assert!(sentence.starts_with("All or some kinds are read every 5 s"));
    }
}
