//! Whether what is held of a kind is all that there is: one rule for everything that waits for
//! lists, tells a number, draws a conclusion from an absence, or says "live".

use super::{Inventory, Kind, Scope, Sync, Text};

/// How completely a kind is held, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Completeness {
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

impl Completeness {
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

impl From<&Sync> for Completeness {
    fn from(state: &Sync) -> Self {
        match state {
            Sync::Syncing | Sync::Failing { .. } => Self::Unlisted,
            Sync::Stale { .. } => Self::Stale,
            Sync::Forbidden { .. } | Sync::Absent { .. } => Self::Partial,
            Sync::Polled { .. } => Self::Polled,
            Sync::Live => Self::Live,
        }
    }
}

impl Inventory {
    /// The scopes of a kind that are watched, with their states; none before anything was asked.
    ///
    /// That is the whole cluster, or the namespaces that the user chose or that stand in for a
    /// cluster that may not be listed. What the cluster scope says then concerns other namespaces.
    pub fn watched(&self, kind: Kind) -> impl Iterator<Item = (&Scope, &Sync)> {
        let by_namespace = self.is_narrowed(kind);
        self.syncs_of(kind)
            .filter(move |(scope, _)| matches!(scope, Scope::Cluster) != by_namespace)
    }

    /// Whether single namespaces of a kind are watched and not the whole cluster.
    pub fn is_narrowed(&self, kind: Kind) -> bool {
        let whole = self.syncs_of(kind).any(|(scope, state)| {
            matches!(scope, Scope::Cluster)
                && !matches!(state, Sync::Forbidden { .. } | Sync::Absent { .. })
        });
        let namespaces = |(scope, _): (&Scope, &Sync)| matches!(scope, Scope::Namespace(_));
        !whole && self.syncs_of(kind).any(namespaces)
    }

    /// The namespaces that stand in for a cluster that may not be listed, with the API server's
    /// words; nothing where the whole cluster is watched or the user chose the namespaces.
    pub fn fallback(&self, kind: Kind) -> Option<(Vec<&Text>, &Text)> {
        let refused = self.syncs_of(kind).find_map(|of| match of {
            (Scope::Cluster, Sync::Forbidden { message }) => Some(message),
            _ => None,
        })?;
        let namespaces: Vec<_> = self
            .syncs_of(kind)
            .filter_map(|(scope, _)| match scope {
                Scope::Namespace(name) => Some(name),
                Scope::Cluster => None,
            })
            .collect();
        (!namespaces.is_empty()).then_some((namespaces, refused))
    }

    /// How completely a kind is held over all scopes that are watched: as its worst scope.
    pub fn completeness(&self, kind: Kind) -> Completeness {
        let states = self.watched(kind).map(|(_, state)| state.into());
        let known = states.min().unwrap_or(Completeness::Unlisted);
        if self.unreadable(kind).any(|(_, found)| found.is_missing) {
            return known.min(Completeness::Partial);
        }
        known
    }

    /// How completely all of these kinds are held: as the worst of them.
    pub fn completeness_of(&self, kinds: impl IntoIterator<Item = Kind>) -> Completeness {
        let each = kinds.into_iter().map(|kind| self.completeness(kind));
        each.min().unwrap_or(Completeness::Live)
    }

    /// How completely the objects of a kind in one namespace are held.
    pub fn completeness_in(&self, kind: Kind, namespace: &Text) -> Completeness {
        let known = Completeness::from(self.sync(kind, namespace));
        if self.lacks_in(kind, namespace) {
            return known.min(Completeness::Partial);
        }
        known
    }

    /// Why nothing can be said of the objects of a kind in a namespace, in a sentence: they are not
    /// listed yet, not permitted, not watched. None where they were listed whole, if not a moment
    /// ago.
    pub fn unseen(&self, kind: Kind, namespace: &Text) -> Option<String> {
        let of = if kind.is_cluster_scoped() {
            format!("the {kind}")
        } else {
            format!("the {kind} of namespace {namespace}")
        };
        match self.sync(kind, namespace) {
            Sync::Live | Sync::Polled { .. } | Sync::Stale { .. } => self
                .lacks_in(kind, namespace)
                .then(|| format!("some of {of} can't be read")),
            Sync::Syncing => Some(format!("{of} are not listed yet")),
            Sync::Failing { reason } => Some(format!("{of} are not listed yet: {reason}")),
            Sync::Forbidden { message } => Some(format!("{of} may not be listed: {message}")),
            Sync::Absent { reason } => Some(format!("{of} are not watched: {reason}")),
        }
    }

