//! Reports that followed random changes against reports made from scratch.

use proptest::prelude::*;

use super::{FindingLocation, Health, RuleSuppressions, ServiceChecks, Severity, check_all};
use svcscope_model::inventory::{InventoryChange, ResourceKind, SyncState};
use svcscope_model::topology::Topology;
use svcscope_testkit::{
    arbitrary::{self, batches, now},
    sample::live,
};

/// Makes watched kinds of polled ones. While kinds are polled, what is told depends on how long it
/// has been found ([`super::patience`]), which nothing that is made from scratch can know.
fn watch_what_is_polled(batch: &mut [InventoryChange]) {
    for change in batch {
        if let InventoryChange::Sync(_, _, state @ SyncState::Polled { .. }) = change {
            *state = SyncState::Live;
        }
    }
}

proptest! {
    #[test]
    fn following_changes_gives_the_reports_made_from_scratch(batches in batches()) {
        let mut inventory = live();
        let mut topology = Topology::default();
        let mut checks = ServiceChecks::default();
        for mut batch in batches {
            watch_what_is_polled(&mut batch);
            let touched = arbitrary::apply(&mut inventory, &batch);
            let changed = topology.update(&inventory, &touched);
            let before = checks.reports().clone();
            let differ = checks.apply_changes(&topology, &inventory, &touched, &changed, now());
            let nothing = RuleSuppressions::default();
            let history = checks.history();
            let anew = ServiceChecks::with_history(&topology, &inventory, nothing, history, now());
            prop_assert_eq!(checks.reports(), anew.reports());
            prop_assert!(differ.is_sorted());
            let keys = before.keys().chain(checks.reports().keys());
            for key in keys {
                let same = before.get(key) == checks.reports().get(key);
                prop_assert_eq!(!same, differ.contains(key), "{} differs or not", key);
            }
        }
    }

    #[test]
    fn a_verdict_never_says_more_than_is_known(batches in batches()) {
        let mut inventory = live();
        for batch in batches {
            arbitrary::apply(&mut inventory, &batch);
        }
        let topology = Topology::build(&inventory);
        for (key, report) in &check_all(&topology, &inventory, now()) {
            prop_assert!(report.ready <= report.expected);
            let known = [ResourceKind::Service, ResourceKind::EndpointSlice, ResourceKind::Pod]
                .into_iter()
                .all(|kind| inventory.sync(kind, &key.namespace).is_current());
            prop_assert!(known || matches!(report.health, Health::Unknown | Health::Broken));
            // A way in that fails leaves the others.
            let is_error = |of_door: bool| {
                report.findings.iter().any(|found| {
                    let is_door = matches!(found.location, FindingLocation::Object(_));
                    found.severity == Severity::Error && is_door == of_door
                })
            };
            prop_assert!(!is_error(false) || report.health >= Health::Broken);
            prop_assert!(!is_error(true) || report.health >= Health::Degraded);
            let Some(traffic) = topology.service(key) else {
                prop_assert_eq!(report.health, Health::Unknown);
                continue;
            };
            let dead_port = traffic.ports.iter().any(|port| port.ready() == 0);
            if report.health == Health::Healthy {
                prop_assert!(!dead_port, "{} has a port without backends: {:?}", key, report);
                prop_assert!(report.ready > 0, "{} has nothing behind it: {:?}", key, report);
            }
        }
    }
}
