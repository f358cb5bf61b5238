//! The graph of all Services and how it follows changes.

use std::{
    cell::OnceCell,
    sync::{Arc, LazyLock},
};

use imbl::{OrdMap, OrdSet};

use super::{BackendTarget, ServiceTraffic, affected::affected, backends, entry_points, ingress};
use crate::inventory::{ChangedRecord, Inventory, IpFamily, ObjectKey, ServiceRecord, SharedStr};

/// Comes before all others. Looked up once a backend: made anew, it would cost more than the rest.
static FIRST: LazyLock<ObjectKey> = LazyLock::new(|| ObjectKey::new("", ""));

/// The traffic of every Service; a clone costs a few counters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topology {
    services: OrdMap<ObjectKey, Arc<ServiceTraffic>>,
    /// Pod and Service, for every pod that is a backend: who is concerned when a pod changes.
    backend_of: OrdSet<(ObjectKey, ObjectKey)>,
    /// Services whose selector matches no pod.
    unmatched: OrdSet<ObjectKey>,
    /// How many different pods are backends.
    pods: usize,
}

impl Topology {
    /// The graph of an inventory from scratch.
    pub fn build(inventory: &Inventory) -> Self {
        let mut topology = Self::default();
        let source = TopologyBuilder::new(inventory);
        for service in inventory.services() {
            topology.rebuild_service(&source, &service.key);
        }
        topology
    }

    /// Follows a change; says for which Services the traffic, or what the checks say of it, may
    /// be different now, sorted. Services that are gone are among them.
    pub fn update(&mut self, inventory: &Inventory, touched: &[ChangedRecord]) -> Vec<ObjectKey> {
        let affected = affected(self, inventory, touched);
        let source = TopologyBuilder::new(inventory);
        for key in &affected {
            self.rebuild_service(&source, key);
        }
        affected.into_iter().collect()
    }

    /// Services, by namespace and name.
    pub fn services(&self) -> impl Iterator<Item = &Arc<ServiceTraffic>> {
        self.services.values()
    }

    /// One Service.
    pub fn service(&self, key: &ObjectKey) -> Option<&Arc<ServiceTraffic>> {
        self.services.get(key)
    }

    /// Services that have a pod as a backend, by name.
    pub fn services_of_pod<'a>(
        &'a self,
        pod: &'a ObjectKey,
    ) -> impl Iterator<Item = &'a ObjectKey> {
        let from = (pod.clone(), FIRST.clone());
        self.backend_of
            .range(from..)
            .take_while(move |(found, _)| found == pod)
            .map(|(_, service)| service)
    }

    /// How many Services there are.
    pub fn service_count(&self) -> usize {
        self.services.len()
    }

    /// How many different pods are backends of a Service.
    pub fn pod_count(&self) -> usize {
        self.pods
    }

    /// Whether a pod is a backend of a Service.
    pub fn is_backend(&self, pod: &ObjectKey, service: &ObjectKey) -> bool {
        self.backend_of.contains(&(pod.clone(), service.clone()))
    }

    /// Takes over what another graph has of a Service, which may be nothing: a graph made so holds
    /// a part of the other one.
    pub fn copy_service(&mut self, whole: &Self, key: &ObjectKey) {
        self.put(key, whole.services.get(key).cloned());
    }

    /// Forgets a Service, as far as it was known.
    pub fn remove_service(&mut self, key: &ObjectKey) {
        self.put(key, None);
    }

    /// Services of a namespace whose selector matches no pod, by name.
    pub(super) fn unmatched_in<'a>(
        &'a self,
        namespace: &'a SharedStr,
    ) -> impl Iterator<Item = &'a ObjectKey> {
        self.unmatched
            .range(ObjectKey::new(namespace.clone(), "")..)
            .take_while(move |key| key.namespace == *namespace)
    }

    fn rebuild_service(&mut self, source: &TopologyBuilder<'_>, key: &ObjectKey) {
        let service = source.inventory.service(key);
        let matches_nothing = service.is_some_and(|service| {
            !service.selector.is_empty() && source.inventory.pods_selected_by(service).is_empty()
        });
        if matches_nothing {
            self.unmatched.insert(key.clone());
        } else {
            self.unmatched.remove(key);
        }
        let traffic = service.map(|service| source.traffic(service));
        if self.services.get(key).map(|held| &**held) != traffic.as_ref() {
            self.put(key, traffic.map(Arc::new));
        }
    }

    fn put(&mut self, key: &ObjectKey, traffic: Option<Arc<ServiceTraffic>>) {
        if let Some(before) = self.services.remove(key) {
            for pod in pods(&before) {
                let removed = self.backend_of.remove(&(pod.clone(), key.clone()));
                if removed.is_some() && self.services_of_pod(pod).next().is_none() {
                    self.pods -= 1;
                }
            }
        }
        if let Some(traffic) = traffic {
            for pod in pods(&traffic) {
                let is_known = self.services_of_pod(pod).next().is_some();
                self.pods += usize::from(!is_known);
                self.backend_of.insert((pod.clone(), key.clone()));
            }
            self.services.insert(key.clone(), traffic);
        }
    }
}

fn pods(traffic: &ServiceTraffic) -> impl Iterator<Item = &ObjectKey> {
    traffic
        .ports
        .iter()
        .flat_map(|port| &port.backends)
        .filter_map(|backend| match &backend.target {
            BackendTarget::Pod(key) => Some(key),
            BackendTarget::Address(_) => None,
        })
}

/// An inventory, with what all Services share worked out once.
struct TopologyBuilder<'a> {
    inventory: &'a Inventory,
    /// IPv4 and IPv6: the same for every Service.
    node_addresses: OnceCell<[Vec<SharedStr>; 2]>,
}

impl<'a> TopologyBuilder<'a> {
    fn new(inventory: &'a Inventory) -> Self {
        Self {
            inventory,
            node_addresses: OnceCell::new(),
        }
    }

    fn traffic(&self, service: &Arc<ServiceRecord>) -> ServiceTraffic {
        let dns_name = entry_points::dns_name(service);
        let entries = entry_points::entry_points(
            service,
            &dns_name,
            &self.node_addresses(service),
            ingress::ingress_entry_points(service, self.inventory),
        );
        ServiceTraffic {
            service: service.clone(),
            dns_name,
            entry_points: entries,
            ports: backends::ports(service, self.inventory),
        }
    }

    /// Where the nodePorts of a Service answer: see [`Inventory::node_port_addresses`].
    fn node_addresses(&self, service: &ServiceRecord) -> Vec<SharedStr> {
        let has_node_ports = service.ports.iter().any(|port| port.node_port.is_some());
        if !has_node_ports {
            return Vec::new();
        }
        let all = self.node_addresses.get_or_init(|| {
            IpFamily::ALL.map(|family| {
                let of_nodes = self.inventory.node_addresses(family);
                of_nodes.map(|(_, address)| address.clone()).collect()
            })
        });
        let families = IpFamily::ALL.into_iter().zip(all);
        families
            .filter(|(family, _)| service.serves(*family))
            .flat_map(|(_, addresses)| addresses.iter().cloned())
            .collect()
    }
}
