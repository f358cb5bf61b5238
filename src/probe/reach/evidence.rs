//! The results of one port, by what they prove.

use super::{CellResult, Plan, Reach, ReachPort};
use crate::{
    inventory::Text,
    probe::{InsideName, Vantage},
};

/// What was found about one port.
pub(super) struct Evidence<'a> {
    pub plan: &'a Plan,
    pub port: &'a ReachPort,
    cells: Vec<(&'a Vantage, &'a CellResult)>,
}

/// A result with what it is about: a pod, a node, an address.
pub(super) type Named<'a> = (&'a Text, &'a CellResult);

impl<'a> Evidence<'a> {
    /// Of the results, which stand in the order of the plan's cells.
    pub fn of(plan: &'a Plan, index: usize, results: &'a [CellResult]) -> Option<Self> {
        let cells = plan
            .cells
            .iter()
            .zip(results)
            .filter(|(cell, _)| cell.port == index)
            .map(|(cell, result)| (&cell.vantage, result))
            .collect();
        let port = plan.ports.get(index)?;
        Some(Self { plan, port, cells })
    }

    /// All results.
    pub fn all(&self) -> impl Iterator<Item = &'a CellResult> {
        self.cells.iter().map(|(_, result)| *result)
    }

    /// Those that were tried.
    pub fn tried(&self) -> impl Iterator<Item = &'a CellResult> {
        self.all().filter(|result| result.reach.is_tried())
    }

    /// Into the pods themselves, past Service and network.
    pub fn forwards(&self) -> Vec<Named<'a>> {
        self.named(|vantage| match vantage {
            Vantage::ForwardPod(pod) => Some(pod),
            _ => None,
        })
    }

    /// To the addresses of pods, over the network.
    pub fn pod_addresses(&self) -> Vec<Named<'a>> {
        self.named(|vantage| match vantage {
            Vantage::PodProxy(pod)
            | Vantage::Inside {
                to: InsideName::Pod(pod),
                ..
            } => Some(pod),
            _ => None,
        })
    }

    /// Through the API server's proxy of the Service.
    pub fn service_proxy(&self) -> Vec<&'a CellResult> {
        self.results(|vantage| *vantage == Vantage::ServiceProxy)
    }

    /// To the cluster IP.
    pub fn cluster_ip(&self) -> Vec<&'a CellResult> {
        self.inside(&[InsideName::ClusterIp])
    }

    /// By the names of the Service.
    pub fn names(&self) -> Vec<&'a CellResult> {
        self.inside(&[
            InsideName::Short,
            InsideName::WithNamespace,
            InsideName::Full,
        ])
    }

    /// To the nodePort, by node.
    pub fn node_ports(&self) -> Vec<Named<'a>> {
        self.named(|vantage| match vantage {
            Vantage::NodePort { node, .. } => Some(node),
            _ => None,
        })
    }

    /// To the load balancer and to external IPs, by address.
    pub fn outer_addresses(&self) -> Vec<Named<'a>> {
        self.named(|vantage| match vantage {
            Vantage::LoadBalancer(address) | Vantage::ExternalIp(address) => Some(address),
            _ => None,
        })
    }

    /// To the external name, from here and from inside.
    pub fn external_name(&self) -> Vec<&'a CellResult> {
        self.results(|vantage| {
            matches!(
                vantage,
                Vantage::ExternalName
                    | Vantage::Inside {
                        to: InsideName::ExternalName | InsideName::Full,
                        ..
                    }
            )
        })
    }

    fn inside(&self, names: &[InsideName]) -> Vec<&'a CellResult> {
        self.results(|vantage| match vantage {
            Vantage::Inside { to, .. } => names.contains(to),
            _ => false,
        })
    }

    fn results(&self, wanted: impl Fn(&Vantage) -> bool) -> Vec<&'a CellResult> {
        let tried = self.cells.iter().filter(|(_, it)| it.reach.is_tried());
        tried
            .filter(|(vantage, _)| wanted(vantage))
            .map(|(_, result)| *result)
            .collect()
    }

    fn named(&self, name: impl Fn(&'a Vantage) -> Option<&'a Text>) -> Vec<Named<'a>> {
        let tried = self.cells.iter().filter(|(_, it)| it.reach.is_tried());
        tried
            .filter_map(|(vantage, result)| Some((name(vantage)?, *result)))
            .collect()
    }
}

/// Whether something answered, in whatever language.
pub(super) fn answers(result: &CellResult) -> bool {
    result.reach.is_reached() || matches!(result.reach, Reach::NotHttp | Reach::TlsFailed)
}

/// Whether there is something, and all of it is so.
pub(super) fn all_are(results: &[Named<'_>], wanted: impl Fn(Reach) -> bool) -> bool {
    !results.is_empty() && results.iter().all(|(_, result)| wanted(result.reach))
}
