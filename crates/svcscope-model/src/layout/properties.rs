//! What holds of the layout of any graph.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use proptest::{collection::btree_map, prelude::*, sample::select};

use super::{
    ComponentLayout, EdgeStyle, LayoutOptions, MapLayout, MapPoint, MapRect, PlacedEdge,
    PlacedNodeKind, ServiceGrouping, arrange, group, measure::is_drawn_as_entry_point, pins,
    update_layout,
};
use crate::topology::{NodeId, PortId, Topology};
use crate::{
    arbitrary,
    inventory::{Inventory, InventoryChange, ObjectKey, RecordDelta, SharedStr},
};

fn options() -> impl Strategy<Value = LayoutOptions> {
    let grouping = select(
        &[
            ServiceGrouping::Namespace,
            ServiceGrouping::App,
            ServiceGrouping::None,
        ][..],
    );
    (0.3_f32..4.0, 0_usize..5, grouping, pinned()).prop_map(
        |(aspect, group_above, grouping, pins)| LayoutOptions {
            aspect,
            pod_group_threshold: group_above,
            grouping,
            pins: pins.into(),
        },
    )
}

/// Some Services put somewhere, now and then to where nothing can be put.
fn pinned() -> impl Strategy<Value = BTreeMap<ObjectKey, MapPoint>> {
    let service = (select(&["infra", "shop"][..]), select(&["a", "b", "c"][..]))
        .prop_map(|(namespace, name)| ObjectKey::new(namespace, name));
    let length =
        || prop_oneof![8 => -50.0_f32..2_500.0, 1 => Just(f32::INFINITY), 1 => Just(f32::MIN)];
    let point = (length(), length()).prop_map(|(x, y)| MapPoint { x, y });
    btree_map(service, point, 0..4)
}

/// Batches of changes, where Services belong to applications.
fn batches() -> impl Strategy<Value = Vec<Vec<InventoryChange>>> {
    (arbitrary::batches(), any::<u64>()).prop_map(|(mut batches, seed)| {
        let changes = batches.iter_mut().flatten().zip(seed..);
        for (change, number) in changes {
            if let InventoryChange::Service(RecordDelta::Upsert(record)) = change
                && let Some(app) = [None, Some("x"), Some("y")][(number % 3) as usize]
            {
                let label = SharedStr::from("app.kubernetes.io/part-of");
                record.labels.insert(label, SharedStr::from(app));
            }
        }
        batches
    })
}

fn encloses(outer: &MapRect, inner: &MapRect) -> bool {
    // A family that was put anywhere stands off the grid: sums of its places are rounded.
    let slack = 0.02;
    inner.x >= outer.x - slack
        && inner.y >= outer.y - slack
        && inner.right() <= outer.right() + slack
        && inner.bottom() <= outer.bottom() + slack
}

fn touches(area: &MapRect, point: MapPoint) -> bool {
    (point.x == area.x || point.x == area.right()) && area.y <= point.y && point.y <= area.bottom()
}

fn is_finite(area: &MapRect) -> bool {
    [area.x, area.y, area.width, area.height]
        .iter()
        .all(|length| length.is_finite() && length.abs() < 1e7)
}

/// Nothing overlaps, everything is inside of what it belongs to, edges end where they should.
pub(super) fn check(layout: &MapLayout) -> Result<(), TestCaseError> {
    prop_assert!(is_finite(&layout.bounds));
    let mut families = 0..0;
    for (at, district) in layout.groups.iter().enumerate() {
        prop_assert!(encloses(&layout.bounds, &district.area));
        prop_assert_eq!(families.end, district.components.start);
        families = district.components.clone();
        for other in &layout.groups[at + 1..] {
            prop_assert!(!district.area.overlaps(&other.area));
            prop_assert!(district.name < other.name);
        }
        let standing = &layout.components[families.clone()];
        prop_assert!(!standing.is_empty());
        for (at, placed) in standing.iter().enumerate() {
            prop_assert!(encloses(&district.area, &placed.area()));
            for other in &standing[at + 1..] {
                prop_assert!(!placed.area().overlaps(&other.area()));
                prop_assert!(placed.component.key_service() < other.component.key_service());
            }
        }
    }
    prop_assert_eq!(families.end, layout.components.len());
    for placed in &layout.components {
        check_family(&placed.component)?;
    }
    Ok(())
}

