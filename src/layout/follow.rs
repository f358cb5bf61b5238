//! A layout that follows another: what did not change does not move.

use std::collections::BTreeMap;

use super::{
    Area, District, Layout, Options, PlacedFamily, Point, arrange, fill, free, group,
    map::Made,
    news::{Newcomer, News},
    settle::{Ground, Homeless, Standing},
    size,
};
use crate::inventory::{ObjectKey, Text};
use crate::topology::Topology;

/// Follows the `last` layout where these Services changed, came or went.
///
/// Only families that the changed Services are or were part of are made anew, and they stay where
/// they are while there is room: pods come and go in place. A family that has no room any more, or
/// is new, takes the gap in its district nearest to where it stood or to its neighbour by name,
/// else the district grows where the map is free. Where it is not, the district moves to a free
/// place as a whole: only then, and where a person puts a family onto others, something moves that
/// did not change.
///
/// With another grouping everything is laid out afresh, and so it is where nothing of the last
/// layout is left.
pub fn follow(
    topology: &Topology,
    options: &Options,
    last: &Layout,
    changed: &[ObjectKey],
) -> Layout {
    let made = Made::from(options);
    if last.is_empty()
        || made.grouping != last.made.grouping
        || made.group_above != last.made.group_above
    {
        return arrange::afresh(topology, options);
    }
    let news = News::of(topology, options, last, changed);
    if news.is_empty() {
        return Layout {
            made,
            ..last.clone()
        };
    }
    let goes_on = |newcomer: &Newcomer| newcomer.before.is_some();
    if news.gone.len() == last.families.len() && !news.made.iter().any(goes_on) {
        return arrange::afresh(topology, options);
    }
    let mut draft = Draft::new(last, options);
    draft.take_in(&news);
    let mut layout = draft.finish(&news);
    layout.made = made;
    for &at in &news.gone {
        let sources = last.families.get(at).map(|placed| &placed.family.sources);
        for key in sources.into_iter().flatten().map(|was| &was.service.key) {
            if topology.service(key).is_none() {
                layout.seats.remove(key);
            }
        }
    }
    layout
}

/// A district in the making.
struct Plot {
    area: Area,
    /// As it was, as an index into the districts of the last layout.
    before: Option<usize>,
    /// Who stands in it now, where that is not who stood in it before.
    standing: Option<Vec<Standing>>,
}

struct Draft<'a> {
    last: &'a Layout,
    options: &'a Options,
    plots: BTreeMap<Text, Plot>,
}

impl<'a> Draft<'a> {
    fn new(last: &'a Layout, options: &'a Options) -> Self {
        let plots = last.districts.iter().enumerate().map(|(at, district)| {
            let plot = Plot {
                area: district.area,
                before: Some(at),
                standing: None,
            };
            (district.name.clone(), plot)
        });
        Self {
            last,
            options,
            plots: plots.collect(),
        }
    }

    /// Gives everything that is new its place, district by district.
    fn take_in(&mut self, news: &News) {
        let mut by_district: BTreeMap<Text, Vec<&Newcomer>> = BTreeMap::new();
        for &at in &news.gone {
            let placed = self.last.families.get(at);
            if let Some(left) = placed.and_then(|placed| self.last.districts.get(placed.district)) {
                by_district.entry(left.name.clone()).or_default();
            }
        }
        for newcomer in &news.made {
            let name = group::of(&newcomer.family, self.options.grouping);
            by_district.entry(name).or_default().push(newcomer);
        }
        for (name, newcomers) in by_district {
            let others: Vec<Area> = self
                .plots
                .iter()
                .filter(|(other, _)| **other != name)
                .map(|(_, plot)| plot.area)
                .collect();
            let plot = match self.plots.remove(&name) {
                Some(plot) => self.renew(plot, &newcomers, &others, news),
                None => self.found(&newcomers, &others),
            };
            if plot.standing.as_ref().is_some_and(|all| !all.is_empty()) {
                self.plots.insert(name, plot);
            }
        }
    }

