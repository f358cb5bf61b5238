//! Which families come anew when some Services changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Family, Layout, Options, make, pins,
    restyle::{restyle, same_shape},
    sieve::Sieve,
};
use crate::inventory::ObjectKey;
use crate::topology::{BackendTarget, NodeId, ServiceTraffic, Topology, WorkloadId};

/// What differs from the last layout.
#[derive(Default)]
pub(super) struct News {
    /// Families that stand no more, as indices into those of the last layout.
    pub gone: BTreeSet<usize>,
    /// Families that stay where they are and are the same but for states.
    pub restyled: BTreeMap<usize, Arc<Family>>,
    /// Families that need a place.
    pub made: Vec<Newcomer>,
}

/// A family that needs a place.
pub(super) struct Newcomer {
    pub family: Arc<Family>,
    /// The family that it comes after, as an index into those of the last layout.
    pub before: Option<usize>,
    /// Whether a person put it somewhere else since.
    pub put: bool,
}

impl News {
    /// Whether all is as it was.
    pub(super) fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.restyled.is_empty() && self.made.is_empty()
    }

    /// What these Services changed, if they did, and what a person put elsewhere.
    pub(super) fn of(
        topology: &Topology,
        options: &Options,
        last: &Layout,
        changed: &[ObjectKey],
    ) -> Self {
        let mut news = Self::default();
        let mut other_states = BTreeSet::new();
        let mut concerned: BTreeSet<&ObjectKey> = BTreeSet::new();
        for key in changed {
            let at = last.family_of(key);
            let was = at.and_then(|at| last.source(at, key));
            match (was, topology.service(key)) {
                (None, None) => {}
                (Some(was), Some(now)) if Arc::ptr_eq(was, now) || was == now => {}
                (Some(was), Some(now)) if same_shape(was, now, options.grouping) => {
                    other_states.extend(at);
                }
                (_, now) => {
                    news.gone.extend(at);
                    concerned.extend(now.map(|_| key));
                    if let Some(now) = now {
                        last.reach(at, now, &mut news.gone);
                    }
                }
            }
        }
        for &at in &news.gone {
            concerned.extend(last.services_of(at));
        }
        for at in other_states.difference(&news.gone) {
            let restyled = last.restyled(*at, topology);
            news.restyled
                .extend(restyled.map(|family| (*at, Arc::new(family))));
        }
        news.make(topology, options, last, &concerned);
        news.put(options, last);
        news
    }

    fn make(
        &mut self,
        topology: &Topology,
        options: &Options,
        last: &Layout,
        concerned: &BTreeSet<&ObjectKey>,
    ) {
        let services: Vec<_> = concerned
            .iter()
            .filter_map(|key| topology.service(key))
            .collect();
        let mut taken = BTreeSet::new();
        let mut before = Vec::new();
        let families = make::families(&services, options.group_above, |services| {
            // Who has the first of the Services, by name, goes on in its place.
            let at = services
                .iter()
                .filter_map(|traffic| last.family_of(&traffic.service.key))
                .find(|at| taken.insert(*at));
            before.push(at);
            at.and_then(|at| last.families.get(at))
                .map(|placed| &*placed.family)
        });
        self.made
            .extend(families.into_iter().zip(before).map(|(family, before)| {
                let put = pins::of(&family, &options.pins) != pins::of(&family, &last.made.pins);
                Newcomer {
                    family,
                    before,
                    put,
                }
            }));
    }

    /// Families that did not change, yet a person put them elsewhere.
    fn put(&mut self, options: &Options, last: &Layout) {
        if Arc::ptr_eq(&options.pins, &last.made.pins) {
            return;
        }
        for service in pins::changed(&options.pins, &last.made.pins) {
            let Some(at) = last.family_of(service) else {
                continue;
            };
            let Some(placed) = last.families.get(at) else {
                continue;
            };
            if self.gone.insert(at) {
                let restyled = self.restyled.remove(&at);
                self.made.push(Newcomer {
                    family: restyled.unwrap_or_else(|| placed.family.clone()),
                    before: Some(at),
                    put: true,
                });
            }
        }
    }
}

impl Layout {
    fn services_of(&self, family: usize) -> impl Iterator<Item = &ObjectKey> {
        let placed = self.families.get(family).into_iter();
        placed
            .flat_map(|placed| &placed.family.sources)
            .map(|traffic| &traffic.service.key)
    }

    /// What a Service of a family was when the family was made.
    fn source(&self, family: usize, service: &ObjectKey) -> Option<&Arc<ServiceTraffic>> {
        let sources = &self.families.get(family)?.family.sources;
        let at = sources
            .binary_search_by(|traffic| traffic.service.key.cmp(service))
            .ok()?;
        sources.get(at)
    }

    fn restyled(&self, family: usize, topology: &Topology) -> Option<Family> {
        let family = &self.families.get(family)?.family;
        let now = family
            .sources
            .iter()
            .map(|was| topology.service(&was.service.key).cloned());
        Some(restyle(family, now.collect::<Option<_>>()?))
    }

    /// Adds the families whose pods or workloads a Service has now; `own` is the one it is part of.
    fn reach(&self, own: Option<usize>, now: &ServiceTraffic, found: &mut BTreeSet<usize>) {
        let own = own.and_then(|at| self.families.get(at));
        let mut last_workload = None;
        for backend in now.ports.iter().flat_map(|port| &port.backends) {
            if let BackendTarget::Pod(pod) = &backend.target {
                let id = NodeId::Pod(pod.clone());
                if !own.is_some_and(|own| own.family.index.contains_key(&id)) {
                    found.extend(self.find(&id).map(|at| at.family));
                }
            }
            if let Some(workload) = &backend.workload
                && last_workload != Some(workload)
            {
                last_workload = Some(workload);
                if !own.is_some_and(|own| holds(&own.family, workload)) {
                    found.extend(self.family_with(workload));
                }
            }
        }
    }

    fn family_with(&self, workload: &WorkloadId) -> Option<usize> {
        let sieve = Sieve::of(workload);
        let mut families = self.families.iter();
        families.position(|placed| placed.sieve.may_hold(sieve) && holds(&placed.family, workload))
    }
}

/// Whether a pod of a workload is in a family, in a group or by itself.
fn holds(family: &Family, workload: &WorkloadId) -> bool {
    family
        .sources
        .iter()
        .flat_map(|traffic| &traffic.ports)
        .flat_map(|port| &port.backends)
        .any(|backend| backend.workload.as_ref() == Some(workload))
}
