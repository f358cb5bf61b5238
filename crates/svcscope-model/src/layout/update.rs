//! A layout that follows another: what did not change does not move.

use std::collections::BTreeMap;

use super::{
    LayoutOptions, MapLayout, MapPoint, MapRect, PlacedComponent, ServiceGroup,
    component_changes::{ComponentChanges, RebuiltComponent},
    fill, free_space, from_scratch, group,
    group_space::{GroupSpace, PositionedComponent, UnplacedComponent},
    map::LayoutInputs,
    size,
};
use crate::inventory::{ObjectKey, SharedStr};
use crate::topology::Topology;

/// Follows the `last` layout where these Services changed, came or went.
///
/// Only families that the changed Services are or were part of are made anew, and they stay where
/// they are while there is room: pods come and go in place. A family that has no room any more, or
/// is new, takes the gap in its district nearest to where it stood or to its neighbour by name,
/// else the district grows where the map is free. Where it is not, the district moves to a free
/// place as a whole: only then, and where the user puts a family onto others, something moves that
/// did not change.
///
/// With another grouping everything is laid out afresh, and so it is where nothing of the last
/// layout is left.
pub fn update_layout(
    topology: &Topology,
    options: &LayoutOptions,
    last: &MapLayout,
    changed: &[ObjectKey],
) -> MapLayout {
    let made = LayoutInputs::from(options);
    if last.is_empty()
        || made.grouping != last.inputs.grouping
        || made.pod_group_threshold != last.inputs.pod_group_threshold
    {
        return from_scratch::arrange_from_scratch(topology, options);
    }
    let news = ComponentChanges::of(topology, options, last, changed);
    if news.is_empty() {
        return MapLayout {
            inputs: made,
            ..last.clone()
        };
    }
    let goes_on = |newcomer: &RebuiltComponent| newcomer.previous.is_some();
    if news.removed.len() == last.components.len() && !news.rebuilt.iter().any(goes_on) {
        return from_scratch::arrange_from_scratch(topology, options);
    }
    let mut draft = LayoutDraft::new(last, options);
    draft.apply(&news);
    let mut layout = draft.finish(&news);
    layout.inputs = made;
    for &at in &news.removed {
        let sources = last
            .components
            .get(at)
            .map(|placed| &placed.component.sources);
        for key in sources.into_iter().flatten().map(|was| &was.service.key) {
            if topology.service(key).is_none() {
                layout.locations.remove(key);
            }
        }
    }
    layout
}

/// A district in the making.
struct GroupDraft {
    area: MapRect,
    /// As it was, as an index into the districts of the last layout.
    before: Option<usize>,
    /// Who stands in it now, where that is not who stood in it before.
    components: Option<Vec<PositionedComponent>>,
}

struct LayoutDraft<'a> {
    last: &'a MapLayout,
    options: &'a LayoutOptions,
    groups: BTreeMap<SharedStr, GroupDraft>,
}

impl<'a> LayoutDraft<'a> {
    fn new(last: &'a MapLayout, options: &'a LayoutOptions) -> Self {
        let plots = last.groups.iter().enumerate().map(|(at, district)| {
            let plot = GroupDraft {
                area: district.area,
                before: Some(at),
                components: None,
            };
            (district.name.clone(), plot)
        });
        Self {
            last,
            options,
            groups: plots.collect(),
        }
    }

    /// Gives everything that is new its place, district by district.
    fn apply(&mut self, news: &ComponentChanges) {
        let mut by_district: BTreeMap<SharedStr, Vec<&RebuiltComponent>> = BTreeMap::new();
        for &at in &news.removed {
            let placed = self.last.components.get(at);
            if let Some(left) = placed.and_then(|placed| self.last.groups.get(placed.group)) {
                by_district.entry(left.name.clone()).or_default();
            }
        }
        for newcomer in &news.rebuilt {
            let name = group::of(&newcomer.component, self.options.grouping);
            by_district.entry(name).or_default().push(newcomer);
        }
        for (name, newcomers) in by_district {
            let others: Vec<MapRect> = self
                .groups
                .iter()
                .filter(|(other, _)| **other != name)
                .map(|(_, plot)| plot.area)
                .collect();
            let plot = match self.groups.remove(&name) {
                Some(plot) => self.update_group(plot, &newcomers, &others, news),
                None => self.new_group(&newcomers, &others),
            };
            if plot.components.as_ref().is_some_and(|all| !all.is_empty()) {
                self.groups.insert(name, plot);
            }
        }
    }