fn check_family(family: &ComponentLayout) -> Result<(), TestCaseError> {
    let all = MapRect::at(MapPoint::default(), family.size);
    for (at, node) in family.nodes.iter().enumerate() {
        prop_assert!(is_finite(&node.area) && encloses(&all, &node.area));
        prop_assert_eq!(family.index.get(&node.id), Some(&at));
        for other in &family.nodes[at + 1..] {
            prop_assert!(
                !node.area.overlaps(&other.area),
                "{:?} on {:?}",
                node,
                other
            );
        }
        if let PlacedNodeKind::Service { rows } = &node.kind {
            prop_assert!(rows.iter().all(|row| encloses(&node.area, &row.area)));
        }
    }
    for edge in &family.edges {
        let from = family.nodes.get(edge.from).expect("an edge has a start");
        let to = family.nodes.get(edge.to).expect("an edge has an end");
        prop_assert!(touches(&from.area, edge.start) && touches(&to.area, edge.end));
        prop_assert!(edge.start.x < edge.end.x, "traffic runs to the right");
        let at_row = [(&from.kind, edge.start), (&to.kind, edge.end)]
            .into_iter()
            .find_map(|(what, point)| match what {
                PlacedNodeKind::Service { rows } => Some((rows, point)),
                _ => None,
            });
        let (rows, point) = at_row.expect("one end is a card");
        if let Some(port) = &edge.port {
            let row = rows.iter().find(|row| row.port == *port).expect("its row");
            prop_assert_eq!(row.area.center().y, point.y);
        }
    }
    Ok(())
}

fn everything_is_there(topology: &Topology, layout: &MapLayout) -> Result<(), TestCaseError> {
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
        for entry in traffic
            .entry_points
            .iter()
            .filter(|entry| is_drawn_as_entry_point(entry))
        {
            prop_assert!(has(NodeId::EntryPoint(entry.id.clone())));
        }
    }
    let counted: usize = layout.groups.iter().map(|district| district.pods).sum();
    prop_assert_eq!(counted, pods.len());
    let counted: usize = layout.groups.iter().map(|district| district.services).sum();
    prop_assert_eq!(counted, topology.services().count());
    prop_assert_eq!(layout.locations.len(), counted);
    Ok(())
}

/// What a layout shows, wherever it stands.
type LayoutContents<'a> = BTreeSet<(SharedStr, BTreeSet<String>, BTreeSet<String>)>;

fn shown(layout: &MapLayout) -> LayoutContents<'_> {
    let in_words = |placed: &super::PlacedComponent| {
        let family = &placed.component;
        let id = |at: usize| &family.nodes[at].id;
        let node = |node: &super::PlacedNode| match &node.kind {
            PlacedNodeKind::Service { rows } => {
                let ports: Vec<&PortId> = rows.iter().map(|row| &row.port).collect();
                format!("{:?} {ports:?}", node.id)
            }
            what => format!("{:?} {what:?}", node.id),
        };
        let edge = |edge: &PlacedEdge| {
            let PlacedEdge {
                from,
                to,
                port,
                style,
                ..
            } = edge;
            format!("{:?} {:?} {port:?} {style:?}", id(*from), id(*to))
        };
        (
            layout.groups[placed.group].name.clone(),
            family.nodes.iter().map(node).collect(),
            family.edges.iter().map(edge).collect(),
        )
    };
    layout.components.iter().map(in_words).collect()
}

