//! The shown part that followed any changes against the one made from scratch.

use proptest::{collection::btree_set, option, prelude::*, sample::select};

use super::*;
use svcscope_check::{self as check, Health, ServiceChecks};
use svcscope_model::inventory::{ObjectKey, SharedStr};
use svcscope_model::topology::Topology;
use svcscope_testkit::{
    arbitrary::{self, batches, now},
    sample::live,
};

fn filter() -> impl Strategy<Value = ServiceFilter> {
    let key = (select(&["infra", "shop"][..]), select(&["a", "b", "c"][..]));
    (
        btree_set(select(&ServiceKind::ALL[..]), 0..3),
        btree_set(select(&Health::ALL[..]), 0..4),
        btree_set(
            select(&["infra", "shop"][..]).prop_map(SharedStr::from),
            0..2,
        ),
        select(&["", "", "a", "ns:shop", "pod:p1", "port:80", "broken"][..]),
        select(&["", "", "app", "!app", "app in (web,x)", "run!=web"][..]),
        proptest::bool::weighted(0.3),
        option::of(key),
    )
        .prop_map(
            |(types, states, namespaces, text, labels, only_wrong, around)| ServiceFilter {
                types,
                health: states,
                namespaces,
                text: SearchQuery::parse(text),
                labels: LabelFilter::parse(labels).expect("a selector"),
                only_problems: only_wrong,
                neighbourhood: around.map(|(namespace, name)| ObjectKey::new(namespace, name)),
            },
        )
}

proptest! {
    #[test]
    fn following_changes_shows_what_asking_all_anew_would(
        batches in batches(),
        filter in filter(),
    ) {
        let mut inventory = live();
        let mut topology = Topology::default();
        let mut checks = ServiceChecks::default();
        let mut map = FilteredMap::new(filter.clone(), &topology, checks.reports());
        for batch in batches {
            let touched = arbitrary::apply(&mut inventory, &batch);
            let mut changed = topology.update(&inventory, &touched);
            changed.extend(checks.apply_changes(&topology, &inventory, &touched, &changed, now()));
            changed.sort();
            changed.dedup();
            let before = map.clone();
            let differ = map.update(&topology, checks.reports(), &changed);
            let anew = FilteredMap::new(filter.clone(), &topology, checks.reports());
            prop_assert_eq!(&map, &anew);
            let keys = before.topology().services().chain(map.topology().services());
            for key in keys.map(|traffic| &traffic.service.key) {
                let same = before.topology().service(key) == map.topology().service(key);
                prop_assert!(same || differ.contains(key), "{} differs unsaid", key);
            }
        }
    }

    #[test]
    fn the_numbers_are_those_of_what_is_shown(
        inventory in arbitrary::inventory(),
        filter in filter(),
    ) {
        let topology = Topology::build(&inventory);
        let reports = check::check_all(&topology, &inventory, now());
        let map = FilteredMap::new(filter, &topology, &reports);
        let shown = map.counts();
        let pods = |topology: &Topology| {
            let nodes = topology.nodes();
            nodes
                .into_iter()
                .filter(|node| matches!(node, svcscope_model::topology::NodeId::Pod(_)))
                .count()
        };
        prop_assert_eq!(shown.services, map.topology().services().count());
        prop_assert_eq!(shown.of_services, topology.services().count());
        prop_assert_eq!(shown.pods, pods(map.topology()));
        prop_assert_eq!(shown.of_pods, pods(&topology));
        prop_assert_eq!(shown.hidden(), shown.hidden_by.values().sum::<usize>());
    }
}
