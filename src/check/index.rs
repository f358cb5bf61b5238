//! What rules need to know of more than one Service, kept up to date from changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{Inventory, ObjectKey, ServiceType};
use crate::topology::{BackendTarget, Topology};

/// How far names that lead to names are followed.
pub(super) const CHAIN: usize = 8;

/// Who leads to whom by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// ExternalName Services by the Service of this cluster that they lead to, if it exists or not.
    aliases: BTreeMap<ObjectKey, BTreeSet<ObjectKey>>,
    /// The same from the other side.
    targets: BTreeMap<ObjectKey, ObjectKey>,
}

impl Index {
    /// Follows one Service, which may be gone.
    pub fn follow(&mut self, inventory: &Inventory, key: &ObjectKey) {
        let target = inventory
            .service(key)
            .filter(|service| service.service_type == ServiceType::ExternalName)
            .and_then(|service| local_target(service.external_name.as_deref()?));
        let before = match &target {
            Some(target) => self.targets.insert(key.clone(), target.clone()),
            None => self.targets.remove(key),
        };
        if before == target {
            return;
        }
        if let Some(before) = before
            && let Some(left) = self.aliases.get_mut(&before)
        {
            left.remove(key);
            if left.is_empty() {
                self.aliases.remove(&before);
            }
        }
        if let Some(target) = target {
            self.aliases.entry(target).or_default().insert(key.clone());
        }
    }

    /// The Service of this cluster that an ExternalName Service leads to.
    pub fn target(&self, key: &ObjectKey) -> Option<&ObjectKey> {
        self.targets.get(key)
    }

    /// Services that lead to another one by name.
    pub fn all_aliases(&self) -> impl Iterator<Item = &ObjectKey> {
        self.targets.keys()
    }

    /// Services that lead to this one by name, over others too.
    pub fn aliases(&self, key: &ObjectKey) -> BTreeSet<ObjectKey> {
        let mut found = BTreeSet::new();
        let mut next = vec![key.clone()];
        for _ in 0..=CHAIN {
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

/// The Service that a name means as `NAME.NAMESPACE.svc[.cluster.local]`.
pub(super) fn local_target(name: &str) -> Option<ObjectKey> {
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
    let mut found = BTreeSet::new();
    for backend in traffic.ports.iter().flat_map(|port| &port.backends) {
        if let BackendTarget::Pod(pod) = &backend.target {
            let others = topology
                .services_of_pod(pod)
                .filter(|other| *other != key && !found.contains(*other))
                .cloned()
                .collect::<Vec<_>>();
            found.extend(others);
        }
    }
    Vec::from_iter(found)
}
