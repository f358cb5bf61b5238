//! Whether what is held of a kind is all that there is: one rule for everything that waits for
//! lists, tells a number, draws a conclusion from an absence, or says "live".

use super::{Inventory, ResourceKind, SharedStr, SyncState, WatchScope};

/// How completely a kind is held, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListCompleteness {
    /// A first list is outstanding: no number and no absence means anything yet.
    Unlisted,
    /// Listed whole, but a watch is lost: what is held was true once.
    Stale,
    /// The server refuses or does not serve it, or some of it, or an object can't be read: what is
    /// held is live, the rest is not to be had by waiting.
    Partial,
    /// All that the user asked for is held as the cluster had it a moment ago: watches bring
    /// nothing, and it is listed again and again.
    Polled,
    /// All that the user asked for is held as the cluster has it now.
    Live,
}

impl ListCompleteness {
    /// For programs: `live`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unlisted => "unlisted",
            Self::Stale => "stale",
            Self::Partial => "partial",
            Self::Polled => "polled",
            Self::Live => "live",
        }
    }

    /// Whether the first lists are there, or refused.
    pub fn is_listed(self) -> bool {
        self > Self::Unlisted
    }

    /// Whether waiting brings no more than there is: the lists are there and live, or refused.
    pub fn is_complete(self) -> bool {
        self >= Self::Partial
    }

    /// Whether what is held is what the cluster holds now.
    pub fn is_live(self) -> bool {
        self == Self::Live
    }
}

impl From<&SyncState> for ListCompleteness {
    fn from(state: &SyncState) -> Self {
        match state {
            SyncState::Syncing | SyncState::Failing { .. } => Self::Unlisted,
            SyncState::Stale { .. } => Self::Stale,
            SyncState::Forbidden { .. } | SyncState::Absent { .. } => Self::Partial,
            SyncState::Polled { .. } => Self::Polled,
            SyncState::Live => Self::Live,
        }
    }
}

impl Inventory {
    /// The scopes of a kind that are watched, with their states; none before anything was asked.
    ///
    /// That is the whole cluster, or the namespaces that the user chose or that stand in for a
    /// cluster that may not be listed. What the cluster scope says then concerns other namespaces.
    pub fn watched_scopes(
        &self,
        kind: ResourceKind,
    ) -> impl Iterator<Item = (&WatchScope, &SyncState)> {
        let by_namespace = self.is_narrowed(kind);
        self.sync_states_of(kind)
            .filter(move |(scope, _)| matches!(scope, WatchScope::Cluster) != by_namespace)
    }

    /// Whether single namespaces of a kind are watched and not the whole cluster.
    pub fn is_narrowed(&self, kind: ResourceKind) -> bool {
        let whole = self.sync_states_of(kind).any(|(scope, state)| {
            matches!(scope, WatchScope::Cluster)
                && !matches!(
                    state,
                    SyncState::Forbidden { .. } | SyncState::Absent { .. }
                )
        });
        let namespaces =
            |(scope, _): (&WatchScope, &SyncState)| matches!(scope, WatchScope::Namespace(_));
        !whole && self.sync_states_of(kind).any(namespaces)
    }

    /// The namespaces that stand in for a cluster that may not be listed, with the API server's
    /// words; nothing where the whole cluster is watched or the user chose the namespaces.
    pub fn namespace_fallback(&self, kind: ResourceKind) -> Option<(Vec<&SharedStr>, &SharedStr)> {
        let refused = self.sync_states_of(kind).find_map(|of| match of {
            (WatchScope::Cluster, SyncState::Forbidden { message }) => Some(message),
            _ => None,
        })?;
        let namespaces: Vec<_> = self
            .sync_states_of(kind)
            .filter_map(|(scope, _)| match scope {
                WatchScope::Namespace(name) => Some(name),
                WatchScope::Cluster => None,
            })
            .collect();
        (!namespaces.is_empty()).then_some((namespaces, refused))
    }

    /// How completely a kind is held over all scopes that are watched: as its worst scope.
    pub fn completeness(&self, kind: ResourceKind) -> ListCompleteness {
        let states = self.watched_scopes(kind).map(|(_, state)| state.into());
        let known = states.min().unwrap_or(ListCompleteness::Unlisted);
        if self.unreadable(kind).any(|(_, found)| found.is_missing) {
            return known.min(ListCompleteness::Partial);
        }
        known
    }