    /// A district that was there, without those that are gone and with those that come.
    fn renew(&self, plot: Plot, newcomers: &[&Newcomer], others: &[Area], news: &News) -> Plot {
        let homeless = newcomers.iter().map(|newcomer| {
            let before = newcomer.before.and_then(|at| self.last.families.get(at));
            Homeless {
                family: newcomer.family.clone(),
                before: before
                    .filter(|placed| Some(placed.district) == plot.before)
                    .map(PlacedFamily::area),
                put: newcomer.put,
            }
        });
        let homeless: Vec<_> = homeless.collect();
        let mut ground = Ground {
            area: plot.area,
            standing: self.stayed(&plot, news).collect(),
            others,
            pins: &self.options.pins,
            aspect: arrange::aspect(self.options),
        };
        ground.settle(homeless);
        Plot {
            area: ground.area,
            before: plot.before,
            standing: Some(ground.standing),
        }
    }

    /// A district of its own for those that come.
    fn found(&self, newcomers: &[&Newcomer], others: &[Area]) -> Plot {
        let mut families: Vec<_> = newcomers
            .iter()
            .map(|newcomer| newcomer.family.clone())
            .collect();
        families.sort_by(|a, b| a.lead().cmp(&b.lead()));
        let aspect = arrange::aspect(self.options);
        let filled = fill::fill(&families, &self.options.pins, aspect);
        let units = size::units(filled.size.width);
        let corner = free::on_map(others, units, filled.size.height, aspect);
        let standing = families
            .into_iter()
            .zip(filled.corners)
            .map(|(family, from_corner)| {
                let at = Point {
                    x: corner.x + from_corner.x,
                    y: corner.y + from_corner.y,
                };
                Standing {
                    area: Area::at(at, family.size),
                    family,
                }
            });
        Plot {
            area: Area::at(corner, filled.size),
            before: None,
            standing: Some(standing.collect()),
        }
    }

    /// Who stands in a district now as before.
    fn stayed<'b>(&'b self, plot: &Plot, news: &'b News) -> impl Iterator<Item = Standing> + 'b {
        let district = plot.before.and_then(|at| self.last.districts.get(at));
        district
            .into_iter()
            .flat_map(|district| district.families.clone())
            .filter(|at| !news.gone.contains(at))
            .filter_map(|at| {
                let placed = self.last.families.get(at)?;
                let restyled = news.restyled.get(&at);
                Some(Standing {
                    area: placed.area(),
                    family: restyled.unwrap_or(&placed.family).clone(),
                })
            })
    }

    fn finish(self, news: &News) -> Layout {
        let mut layout = Layout {
            districts: Vec::with_capacity(self.plots.len()),
            families: Vec::with_capacity(self.last.families.len() + news.made.len()),
            seats: self.last.seats.clone(),
            ..Layout::default()
        };
        for newcomer in &news.made {
            let name = group::of(&newcomer.family, self.options.grouping);
            layout.seat(&newcomer.family, &name);
        }
        for (name, plot) in self.plots {
            let at = layout.districts.len();
            let first = layout.families.len();
            let before = plot.before.and_then(|at| self.last.districts.get(at));
            let (services, pods) = match (plot.standing, before) {
                (None, Some(before)) => {
                    let families = before.families.clone().filter_map(|from| {
                        let placed = self.last.families.get(from)?;
                        Some(match news.restyled.get(&from) {
                            Some(family) => PlacedFamily::new(family.clone(), placed.origin, at),
                            None => PlacedFamily {
                                district: at,
                                ..placed.clone()
                            },
                        })
                    });
                    layout.families.extend(families);
                    (before.services, before.pods)
                }
                (standing, _) => {
                    let (mut services, mut pods) = (0, 0);
                    for standing in standing.into_iter().flatten() {
                        services += standing.family.sources.len();
                        pods += standing.family.pods;
                        let origin = standing.area.corner();
                        layout
                            .families
                            .push(PlacedFamily::new(standing.family, origin, at));
                    }
                    (services, pods)
                }
            };
            layout.districts.push(District {
                name,
                grouping: self.options.grouping,
                area: plot.area,
                services,
                pods,
                families: first..layout.families.len(),
            });
        }
        layout.bounds = arrange::bounds(&layout.districts);
        layout
    }
}
