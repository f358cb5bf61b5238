//! Finding a node on the map.

use super::{Layout, NodeAt, sieve::Sieve};
use crate::inventory::{ObjectKey, Text};
use crate::topology::NodeId;

/// Where the family of a Service is: by names, which stay true when others come and go.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seat {
    /// The name of its district.
    pub district: Text,
    /// The first Service of its family.
    pub lead: ObjectKey,
}

impl Layout {
    /// Where a node is; a pod of a group is where the group is, a port where its Service is.
    ///
    /// Costs a few look-ups for what belongs to a Service; for pods and workloads a pass over the
    /// families that looks into the likely ones only.
    pub fn find(&self, id: &NodeId) -> Option<NodeAt> {
        let of = |service: &ObjectKey| self.node_in(self.family_of(service)?, id);
        match id {
            NodeId::Service(key) => of(key),
            NodeId::Port(port) => of(&port.service),
            NodeId::Entry(entry) => of(&entry.service),
            NodeId::Address { service, .. } => of(service),
            NodeId::Pod(key) => self.first_with(Sieve::of(key), id),
            NodeId::Workload(workload) => self.first_with(Sieve::of(workload), id),
            NodeId::Node(_) => None,
        }
    }

    /// The family of a Service, as an index into [`Self::families`].
    pub(super) fn family_of(&self, service: &ObjectKey) -> Option<usize> {
        let seat = self.seats.get(service)?;
        let district = self
            .districts
            .binary_search_by(|district| district.name.cmp(&seat.district))
            .ok()?;
        let range = self.districts.get(district)?.families.clone();
        let families = self.families.get(range.clone())?;
        let at = families
            .binary_search_by(|placed| placed.family.lead().cmp(&Some(&seat.lead)))
            .ok()?;
        Some(range.start + at)
    }

    fn first_with(&self, sieve: Sieve, id: &NodeId) -> Option<NodeAt> {
        self.families
            .iter()
            .enumerate()
            .filter(|(_, placed)| placed.sieve.may_hold(sieve))
            .find_map(|(family, _)| self.node_in(family, id))
    }

    fn node_in(&self, family: usize, id: &NodeId) -> Option<NodeAt> {
        let node = *self.families.get(family)?.family.index.get(id)?;
        Some(NodeAt { family, node })
    }
}
