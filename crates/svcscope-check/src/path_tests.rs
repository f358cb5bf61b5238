//! What tests of paths found of Services, for as long as it is of the Service that there is.
//!
//! A result is kept until the Service is tested again or changes. These changes outdate it: another
//! object of the same name; in its spec the type, addresses, selector, ports, external name, policies
//! or families; an endpoint that comes, goes, or turns ready or not; a pod behind it that is another
//! one, or a container that restarted. Labels, annotations and whatever else leaves the way of a
//! packet as it is outdate nothing.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use jiff::Timestamp;

use svcscope_model::inventory::{Inventory, ObjectKey, SharedStr};

/// Results of more Services than this are not kept: the oldest go.
const MAX_RESULTS: usize = 200;

/// What a test of all paths proved wrong about ports of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathEvidence {
    /// The ports, by number.
    pub ports: Vec<u16>,
    /// In a few words: `nothing listens on targetPort 8080`.
    pub short: SharedStr,
    /// The conclusion.
    pub text: SharedStr,
    /// The name of the conclusion.
    pub rule: &'static str,
    /// Whether no client gets an answer; else a path, a pod or a client is affected.
    pub is_broken: bool,
}

/// The result of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTestReport {
    /// When it was tested.
    pub at: Timestamp,
    /// The same as the user reads it: `14:02`.
    pub at_text: SharedStr,
    /// What is wrong; nothing where all that was tried works.
    pub evidence: Arc<[PathEvidence]>,
    /// What was tested: see [`path_fingerprint`].
    pub fingerprint: PathFingerprint,
}

/// Stands for all of a Service that a packet's way depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathFingerprint(u64);

/// What the way of a packet to a Service depends on; none where there is no such Service.
pub fn path_fingerprint(service: &ObjectKey, inventory: &Inventory) -> Option<PathFingerprint> {
    let record = inventory.service(service)?;
    let mut hasher = DefaultHasher::new();
    (&record.uid, record.service_type, &record.cluster_ips).hash(&mut hasher);
    (&record.selector, &record.ports, &record.external_name).hash(&mut hasher);
    (&record.external_ips, &record.load_balancer).hash(&mut hasher);
    (&record.source_ranges, &record.ip_families).hash(&mut hasher);
    (
        record.external_traffic_policy,
        record.internal_traffic_policy,
        record.publish_not_ready_addresses,
    )
        .hash(&mut hasher);
    // In an order of their own: the controller moves endpoints between slices.
    let mut endpoints: Vec<_> = inventory
        .slices_of(service)
        .flat_map(|slice| slice.endpoints.iter().map(move |at| (slice, at)))
        .map(|(slice, at)| {
            let ports = slice.ports.iter().map(|port| (&port.name, port.port));
            let state = (at.ready, at.serving, at.terminating);
            (&at.address, &at.pod, state, ports.collect::<Vec<_>>())
        })
        .collect();
    endpoints.sort();
    endpoints.dedup();
    endpoints.hash(&mut hasher);
    let mut pods: Vec<_> = inventory
        .pods_selected_by(record)
        .into_iter()
        .map(|pod| {
            let containers = pod.containers.iter();
            let restarts: u64 = containers.map(|it| u64::from(it.restarts)).sum();
            (&pod.key, &pod.uid, pod.ready, restarts)
        })
        .collect();
    pods.sort();
    pods.hash(&mut hasher);
    Some(PathFingerprint(hasher.finish()))
}

/// The last result of each Service.
#[derive(Clone, Debug, Default)]
pub(super) struct PathTestStore(BTreeMap<ObjectKey, PathTestReport>);

impl PathTestStore {
    /// The last result of a Service.
    pub fn get(&self, service: &ObjectKey) -> Option<&PathTestReport> {
        self.0.get(service)
    }

    /// Keeps a result; says of which Service the oldest one made room.
    pub fn record(&mut self, service: ObjectKey, result: PathTestReport) -> Option<ObjectKey> {
        self.0.insert(service, result);
        if self.0.len() <= MAX_RESULTS {
            return None;
        }
        let oldest = self.0.iter().min_by_key(|(_, result)| result.at);
        let oldest = oldest.map(|(service, _)| service.clone())?;
        self.0.remove(&oldest);
        Some(oldest)
    }

    /// Drops what is not of the Service any more that there is; says whether that was so.
    pub fn drop_outdated(&mut self, service: &ObjectKey, inventory: &Inventory) -> bool {
        let held = self.0.get(service);
        let is_old =
            held.is_some_and(|it| path_fingerprint(service, inventory) != Some(it.fingerprint));
        is_old && self.0.remove(service).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_testkit::sample::{key, labels, live, pod, port, put, service, slice, slice_port};

    fn web() -> Inventory {
        let mut inventory = live();
        put(
            &mut inventory,
            service("web", vec![port("http", 80, "8080")]),
        );
        put(&mut inventory, pod("web", 1));
        put(
            &mut inventory,
            slice("web", 1, vec![slice_port("http", 8080)], &[&pod("web", 1)]),
        );
        inventory
    }

    #[test]
    fn what_the_way_of_a_packet_depends_on_outdates_a_result() {
        let before = path_fingerprint(&key("web"), &web());
        assert!(before.is_some());
        let after =
            |change: &dyn Fn(&mut Inventory) -> Vec<svcscope_model::inventory::ChangedRecord>| {
                let mut inventory = web();
                change(&mut inventory);
                path_fingerprint(&key("web"), &inventory)
            };
        let mut same = service("web", vec![port("http", 80, "8080")]);
        same.labels = labels(&[("team", "a")]);
        same.annotations = labels(&[("note", "b")]);
        same.resource_version = "99".into();
        assert_eq!(after(&|it| put(it, same.clone())), before);
        // The same endpoint in another slice.
        let moved = slice("web", 2, vec![slice_port("http", 8080)], &[&pod("web", 1)]);
        assert_eq!(after(&|it| put(it, moved.clone())), before);

        let other_port = service("web", vec![port("http", 80, "9090")]);
        assert_ne!(after(&|it| put(it, other_port.clone())), before);
        let mut other = same.clone();
        other.uid = "another".into();
        assert_ne!(after(&|it| put(it, other.clone())), before);
        let mut restarted = pod("web", 1);
        restarted.containers[0].restarts += 1;
        assert_ne!(after(&|it| put(it, restarted.clone())), before);
        let mut unready = slice("web", 1, vec![slice_port("http", 8080)], &[&pod("web", 1)]);
        unready.endpoints[0].ready = false;
        assert_ne!(after(&|it| put(it, unready.clone())), before);
        assert_eq!(path_fingerprint(&key("gone"), &web()), None);
    }

    #[test]
    fn the_oldest_results_make_room() {
        let mut tested = PathTestStore::default();
        let way = path_fingerprint(&key("web"), &web()).expect("the Service");
        let names = (0..=MAX_RESULTS).map(|number| key(&format!("web-{number}")));
        let gone: Vec<_> = names
            .enumerate()
            .filter_map(|(number, service)| {
                let at = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(number as i64);
                let result = PathTestReport {
                    at,
                    at_text: "00:00".into(),
                    evidence: Arc::default(),
                    fingerprint: way,
                };
                tested.record(service, result)
            })
            .collect();
        assert_eq!(gone, [key("web-0")]);
    }
}
