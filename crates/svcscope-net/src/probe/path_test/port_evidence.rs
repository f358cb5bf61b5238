//! The results of one port, by what they prove.

use super::{
    PathTestOutcome, PathTestPlan, PathTestPort, PathTestResult, response_fingerprint::is_outside,
};
use crate::probe::{AccessPath, ExecTarget, InClusterName};
use svcscope_model::inventory::{IpFamily, SharedStr};

/// The names of a Service.
const NAMES: [InClusterName; 3] = [
    InClusterName::Short,
    InClusterName::WithNamespace,
    InClusterName::Full,
];

/// What was found about one port.
pub(super) struct PortEvidence<'a> {
    pub plan: &'a PathTestPlan,
    pub port: &'a PathTestPort,
    cells: Vec<(&'a AccessPath, &'a PathTestResult)>,
}

/// A result with what it is about: a pod, a node, an address.
pub(super) type NamedResult<'a> = (&'a SharedStr, &'a PathTestResult);

impl<'a> PortEvidence<'a> {
    /// Of the results, which stand in the order of the plan's cells.
    pub fn of(plan: &'a PathTestPlan, index: usize, results: &'a [PathTestResult]) -> Option<Self> {
        let cells = plan
            .cells
            .iter()
            .zip(results)
            .filter(|(cell, _)| cell.port == index)
            .map(|(cell, result)| (&cell.access_path, result))
            .collect();
        let port = plan.ports.get(index)?;
        Some(Self { plan, port, cells })
    }

