//! What rules need to know of more than one object, kept up to date from changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::system_objects::{api_service, is_kube_proxy};
use svcscope_model::inventory::{
    ChangedRecord, EndpointSliceRecord, EndpointSource, Inventory, NetworkPolicyRecord, ObjectKey,
    PodRecord, ResourceKind, ServiceRecord, ServiceType, SharedStr,
};
use svcscope_model::topology::{BackendTarget, Topology};

/// Whether a pod is a client that was not there, or none any more.
fn is_client_change(before: Option<&PodRecord>, after: Option<&PodRecord>) -> bool {
    let client = |pod: &PodRecord| pod.is_active();
    match (before, after) {
        (Some(before), Some(after)) => {
            before.labels != after.labels || client(before) != client(after)
        }
        _ => true,
    }
}

/// How far names that lead to names are followed.
pub(super) const MAX_ALIAS_DEPTH: usize = 8;

/// Objects by what others say of them.
#[derive(Clone, Debug, Default)]
pub(super) struct CrossReferenceIndex {
    services: BTreeMap<ObjectKey, CrossServiceFields>,
    /// ExternalName Services by the Service of this cluster that they lead to, if it exists or not.
    aliases: BTreeMap<ObjectKey, BTreeSet<ObjectKey>>,
    by_address: BTreeMap<SharedStr, BTreeSet<ObjectKey>>,
    by_node_port: BTreeMap<u16, BTreeSet<ObjectKey>>,
    by_host_port: BTreeMap<u16, BTreeSet<ObjectKey>>,
    kube_proxies: BTreeSet<ObjectKey>,
    /// Slices written by hand, by the Service that they belong to.
    manual_slices: BTreeSet<(ObjectKey, SharedStr)>,
    /// The same by the pods that they name.
    by_named_pod: BTreeMap<ObjectKey, BTreeSet<(ObjectKey, SharedStr)>>,
    /// Records that were made of Endpoints.
    endpoints: usize,
}

/// What of a Service concerns others.
#[derive(Clone, Debug, Default, PartialEq)]
struct CrossServiceFields {
    target: Option<ObjectKey>,
    addresses: Vec<SharedStr>,
    node_ports: Vec<u16>,
}

impl CrossServiceFields {
    fn new(service: &ServiceRecord) -> Self {
        let is_alias = service.service_type == ServiceType::ExternalName;
        let name = service.external_name.as_deref().filter(|_| is_alias);
        let mut node_ports: Vec<_> = service.ports.iter().filter_map(|at| at.node_port).collect();
        node_ports.sort_unstable();
        node_ports.dedup();
        Self {
            target: name.and_then(local_target),
            addresses: service.virtual_ips().cloned().collect(),
            node_ports,
        }
    }
}

impl CrossReferenceIndex {
    /// Of everything that there is.
    pub fn new(inventory: &Inventory) -> Self {
        let mut index = Self::default();
        for service in inventory.services() {
            index.follow_service(inventory, &service.key);
        }
        for pod in inventory.pods() {
            index.follow_pod(None, Some(pod));
        }
        for slice in inventory.slices() {
            index.follow_slice(None, Some(slice));
        }
        index
    }

    /// Follows a change; says which Services it may concern although nothing of their own changed.
    pub fn apply_changes(
        &mut self,
        inventory: &Inventory,
        touched: &[ChangedRecord],
        changed: &[ObjectKey],
    ) -> BTreeSet<ObjectKey> {
        let mut concerned = BTreeSet::new();
        for key in changed {
            concerned.extend(self.aliases(key));
            if self.follow_service(inventory, key) {
                concerned.extend(self.manual_slices.iter().map(|(key, _)| key.clone()));
            }
            concerned.extend(self.aliases(key));
        }
        let read_endpoints = self.reads_endpoints();
        for step in touched {
            match step {
                ChangedRecord::Pod { before, after } => {
                    for port in self.follow_pod(before.as_deref(), after.as_deref()) {
                        concerned
                            .extend(self.by_node_port.get(&port).into_iter().flatten().cloned());
                    }
                    if is_client_change(before.as_deref(), after.as_deref()) {
                        concerned.extend(self.services_with_policies(
                            before.as_deref().or(after.as_deref()),
                            inventory,
                        ));
                    }
                    let key = before.as_ref().or(after.as_ref()).map(|pod| &pod.key);
                    let naming = key.and_then(|key| self.by_named_pod.get(key));
                    let naming = naming.into_iter().flatten();
                    concerned.extend(naming.map(|(service, _)| service.clone()));
                    if [before, after]
                        .into_iter()
                        .flatten()
                        .any(|pod| is_kube_proxy(pod))
                    {
                        concerned.insert(api_service());
                    }
                }
                ChangedRecord::EndpointSlice { before, after } => {
                    self.follow_slice(before.as_ref(), after.as_ref());
                }
                _ => {}
            }
        }
        if self.reads_endpoints() != read_endpoints {
            concerned.extend(self.services.keys().cloned());
        }
        concerned
    }