/// What was made of the same and stands in the same district stands where it stood.
fn nothing_moved(
    before: &MapLayout,
    after: &MapLayout,
    pins: &pins::ComponentPins,
) -> Result<(), TestCaseError> {
    let places: HashMap<_, _> = before
        .components
        .iter()
        .map(|placed| (placed.component.key_service(), placed))
        .collect();
    let corner = |layout: &MapLayout, at: usize| layout.groups[at].area.corner();
    for placed in &after.components {
        let Some(was) = places.get(&placed.component.key_service()) else {
            continue;
        };
        let sources = (&was.component.sources, &placed.component.sources);
        let stays = sources.0 == sources.1
            && before.groups[was.group].name == after.groups[placed.group].name;
        // Where a district had to move, all in it moved with it.
        let moved = corner(before, was.group) != corner(after, placed.group);
        if !stays || moved || !pins.is_empty() {
            continue;
        }
        prop_assert_eq!(was.origin, placed.origin);
        prop_assert!(std::sync::Arc::ptr_eq(&was.component, &placed.component));
    }
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
        batches in batches(),
        options in options(),
    ) {
        let mut inventory = Inventory::default();
        let mut topology = Topology::build(&inventory);
        let mut last = arrange(&topology, &options, None);
        for batch in batches {
            let touched = arbitrary::apply(&mut inventory, &batch);
            let changed = topology.update(&inventory, &touched);
            let layout = update_layout(&topology, &options, &last, &changed);
            check(&layout)?;
            everything_is_there(&topology, &layout)?;
            nothing_moved(&last, &layout, &options.pins)?;
            prop_assert_eq!(shown(&layout), shown(&arrange(&topology, &options, None)));
            prop_assert_eq!(&layout, &update_layout(&topology, &options, &last, &changed));
            prop_assert_eq!(
                &layout,
                &arrange(&topology, &options, Some(&layout)),
                "what did not change does not move"
            );
            last = layout;
        }
    }

    #[test]
    fn what_a_person_put_somewhere_stays_there(
        inventory in arbitrary::inventory(),
        options in options(),
        pins in pinned(),
    ) {
        let topology = Topology::build(&inventory);
        let before = arrange(&topology, &options, None);
        let options = LayoutOptions { pins: pins.into(), ..options };
        let put = arrange(&topology, &options, Some(&before));
        check(&put)?;
        prop_assert_eq!(shown(&put), shown(&before));
        let afresh = arrange(&topology, &options, None);
        for layout in [&put, &afresh] {
            for district in &layout.groups {
                let families = &layout.components[district.components.clone()];
                let first = families.iter().find_map(|placed| {
                    Some((placed, pins::of(&placed.component, &options.pins)?))
                });
                let Some((placed, pin)) = first else { continue };
                let at = placed.origin.x - district.area.x;
                prop_assert!(at <= pin.x + 0.02, "{} instead of {}", at, pin.x);
                if std::ptr::eq(layout, &afresh) {
                    prop_assert!((at - pin.x).abs() < 0.02);
                    let at = placed.origin.y - district.area.y;
                    prop_assert!((at - pin.y).abs() < 0.02);
                }
            }
        }
    }

    #[test]
    fn families_stand_in_the_district_of_their_first_service(
        batches in batches(),
        options in options(),
    ) {
        let mut inventory = Inventory::default();
        for batch in &batches {
            arbitrary::apply(&mut inventory, batch);
        }
        let topology = Topology::build(&inventory);
        let layout = arrange(&topology, &options, None);
        for placed in &layout.components {
            let lead = placed.component.key_service().expect("a Service");
            let record = &topology.service(lead).expect("it is there").service;
            let district = &layout.groups[placed.group];
            prop_assert_eq!(&district.name, &group::of_service(record, options.grouping));
            let namespaces: HashSet<_> =
                placed.component.services().map(|key| &key.namespace).collect();
            prop_assert_eq!(namespaces.len(), 1);
        }
        let aliases = layout.edges().filter(|(_, edge)| edge.style == EdgeStyle::Alias);
        prop_assert!(aliases.count() <= topology.services().count());
    }
}
