//! The graph that followed random changes against the graph built from scratch.

use proptest::prelude::*;

use super::{Topology, TrafficEdgeKind};
use crate::{
    arbitrary::{self, batches},
    inventory::Inventory,
};

proptest! {
    #[test]
    fn following_changes_gives_the_graph_built_from_scratch(batches in batches()) {
        let mut inventory = Inventory::default();
        let mut topology = Topology::default();
        for batch in batches {
            let before = topology.clone();
            let touched = arbitrary::apply(&mut inventory, &batch);
            let changed = topology.update(&inventory, &touched);
            prop_assert_eq!(&topology, &Topology::build(&inventory));
            prop_assert!(changed.is_sorted());
            for traffic in before.services() {
                let key = &traffic.service.key;
                if topology.service(key) != Some(traffic) {
                    prop_assert!(changed.contains(key), "{} changed unsaid", key);
                }
            }
        }
    }

    #[test]
    fn every_edge_has_its_ends_and_every_backend_its_edge(
        inventory in arbitrary::inventory(),
    ) {
        let topology = Topology::build(&inventory);
        let nodes = topology.nodes();
        let edges = topology.edges();
        for edge in &edges {
            prop_assert!(nodes.contains(&edge.from) && nodes.contains(&edge.to));
        }
        let forwards = edges
            .iter()
            .filter(|edge| matches!(edge.kind, TrafficEdgeKind::Forwards { .. }))
            .map(|edge| (&edge.from, &edge.to))
            .collect::<std::collections::BTreeSet<_>>();
        let mut backends = std::collections::BTreeSet::new();
        for traffic in topology.services() {
            let key = &traffic.service.key;
            for port in &traffic.ports {
                for backend in &port.backends {
                    backends.insert((
                        super::NodeId::Port(port.id(key)),
                        backend.target.node_id(key),
                    ));
                }
            }
        }
        prop_assert_eq!(forwards.len(), backends.len());
    }
}
