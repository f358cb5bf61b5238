//! From a topology to a layout, without a look at what was.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    ComponentLayout, LayoutOptions, MapLayout, MapPoint, MapRect, PlacedComponent, ServiceGroup,
    components,
    fill::{self, GroupColumns},
    group,
    lookup::ComponentLocation,
    map::LayoutInputs,
    pack::{self, BlockSize},
    size,
};
use crate::inventory::SharedStr;
use crate::topology::Topology;

/// Lays out everything without a look at what was.
pub(super) fn arrange_from_scratch(topology: &Topology, options: &LayoutOptions) -> MapLayout {
    let services: Vec<_> = topology.services().collect();
    let mut blocks: BTreeMap<SharedStr, Vec<Arc<ComponentLayout>>> = BTreeMap::new();
    for family in components::build_components(&services, options.pod_group_threshold, |_| None) {
        let name = group::of(&family, options.grouping);
        blocks.entry(name).or_default().push(family);
    }
    let aspect = aspect(options);
    let filled: Vec<GroupColumns> = blocks
        .values()
        .map(|families| fill::fill(families, &options.pins, aspect))
        .collect();
    let parcels: Vec<BlockSize> = filled
        .iter()
        .map(|filled| BlockSize {
            span: size::units(filled.size.width),
            height: filled.size.height,
        })
        .collect();
    let packed = pack::pack(&parcels, aspect);
    let mut layout = MapLayout {
        inputs: LayoutInputs::from(options),
        ..MapLayout::default()
    };
    let places = packed.places.into_iter().zip(filled);
    for ((name, families), ((unit, y), filled)) in blocks.into_iter().zip(places) {
        let corner = MapPoint {
            x: unit as f32 * size::PITCH,
            y,
        };
        build(&mut layout, name, families, filled, corner);
    }
    layout.bounds = bounds(&layout.groups);
    layout
}

/// The wanted shape of the map, within reason.
pub(super) fn aspect(options: &LayoutOptions) -> f32 {
    if options.aspect.is_finite() {
        options.aspect.clamp(0.2, 5.0)
    } else {
        LayoutOptions::default().aspect
    }
}

/// The area that holds all districts.
pub(super) fn bounds(districts: &[ServiceGroup]) -> MapRect {
    let areas = districts.iter().map(|district| district.area);
    areas
        .reduce(|all, area| all.union(&area))
        .unwrap_or_default()
}

fn build(
    layout: &mut MapLayout,
    name: SharedStr,
    families: Vec<Arc<ComponentLayout>>,
    filled: GroupColumns,
    corner: MapPoint,
) {
    let at = layout.groups.len();
    let first = layout.components.len();
    layout.groups.push(ServiceGroup {
        name: name.clone(),
        grouping: layout.inputs.grouping,
        area: MapRect::at(corner, filled.size),
        services: families.iter().map(|family| family.sources.len()).sum(),
        pods: families.iter().map(|family| family.pods).sum(),
        components: first..first + families.len(),
    });
    for (family, from_corner) in families.into_iter().zip(filled.corners) {
        layout.record_location(&family, &name);
        let origin = MapPoint {
            x: corner.x + from_corner.x,
            y: corner.y + from_corner.y,
        };
        layout
            .components
            .push(PlacedComponent::new(family, origin, at));
    }
}

impl MapLayout {
    /// Notes where the Services of a family are found.
    pub(super) fn record_location(&mut self, family: &ComponentLayout, district: &SharedStr) {
        let Some(lead) = family.key_service() else {
            return;
        };
        let location = ComponentLocation {
            group: district.clone(),
            key_service: lead.clone(),
        };
        for traffic in &family.sources {
            let key = &traffic.service.key;
            if self.locations.get(key) != Some(&location) {
                self.locations.insert(key.clone(), location.clone());
            }
        }
    }
}
