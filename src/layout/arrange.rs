//! From a topology to a layout.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Area, District, Family, Layout, Options, PlacedFamily, Point,
    fill::{self, Filled},
    follow, group, make,
    map::Made,
    pack::{self, Parcel},
    seat::Seat,
    size,
};
use crate::inventory::{ObjectKey, Text};
use crate::topology::Topology;

/// Lays out a topology: columns by kind, namespaces as blocks packed to the wanted shape.
///
/// Deterministic: the same input gives the same places. Without a `last` layout everything is laid
/// out afresh; with one the new layout follows it as [`follow()`](follow::follow) says.
pub fn arrange(topology: &Topology, options: &Options, last: Option<&Layout>) -> Layout {
    let Some(last) = last else {
        return afresh(topology, options);
    };
    let there = topology.services().map(|traffic| &traffic.service.key);
    let gone = last.seats.keys();
    let all: Vec<ObjectKey> = there
        .chain(gone.filter(|key| topology.service(key).is_none()))
        .cloned()
        .collect();
    follow::follow(topology, options, last, &all)
}

/// Lays out everything without a look at what was.
pub(super) fn afresh(topology: &Topology, options: &Options) -> Layout {
    let services: Vec<_> = topology.services().collect();
    let mut blocks: BTreeMap<Text, Vec<Arc<Family>>> = BTreeMap::new();
    for family in make::families(&services, options.group_above, |_| None) {
        let name = group::of(&family, options.grouping);
        blocks.entry(name).or_default().push(family);
    }
    let aspect = aspect(options);
    let filled: Vec<Filled> = blocks
        .values()
        .map(|families| fill::fill(families, &options.pins, aspect))
        .collect();
    let parcels: Vec<Parcel> = filled
        .iter()
        .map(|filled| Parcel {
            span: size::units(filled.size.width),
            height: filled.size.height,
        })
        .collect();
    let packed = pack::pack(&parcels, aspect);
    let mut layout = Layout {
        made: Made::from(options),
        ..Layout::default()
    };
    let places = packed.places.into_iter().zip(filled);
    for ((name, families), ((unit, y), filled)) in blocks.into_iter().zip(places) {
        let corner = Point {
            x: unit as f32 * size::PITCH,
            y,
        };
        build(&mut layout, name, families, filled, corner);
    }
    layout.bounds = bounds(&layout.districts);
    layout
}

/// The wanted shape of the map, within reason.
pub(super) fn aspect(options: &Options) -> f32 {
    if options.aspect.is_finite() {
        options.aspect.clamp(0.2, 5.0)
    } else {
        Options::default().aspect
    }
}

/// The area that holds all districts.
pub(super) fn bounds(districts: &[District]) -> Area {
    let areas = districts.iter().map(|district| district.area);
    areas
        .reduce(|all, area| all.union(&area))
        .unwrap_or_default()
}

fn build(
    layout: &mut Layout,
    name: Text,
    families: Vec<Arc<Family>>,
    filled: Filled,
    corner: Point,
) {
    let at = layout.districts.len();
    let first = layout.families.len();
    layout.districts.push(District {
        name: name.clone(),
        grouping: layout.made.grouping,
        area: Area::at(corner, filled.size),
        services: families.iter().map(|family| family.sources.len()).sum(),
        pods: families.iter().map(|family| family.pods).sum(),
        families: first..first + families.len(),
    });
    for (family, from_corner) in families.into_iter().zip(filled.corners) {
        layout.seat(&family, &name);
        let origin = Point {
            x: corner.x + from_corner.x,
            y: corner.y + from_corner.y,
        };
        layout.families.push(PlacedFamily::new(family, origin, at));
    }
}

impl Layout {
    /// Notes where the Services of a family are found.
    pub(super) fn seat(&mut self, family: &Family, district: &Text) {
        let Some(lead) = family.lead() else {
            return;
        };
        let seat = Seat {
            district: district.clone(),
            lead: lead.clone(),
        };
        for traffic in &family.sources {
            let key = &traffic.service.key;
            if self.seats.get(key) != Some(&seat) {
                self.seats.insert(key.clone(), seat.clone());
            }
        }
    }
}
