//! Finding a node on the map.

use super::{LayoutNodeRef, MapLayout, bloom_filter::BloomFilter};
use crate::inventory::{ObjectKey, SharedStr};
use crate::topology::NodeId;

/// Where the family of a Service is: by names, which stay true when others come and go.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ComponentLocation {
    /// The name of its district.
    pub group: SharedStr,
    /// The first Service of its family.
    pub key_service: ObjectKey,
}

impl MapLayout {
    /// Where a node is; a pod of a group is where the group is, a port where its Service is.
    ///
    /// Costs a few look-ups for what belongs to a Service; for pods and workloads a pass over the
    /// families that looks into the likely ones only.
    pub fn find(&self, id: &NodeId) -> Option<LayoutNodeRef> {
        let of = |service: &ObjectKey| self.node_in(self.component_of(service)?, id);
        match id {
            NodeId::Service(key) => of(key),
            NodeId::Port(port) => of(&port.service),
            NodeId::EntryPoint(entry) => of(&entry.service),
            NodeId::Address { service, .. } => of(service),
            NodeId::Pod(key) => self.first_with(BloomFilter::of(key), id),
            NodeId::Workload(workload) => self.first_with(BloomFilter::of(workload), id),
            NodeId::Node(_) => None,
        }
    }

    /// The family of a Service, as an index into [`Self::families`].
    pub(super) fn component_of(&self, service: &ObjectKey) -> Option<usize> {
        let location = self.locations.get(service)?;
        let district = self
            .groups
            .binary_search_by(|district| district.name.cmp(&location.group))
            .ok()?;
        let range = self.groups.get(district)?.components.clone();
        let families = self.components.get(range.clone())?;
        let at = families
            .binary_search_by(|placed| {
                placed
                    .component
                    .key_service()
                    .cmp(&Some(&location.key_service))
            })
            .ok()?;
        Some(range.start + at)
    }

    fn first_with(&self, sieve: BloomFilter, id: &NodeId) -> Option<LayoutNodeRef> {
        self.components
            .iter()
            .enumerate()
            .filter(|(_, placed)| placed.bloom_filter.may_hold(sieve))
            .find_map(|(family, _)| self.node_in(family, id))
    }

    fn node_in(&self, family: usize, id: &NodeId) -> Option<LayoutNodeRef> {
        let node = *self.components.get(family)?.component.index.get(id)?;
        Some(LayoutNodeRef {
            component: family,
            node,
        })
    }
}