    /// A district that was there, without those that are gone and with those that come.
    fn update_group(
        &self,
        plot: GroupDraft,
        newcomers: &[&RebuiltComponent],
        others: &[MapRect],
        news: &ComponentChanges,
    ) -> GroupDraft {
        let homeless = newcomers.iter().map(|newcomer| {
            let before = newcomer
                .previous
                .and_then(|at| self.last.components.get(at));
            UnplacedComponent {
                component: newcomer.component.clone(),
                previous_area: before
                    .filter(|placed| Some(placed.group) == plot.before)
                    .map(PlacedComponent::area),
                moved_by_user: newcomer.moved_by_user,
            }
        });
        let homeless: Vec<_> = homeless.collect();
        let mut ground = GroupSpace {
            area: plot.area,
            components: self.unchanged_components(&plot, news).collect(),
            others,
            pins: &self.options.pins,
            aspect: from_scratch::aspect(self.options),
        };
        ground.place_all(homeless);
        GroupDraft {
            area: ground.area,
            before: plot.before,
            components: Some(ground.components),
        }
    }

    /// A district of its own for those that come.
    fn new_group(&self, newcomers: &[&RebuiltComponent], others: &[MapRect]) -> GroupDraft {
        let mut families: Vec<_> = newcomers
            .iter()
            .map(|newcomer| newcomer.component.clone())
            .collect();
        families.sort_by(|a, b| a.key_service().cmp(&b.key_service()));
        let aspect = from_scratch::aspect(self.options);
        let filled = fill::fill(&families, &self.options.pins, aspect);
        let units = size::units(filled.size.width);
        let corner = free_space::on_map(others, units, filled.size.height, aspect);
        let standing = families
            .into_iter()
            .zip(filled.corners)
            .map(|(family, from_corner)| {
                let at = MapPoint {
                    x: corner.x + from_corner.x,
                    y: corner.y + from_corner.y,
                };
                PositionedComponent {
                    area: MapRect::at(at, family.size),
                    component: family,
                }
            });
        GroupDraft {
            area: MapRect::at(corner, filled.size),
            before: None,
            components: Some(standing.collect()),
        }
    }

    /// Who stands in a district now as before.
    fn unchanged_components<'b>(
        &'b self,
        plot: &GroupDraft,
        news: &'b ComponentChanges,
    ) -> impl Iterator<Item = PositionedComponent> + 'b {
        let district = plot.before.and_then(|at| self.last.groups.get(at));
        district
            .into_iter()
            .flat_map(|district| district.components.clone())
            .filter(|at| !news.removed.contains(at))
            .filter_map(|at| {
                let placed = self.last.components.get(at)?;
                let restyled = news.restyled.get(&at);
                Some(PositionedComponent {
                    area: placed.area(),
                    component: restyled.unwrap_or(&placed.component).clone(),
                })
            })
    }

    fn finish(self, news: &ComponentChanges) -> MapLayout {
        let mut layout = MapLayout {
            groups: Vec::with_capacity(self.groups.len()),
            components: Vec::with_capacity(self.last.components.len() + news.rebuilt.len()),
            locations: self.last.locations.clone(),
            ..MapLayout::default()
        };
        for newcomer in &news.rebuilt {
            let name = group::of(&newcomer.component, self.options.grouping);
            layout.record_location(&newcomer.component, &name);
        }
        for (name, plot) in self.groups {
            let at = layout.groups.len();
            let first = layout.components.len();
            let before = plot.before.and_then(|at| self.last.groups.get(at));
            let (services, pods) = match (plot.components, before) {
                (None, Some(before)) => {
                    let families = before.components.clone().filter_map(|from| {
                        let placed = self.last.components.get(from)?;
                        Some(match news.restyled.get(&from) {
                            Some(family) => PlacedComponent::new(family.clone(), placed.origin, at),
                            None => PlacedComponent {
                                group: at,
                                ..placed.clone()
                            },
                        })
                    });
                    layout.components.extend(families);
                    (before.services, before.pods)
                }
                (standing, _) => {
                    let (mut services, mut pods) = (0, 0);
                    for standing in standing.into_iter().flatten() {
                        services += standing.component.sources.len();
                        pods += standing.component.pods;
                        let origin = standing.area.corner();
                        layout.components.push(PlacedComponent::new(
                            standing.component,
                            origin,
                            at,
                        ));
                    }
                    (services, pods)
                }
            };
            layout.groups.push(ServiceGroup {
                name,
                grouping: self.options.grouping,
                area: plot.area,
                services,
                pods,
                components: first..layout.components.len(),
            });
        }
        layout.bounds = from_scratch::bounds(&layout.groups);
        layout
    }
}