    /// Whether any of the watched scopes of a kind was listed whole: a number of it is one of
    /// something that was seen.
    pub fn is_seen(&self, kind: Kind) -> bool {
        self.watched(kind)
            .any(|(_, state)| state.is_current() || matches!(state, Sync::Stale { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Change;
    use jiff::Timestamp;

    fn with(states: &[(&str, Sync)]) -> Inventory {
        let mut inventory = Inventory::default();
        for (namespace, state) in states {
            let scope = match *namespace {
                "" => Scope::Cluster,
                name => Scope::Namespace(name.into()),
            };
            inventory.apply(Change::Sync(Kind::Pod, scope, state.clone()));
        }
        inventory
    }

    fn forbidden() -> Sync {
        let message = "pods is forbidden".into();
        Sync::Forbidden { message }
    }

    fn stale() -> Sync {
        Sync::Stale {
            since: Timestamp::UNIX_EPOCH,
            reason: "refused".into(),
        }
    }

    #[test]
    fn a_kind_is_as_complete_as_its_worst_watched_scope() {
        let failing = || Sync::Failing {
            reason: "refused".into(),
        };
        let absent = || Sync::Absent {
            reason: "only namespace shop is watched".into(),
        };
        let cases = [
            (vec![], Completeness::Unlisted),
            (vec![("", Sync::Syncing)], Completeness::Unlisted),
            (vec![("", failing())], Completeness::Unlisted),
            (vec![("", stale())], Completeness::Stale),
            (vec![("", forbidden())], Completeness::Partial),
            (vec![("", Sync::Live)], Completeness::Live),
            // The user chose a namespace: the rest of the cluster is not missed.
            (
                vec![("", absent()), ("shop", Sync::Live)],
                Completeness::Live,
            ),
            (
                vec![("", absent()), ("shop", Sync::Live), ("infra", stale())],
                Completeness::Stale,
            ),
            (
                vec![
                    ("", absent()),
                    ("shop", Sync::Live),
                    ("infra", Sync::Syncing),
                ],
                Completeness::Unlisted,
            ),
            // One namespace stands in for a cluster that may not be listed.
            (
                vec![("", forbidden()), ("shop", Sync::Live)],
                Completeness::Live,
            ),
            (
                vec![("", forbidden()), ("shop", forbidden())],
                Completeness::Partial,
            ),
            // While the whole cluster is listed, what stood in for it counts no more.
            (
                vec![("", Sync::Live), ("shop", stale())],
                Completeness::Live,
            ),
        ];
        for (states, expected) in cases {
            let inventory = with(&states);
            assert_eq!(inventory.completeness(Kind::Pod), expected, "{states:?}");
        }
    }

    #[test]
    fn an_object_that_can_not_be_read_costs_its_namespace_the_whole_and_no_more() {
        let mut inventory = with(&[("", Sync::Live)]);
        let found = |is_missing| {
            let reason = "no number".into();
            let key = crate::inventory::ObjectKey::new("shop", "web");
            [(key, crate::inventory::Unreadable { reason, is_missing })].into()
        };
        let mut read = |objects| {
            inventory.apply(Change::Unreadable(Kind::Pod, Scope::Cluster, objects));
            let places =
                ["shop", "infra"].map(|it| inventory.completeness_in(Kind::Pod, &it.into()));
            (
                inventory.completeness(Kind::Pod),
                places,
                inventory.unreadable_in_words([Kind::Pod]),
            )
        };
        let (live, partial) = (Completeness::Live, Completeness::Partial);
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
        let mut inventory = with(&[("", Sync::Live)]);
        let kinds = [Kind::Pod, Kind::Node];
        assert_eq!(inventory.completeness_of(kinds), Completeness::Unlisted);
        inventory.apply(Change::Sync(Kind::Node, Scope::Cluster, forbidden()));
        assert_eq!(inventory.completeness_of(kinds), Completeness::Partial);
        inventory.apply(Change::Sync(Kind::Node, Scope::Cluster, Sync::Live));
        assert_eq!(inventory.completeness_of(kinds), Completeness::Live);
    }

    #[test]
    fn what_stands_in_is_told_from_what_was_chosen() {
        let fallen_back = with(&[("", forbidden()), ("shop", Sync::Live)]);
        let (namespaces, refused) = fallen_back.fallback(Kind::Pod).unwrap();
        assert_eq!(namespaces, [&Text::from("shop")]);
        assert_eq!(&**refused, "pods is forbidden");
        assert!(fallen_back.is_narrowed(Kind::Pod));
        let absent = Sync::Absent {
            reason: "only namespace shop is watched".into(),
        };
        let chosen = with(&[("", absent), ("shop", Sync::Live)]);
        assert_eq!(chosen.fallback(Kind::Pod), None);
        assert!(chosen.is_narrowed(Kind::Pod));
        assert!(!with(&[("", forbidden())]).is_narrowed(Kind::Pod));
    }
}
