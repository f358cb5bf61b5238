//! Which families come anew when some Services changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    ComponentLayout, LayoutOptions, MapLayout,
    bloom_filter::BloomFilter,
    components, pins,
    restyle::{restyle, same_shape},
};
use crate::inventory::ObjectKey;
use crate::topology::{BackendTarget, NodeId, ServiceTraffic, Topology, WorkloadId};

/// What differs from the last layout.
#[derive(Default)]
pub(super) struct ComponentChanges {
    /// Families that stand no more, as indices into those of the last layout.
    pub removed: BTreeSet<usize>,
    /// Families that stay where they are and are the same but for states.
    pub restyled: BTreeMap<usize, Arc<ComponentLayout>>,
    /// Families that need a place.
    pub rebuilt: Vec<RebuiltComponent>,
}

/// A family that needs a place.
pub(super) struct RebuiltComponent {
    pub component: Arc<ComponentLayout>,
    /// The family that it comes after, as an index into those of the last layout.
    pub previous: Option<usize>,
    /// Whether the user put it somewhere else since.
    pub moved_by_user: bool,
}

impl ComponentChanges {
    /// Whether all is as it was.
    pub(super) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.restyled.is_empty() && self.rebuilt.is_empty()
    }

    /// What these Services changed, if they did, and what the user put elsewhere.
    pub(super) fn of(
        topology: &Topology,
        options: &LayoutOptions,
        last: &MapLayout,
        changed: &[ObjectKey],
    ) -> Self {
        let mut news = Self::default();
        let mut other_states = BTreeSet::new();
        let mut concerned: BTreeSet<&ObjectKey> = BTreeSet::new();
        for key in changed {
            let at = last.component_of(key);
            let was = at.and_then(|at| last.source(at, key));
            match (was, topology.service(key)) {
                (None, None) => {}
                (Some(was), Some(now)) if Arc::ptr_eq(was, now) || was == now => {}
                (Some(was), Some(now)) if same_shape(was, now, options.grouping) => {
                    other_states.extend(at);
                }
                (_, now) => {
                    news.removed.extend(at);
                    concerned.extend(now.map(|_| key));
                    if let Some(now) = now {
                        last.add_components_sharing_backends(at, now, &mut news.removed);
                    }
                }
            }
        }
        for &at in &news.removed {
            concerned.extend(last.services_of(at));
        }
        for at in other_states.difference(&news.removed) {
            let restyled = last.restyled(*at, topology);
            news.restyled
                .extend(restyled.map(|family| (*at, Arc::new(family))));
        }
        news.rebuild(topology, options, last, &concerned);
        news.apply_pins(options, last);
        news
    }

    fn rebuild(
        &mut self,
        topology: &Topology,
        options: &LayoutOptions,
        last: &MapLayout,
        concerned: &BTreeSet<&ObjectKey>,
    ) {
        let services: Vec<_> = concerned
            .iter()
            .filter_map(|key| topology.service(key))
            .collect();
        let mut taken = BTreeSet::new();
        let mut before = Vec::new();
        let families =
            components::build_components(&services, options.pod_group_threshold, |services| {
                // Who has the first of the Services, by name, goes on in its place.
                let at = services
                    .iter()
                    .filter_map(|traffic| last.component_of(&traffic.service.key))
                    .find(|at| taken.insert(*at));
                before.push(at);
                at.and_then(|at| last.components.get(at))
                    .map(|placed| &*placed.component)
            });
        self.rebuilt
            .extend(families.into_iter().zip(before).map(|(family, before)| {
                let put = pins::of(&family, &options.pins) != pins::of(&family, &last.inputs.pins);
                RebuiltComponent {
                    component: family,
                    previous: before,
                    moved_by_user: put,
                }
            }));
    }

    /// Families that did not change, yet the user put them elsewhere.
    fn apply_pins(&mut self, options: &LayoutOptions, last: &MapLayout) {
        if Arc::ptr_eq(&options.pins, &last.inputs.pins) {
            return;
        }
        for service in pins::changed(&options.pins, &last.inputs.pins) {
            let Some(at) = last.component_of(service) else {
                continue;
            };
            let Some(placed) = last.components.get(at) else {
                continue;
            };
            if self.removed.insert(at) {
                let restyled = self.restyled.remove(&at);
                self.rebuilt.push(RebuiltComponent {
                    component: restyled.unwrap_or_else(|| placed.component.clone()),
                    previous: Some(at),
                    moved_by_user: true,
                });
            }
        }
    }
}

impl MapLayout {
    fn services_of(&self, family: usize) -> impl Iterator<Item = &ObjectKey> {
        let placed = self.components.get(family).into_iter();
        placed
            .flat_map(|placed| &placed.component.sources)
            .map(|traffic| &traffic.service.key)
    }

    /// What a Service of a family was when the family was made.
    fn source(&self, family: usize, service: &ObjectKey) -> Option<&Arc<ServiceTraffic>> {
        let sources = &self.components.get(family)?.component.sources;
        let at = sources
            .binary_search_by(|traffic| traffic.service.key.cmp(service))
            .ok()?;
        sources.get(at)
    }

    fn restyled(&self, family: usize, topology: &Topology) -> Option<ComponentLayout> {
        let family = &self.components.get(family)?.component;
        let now = family
            .sources
            .iter()
            .map(|was| topology.service(&was.service.key).cloned());
        Some(restyle(family, now.collect::<Option<_>>()?))
    }

    /// Adds the families whose pods or workloads a Service has now; `own` is the one it is part of.
    fn add_components_sharing_backends(
        &self,
        own: Option<usize>,
        now: &ServiceTraffic,
        found: &mut BTreeSet<usize>,
    ) {
        let own = own.and_then(|at| self.components.get(at));
        let mut last_workload = None;
        for backend in now.ports.iter().flat_map(|port| &port.backends) {
            if let BackendTarget::Pod(pod) = &backend.target {
                let id = NodeId::Pod(pod.clone());
                if !own.is_some_and(|own| own.component.index.contains_key(&id)) {
                    found.extend(self.find(&id).map(|at| at.component));
                }
            }
            if let Some(workload) = &backend.workload
                && last_workload != Some(workload)
            {
                last_workload = Some(workload);
                if !own.is_some_and(|own| holds(&own.component, workload)) {
                    found.extend(self.component_with(workload));
                }
            }
        }
    }

    fn component_with(&self, workload: &WorkloadId) -> Option<usize> {
        let sieve = BloomFilter::of(workload);
        let mut families = self.components.iter();
        families.position(|placed| {
            placed.bloom_filter.may_hold(sieve) && holds(&placed.component, workload)
        })
    }
}

/// Whether a pod of a workload is in a family, in a group or by itself.
fn holds(family: &ComponentLayout, workload: &WorkloadId) -> bool {
    family
        .sources
        .iter()
        .flat_map(|traffic| &traffic.ports)
        .flat_map(|port| &port.backends)
        .any(|backend| backend.workload.as_ref() == Some(workload))
}
