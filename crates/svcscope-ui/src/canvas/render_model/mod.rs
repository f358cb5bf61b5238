//! What drawing needs of a map beyond the layout: worked out for each family by itself, kept while
//! the family and the reports of its Services stay the same.

mod component;
mod group_summary;
mod service_rows;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use egui::{Rect, pos2, vec2};
use imbl::{OrdMap, ordmap::DiffItem};

pub(super) use self::{component::ComponentRenderModel, group_summary::ServiceGroupSummary};
use svcscope_check::ServiceReport;
use svcscope_engine::Scene;
use svcscope_model::{
    inventory::ObjectKey,
    layout::{ComponentLayout, MapRect},
    topology::NodeId,
};

/// A layout's area in egui's terms, still in map units.
pub(super) fn rect_of(area: &MapRect) -> Rect {
    Rect::from_min_size(pos2(area.x, area.y), vec2(area.width, area.height))
}

/// Parallel to the layout's families and districts.
#[derive(Default)]
pub(super) struct MapRenderModel {
    components: Vec<Arc<ComponentRenderModel>>,
    group_summaries: Vec<ServiceGroupSummary>,
    /// The reports that all of this was made of.
    reports: OrdMap<ObjectKey, Arc<ServiceReport>>,
}

impl MapRenderModel {
    /// Follows a scene; costs what changed. Returns the facts of all families before.
    pub fn update(&mut self, scene: &Scene) -> Vec<Arc<ComponentRenderModel>> {
        let layout = &scene.layout;
        let touched: HashSet<usize> = self
            .reports
            .diff(&scene.reports)
            .filter_map(|change| {
                let (DiffItem::Add(key, _)
                | DiffItem::Remove(key, _)
                | DiffItem::Update { new: (key, _), .. }) = change;
                Some(layout.find(&NodeId::Service(key.clone()))?.component)
            })
            .collect();
        let before = std::mem::take(&mut self.components);
        let mut known: Option<HashMap<*const ComponentLayout, &Arc<ComponentRenderModel>>> = None;
        self.components = layout
            .components
            .iter()
            .enumerate()
            .map(|(at, placed)| {
                let kept = if touched.contains(&at) {
                    None
                } else if let Some(same) = before
                    .get(at)
                    .filter(|facts| facts.is_of(&placed.component))
                {
                    Some(same)
                } else {
                    // Something came or went before it: now it pays to know all by their address.
                    let known = known.get_or_insert_with(|| {
                        before
                            .iter()
                            .map(|facts| (Arc::as_ptr(&facts.component), facts))
                            .collect()
                    });
                    known.get(&Arc::as_ptr(&placed.component)).copied()
                };
                kept.map_or_else(
                    || Arc::new(ComponentRenderModel::new(&placed.component, scene)),
                    Arc::clone,
                )
            })
            .collect();
        self.group_summaries = layout
            .groups
            .iter()
            .map(|district| {
                let families = self.components.get(district.components.clone());
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
    pub fn component(&self, at: usize) -> Option<&Arc<ComponentRenderModel>> {
        self.components.get(at)
    }

    /// What a district's header says.
    pub fn group_summary(&self, at: usize) -> Option<ServiceGroupSummary> {
        self.group_summaries.get(at).copied()
    }
}
