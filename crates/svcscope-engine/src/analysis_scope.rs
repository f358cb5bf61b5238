//! How much of a cluster an engine reads and derives.

use std::collections::BTreeSet;

use svcscope_model::inventory::{self, Inventory, ResourceKind};

/// Which kinds an engine watches and whether it runs the checks. The window needs all of it; a
/// command that asks for less costs the API server less and ends sooner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalysisScope {
    kinds: BTreeSet<ResourceKind>,
    runs_checks: bool,
}

impl Default for AnalysisScope {
    /// Every kind, and the checks.
    fn default() -> Self {
        let kinds = ResourceKind::ALL.into_iter();
        Self {
            kinds: kinds.chain(ResourceKind::ON_DEMAND).collect(),
            runs_checks: true,
        }
    }
}

impl AnalysisScope {
    /// Only these kinds, without checks. Those of them that are read on demand only are watched
    /// once all of [`ResourceKind::MAP_KINDS`], which must be among them, are listed.
    pub fn without_checks(kinds: impl IntoIterator<Item = ResourceKind>) -> Self {
        Self {
            kinds: kinds.into_iter().collect(),
            runs_checks: false,
        }
    }

    /// Whether a kind is read where it is needed.
    pub fn contains(&self, kind: ResourceKind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Whether the checks run.
    pub fn runs_checks(&self) -> bool {
        self.runs_checks
    }

    /// The kinds to watch from the start.
    pub(super) fn initial_kinds(&self) -> BTreeSet<ResourceKind> {
        self.restricted(BTreeSet::from(ResourceKind::ALL))
    }

    /// The kinds that what is known of the cluster asks for.
    pub(super) fn needed_kinds(&self, inventory: &Inventory) -> BTreeSet<ResourceKind> {
        self.restricted(inventory::needed_kinds(inventory))
    }

    fn restricted(&self, kinds: BTreeSet<ResourceKind>) -> BTreeSet<ResourceKind> {
        kinds.intersection(&self.kinds).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_model::inventory::{InventoryChange, SyncState, WatchScope};

    #[test]
    fn kinds_on_demand_are_read_only_where_asked_for() {
        let mut inventory = Inventory::default();
        for kind in ResourceKind::MAP_KINDS {
            let live = InventoryChange::Sync(kind, WatchScope::Cluster, SyncState::Live);
            inventory.apply(live);
        }
        let kinds = ResourceKind::MAP_KINDS
            .into_iter()
            .chain([ResourceKind::Ingress]);
        let scope = AnalysisScope::without_checks(kinds);
        assert_eq!(
            scope.initial_kinds(),
            BTreeSet::from(ResourceKind::MAP_KINDS)
        );
        assert_eq!(
            scope.needed_kinds(&inventory),
            BTreeSet::from([ResourceKind::Ingress])
        );
        let everything = AnalysisScope::default();
        assert_eq!(
            everything.initial_kinds(),
            BTreeSet::from(ResourceKind::ALL)
        );
        assert_eq!(
            everything.needed_kinds(&inventory),
            inventory::needed_kinds(&inventory)
        );
    }
}
