//! Which Services stand together: those that share pods, or pods of one workload.

use std::sync::Arc;

use super::{sieve::Sieve, targets::Targets};
use crate::inventory::ObjectKey;
use crate::topology::{BackendState, EntryKind, NodeId, ServiceTraffic};

/// Services that share pods, with everything behind them.
pub(super) struct Kin<'a> {
    /// The Services, in the order in which they are drawn.
    pub services: Vec<&'a Arc<ServiceTraffic>>,
    /// What stands at the right, in the order in which it is drawn.
    pub stops: Vec<Stop>,
    /// Sorted, each once.
    pub links: Vec<Link>,
    /// How many different pods there are.
    pub pods: usize,
    /// The pods and their workloads.
    pub sieve: Sieve,
}

/// What an edge leads to.
pub(super) struct Stop {
    /// Its node.
    pub id: NodeId,
    /// The pods of a group, sorted; none where it stands for itself.
    pub group: Option<Vec<ObjectKey>>,
}

/// An edge from a Service to a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    /// Index into the Services.
    pub service: usize,
    /// Index into the ports of the Service; none for the alias of an ExternalName.
    pub port: Option<usize>,
    /// Index into the stops.
    pub stop: usize,
    /// The best state behind it; none for an alias.
    pub state: Option<BackendState>,
}

/// Divides the Services of one namespace, sorted by name, into kin. Kin are in the order of their
/// first Service.
pub(super) fn families<'a>(
    services: &[&'a Arc<ServiceTraffic>],
    group_above: usize,
) -> Vec<Kin<'a>> {
    let targets = Targets::of(services);
    let mut sets = Sets::new(services.len());
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
    let mut builder = Builder {
        services,
        grouped: targets.grouped(group_above),
        stop_of_target: vec![None; targets.list.len()],
        stop_of_workload: vec![None; targets.workloads.len()],
        targets,
    };
    members
        .into_iter()
        .filter(|members| !members.is_empty())
        .map(|members| builder.kin(&members))
        .collect()
}

/// Puts kin together; every target and every workload is part of one only.
struct Builder<'a, 'b> {
    services: &'b [&'a Arc<ServiceTraffic>],
    targets: Targets<'a>,
    grouped: Vec<bool>,
    stop_of_target: Vec<Option<usize>>,
    stop_of_workload: Vec<Option<usize>>,
}

impl<'a> Builder<'a, '_> {
    fn kin(&mut self, members: &[usize]) -> Kin<'a> {
        let mut kin = Kin {
            services: Vec::with_capacity(members.len()),
            stops: Vec::new(),
            links: Vec::new(),
            pods: 0,
            sieve: Sieve::default(),
        };
        for &member in members {
            let Some(traffic) = self.services.get(member) else {
                continue;
            };
            let service = kin.services.len();
            kin.services.push(traffic);
            let ports = traffic.ports.iter().enumerate();
            let backends: Vec<_> = ports
                .flat_map(|(row, port)| port.backends.iter().map(move |backend| (row, backend)))
                .zip(self.targets.of_service(member))
                .map(|((row, backend), target)| (row, backend.state(), target))
                .collect();
            for (row, state, target) in backends {
                let Some(stop) = self.stop(&mut kin, target) else {
                    continue;
                };
                kin.links.push(Link {
                    service,
                    port: Some(row),
                    stop,
                    state: Some(state),
                });
            }
            for far_end in traffic.entries.iter().map(|entry| &entry.id) {
                if far_end.kind == EntryKind::ExternalName {
                    kin.links.push(Link {
                        service,
                        port: None,
                        stop: kin.stops.len(),
                        state: None,
                    });
                    kin.stops.push(Stop {
                        id: NodeId::Entry(far_end.clone()),
                        group: None,
                    });
                }
            }
        }
        for pods in kin.stops.iter_mut().filter_map(|stop| stop.group.as_mut()) {
            pods.sort();
        }
        // The best state comes first and stays.
        kin.links.sort_unstable();
        kin.links.dedup_by(|later, first| {
            (later.service, later.port, later.stop) == (first.service, first.port, first.stop)
        });
        kin
    }

    /// The stop of a target, made when it is met first.
    fn stop(&mut self, kin: &mut Kin<'a>, at: usize) -> Option<usize> {
        let known = self.stop_of_target.get_mut(at)?;
        if known.is_some() {
            return *known;
        }
        let target = self.targets.list.get(at)?;
        let pod = target.pod();
        if let Some(pod) = pod {
            kin.pods += 1;
            kin.sieve.add(Sieve::of(pod));
        }
        if let Some((workload, _)) = target
            .workload
            .and_then(|at| self.targets.workloads.get(at))
        {
            kin.sieve.add(Sieve::of(*workload));
        }
        let group = self.grouped.get(at).copied().unwrap_or_default();
        let workload = target.workload.filter(|_| group);
        let stop = match (workload, pod) {
            (Some(workload), Some(pod)) => {
                let place = self.stop_of_workload.get_mut(workload)?;
                let (id, _) = self.targets.workloads.get(workload)?;
                let stop = *place.get_or_insert_with(|| {
                    kin.stops.push(Stop {
                        id: NodeId::Workload((*id).clone()),
                        group: Some(Vec::new()),
                    });
                    kin.stops.len() - 1
                });
                let pods = kin.stops.get_mut(stop).and_then(|stop| stop.group.as_mut());
                pods?.push(pod.clone());
                stop
            }
            _ => {
                kin.stops.push(Stop {
                    id: target.node_id(),
                    group: None,
                });
                kin.stops.len() - 1
            }
        };
        *known = Some(stop);
        Some(stop)
    }
}

/// Disjoint sets of the numbers below `n`.
struct Sets(Vec<usize>);

impl Sets {
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
