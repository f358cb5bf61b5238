//! From a topology to a layout.

use std::collections::HashMap;

use super::{
    Area, District, Layout, Options, Point,
    columns::{self, Columns},
    kin::{self, Kin},
    order,
    pack::{self, Parcel},
    place, size,
};
use crate::inventory::Text;
use crate::topology::Topology;

/// Lays out a topology: columns by kind, namespaces as blocks packed to the wanted shape.
///
/// Deterministic: the same input gives the same places. States don't move anything, and the number
/// of columns of the `last` layout is kept while it fits; without it everything is laid out afresh.
pub fn arrange(topology: &Topology, options: &Options, last: Option<&Layout>) -> Layout {
    let aspect = if options.aspect.is_finite() {
        options.aspect.clamp(0.2, 5.0)
    } else {
        Options::default().aspect
    };
    let blocks = blocks(topology, options.group_above, aspect, last);
    let parcels: Vec<Parcel> = blocks.iter().map(Block::parcel).collect();
    let packed = pack::pack(&parcels, aspect, last.and_then(units));
    let mut layout = Layout {
        bounds: Area {
            x: 0.0,
            y: 0.0,
            width: if packed.units == 0 {
                0.0
            } else {
                pack::width(packed.units)
            },
            height: packed.height,
        },
        ..Layout::default()
    };
    reserve(&mut layout, &blocks);
    for ((block, parcel), (unit, y)) in blocks.into_iter().zip(parcels).zip(packed.places) {
        let area = Area {
            x: pack::width(unit + 1) - size::DISTRICT_WIDTH,
            y,
            width: pack::width(parcel.span),
            height: parcel.height,
        };
        build(&mut layout, block, area);
    }
    layout
}

/// Makes room for all nodes and edges at once.
fn reserve(layout: &mut Layout, blocks: &[Block<'_>]) {
    let families = || blocks.iter().flat_map(|block| &block.families);
    let services = || families().flat_map(|kin| &kin.services);
    let doors: usize = services().map(|traffic| traffic.entries.len()).sum();
    let rows: usize = services().map(|traffic| traffic.ports.len()).sum();
    let stops: usize = families().map(|kin| kin.stops.len()).sum();
    let links: usize = families().map(|kin| kin.links.len()).sum();
    let pods: usize = families().map(|kin| kin.pods).sum();
    let cards = services().count();
    layout.nodes.reserve(cards + doors + stops);
    layout.edges.reserve(doors + links);
    layout.index.reserve(cards + rows + doors + stops.max(pods));
}

/// The families of a namespace in their columns.
struct Block<'a> {
    namespace: Text,
    families: Vec<Kin<'a>>,
    columns: Columns,
}

impl Block<'_> {
    fn parcel(&self) -> Parcel {
        Parcel {
            span: self.columns.count,
            height: size::DISTRICT_HEADER + self.columns.height + size::DISTRICT_PADDING,
        }
    }
}

fn blocks<'a>(
    topology: &'a Topology,
    group_above: usize,
    aspect: f32,
    last: Option<&Layout>,
) -> Vec<Block<'a>> {
    let columns_before: HashMap<&Text, usize> = last
        .into_iter()
        .flat_map(|last| &last.districts)
        .map(|district| (&district.namespace, units_in(district.area.width)))
        .collect();
    let services: Vec<_> = topology.services().collect();
    services
        .chunk_by(|a, b| a.service.key.namespace == b.service.key.namespace)
        .filter_map(|services| {
            let namespace = services.first()?.service.key.namespace.clone();
            let mut families = kin::families(services, group_above);
            families.iter_mut().for_each(order::sort);
            let heights: Vec<f32> = families.iter().map(place::height).collect();
            let before = columns_before.get(&namespace).copied();
            Some(Block {
                columns: columns::wrap(&heights, aspect, before),
                namespace,
                families,
            })
        })
        .collect()
}

fn build(layout: &mut Layout, block: Block<'_>, area: Area) {
    let district = layout.districts.len();
    layout.districts.push(District {
        namespace: block.namespace,
        area,
        services: block.families.iter().map(|kin| kin.services.len()).sum(),
        pods: block.families.iter().map(|kin| kin.pods).sum(),
    });
    for (kin, (column, y)) in block.families.into_iter().zip(block.columns.places) {
        let at = Point {
            x: area.x
                + size::DISTRICT_PADDING
                + column as f32 * (size::DISTRICT_WIDTH + size::DISTRICT_GAP),
            y: area.y + size::DISTRICT_HEADER + y,
        };
        place::place(layout, kin, at, district);
    }
}

/// How many units wide a map is.
fn units(last: &Layout) -> Option<usize> {
    (!last.districts.is_empty()).then(|| units_in(last.bounds.width))
}

fn units_in(width: f32) -> usize {
    ((width + size::DISTRICT_GAP) / (size::DISTRICT_WIDTH + size::DISTRICT_GAP)).round() as usize
}
