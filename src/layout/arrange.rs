//! From a topology to a layout.

use std::{collections::HashMap, sync::Arc};

use super::{
    Area, District, Family, Grouping, Layout, Options, PlacedFamily, Point,
    columns::{self, Columns},
    kin, order,
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
    let blocks = blocks(topology, options, aspect, last);
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

/// The families of a namespace in their columns.
struct Block {
    namespace: Text,
    families: Vec<Family>,
    columns: Columns,
}

impl Block {
    fn parcel(&self) -> Parcel {
        Parcel {
            span: self.columns.count,
            height: size::DISTRICT_HEADER + self.columns.height + size::DISTRICT_PADDING,
        }
    }
}

fn blocks(
    topology: &Topology,
    options: &Options,
    aspect: f32,
    last: Option<&Layout>,
) -> Vec<Block> {
    let columns_before: HashMap<&Text, usize> = last
        .into_iter()
        .flat_map(|last| &last.districts)
        .map(|district| (&district.name, units_in(district.area.width)))
        .collect();
    let services: Vec<_> = topology.services().collect();
    services
        .chunk_by(|a, b| a.service.key.namespace == b.service.key.namespace)
        .filter_map(|services| {
            let namespace = services.first()?.service.key.namespace.clone();
            let families: Vec<Family> = kin::families(services, options.group_above)
                .into_iter()
                .map(|mut kin| {
                    order::sort(&mut kin);
                    place::place(kin)
                })
                .collect();
            let heights: Vec<f32> = families.iter().map(|family| family.size.height).collect();
            let before = columns_before.get(&namespace).copied();
            Some(Block {
                columns: columns::wrap(&heights, aspect, before),
                namespace,
                families,
            })
        })
        .collect()
}

fn build(layout: &mut Layout, block: Block, area: Area) {
    let district = layout.districts.len();
    let first = layout.families.len();
    layout.districts.push(District {
        name: block.namespace,
        grouping: Grouping::Namespace,
        area,
        services: block
            .families
            .iter()
            .map(|family| family.services().count())
            .sum(),
        pods: block.families.iter().map(|family| family.pods).sum(),
        families: first..first + block.families.len(),
    });
    for (family, (column, y)) in block.families.into_iter().zip(block.columns.places) {
        let origin = Point {
            x: area.x
                + size::DISTRICT_PADDING
                + column as f32 * (size::DISTRICT_WIDTH + size::DISTRICT_GAP),
            y: area.y + size::DISTRICT_HEADER + y,
        };
        let at = layout.families.len();
        for service in family.services() {
            layout.of_service.insert(service.clone(), at);
        }
        layout.families.push(PlacedFamily {
            origin,
            district,
            family: Arc::new(family),
        });
    }
}

/// How many units wide a map is.
fn units(last: &Layout) -> Option<usize> {
    (!last.districts.is_empty()).then(|| units_in(last.bounds.width))
}

fn units_in(width: f32) -> usize {
    ((width + size::DISTRICT_GAP) / (size::DISTRICT_WIDTH + size::DISTRICT_GAP)).round() as usize
}
