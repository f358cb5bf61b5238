//! What holds of the layout of any graph.

use std::collections::HashSet;

use proptest::prelude::*;

use super::{Area, Layout, Options, PlacedWhat, Point, arrange, place::is_door};
use crate::inventory::{Inventory, arbitrary};
use crate::topology::{NodeId, Topology};

fn options() -> impl Strategy<Value = Options> {
    (0.3_f32..4.0, 0_usize..5).prop_map(|(aspect, group_above)| Options {
        aspect,
        group_above,
        ..Options::default()
    })
}

fn encloses(outer: &Area, inner: &Area) -> bool {
    inner.x >= outer.x
        && inner.y >= outer.y
        && inner.right() <= outer.right()
        && inner.bottom() <= outer.bottom()
}

fn touches(area: &Area, point: Point) -> bool {
    (point.x == area.x || point.x == area.right()) && area.y <= point.y && point.y <= area.bottom()
}

fn check(layout: &Layout) -> Result<(), TestCaseError> {
    for (at, district) in layout.districts.iter().enumerate() {
        prop_assert!(encloses(&layout.bounds, &district.area));
        for other in &layout.districts[at + 1..] {
            prop_assert!(!district.area.overlaps(&other.area));
        }
    }
    let nodes: Vec<_> = layout.nodes().collect();
    for (step, (at, node)) in nodes.iter().enumerate() {
        let area = layout.area(*at).expect("it has a place");
        let district = layout.district(*at).expect("it stands in a district");
        prop_assert!(encloses(&district.area, &area));
        prop_assert_eq!(layout.find(&node.id), Some(*at));
        for (other_at, other) in &nodes[step + 1..] {
            prop_assert!(
                !area.overlaps(&layout.area(*other_at).expect("it has a place")),
                "{:?} on {:?}",
                node,
                other
            );
        }
        if let PlacedWhat::Service { rows } = &node.what {
            prop_assert!(rows.iter().all(|row| encloses(&node.area, &row.area)));
        }
    }
    for (at, edge) in layout.edges() {
        let nodes = &layout.families[at.family].family.nodes;
        let from = nodes.get(edge.from).expect("an edge has a start");
        let to = nodes.get(edge.to).expect("an edge has an end");
        prop_assert!(touches(&from.area, edge.start) && touches(&to.area, edge.end));
        prop_assert!(edge.start.x < edge.end.x, "traffic runs to the right");
    }
    Ok(())
}

fn everything_is_there(topology: &Topology, layout: &Layout) -> Result<(), TestCaseError> {
    let mut pods = HashSet::new();
    let has = |id: NodeId| layout.find(&id).is_some();
    for traffic in topology.services() {
        let key = &traffic.service.key;
        prop_assert!(has(NodeId::Service(key.clone())));
        for port in &traffic.ports {
            prop_assert!(has(NodeId::Port(port.id(key))));
            for backend in &port.backends {
                let id = backend.target.node_id(key);
                if matches!(id, NodeId::Pod(_)) {
                    pods.insert(id.clone());
                }
                prop_assert!(has(id));
            }
        }
        for entry in traffic.entries.iter().filter(|entry| is_door(entry)) {
            prop_assert!(has(NodeId::Entry(entry.id.clone())));
        }
    }
    let counted: usize = layout.districts.iter().map(|district| district.pods).sum();
    prop_assert_eq!(counted, pods.len());
    let counted: usize = layout
        .districts
        .iter()
        .map(|district| district.services)
        .sum();
    prop_assert_eq!(counted, topology.services().count());
    Ok(())
}

proptest! {
    #[test]
    fn nothing_overlaps_and_nothing_is_missing(
        inventory in arbitrary::inventory(),
        options in options(),
    ) {
        let topology = Topology::build(&inventory);
        let layout = arrange(&topology, &options, None);
        check(&layout)?;
        everything_is_there(&topology, &layout)?;
        prop_assert_eq!(&layout, &arrange(&topology, &options, None));
    }

    #[test]
    fn a_layout_that_follows_another_is_as_good(
        batches in arbitrary::batches(),
        options in options(),
    ) {
        let mut inventory = Inventory::default();
        let mut last = None;
        for batch in batches {
            arbitrary::apply(&mut inventory, &batch);
            let topology = Topology::build(&inventory);
            let layout = arrange(&topology, &options, last.as_ref());
            check(&layout)?;
            everything_is_there(&topology, &layout)?;
            prop_assert_eq!(
                &layout,
                &arrange(&topology, &options, Some(&layout)),
                "what did not change does not move"
            );
            last = Some(layout);
        }
    }
}
