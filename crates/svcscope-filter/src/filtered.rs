//! The part of the graph that a filter shows, kept up to date from changes.

use std::{collections::BTreeMap, sync::Arc};

use imbl::OrdMap;

use super::{FilterCriterion, ServiceFilter, ServiceNeighbourhood};
use svcscope_check::ServiceReport;
use svcscope_model::inventory::ObjectKey;
use svcscope_model::topology::Topology;

/// What the checks say, by Service.
type ReportsByService = OrdMap<ObjectKey, Arc<ServiceReport>>;

/// How many are shown of how many, and what hides the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterCounts {
    /// Services that are shown.
    pub services: usize,
    /// Services that there are.
    pub of_services: usize,
    /// Different pods behind the shown Services.
    pub pods: usize,
    /// Different pods behind any Service.
    pub of_pods: usize,
    /// Hidden Services by the first thing that hides them; none is zero.
    pub hidden_by: BTreeMap<FilterCriterion, usize>,
}

impl FilterCounts {
    /// How many Services are hidden.
    pub fn hidden(&self) -> usize {
        self.of_services - self.services
    }
}

/// The part of a graph that a filter shows.
///
/// Following a change costs what changed; it then equals the one made from scratch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilteredMap {
    filter: ServiceFilter,
    topology: Topology,
    of_services: usize,
    of_pods: usize,
    hidden: OrdMap<ObjectKey, FilterCriterion>,
    hidden_by: BTreeMap<FilterCriterion, usize>,
    neighbourhood: Option<ServiceNeighbourhood>,
}

impl FilteredMap {
    /// Asks every Service of a graph.
    pub fn new(filter: ServiceFilter, whole: &Topology, reports: &ReportsByService) -> Self {
        let around = filter
            .neighbourhood
            .clone()
            .map(|of| ServiceNeighbourhood::new(of, whole));
        let mut map = Self {
            filter,
            neighbourhood: around,
            ..Self::default()
        };
        if map.filter.is_empty() {
            map.topology = whole.clone();
        } else {
            for traffic in whole.services() {
                map.evaluate(whole, reports, &traffic.service.key);
            }
        }
        map.count(whole);
        map
    }

    /// Follows a change; `changed` are the Services of which the traffic or the report may be
    /// different. Says which of those that are shown now, or were until now, may be different.
    pub fn update(
        &mut self,
        whole: &Topology,
        reports: &ReportsByService,
        changed: &[ObjectKey],
    ) -> Vec<ObjectKey> {
        if self.filter.is_empty() {
            self.topology = whole.clone();
            self.count(whole);
            return changed.to_vec();
        }
        let beside = self
            .neighbourhood
            .as_mut()
            .map(|around| around.update(whole, changed));
        let mut differ = Vec::new();
        for key in changed.iter().chain(beside.iter().flatten()) {
            let before = self.topology.service(key).is_some();
            self.evaluate(whole, reports, key);
            if before || self.topology.service(key).is_some() {
                differ.push(key.clone());
            }
        }
        self.count(whole);
        differ
    }

    /// What it was made of.
    pub fn filter(&self) -> &ServiceFilter {
        &self.filter
    }

    /// The part of the graph that is shown. It knows of no Services whose selector matches
    /// nothing, so that it can't follow changes by itself.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The numbers.
    pub fn counts(&self) -> FilterCounts {
        FilterCounts {
            services: self.topology.service_count(),
            of_services: self.of_services,
            pods: self.topology.pod_count(),
            of_pods: self.of_pods,
            hidden_by: self.hidden_by.clone(),
        }
    }

    /// What hides a Service; nothing where it is shown or not there.
    pub fn hidden_by(&self, service: &ObjectKey) -> Option<FilterCriterion> {
        self.hidden.get(service).copied()
    }

    fn count(&mut self, whole: &Topology) {
        self.of_services = whole.service_count();
        self.of_pods = whole.pod_count();
    }

    fn evaluate(&mut self, whole: &Topology, reports: &ReportsByService, key: &ObjectKey) {
        let reason = whole.service(key).and_then(|traffic| {
            let report = reports.get(key).map(|report| &**report);
            self.filter
                .hidden_by(traffic, report, self.neighbourhood.as_ref())
        });
        match reason {
            None => self.topology.copy_service(whole, key),
            Some(_) => self.topology.remove_service(key),
        }
        let before = match reason {
            Some(reason) => self.hidden.insert(key.clone(), reason),
            None => self.hidden.remove(key),
        };
        if let Some(before) = before
            && let Some(count) = self.hidden_by.get_mut(&before)
        {
            *count -= 1;
            if *count == 0 {
                self.hidden_by.remove(&before);
            }
        }
        if let Some(reason) = reason {
            *self.hidden_by.entry(reason).or_default() += 1;
        }
    }
}
