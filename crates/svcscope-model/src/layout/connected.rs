//! Which Services stand together: those that share pods, or pods of one workload.

use std::sync::Arc;

use super::{backend_table::BackendTable, bloom_filter::BloomFilter};
use crate::inventory::ObjectKey;
use crate::topology::{BackendState, EntryPointKind, NodeId, ServiceTraffic};

/// Services that share pods, with everything behind them.
pub(super) struct ServiceComponent<'a> {
    /// The Services, in the order in which they are drawn.
    pub services: Vec<&'a Arc<ServiceTraffic>>,
    /// What stands at the right, in the order in which it is drawn.
    pub backends: Vec<BackendNode>,
    /// Sorted, each once.
    pub edges: Vec<BackendEdge>,
    /// How many different pods there are.
    pub pods: usize,
    /// The pods and their workloads.
    pub bloom_filter: BloomFilter,
}

/// What an edge leads to.
pub(super) struct BackendNode {
    /// Its node.
    pub id: NodeId,
    /// The pods of a group, sorted; none where it stands for itself.
    pub pod_group: Option<Vec<ObjectKey>>,
}

/// An edge from a Service to a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BackendEdge {
    /// Index into the Services.
    pub service: usize,
    /// Index into the ports of the Service; none for the alias of an ExternalName.
    pub port: Option<usize>,
    /// Index into the stops.
    pub backend: usize,
    /// The best state behind it; none for an alias.
    pub state: Option<BackendState>,
}

/// Divides the Services of one namespace, sorted by name, into kin. Kin are in the order of their
/// first Service.
pub(super) fn connected_components<'a>(
    services: &[&'a Arc<ServiceTraffic>],
    group_above: usize,
) -> Vec<ServiceComponent<'a>> {
    let targets = BackendTable::of(services);
    let mut sets = UnionFind::new(services.len());
    for service in 0..services.len() {
        for target in targets
            .of_service(service)
            .filter_map(|at| targets.list.get(at))
        {
            sets.join(service, target.first);
            let owner = target.workload.and_then(|at| targets.workloads.get(at));
            if let Some((_, first)) = owner {
                sets.join(service, *first);
            }
        }
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); services.len()];
    for service in 0..services.len() {
        if let Some(members) = members.get_mut(sets.root(service)) {
            members.push(service);
        }
    }
    let mut builder = ComponentBuilder {
        services,
        grouped: targets.grouped(group_above),
        node_of_backend: vec![None; targets.list.len()],
        node_of_workload: vec![None; targets.workloads.len()],
        targets,
    };
    members
        .into_iter()
        .filter(|members| !members.is_empty())
        .map(|members| builder.component(&members))
        .collect()
}

/// Puts kin together; every target and every workload is part of one only.
struct ComponentBuilder<'a, 'b> {
    services: &'b [&'a Arc<ServiceTraffic>],
    targets: BackendTable<'a>,
    grouped: Vec<bool>,
    node_of_backend: Vec<Option<usize>>,
    node_of_workload: Vec<Option<usize>>,
}

impl<'a> ComponentBuilder<'a, '_> {
    fn component(&mut self, members: &[usize]) -> ServiceComponent<'a> {
        let mut component = ServiceComponent {
            services: Vec::with_capacity(members.len()),
            backends: Vec::new(),
            edges: Vec::new(),
            pods: 0,
            bloom_filter: BloomFilter::default(),
        };
        for &member in members {
            let Some(traffic) = self.services.get(member) else {
                continue;
            };
            let service = component.services.len();
            component.services.push(traffic);
            let ports = traffic.ports.iter().enumerate();
            let backends: Vec<_> = ports
                .flat_map(|(row, port)| port.backends.iter().map(move |backend| (row, backend)))
                .zip(self.targets.of_service(member))
                .map(|((row, backend), target)| (row, backend.state(), target))
                .collect();
            for (row, state, target) in backends {
                let Some(stop) = self.backend_node(&mut component, target) else {
                    continue;
                };
                component.edges.push(BackendEdge {
                    service,
                    port: Some(row),
                    backend: stop,
                    state: Some(state),
                });
            }
            for far_end in traffic.entry_points.iter().map(|entry| &entry.id) {
                if far_end.kind == EntryPointKind::ExternalName {
                    component.edges.push(BackendEdge {
                        service,
                        port: None,
                        backend: component.backends.len(),
                        state: None,
                    });
                    component.backends.push(BackendNode {
                        id: NodeId::EntryPoint(far_end.clone()),
                        pod_group: None,
                    });
                }
            }
        }
        for pods in component
            .backends
            .iter_mut()
            .filter_map(|stop| stop.pod_group.as_mut())
        {
            pods.sort();
        }
        // The best state comes first and stays.
        component.edges.sort_unstable();
        component.edges.dedup_by(|later, first| {
            (later.service, later.port, later.backend) == (first.service, first.port, first.backend)
        });
        component
    }

    /// The stop of a target, made when it is met first.
    fn backend_node(&mut self, component: &mut ServiceComponent<'a>, at: usize) -> Option<usize> {
        let known = self.node_of_backend.get_mut(at)?;
        if known.is_some() {
            return *known;
        }
        let target = self.targets.list.get(at)?;
        let pod = target.pod();
        if let Some(pod) = pod {
            component.pods += 1;
            component.bloom_filter.add(BloomFilter::of(pod));
        }
        if let Some((workload, _)) = target
            .workload
            .and_then(|at| self.targets.workloads.get(at))
        {
            component.bloom_filter.add(BloomFilter::of(*workload));
        }
        let group = self.grouped.get(at).copied().unwrap_or_default();
        let workload = target.workload.filter(|_| group);
        let stop = match (workload, pod) {
            (Some(workload), Some(pod)) => {
                let place = self.node_of_workload.get_mut(workload)?;
                let (id, _) = self.targets.workloads.get(workload)?;
                let stop = *place.get_or_insert_with(|| {
                    component.backends.push(BackendNode {
                        id: NodeId::Workload((*id).clone()),
                        pod_group: Some(Vec::new()),
                    });
                    component.backends.len() - 1
                });
                let pods = component
                    .backends
                    .get_mut(stop)
                    .and_then(|stop| stop.pod_group.as_mut());
                pods?.push(pod.clone());
                stop
            }
            _ => {
                component.backends.push(BackendNode {
                    id: target.node_id(),
                    pod_group: None,
                });
                component.backends.len() - 1
            }
        };
        *known = Some(stop);
        Some(stop)
    }
}

/// Disjoint sets of the numbers below `n`.
struct UnionFind(Vec<usize>);

impl UnionFind {
    fn new(n: usize) -> Self {
        Self((0..n).collect())
    }

    fn root(&mut self, mut at: usize) -> usize {
        while let Some(&parent) = self.0.get(at)
            && parent != at
        {
            // Halving the path keeps later walks short.
            let above = self.0.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = self.0.get_mut(at) {
                *slot = above;
            }
            at = above;
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        // The smaller number leads, so that the order of names decides.
        if let Some(slot) = self.0.get_mut(a.max(b)) {
            *slot = a.min(b);
        }
    }
}