    /// How completely all of these kinds are held: as the worst of them.
    pub fn completeness_of(
        &self,
        kinds: impl IntoIterator<Item = ResourceKind>,
    ) -> ListCompleteness {
        let each = kinds.into_iter().map(|kind| self.completeness(kind));
        each.min().unwrap_or(ListCompleteness::Live)
    }

    /// How completely the objects of a kind in one namespace are held.
    pub fn completeness_in(&self, kind: ResourceKind, namespace: &SharedStr) -> ListCompleteness {
        let known = ListCompleteness::from(self.sync(kind, namespace));
        if self.has_missing_in(kind, namespace) {
            return known.min(ListCompleteness::Partial);
        }
        known
    }

    /// Why nothing can be said of the objects of a kind in a namespace, in a sentence: they are not
    /// listed yet, not permitted, not watched. None where they were listed whole, if not a moment
    /// ago.
    pub fn why_unknown(&self, kind: ResourceKind, namespace: &SharedStr) -> Option<String> {
        let of = if kind.is_cluster_scoped() {
            format!("the {kind}")
        } else {
            format!("the {kind} of namespace {namespace}")
        };
        match self.sync(kind, namespace) {
            SyncState::Live | SyncState::Polled { .. } | SyncState::Stale { .. } => self
                .has_missing_in(kind, namespace)
                .then(|| format!("some of {of} can't be read")),
            SyncState::Syncing => Some(format!("{of} are not listed yet")),
            SyncState::Failing { reason } => Some(format!("{of} are not listed yet: {reason}")),
            SyncState::Forbidden { message } => Some(format!("{of} may not be listed: {message}")),
            SyncState::Absent { reason } => Some(format!("{of} are not watched: {reason}")),
        }
    }

