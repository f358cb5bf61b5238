//! The backends of a namespace by number: each name is looked up once, the rest counts on arrays.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::FixedState;

use crate::inventory::ObjectKey;
use crate::topology::{BackendTarget, NodeId, PortBackend, ServiceTraffic, WorkloadId};

/// A number for each of many things.
type IndexByKey<T> = HashMap<T, usize, FixedState>;

/// A pod, or an address, behind one or more Services.
pub(super) struct SharedBackend<'a> {
    what: &'a BackendTarget,
    owner: &'a ObjectKey,
    /// The first Service that it is behind.
    pub first: usize,
    /// The workload that owns it, as an index into [`BackendTable::workloads`].
    pub workload: Option<usize>,
    /// A number that targets behind the same Services share.
    services_hash: u64,
    last: usize,
}

impl<'a> SharedBackend<'a> {
    fn new(backend: &'a PortBackend, owner: &'a ObjectKey, service: usize) -> Self {
        Self {
            what: &backend.target,
            owner,
            first: service,
            workload: None,
            services_hash: mix(0, service),
            last: service,
        }
    }

    fn is_behind(&mut self, service: usize) {
        if self.last != service {
            self.last = service;
            self.services_hash = mix(self.services_hash, service);
        }
    }

    /// Its node of the graph.
    pub(super) fn node_id(&self) -> NodeId {
        self.what.node_id(self.owner)
    }

    /// The pod that it is.
    pub(super) fn pod(&self) -> Option<&'a ObjectKey> {
        match self.what {
            BackendTarget::Pod(key) => Some(key),
            BackendTarget::Address(_) => None,
        }
    }
}

/// All targets of a namespace; Services are indices into its list.
#[derive(Default)]
pub(super) struct BackendTable<'a> {
    /// Each once, in the order in which they are met.
    pub list: Vec<SharedBackend<'a>>,
    /// Each once, with the first Service that it is behind.
    pub workloads: Vec<(&'a WorkloadId, usize)>,
    /// For each backend, in the order of Services, ports and backends, its target.
    of_backend: Vec<usize>,
    /// Where the backends of a Service begin in `of_backend`.
    begin: Vec<usize>,
}

impl<'a> BackendTable<'a> {
    pub(super) fn of(services: &[&'a Arc<ServiceTraffic>]) -> Self {
        let mut targets = Self::default();
        let backends: usize = services
            .iter()
            .flat_map(|traffic| &traffic.ports)
            .map(|port| port.backends.len())
            .sum();
        targets.of_backend.reserve(backends);
        let mut places: IndexByKey<(Option<usize>, &BackendTarget)> = IndexByKey::default();
        places.reserve(backends);
        let mut workloads: IndexByKey<&WorkloadId> = IndexByKey::default();
        for (service, traffic) in services.iter().enumerate() {
            targets.begin.push(targets.of_backend.len());
            for backend in traffic.ports.iter().flat_map(|port| &port.backends) {
                // An address is nobody's but the Service's: two may write the same one.
                let scope = matches!(backend.target, BackendTarget::Address(_)).then_some(service);
                let at = *places.entry((scope, &backend.target)).or_insert_with(|| {
                    let owner = &traffic.service.key;
                    let mut target = SharedBackend::new(backend, owner, service);
                    target.workload = backend.workload.as_ref().map(|workload| {
                        *workloads.entry(workload).or_insert_with(|| {
                            targets.workloads.push((workload, service));
                            targets.workloads.len() - 1
                        })
                    });
                    targets.list.push(target);
                    targets.list.len() - 1
                });
                targets.of_backend.push(at);
                if let Some(target) = targets.list.get_mut(at) {
                    target.is_behind(service);
                }
            }
        }
        targets
    }

    /// The targets of a Service's backends, port by port, with repetitions.
    pub(super) fn of_service(&self, service: usize) -> impl Iterator<Item = usize> + '_ {
        let begin = self.begin.get(service).copied();
        let end = self.begin.get(service + 1).copied();
        let range = begin.unwrap_or(self.of_backend.len())..end.unwrap_or(self.of_backend.len());
        self.of_backend
            .get(range)
            .unwrap_or_default()
            .iter()
            .copied()
    }

    /// For each target whether it is drawn as a part of its workload: the same Services have more
    /// than `group_above` pods of it.
    pub(super) fn grouped(&self, group_above: usize) -> Vec<bool> {
        let kind = |target: &SharedBackend<'_>| {
            target
                .workload
                .map(|workload| (workload, target.services_hash))
        };
        let mut counts: IndexByKey<(usize, u64)> = IndexByKey::default();
        for kind in self.list.iter().filter_map(kind) {
            *counts.entry(kind).or_default() += 1;
        }
        self.list
            .iter()
            .map(|target| {
                let count = kind(target).and_then(|kind| counts.get(&kind));
                count.is_some_and(|count| *count > group_above)
            })
            .collect()
    }
}

/// One step of FNV-1a over numbers.
fn mix(hash: u64, number: usize) -> u64 {
    (hash ^ (number as u64 + 1)).wrapping_mul(0x0000_0100_0000_01b3)
}