    /// The Services of a pod's namespace, where NetworkPolicies there may admit it to them.
    fn services_with_policies(
        &self,
        pod: Option<&PodRecord>,
        inventory: &Inventory,
    ) -> Vec<ObjectKey> {
        let Some(namespace) = pod.map(|pod| &pod.key.namespace) else {
            return Vec::new();
        };
        let mut policies =
            inventory.related_in::<NetworkPolicyRecord>(ResourceKind::NetworkPolicy, namespace);
        if policies.all(|policy| policy.ingress.is_none()) {
            return Vec::new();
        }
        let first = ObjectKey::new(namespace.clone(), "");
        self.services
            .range(first..)
            .map(|(key, _)| key)
            .take_while(|key| key.namespace == *namespace)
            .cloned()
            .collect()
    }

    /// Follows one Service, which may be gone; says whether its addresses changed.
    fn follow_service(&mut self, inventory: &Inventory, key: &ObjectKey) -> bool {
        let after = inventory
            .service(key)
            .map(|service| CrossServiceFields::new(service));
        let before = self.services.remove(key);
        let moved = before.as_ref().map(|facts| &facts.addresses)
            != after.as_ref().map(|facts| &facts.addresses);
        if before != after {
            if let Some(facts) = &before {
                take(&mut self.aliases, &facts.target, key);
                take(&mut self.by_address, &facts.addresses, key);
                take(&mut self.by_node_port, &facts.node_ports, key);
            }
            if let Some(facts) = &after {
                put(&mut self.aliases, &facts.target, key);
                put(&mut self.by_address, &facts.addresses, key);
                put(&mut self.by_node_port, &facts.node_ports, key);
            }
        }
        if let Some(after) = after {
            self.services.insert(key.clone(), after);
        }
        moved
    }

    /// Follows a pod; says which host ports it takes or took.
    fn follow_pod(
        &mut self,
        before: Option<&PodRecord>,
        after: Option<&PodRecord>,
    ) -> BTreeSet<u16> {
        let mut ports = BTreeSet::new();
        if let Some(before) = before {
            let own: Vec<_> = host_ports(before).collect();
            take(&mut self.by_host_port, &own, &before.key);
            self.kube_proxies.remove(&before.key);
            ports.extend(own);
        }
        if let Some(after) = after {
            let own: Vec<_> = host_ports(after).collect();
            put(&mut self.by_host_port, &own, &after.key);
            if is_kube_proxy(after) {
                self.kube_proxies.insert(after.key.clone());
            }
            ports.extend(own);
        }
        ports
    }

    fn follow_slice(
        &mut self,
        before: Option<&Arc<EndpointSliceRecord>>,
        after: Option<&Arc<EndpointSliceRecord>>,
    ) {
        if let Some((pods, by)) = before.and_then(|slice| named_pods(slice)) {
            take(&mut self.by_named_pod, &pods, &by);
            self.manual_slices.remove(&by);
        }
        if let Some((pods, by)) = after.and_then(|slice| named_pods(slice)) {
            put(&mut self.by_named_pod, &pods, &by);
            self.manual_slices.insert(by);
        }
        let count = |slice: Option<&Arc<EndpointSliceRecord>>| {
            usize::from(slice.is_some_and(|slice| slice.source == EndpointSource::Endpoints))
        };
        self.endpoints = (self.endpoints + count(after)).saturating_sub(count(before));
    }

