//! Which Services are around a Service.

use std::collections::{BTreeMap, BTreeSet};

use svcscope_model::inventory::ObjectKey;
use svcscope_model::topology::{BackendTarget, EntryPointKind, ServiceTraffic, Topology};

/// A Service with everything that shares a pod with it, every ExternalName that leads to it, and
/// where it leads itself if it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceNeighbourhood {
    center: ObjectKey,
    members: BTreeSet<ObjectKey>,
    /// ExternalName Services by the name they are an alias of, whether or not it is known.
    aliases: BTreeMap<String, BTreeSet<ObjectKey>>,
    /// The other way round.
    alias_of: BTreeMap<ObjectKey, String>,
}

impl ServiceNeighbourhood {
    /// Looks around a Service; costs what the graph holds.
    pub fn new(of: ObjectKey, topology: &Topology) -> Self {
        let mut around = Self {
            center: of,
            members: BTreeSet::new(),
            aliases: BTreeMap::new(),
            alias_of: BTreeMap::new(),
        };
        for traffic in topology.services() {
            around.note_alias(&traffic.service.key, alias_of(traffic));
        }
        around.rebuild(topology);
        around
    }

    /// Whether a Service is part of it.
    pub fn holds(&self, service: &ObjectKey) -> bool {
        self.members.contains(service)
    }

    /// Follows a change of the graph at the cost of what changed; says which Services came or
    /// left beside the changed ones.
    pub fn update(&mut self, topology: &Topology, changed: &[ObjectKey]) -> Vec<ObjectKey> {
        // Aliases are few and change rarely; what shares pods is asked one by one below.
        let mut look_again =
            changed.contains(&self.center) || self.alias_of.contains_key(&self.center);
        for key in changed {
            let alias = topology.service(key).and_then(|traffic| alias_of(traffic));
            look_again |= alias.is_some() || self.alias_of.contains_key(key);
            self.note_alias(key, alias);
        }
        if look_again {
            let before = std::mem::take(&mut self.members);
            self.rebuild(topology);
            return before
                .symmetric_difference(&self.members)
                .cloned()
                .collect();
        }
        for key in changed {
            if shares_a_pod(topology, key, &self.center) {
                self.members.insert(key.clone());
            } else {
                self.members.remove(key);
            }
        }
        Vec::new()
    }

    /// Notes what a Service is an alias of, if it is one.
    fn note_alias(&mut self, key: &ObjectKey, alias: Option<String>) {
        if self.alias_of.get(key) == alias.as_ref() {
            return;
        }
        if let Some(before) = self.alias_of.remove(key)
            && let Some(sharers) = self.aliases.get_mut(&before)
        {
            sharers.remove(key);
            if sharers.is_empty() {
                self.aliases.remove(&before);
            }
        }
        if let Some(alias) = alias {
            let sharers = self.aliases.entry(alias.clone()).or_default();
            sharers.insert(key.clone());
            self.alias_of.insert(key.clone(), alias);
        }
    }

    fn rebuild(&mut self, topology: &Topology) {
        self.members.clear();
        let Some(centre) = topology.service(&self.center) else {
            return;
        };
        self.members.insert(self.center.clone());
        for pod in pods(centre) {
            self.members.extend(topology.services_of_pod(pod).cloned());
        }
        self.follow_aliases_here();
        self.follow_aliases_away(topology);
    }

    /// Aliases of the Service, aliases of those, and so on.
    fn follow_aliases_here(&mut self) {
        let mut reached = vec![self.center.clone()];
        while let Some(key) = reached.pop() {
            for name in names(&key) {
                for alias in self.aliases.get(&name).into_iter().flatten() {
                    if self.members.insert(alias.clone()) {
                        reached.push(alias.clone());
                    }
                }
            }
        }
    }

    /// Where the Service leads, step by step, if it is an alias of Services of the cluster.
    fn follow_aliases_away(&mut self, topology: &Topology) {
        let mut at = self.center.clone();
        while let Some(next) = self.alias_of.get(&at).and_then(|name| service_named(name))
            && topology.service(&next).is_some()
            && self.members.insert(next.clone())
        {
            at = next;
        }
    }
}

/// The name elsewhere that a Service is an alias of, as names are compared.
fn alias_of(traffic: &ServiceTraffic) -> Option<String> {
    let far_end = traffic
        .entry_points
        .iter()
        .find(|entry| entry.id.kind == EntryPointKind::ExternalName)?;
    let name = far_end.id.address.trim_end_matches('.');
    Some(name.to_ascii_lowercase())
}

/// The names by which an ExternalName may mean a Service. What stands in one is not completed by
/// search domains of the pod, so that the name of the namespace alone does not do.
fn names(key: &ObjectKey) -> [String; 2] {
    let short = format!("{}.{}.svc", key.name, key.namespace);
    let long = format!("{short}.cluster.local");
    [short, long]
}

fn service_named(name: &str) -> Option<ObjectKey> {
    let name = name.strip_suffix(".cluster.local").unwrap_or(name);
    let (service, namespace) = name.strip_suffix(".svc")?.split_once('.')?;
    Some(ObjectKey::new(namespace, service))
}

fn shares_a_pod(topology: &Topology, service: &ObjectKey, with: &ObjectKey) -> bool {
    topology
        .service(service)
        .is_some_and(|traffic| pods(traffic).any(|pod| topology.is_backend(pod, with)))
}

fn pods(traffic: &ServiceTraffic) -> impl Iterator<Item = &ObjectKey> {
    let backends = traffic.ports.iter().flat_map(|port| &port.backends);
    backends.filter_map(|backend| match &backend.target {
        BackendTarget::Pod(key) => Some(key),
        BackendTarget::Address(_) => None,
    })
}