    /// All results.
    pub fn all(&self) -> impl Iterator<Item = &'a PathTestResult> {
        self.cells.iter().map(|(_, result)| *result)
    }

    /// Whether the application answers by any path inside the cluster.
    pub fn answers_inside(&self) -> bool {
        let direct = [self.forwards(), self.pod_addresses()].concat();
        let of_service = [self.cluster_ip(), self.names(), self.service_proxy()].concat();
        direct.iter().any(|(_, it)| answers(it)) || of_service.iter().any(|it| answers(it))
    }

    /// By the paths that a client takes, in the Service's own families.
    pub fn client_paths(&self) -> Vec<&'a PathTestResult> {
        let mut found = [self.cluster_ip(), self.names()].concat();
        let pods = self.pod_addresses_from_inside().into_iter();
        found.extend(pods.map(|(_, result)| result));
        let nodes = self.node_addresses().into_iter();
        found.extend(nodes.map(|(.., result)| result));
        found
    }

    /// Whether something answers by any path at all, be it another application.
    pub fn answers_anywhere(&self) -> bool {
        self.tried()
            .any(|it| answers(it) || matches!(it.reach, PathTestOutcome::Unproven(_)))
    }

    /// Whether a connection is refused by a path that leads to a pod's own address.
    pub fn refused_at_address(&self) -> bool {
        let pods = self.pod_addresses().into_iter().map(|(_, it)| it);
        pods.chain(self.service_proxy())
            .any(|it| it.reach == PathTestOutcome::Refused && !it.clues.no_endpoints)
    }

    /// Whether a family is known to reach the application: something answers over it.
    pub fn answers_over(&self, family: IpFamily) -> bool {
        let mut layers = PathLayer::ALL.into_iter();
        layers.any(|layer| {
            self.over_family(layer, family)
                .iter()
                .any(|(_, it)| answers(it))
        })
    }

    /// Whether a connection is opened by any path inside the cluster.
    pub fn connects_inside(&self) -> bool {
        self.tried_inside().iter().any(|it| it.reach.is_connected())
    }

    /// Whether every pod of the Service was tried by a forward.
    pub fn is_of_all_pods(&self) -> bool {
        self.plan.more_pods == 0 && self.forwards().len() >= self.plan.pods.len()
    }

    /// Those that were tried.
    pub fn tried(&self) -> impl Iterator<Item = &'a PathTestResult> {
        self.all().filter(|result| result.reach.is_tried())
    }

    /// Those that were tried by a path that leads to the application and to nothing else.
    pub fn tried_inside(&self) -> Vec<&'a PathTestResult> {
        self.results(|vantage| !is_outside(vantage))
    }

    /// Into the pods themselves, past Service and network.
    pub fn forwards(&self) -> Vec<NamedResult<'a>> {
        self.named(|vantage| match vantage {
            AccessPath::ForwardPod(pod) => Some(pod),
            _ => None,
        })
    }

    /// To the addresses of pods, over the network.
    pub fn pod_addresses(&self) -> Vec<NamedResult<'a>> {
        self.named(|vantage| match vantage {
            AccessPath::PodProxy(pod)
            | AccessPath::InCluster {
                to: InClusterName::Pod(pod, _),
                ..
            } => Some(pod),
            _ => None,
        })
    }

    /// To the addresses of pods, from pods.
    pub fn pod_addresses_from_inside(&self) -> Vec<NamedResult<'a>> {
        self.named(|vantage| match vantage {
            AccessPath::InCluster {
                to: InClusterName::Pod(pod, _),
                ..
            } => Some(pod),
            _ => None,
        })
    }

    /// Through the API server's proxy of the Service.
    pub fn service_proxy(&self) -> Vec<&'a PathTestResult> {
        self.results(|vantage| *vantage == AccessPath::ServiceProxy)
    }

    /// To the cluster IP.
    pub fn cluster_ip(&self) -> Vec<&'a PathTestResult> {
        self.results(|vantage| PathLayer::ClusterIp.contains(vantage))
    }

    /// By the names of the Service.
    pub fn names(&self) -> Vec<&'a PathTestResult> {
        self.by_in_cluster_names(&NAMES)
    }

    /// The same by who asked: each pod has a resolver of its own.
    pub fn names_by_exec_target(&self) -> Vec<(&'a ExecTarget, Vec<&'a PathTestResult>)> {
        let mut known: Vec<(&ExecTarget, Vec<&PathTestResult>)> = Vec::new();
        for (vantage, result) in self.cells.iter().filter(|(_, it)| it.reach.is_tried()) {
            let AccessPath::InCluster { from, to } = vantage else {
                continue;
            };
            if !NAMES.contains(to) {
                continue;
            }
            match known.iter_mut().find(|(insider, _)| *insider == from) {
                Some((_, results)) => results.push(result),
                None => known.push((from, vec![result])),
            }
        }
        known
    }

    /// Into the pods past the Service, by a forward or at whatever address the API server takes.
    pub fn bypassing_service(&self) -> Vec<(&'a AccessPath, &'a PathTestResult)> {
        let tried = self.cells.iter().filter(|(_, it)| it.reach.is_tried());
        let wanted = |vantage: &AccessPath| {
            matches!(vantage, AccessPath::ForwardPod(_) | AccessPath::PodProxy(_))
        };
        tried
            .filter(|(vantage, _)| wanted(vantage))
            .copied()
            .collect()
    }

    /// At a layer of a packet's way, over one family.
    pub fn over_family(
        &self,
        layer: PathLayer,
        family: IpFamily,
    ) -> Vec<(&'a AccessPath, &'a PathTestResult)> {
        let tried = self.cells.iter().filter(|(_, it)| it.reach.is_tried());
        tried
            .filter(|(vantage, _)| layer.contains(vantage) && vantage.family() == Some(family))
            .copied()
            .collect()
    }

    /// To the nodePort, by node and address, without what may be another application's.
    pub fn node_addresses(&self) -> Vec<(&'a SharedStr, &'a SharedStr, &'a PathTestResult)> {
        let tried = self.cells.iter().filter(|(_, it)| it.reach.is_tried());
        tried
            .filter(|(_, it)| !matches!(it.reach, PathTestOutcome::Unproven(_)))
            .filter_map(|(vantage, result)| match *vantage {
                AccessPath::NodePort { node, address } => Some((node, address, *result)),
                _ => None,
            })
            .collect()
    }

    /// To the load balancer and to external IPs, by address.
    pub fn outer_addresses(&self) -> Vec<NamedResult<'a>> {
        self.proven(|vantage| match vantage {
            AccessPath::LoadBalancer(address) | AccessPath::ExternalIp(address) => Some(address),
            _ => None,
        })
    }

    /// Answers from outside that may be another application's, by address.
    pub fn unproven(&self) -> Vec<NamedResult<'a>> {
        let mut found = self.named(|vantage| match vantage {
            AccessPath::LoadBalancer(address)
            | AccessPath::ExternalIp(address)
            | AccessPath::NodePort { address, .. } => Some(address),
            _ => None,
        });
        found.retain(|(_, it)| matches!(it.reach, PathTestOutcome::Unproven(_)));
        found
    }

    /// Without what may be another application's.
    fn proven(
        &self,
        name: impl Fn(&'a AccessPath) -> Option<&'a SharedStr>,
    ) -> Vec<NamedResult<'a>> {
        let mut found = self.named(name);
        found.retain(|(_, it)| !matches!(it.reach, PathTestOutcome::Unproven(_)));
        found
    }

    /// To the external name, from here.
    pub fn external_name_from_here(&self) -> Vec<&'a PathTestResult> {
        self.results(|vantage| *vantage == AccessPath::ExternalName)
    }

    /// To the external name, from inside.
    pub fn external_name_from_inside(&self) -> Vec<&'a PathTestResult> {
        self.by_in_cluster_names(&[InClusterName::ExternalName, InClusterName::Full])
    }

    fn by_in_cluster_names(&self, names: &[InClusterName]) -> Vec<&'a PathTestResult> {
        self.results(|vantage| match vantage {
            AccessPath::InCluster { to, .. } => names.contains(to),
            _ => false,
        })
    }

    fn results(&self, wanted: impl Fn(&AccessPath) -> bool) -> Vec<&'a PathTestResult> {
        let tried = self.cells.iter().filter(|(_, it)| it.reach.is_tried());
        tried
            .filter(|(vantage, _)| wanted(vantage))
            .map(|(_, result)| *result)
            .collect()
    }

    fn named(
        &self,
        name: impl Fn(&'a AccessPath) -> Option<&'a SharedStr>,
    ) -> Vec<NamedResult<'a>> {
        let tried = self.cells.iter().filter(|(_, it)| it.reach.is_tried());
        tried
            .filter_map(|(vantage, result)| Some((name(vantage)?, *result)))
            .collect()
    }
}