    /// Whether any of the watched scopes of a kind was listed whole: a number of it is one of
    /// something that was seen.
    pub fn was_listed(&self, kind: ResourceKind) -> bool {
        self.watched_scopes(kind)
            .any(|(_, state)| state.is_current() || matches!(state, SyncState::Stale { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::InventoryChange;
    use jiff::Timestamp;

    fn with(states: &[(&str, SyncState)]) -> Inventory {
        let mut inventory = Inventory::default();
        for (namespace, state) in states {
            let scope = match *namespace {
                "" => WatchScope::Cluster,
                name => WatchScope::Namespace(name.into()),
            };
            inventory.apply(InventoryChange::Sync(
                ResourceKind::Pod,
                scope,
                state.clone(),
            ));
        }
        inventory
    }

    fn forbidden() -> SyncState {
        let message = "pods is forbidden".into();
        SyncState::Forbidden { message }
    }

    fn stale() -> SyncState {
        SyncState::Stale {
            since: Timestamp::UNIX_EPOCH,
            reason: "refused".into(),
        }
    }

    #[test]
    fn what_was_refused_is_waited_for_no_longer_and_is_not_live() {
        use ListCompleteness::{Live, Partial, Polled, Stale, Unlisted};
        let of =
            |level: ListCompleteness| (level.is_listed(), level.is_complete(), level.is_live());
        assert_eq!(of(Unlisted), (false, false, false));
        assert_eq!(of(Stale), (true, false, false));
        assert_eq!(of(Partial), (true, true, false));
        assert_eq!(of(Polled), (true, true, false));
        assert_eq!(of(Live), (true, true, true));
    }

    #[test]
    fn a_kind_is_as_complete_as_its_worst_watched_scope() {
        let failing = || SyncState::Failing {
            reason: "refused".into(),
        };
        let absent = || SyncState::Absent {
            reason: "only namespace shop is watched".into(),
        };
        let cases = [
            (vec![], ListCompleteness::Unlisted),
            (vec![("", SyncState::Syncing)], ListCompleteness::Unlisted),
            (vec![("", failing())], ListCompleteness::Unlisted),
            (vec![("", stale())], ListCompleteness::Stale),
            (vec![("", forbidden())], ListCompleteness::Partial),
            (vec![("", SyncState::Live)], ListCompleteness::Live),
            // The user chose a namespace: the rest of the cluster is not missed.
            (
                vec![("", absent()), ("shop", SyncState::Live)],
                ListCompleteness::Live,
            ),
            (
                vec![
                    ("", absent()),
                    ("shop", SyncState::Live),
                    ("infra", stale()),
                ],
                ListCompleteness::Stale,
            ),
            (
                vec![
                    ("", absent()),
                    ("shop", SyncState::Live),
                    ("infra", SyncState::Syncing),
                ],
                ListCompleteness::Unlisted,
            ),
            // One namespace stands in for a cluster that may not be listed.
            (
                vec![("", forbidden()), ("shop", SyncState::Live)],
                ListCompleteness::Live,
            ),
            (
                vec![("", forbidden()), ("shop", forbidden())],
                ListCompleteness::Partial,
            ),
            // While the whole cluster is listed, what stood in for it counts no more.
            (
                vec![("", SyncState::Live), ("shop", stale())],
                ListCompleteness::Live,
            ),
        ];
        for (states, expected) in cases {
            let inventory = with(&states);
            assert_eq!(
                inventory.completeness(ResourceKind::Pod),
                expected,
                "{states:?}"
            );
        }
    }

    #[test]
    fn an_object_that_can_not_be_read_costs_its_namespace_the_whole_and_no_more() {
        let mut inventory = with(&[("", SyncState::Live)]);
        let found = |is_missing| {
            let reason = "no number".into();
            let key = crate::inventory::ObjectKey::new("shop", "web");
            [(key, crate::inventory::DecodeFailure { reason, is_missing })].into()
        };
        let mut read = |objects| {
            inventory.apply(InventoryChange::Unreadable(
                ResourceKind::Pod,
                WatchScope::Cluster,
                objects,
            ));
            let places = ["shop", "infra"]
                .map(|it| inventory.completeness_in(ResourceKind::Pod, &it.into()));
            (
                inventory.completeness(ResourceKind::Pod),
                places,
                inventory.unreadable_messages([ResourceKind::Pod]),
            )
        };
        let (live, partial) = (ListCompleteness::Live, ListCompleteness::Partial);
        let (whole, places, words) = read(found(true));
        assert_eq!((whole, places), (partial, [partial, live]));
        assert_eq!(
            words,
            ["shop/web of the pods can't be read and is missing: no number"]
        );
        let (whole, places, words) = read(found(false));
        assert_eq!((whole, places, words.len()), (live, [live, live], 1));
        assert_eq!(read(Default::default()), (live, [live, live], Vec::new()));
    }

    #[test]
    fn several_kinds_are_as_complete_as_the_worst() {
        let mut inventory = with(&[("", SyncState::Live)]);
        let kinds = [ResourceKind::Pod, ResourceKind::Node];
        assert_eq!(inventory.completeness_of(kinds), ListCompleteness::Unlisted);
        inventory.apply(InventoryChange::Sync(
            ResourceKind::Node,
            WatchScope::Cluster,
            forbidden(),
        ));
        assert_eq!(inventory.completeness_of(kinds), ListCompleteness::Partial);
        inventory.apply(InventoryChange::Sync(
            ResourceKind::Node,
            WatchScope::Cluster,
            SyncState::Live,
        ));
        assert_eq!(inventory.completeness_of(kinds), ListCompleteness::Live);
    }

    #[test]
    fn what_stands_in_is_told_from_what_was_chosen() {
        let fallen_back = with(&[("", forbidden()), ("shop", SyncState::Live)]);
        let (namespaces, refused) = fallen_back.namespace_fallback(ResourceKind::Pod).unwrap();
        assert_eq!(namespaces, [&SharedStr::from("shop")]);
        assert_eq!(&**refused, "pods is forbidden");
        assert!(fallen_back.is_narrowed(ResourceKind::Pod));
        let absent = SyncState::Absent {
            reason: "only namespace shop is watched".into(),
        };
        let chosen = with(&[("", absent), ("shop", SyncState::Live)]);
        assert_eq!(chosen.namespace_fallback(ResourceKind::Pod), None);
        assert!(chosen.is_narrowed(ResourceKind::Pod));
        assert!(!with(&[("", forbidden())]).is_narrowed(ResourceKind::Pod));
    }
}
