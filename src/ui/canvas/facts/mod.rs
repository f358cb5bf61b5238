//! What drawing needs of a map beyond the layout: worked out for each family by itself, kept while
//! the family and the reports of its Services stay the same.

mod family;
mod rows;
mod summary;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use egui::{Rect, pos2, vec2};
use imbl::{OrdMap, ordmap::DiffItem};

pub(super) use self::{family::FamilyFacts, summary::Summary};
use crate::{
    check::Report,
    engine::Scene,
    inventory::ObjectKey,
    layout::{Area, Family},
    topology::NodeId,
};

/// A layout's area in egui's terms, still in map units.
pub(super) fn rect_of(area: &Area) -> Rect {
    Rect::from_min_size(pos2(area.x, area.y), vec2(area.width, area.height))
}

/// Parallel to the layout's families and districts.
#[derive(Default)]
pub(super) struct Facts {
    families: Vec<Arc<FamilyFacts>>,
    districts: Vec<Summary>,
    /// The reports that all of this was made of.
    reports: OrdMap<ObjectKey, Arc<Report>>,
}

impl Facts {
    /// Follows a scene; costs what changed. Returns the facts of all families before.
    pub fn update(&mut self, scene: &Scene) -> Vec<Arc<FamilyFacts>> {
        let layout = &scene.layout;
        let touched: HashSet<usize> = self
            .reports
            .diff(&scene.reports)
            .filter_map(|change| {
                let (DiffItem::Add(key, _)
                | DiffItem::Remove(key, _)
                | DiffItem::Update { new: (key, _), .. }) = change;
                Some(layout.find(&NodeId::Service(key.clone()))?.family)
            })
            .collect();
        let before = std::mem::take(&mut self.families);
        let mut known: Option<HashMap<*const Family, &Arc<FamilyFacts>>> = None;
        self.families = layout
            .families
            .iter()
            .enumerate()
            .map(|(at, placed)| {
                let kept = if touched.contains(&at) {
                    None
                } else if let Some(same) =
                    before.get(at).filter(|facts| facts.is_of(&placed.family))
                {
                    Some(same)
                } else {
                    // Something came or went before it: now it pays to know all by their address.
                    let known = known.get_or_insert_with(|| {
                        before
                            .iter()
                            .map(|facts| (Arc::as_ptr(&facts.family), facts))
                            .collect()
                    });
                    known.get(&Arc::as_ptr(&placed.family)).copied()
                };
                kept.map_or_else(
                    || Arc::new(FamilyFacts::new(&placed.family, scene)),
                    Arc::clone,
                )
            })
            .collect();
        self.districts = layout
            .districts
            .iter()
            .map(|district| {
                let families = self.families.get(district.families.clone());
                families
                    .unwrap_or_default()
                    .iter()
                    .map(|facts| facts.summary)
                    .sum()
            })
            .collect();
        self.reports = scene.reports.clone();
        before
    }

    /// What is known of a family.
    pub fn family(&self, at: usize) -> Option<&Arc<FamilyFacts>> {
        self.families.get(at)
    }

    /// What a district's header says.
    pub fn district(&self, at: usize) -> Option<Summary> {
        self.districts.get(at).copied()
    }
}