/// What a packet comes to, from the pods outwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathLayer {
    /// The pods at their addresses.
    Pods,
    /// The clusterIPs.
    ClusterIp,
    /// The nodePorts.
    NodePorts,
    /// Load balancers and external IPs.
    Outside,
}

impl PathLayer {
    /// From the pods outwards: what is wrong nearest to them explains the rest.
    pub const ALL: [Self; 4] = [Self::Pods, Self::ClusterIp, Self::NodePorts, Self::Outside];

    fn contains(self, vantage: &AccessPath) -> bool {
        let to = match vantage {
            AccessPath::NodePort { .. } => return self == Self::NodePorts,
            AccessPath::LoadBalancer(_) | AccessPath::ExternalIp(_) => {
                return self == Self::Outside;
            }
            AccessPath::InCluster { to, .. } => to,
            _ => return false,
        };
        match to {
            InClusterName::ClusterIp(_) => self == Self::ClusterIp,
            InClusterName::Pod(..) => self == Self::Pods,
            _ => false,
        }
    }
}

/// Whether something answered, in whatever language.
pub(super) fn answers(result: &PathTestResult) -> bool {
    result.reach.is_reached()
        || matches!(
            result.reach,
            PathTestOutcome::NotHttp | PathTestOutcome::TlsFailed
        )
}

/// Whether there is something, and all of it is so.
pub(super) fn all_are(
    results: &[NamedResult<'_>],
    wanted: impl Fn(PathTestOutcome) -> bool,
) -> bool {
    !results.is_empty() && results.iter().all(|(_, result)| wanted(result.reach))
}