    /// Whether Endpoints stand in for slices: then a Service without any has none that are empty.
    pub fn reads_endpoints(&self) -> bool {
        self.endpoints > 0
    }

    /// The Service of this cluster that an ExternalName Service leads to.
    pub fn target(&self, key: &ObjectKey) -> Option<&ObjectKey> {
        self.services.get(key)?.target.as_ref()
    }

    /// The Service that has this virtual address.
    pub fn service_at(&self, address: &SharedStr) -> Option<&ObjectKey> {
        self.by_address.get(address)?.first()
    }

    /// Pods that take this port of their node.
    pub fn pods_on_host_port(&self, port: u16) -> impl Iterator<Item = &ObjectKey> {
        self.by_host_port.get(&port).into_iter().flatten()
    }

    /// The pods of kube-proxy.
    pub fn kube_proxies(&self) -> impl Iterator<Item = &ObjectKey> {
        self.kube_proxies.iter()
    }

    /// Services that lead to another one by name.
    pub fn all_aliases(&self) -> impl Iterator<Item = &ObjectKey> {
        self.aliases.values().flatten()
    }

    /// Services that lead to this one by name, over others too.
    fn aliases(&self, key: &ObjectKey) -> BTreeSet<ObjectKey> {
        let mut found = BTreeSet::new();
        let mut next = vec![key.clone()];
        for _ in 0..=MAX_ALIAS_DEPTH {
            next = next
                .iter()
                .filter_map(|key| self.aliases.get(key))
                .flatten()
                .filter(|alias| found.insert((*alias).clone()))
                .cloned()
                .collect();
        }
        found
    }
}

type MultiMap<K, V> = BTreeMap<K, BTreeSet<V>>;

fn put<'a, K: Ord + Clone + 'a, V: Ord + Clone>(
    map: &mut MultiMap<K, V>,
    keys: impl IntoIterator<Item = &'a K>,
    object: &V,
) {
    for key in keys {
        map.entry(key.clone()).or_default().insert(object.clone());
    }
}

fn take<'a, K: Ord + 'a, V: Ord>(
    map: &mut MultiMap<K, V>,
    keys: impl IntoIterator<Item = &'a K>,
    object: &V,
) {
    for key in keys {
        if let Some(objects) = map.get_mut(key) {
            objects.remove(object);
            if objects.is_empty() {
                map.remove(key);
            }
        }
    }
}

/// The pods that a slice names which nobody keeps up to date, and whose slice it is.
fn named_pods(slice: &EndpointSliceRecord) -> Option<(Vec<ObjectKey>, (ObjectKey, SharedStr))> {
    let service = slice.service_key().filter(|_| slice.is_manual())?;
    let names = slice.endpoints.iter().filter_map(|one| one.pod.clone());
    let namespace = &slice.key.namespace;
    let pods = names.map(|name| ObjectKey::new(namespace.clone(), name));
    Some((pods.collect(), (service, slice.key.name.clone())))
}

fn host_ports(pod: &PodRecord) -> impl Iterator<Item = u16> {
    let ports = pod.containers.iter().flat_map(|container| &container.ports);
    ports.filter_map(|port| port.host_port)
}

/// The Service that a name means as `NAME.NAMESPACE.svc[.cluster.local]`.
fn local_target(name: &str) -> Option<ObjectKey> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let short = name
        .strip_suffix(".svc.cluster.local")
        .or_else(|| name.strip_suffix(".svc"))?;
    let (service, namespace) = short.split_once('.')?;
    (!service.is_empty() && !namespace.is_empty() && !namespace.contains('.'))
        .then(|| ObjectKey::new(namespace, service))
}

/// Services that share a backend pod with this one, by name.
pub(super) fn peers(topology: &Topology, key: &ObjectKey) -> Vec<ObjectKey> {
    let Some(traffic) = topology.service(key) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for backend in traffic.ports.iter().flat_map(|port| &port.backends) {
        if let BackendTarget::Pod(pod) = &backend.target {
            for other in topology.services_of_pod(pod) {
                if other != key && !found.contains(other) {
                    found.push(other.clone());
                }
            }
        }
    }
    found.sort();
    found
}
