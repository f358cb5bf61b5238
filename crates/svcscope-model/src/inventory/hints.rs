//! Topology hints as kube-proxy follows them (`topologyModeFromHints` and `availableForTopology` in
//! pkg/proxy/topology.go).

use super::{EndpointRecord, SharedStr};

/// Which ready endpoints kube-proxy on a node sends traffic to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopologyMode {
    /// All of the cluster: no hint counts there.
    All,
    /// Those that are meant for the node's zone.
    SameZone,
    /// Those that are meant for the node.
    SameNode,
}

/// What is the same for all nodes: which hints count at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HintCounts {
    /// Ready endpoints.
    pub ready: usize,
    /// Those with `forNodes`.
    pub for_nodes: usize,
    /// Those with `forZones`.
    pub for_zones: usize,
}

impl HintCounts {
    /// Counts the hints of endpoints.
    pub fn of<'a>(endpoints: impl IntoIterator<Item = &'a EndpointRecord>) -> Self {
        let mut counts = Self::default();
        for endpoint in endpoints.into_iter().filter(|endpoint| endpoint.ready) {
            counts.ready += 1;
            counts.for_nodes += usize::from(!endpoint.node_hints.is_empty());
            counts.for_zones += usize::from(!endpoint.zone_hints.is_empty());
        }
        counts
    }

    /// Whether hints for nodes count: each ready endpoint has one.
    pub fn nodes_count(self) -> bool {
        self.ready > 0 && self.for_nodes == self.ready
    }

    /// Whether hints for zones count: each ready endpoint has one.
    pub fn zones_count(self) -> bool {
        self.ready > 0 && self.for_zones == self.ready
    }
}

/// What kube-proxy does on a node: hints for the node win over those for its zone, and each count
/// only if every ready endpoint has one and at least one is for here.
pub fn topology_mode(
    endpoints: &[&EndpointRecord],
    node: &str,
    zone: Option<&str>,
) -> TopologyMode {
    let counts = HintCounts::of(endpoints.iter().copied());
    let mut ready = endpoints.iter().filter(|endpoint| endpoint.ready);
    let has = |hints: &[SharedStr], name: &str| hints.iter().any(|hint| &**hint == name);
    if counts.nodes_count() && ready.clone().any(|one| has(&one.node_hints, node)) {
        TopologyMode::SameNode
    } else if counts.zones_count()
        && zone.is_some_and(|zone| ready.any(|one| has(&one.zone_hints, zone)))
    {
        TopologyMode::SameZone
    } else {
        TopologyMode::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{endpoint, pod};

    fn hinted(zones: &[&str], nodes: &[&str]) -> EndpointRecord {
        let texts = |all: &[&str]| all.iter().map(|text| SharedStr::from(*text)).collect();
        EndpointRecord {
            zone_hints: texts(zones),
            node_hints: texts(nodes),
            ..endpoint(&pod("web", 1))
        }
    }

    #[test]
    fn hints_count_if_each_ready_endpoint_has_one_and_one_is_for_here() {
        let a = hinted(&["zone-1", "zone-2"], &["node-a"]);
        let b = hinted(&["zone-3"], &["node-b"]);
        let mode = |node, zone| topology_mode(&[&a, &b], node, zone);
        assert_eq!(mode("node-a", Some("zone-1")), TopologyMode::SameNode);
        // The second zone of an endpoint counts as the first does.
        assert_eq!(mode("node-c", Some("zone-2")), TopologyMode::SameZone);
        assert_eq!(mode("node-c", Some("zone-4")), TopologyMode::All);
        assert_eq!(mode("node-c", None), TopologyMode::All);
    }

    #[test]
    fn one_without_a_hint_turns_that_kind_of_hint_off() {
        let a = hinted(&["zone-1"], &["node-a"]);
        let b = hinted(&["zone-1"], &[]);
        let mut c = hinted(&[], &[]);
        let mode = |all: &[&EndpointRecord]| topology_mode(all, "node-a", Some("zone-1"));
        assert_eq!(mode(&[&a, &b]), TopologyMode::SameZone);
        assert_eq!(mode(&[&a, &b, &c]), TopologyMode::All);
        // One that is not ready needs none.
        c.ready = false;
        assert_eq!(mode(&[&a, &b, &c]), TopologyMode::SameZone);
        assert_eq!(mode(&[&c]), TopologyMode::All);
    }
}
